/**
 * Reads from a copy of the session. The bridge is asked where the copy cannot answer: before it is there, after an own write
 * that it has not come to, and for a value that is too long for it.
 */
import type { Revision } from "../core/commands.js";
import { type BridgeError, errorFor, errorFrom } from "../core/errors.js";
import { parseIdentifier, quoteName } from "../core/names.js";
import { Refusal, sessionNotFound, variableNotFound } from "../core/refusal.js";
import type { StateEntry } from "../core/state-update.js";
import { checkIdentifier } from "./arguments.js";
import { closedHere } from "./closed.js";
import type { Deadline } from "./deadline.js";
import type { Following } from "./following.js";
import { toPoint } from "./points.js";
import type {
  Answer,
  Answers,
  CacheStats,
  Freshness,
  FreshOptions,
  Held,
  ReadOptions,
  Reads,
} from "./reads.js";
import type { Replica } from "./replica.js";
import { CATCH_UP_MS, type CallOptions } from "./transport/transport.js";
import { checkCacheTtl } from "./ttl-cache.js";

export interface LiveReadsParts {
  readonly sessionId: string;
  readonly following: Following;
  /** Where the copy cannot answer. */
  readonly server: Reads;
  /** The age up to which values are answered while the bridge is out of reach, in milliseconds. */
  readonly maxStaleMs: number;
  now(): number;
  deadline(options: CallOptions): Deadline;
  /** Nobody reads from here any more. */
  release(): void;
}

export class LiveReads implements Reads {
  readonly replica: Replica;
  readonly #parts: LiveReadsParts;
  #hits = 0;
  #misses = 0;
  #staleReads = 0;
  #isClosed = false;

  constructor(parts: LiveReadsParts) {
    this.#parts = parts;
    this.replica = parts.following.replica;
  }

  async get(identifier: string, options: FreshOptions): Promise<Answer> {
    checkIdentifier(identifier);
    const { bypassCache = false, after } = options;
    const point = bypassCache || after === undefined ? undefined : toPoint(after);
    const deadline = point && this.#parts.deadline(options);
    if (point !== undefined) {
      await this.#untilAt(point, options);
      this.#assertOpen();
    }
    // From here on nothing is waited for: what is found is true at the revision that is named.
    const freshness = point === undefined || this.#isAt(point) ? this.#freshness(options) : undefined;
    if (freshness === undefined || isTooLong(this.replica.find(identifier)))
      return this.#missed(1, options).get(identifier, { ...options, ...deadline?.options() });
    this.#answered(1, freshness);
    return { variable: this.#find(identifier) as Held, ...freshness };
  }

  getMany(identifiers: readonly string[], options: ReadOptions): Promise<Answers> {
    return this.snapshot(identifiers, options);
  }

  async snapshot(identifiers: readonly string[], options: ReadOptions): Promise<Answers> {
    const wanted = [...new Set(identifiers)];
    wanted.forEach(checkIdentifier);
    const freshness = this.#freshness(options);
    if (freshness === undefined || wanted.some((identifier) => isTooLong(this.replica.find(identifier))))
      return this.#missed(wanted.length, options).snapshot(identifiers, options);
    this.#answered(wanted.length, freshness);
    const { sessionId } = this.#parts;
    if (freshness.revision.number === 0) throw errorFrom(sessionNotFound(sessionId));
    const found: { identifier: string; variable: Held }[] = [];
    const missing: string[] = [];
    for (const identifier of wanted) {
      const variable = this.replica.find(identifier);
      if (variable === undefined) {
        const absence = this.#absence(identifier);
        if (absence.reason !== "VARIABLE_NOT_FOUND") throw errorFrom(absence.at({ sessionId }));
        missing.push(identifier);
      } else found.push({ identifier, variable: variable as Held });
    }
    return { found, missing, ...freshness };
  }

  peek(identifier: string): Held {
    const { following, sessionId } = this.#parts;
    following.begin();
    if (!this.replica.isCurrent) throw this.#withoutCopy("NOT_READY");
    const entry = this.#find(checkIdentifier(identifier));
    if (entry.value !== undefined) return entry as Held;
    const text = `the value of ${quoteName(identifier)} is too long to be at hand: read it with get()`;
    throw errorFor("NOT_READY", text, { sessionId, identifier });
  }

  async ready(options: CallOptions): Promise<void> {
    const { following } = this.#parts;
    const deadline = this.#parts.deadline(options);
    following.begin();
    for (;;) {
      this.#assertOpen();
      if (this.replica.isCurrent) return;
      if (following.error !== undefined) throw following.error;
      if (!(await deadline.comes(following.news()))) throw this.#withoutCopy("DEADLINE_EXCEEDED");
    }
  }

  /** What is read here is never too old by a TTL, so there is none to set. */
  setTtl(ttlMs: number): void {
    checkCacheTtl(ttlMs);
  }

  /** There is nothing to forget: the bridge says what changes. */
  invalidate(): void {}

  stats(): CacheStats {
    const { state, reason, loaded: size, size: variables, bytes } = this.replica;
    const ageMs = this.replica.ageMs(this.#parts.now());
    const { fetches } = this.#parts.server.stats();
    const counted = { hits: this.#hits, misses: this.#misses, staleReads: this.#staleReads };
    return { mode: "live", ...counted, fetches, evictions: 0, size, state, reason, ageMs, variables, bytes };
  }

  close(): void {
    this.#isClosed = true;
    this.#parts.release();
  }

  /** What waits while it is closed ends as what is asked after that, and takes nothing for absent. */
  #assertOpen(): void {
    if (this.#isClosed) throw closedHere(this.#parts.sessionId);
  }

  /** So many variables are answered from the copy. */
  #answered(count: number, { stale }: Freshness): void {
    this.#hits += count;
    if (stale) this.#staleReads += count;
  }

  /** The copy cannot answer so many variables, or was not to: this can. */
  #missed(count: number, { bypassCache = false }: ReadOptions): Reads {
    if (!bypassCache) this.#misses += count;
    return this.#parts.server;
  }

  /** What a read from the copy is true at now; undefined if the bridge has to be asked. */
  #freshness({ bypassCache = false, maxAgeMs }: FreshOptions): Freshness | undefined {
    const { following, maxStaleMs } = this.#parts;
    if (bypassCache) return undefined;
    following.begin();
    const now = this.#parts.now();
    const ageMs = this.replica.ageMs(now) ?? 0;
    const access = this.replica.access(now, maxStaleMs);
    const { revision } = this.replica;
    if (access === "unavailable") throw this.#outOfReach(ageMs);
    if (access === "ask" || revision === undefined || (maxAgeMs !== undefined && ageMs > maxAgeMs))
      return undefined;
    return { revision, source: "replica", ageMs, stale: access === "stale" };
  }

  /** True while the copy stands at a point or later in the same life. */
  #isAt({ incarnation, number }: Revision): boolean {
    const { revision } = this.replica;
    return revision?.incarnation === incarnation && revision.number >= number;
  }

  /** Waits until the copy stands at a point, or is closed, but not for long. */
  async #untilAt(point: Revision, options: CallOptions): Promise<void> {
    const { timeoutMs = CATCH_UP_MS } = options;
    const deadline = this.#parts.deadline({ ...options, timeoutMs: Math.min(timeoutMs, CATCH_UP_MS) });
    const { following } = this.#parts;
    following.begin();
    while (!this.#isClosed && !this.#isAt(point))
      if (following.error !== undefined || !(await deadline.comes(following.news()))) return;
  }

  #find(identifier: string): StateEntry {
    const entry = this.replica.find(identifier);
    if (entry !== undefined) return entry;
    const { sessionId } = this.#parts;
    throw errorFrom(this.#absence(identifier).at({ sessionId }));
  }

  /** Why there is no such variable, in the words of the bridge. */
  #absence(identifier: string): Refusal {
    const parsed = parseIdentifier(identifier);
    if (parsed instanceof Refusal) return parsed;
    const { sessionId } = this.#parts;
    return this.replica.revision?.number === 0 ? sessionNotFound(sessionId) : variableNotFound(identifier);
  }

  #withoutCopy(reason: "NOT_READY" | "DEADLINE_EXCEEDED"): BridgeError {
    const { sessionId } = this.#parts;
    const why =
      this.replica.reason ?? (this.replica.revision === undefined ? "it has not come yet" : "it is behind");
    return errorFor(reason, `there is no current copy of session ${quoteName(sessionId)} here: ${why}`, {
      sessionId,
    });
  }

  #outOfReach(ageMs: number): BridgeError {
    const { sessionId } = this.#parts;
    const text = `the bridge was heard of last ${Math.round(ageMs)} ms ago, which is too long for a stale value`;
    return errorFor("UNAVAILABLE", `${text}: ${this.replica.reason}`, { sessionId });
  }
}

/** True if the copy knows of a variable, but does not have its value (ORD-7). */
function isTooLong(entry: StateEntry | undefined): boolean {
  return entry !== undefined && entry.value === undefined;
}
