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
import type { Deadline } from "./deadline.js";
import type { Following } from "./following.js";
import { toPoint } from "./points.js";
import type { Answer, Answers, Freshness, FreshOptions, Held, ReadOptions, Reads } from "./reads.js";
import type { Replica } from "./replica.js";
import type { CallOptions } from "./transport/transport.js";

/** How long a copy is waited for that has not come to a point, in milliseconds (ORD-2). */
const CATCH_UP_MS = 1_000;

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

  constructor(parts: LiveReadsParts) {
    this.#parts = parts;
    this.replica = parts.following.replica;
  }

  async get(identifier: string, options: FreshOptions): Promise<Answer> {
    checkIdentifier(identifier);
    const freshness = await this.#freshness(options);
    if (freshness === undefined) return this.#parts.server.get(identifier, options);
    const variable = this.#find(identifier);
    if (variable.value === undefined) return this.#parts.server.get(identifier, options);
    return { variable: variable as Held, ...freshness };
  }

  async getMany(identifiers: readonly string[], options: ReadOptions): Promise<Answers> {
    identifiers.forEach(checkIdentifier);
    const freshness = await this.#freshness(options);
    if (freshness === undefined) return this.#parts.server.getMany(identifiers, options);
    const { sessionId } = this.#parts;
    if (freshness.revision.number === 0) throw errorFrom(sessionNotFound(sessionId));
    const found: { identifier: string; variable: Held }[] = [];
    const missing: string[] = [];
    for (const identifier of new Set(identifiers)) {
      const variable = this.replica.find(identifier);
      if (variable === undefined) {
        const absence = this.#absence(identifier);
        if (absence.reason !== "VARIABLE_NOT_FOUND") throw errorFrom(absence.at({ sessionId }));
        missing.push(identifier);
      } else if (variable.value === undefined) return this.#parts.server.getMany(identifiers, options);
      else found.push({ identifier, variable: variable as Held });
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
    while (!this.replica.isCurrent) {
      if (following.error !== undefined) throw following.error;
      if (!(await deadline.comes(following.news()))) throw this.#withoutCopy("DEADLINE_EXCEEDED");
    }
  }

  close(): void {
    this.#parts.release();
  }

  /** What a read from the copy is true at now; undefined if the bridge has to be asked. */
  async #freshness({
    bypassCache = false,
    after,
    maxAgeMs,
    ...options
  }: FreshOptions): Promise<Freshness | undefined> {
    const { following, maxStaleMs } = this.#parts;
    if (bypassCache) return undefined;
    following.begin();
    if (after !== undefined && !(await this.#reaches(toPoint(after), options))) return undefined;
    const now = this.#parts.now();
    const ageMs = this.replica.ageMs(now) ?? 0;
    const access = this.replica.access(now, maxStaleMs);
    if (access === "unavailable") throw this.#outOfReach(ageMs);
    if (access === "ask" || (maxAgeMs !== undefined && ageMs > maxAgeMs)) return undefined;
    return {
      revision: this.replica.revision as Revision,
      source: "replica",
      ageMs,
      stale: access === "stale",
    };
  }

  /** True as soon as the copy stands at a point or later in the same life; false if it does not come there in time. */
  async #reaches(point: Revision, options: CallOptions): Promise<boolean> {
    const { timeoutMs = CATCH_UP_MS } = options;
    const deadline = this.#parts.deadline({ ...options, timeoutMs: Math.min(timeoutMs, CATCH_UP_MS) });
    const { following } = this.#parts;
    for (;;) {
      const { revision } = this.replica;
      if (revision?.incarnation === point.incarnation && revision.number >= point.number) return true;
      if (following.error !== undefined || !(await deadline.comes(following.news()))) return false;
    }
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
