/** Reads that use an answer of the bridge again for a short time, and ask it otherwise (`ttl-cache.ts` says what may be used). */
import type { ReplyTo, Revision } from "../core/commands.js";
import { errorFrom, VariableNotFoundError } from "../core/errors.js";
import { variableNotFound } from "../core/refusal.js";
import type { Variable } from "../core/variable.js";
import { checkIdentifier } from "./arguments.js";
import type { Calls } from "./calls.js";
import type { OwnCalls } from "./own-calls.js";
import { toPoint } from "./points.js";
import {
  type Answer,
  type Answers,
  ASKED,
  type CacheStats,
  type FoundVariables,
  type FreshOptions,
  nothingToPeek,
  type ReadOptions,
  type Reads,
} from "./reads.js";
import { type Fetched, type ReadingCall, SharedCalls } from "./shared-calls.js";
import type { CallOptions } from "./transport/transport.js";
import { type CachedVariable, type Fetch, TtlCache } from "./ttl-cache.js";

export interface TtlReadsParts {
  readonly sessionId: string;
  readonly calls: Calls;
  readonly ownCalls: OwnCalls;
  readonly ttlMs: number;
  now(): number;
}

export class TtlReads implements Reads {
  readonly replica = undefined;
  readonly #sessionId: string;
  readonly #calls: Calls;
  readonly #now: () => number;
  readonly #cache: TtlCache;
  readonly #shared: SharedCalls;
  readonly #stopListening: () => void;
  #fetches = 0;

  constructor({ sessionId, calls, ownCalls, ttlMs, now }: TtlReadsParts) {
    this.#sessionId = sessionId;
    this.#calls = calls;
    this.#now = now;
    this.#cache = new TtlCache(ttlMs);
    this.#shared = new SharedCalls((identifiers, timeoutMs) => this.#begin(identifiers, { timeoutMs }));
    this.#stopListening = ownCalls.listen(sessionId, {
      answered: ({ incarnation }) => this.#cache.observe(incarnation),
      // What a refusal says of variables is told as well.
      doubted: () => {},
      outdated: (identifiers) => this.#forget(identifiers),
    });
  }

  async get(identifier: string, options: FreshOptions): Promise<Answer> {
    checkIdentifier(identifier);
    const { bypassCache = false, after, maxAgeMs } = options;
    if (after !== undefined) toPoint(after);
    const isExact = bypassCache || after !== undefined;
    const hit = isExact ? undefined : this.#cache.lookUp(identifier, this.#now(), maxAgeMs);
    if (hit !== undefined) {
      const { variable, ageMs } = hit;
      return { variable, revision: variable.revision, source: "cache", ageMs, stale: false };
    }
    const fetched = isExact
      ? await this.#begin([identifier], options).answer
      : await this.#fetch([identifier], options, maxAgeMs);
    const variable = fetched.get(identifier);
    if (variable !== undefined) return { variable, revision: variable.revision, ...ASKED };
    throw errorFrom(variableNotFound(identifier).at({ sessionId: this.#sessionId }));
  }

  async getMany(identifiers: readonly string[], options: ReadOptions): Promise<FoundVariables> {
    identifiers.forEach(checkIdentifier);
    if (options.bypassCache) return this.snapshot(identifiers, options);
    const wanted = [...new Set(identifiers)];
    const held = new Map<string, CachedVariable>();
    for (const identifier of wanted) {
      const hit = this.#cache.lookUp(identifier, this.#now());
      if (hit !== undefined) held.set(identifier, hit.variable);
    }
    const unknown = wanted.filter((identifier) => !held.has(identifier));
    const fetched = unknown.length === 0 ? held : await this.#fetch(unknown, options);
    const found: { identifier: string; variable: CachedVariable }[] = [];
    const missing: string[] = [];
    for (const identifier of wanted) {
      const variable = held.get(identifier) ?? fetched.get(identifier);
      if (variable === undefined) missing.push(identifier);
      else found.push({ identifier, variable });
    }
    return { found, missing };
  }

  async snapshot(identifiers: readonly string[], options: ReadOptions): Promise<Answers> {
    const { found, missing, revision } = await this.#askForMany(identifiers, this.#count(), options);
    return { found, missing, revision, ...ASKED };
  }

  peek(identifier: string): never {
    throw nothingToPeek("ttl", this.#sessionId, identifier);
  }

  async ready(): Promise<void> {}

  setTtl(ttlMs: number): void {
    this.#cache.setTtl(ttlMs);
  }

  invalidate(identifier?: string): void {
    this.#cache.invalidate(identifier);
  }

  stats(): CacheStats {
    return { mode: "ttl", ...this.#cache.counts(this.#now()), fetches: this.#fetches };
  }

  close(): void {
    this.#stopListening();
    this.#cache.invalidate();
  }

  /** Asks for variables, together with others who ask for them at the same time. */
  #fetch(identifiers: readonly string[], options: CallOptions, maxAgeMs?: number): Promise<Fetched> {
    options.signal?.throwIfAborted();
    const now = this.#now();
    return this.#shared.find(identifiers, this.#calls.deadline(options), (identifier, fetch) =>
      this.#cache.mayJoin(identifier, fetch, now, maxAgeMs),
    );
  }

  #begin(identifiers: readonly string[], options: CallOptions): ReadingCall {
    const fetch = this.#count();
    return { fetch, answer: this.#ask(identifiers, fetch, options) };
  }

  /** A reading call begins. */
  #count(): Fetch {
    this.#fetches++;
    return this.#cache.begin(this.#now());
  }

  async #ask(identifiers: readonly string[], fetch: Fetch, options: CallOptions): Promise<Fetched> {
    const [identifier = ""] = identifiers;
    if (identifiers.length > 1) {
      const { found, revision } = await this.#askForMany(identifiers, fetch, options);
      return new Map(found.map(({ identifier, variable }) => [identifier, cached(variable, revision)]));
    }
    try {
      const { variable, revision } = await this.#calls.get(this.#sessionId, identifier, options);
      const kept = cached(variable, revision);
      this.#cache.store(kept, fetch, this.#now());
      return new Map([[identifier, kept]]);
    } catch (error) {
      if (error instanceof VariableNotFoundError) return new Map();
      throw error;
    }
  }

  async #askForMany(
    identifiers: readonly string[],
    fetch: Fetch,
    options: CallOptions,
  ): Promise<ReplyTo<"getVariables">> {
    const reply = await this.#calls.getMany(this.#sessionId, identifiers, options);
    const now = this.#now();
    for (const { variable } of reply.found) this.#cache.store(cached(variable, reply.revision), fetch, now);
    this.#forget(reply.missing);
    return reply;
  }

  #forget(identifiers: readonly string[] | undefined): void {
    if (identifiers === undefined) this.#cache.invalidate();
    else for (const identifier of identifiers) this.#cache.invalidate(identifier);
  }
}

/** What is kept of a variable. */
function cached({ name, id, type, value, version }: Variable, revision: Revision): CachedVariable {
  return { name, id, type, value, version, revision };
}
