/** How the variables of a session are read: from the bridge, each time. Other ways stand on this one (`live-reads.ts`). */
import type { FoundVariable, ReplyTo } from "../core/commands.js";
import { type BridgeError, errorFor } from "../core/errors.js";
import type { Variable } from "../core/variable.js";
import type { Calls } from "./calls.js";
import { toPoint } from "./points.js";
import type { Replica, ReplicaState } from "./replica.js";
import type { CallOptions } from "./transport/transport.js";

/**
 * Where a session's reads are answered: `live`, from a copy of the session that the bridge keeps current; `ttl`, from answers
 * of the bridge that are kept for a short time, else by the bridge; `off`, by the bridge.
 */
export type CacheMode = (typeof CACHE_MODES)[number];

export const CACHE_MODES = ["live", "ttl", "off"] as const;

/** What a read may be given. */
export interface ReadOptions extends CallOptions {
  /** Asks the bridge in any case: the answer includes every write that was acknowledged before, whoever made it. */
  readonly bypassCache?: boolean;
}

/** What a read of one variable may be given. */
export interface FreshOptions extends ReadOptions {
  /**
   * The point of a write, or of another read, perhaps of another program: what was true before it is not answered. A copy that
   * has not come so far is waited for, for at most a second, and then the bridge is asked.
   */
  readonly after?: string;
  /**
   * How old the answer may be, in milliseconds, else the bridge is asked: how long ago it was heard of last, or with
   * `cache: "ttl"` was asked. Default: it does not matter; nothing in a cache is older than its TTL in any case.
   */
  readonly maxAgeMs?: number;
}

/** A variable as a read finds it. */
export type Held = Pick<Variable, "type" | "value" | "version">;

/** Where an answer comes from, and what it is true at. */
export interface Freshness {
  readonly revision: ReplyTo<"getVariable">["revision"];
  readonly source: "server" | "replica" | "cache";
  /** How old the answer may be at most, in milliseconds. */
  readonly ageMs: number;
  readonly stale: boolean;
}

export interface Answer extends Freshness {
  readonly variable: Held;
}

/** Several variables. */
export interface FoundVariables {
  readonly found: readonly (Pick<FoundVariable, "identifier"> & { readonly variable: Held })[];
  readonly missing: readonly string[];
}

/** Several variables at one revision. */
export interface Answers extends FoundVariables, Freshness {}

/** How often reads were answered here, and what from. */
export interface CacheStats {
  readonly mode: CacheMode;
  /** Variables that were looked for here and found. With `cache: "live"` those found absent too. */
  readonly hits: number;
  /** Variables that were looked for here, and the bridge had to be asked. Reads that bypass the cache are neither. */
  readonly misses: number;
  /** Reading calls to the bridge, each for however many variables and readers; attempts to repeat one do not count. */
  readonly fetches: number;
  /** Cached answers that were too old, or made room for others. Always 0 with `cache: "live"`. */
  readonly evictions: number;
  /** How many variables have their value here. */
  readonly size: number;
  /** With `cache: "live"`, as all that follows: whether the copy is there, and current. */
  readonly state?: ReplicaState;
  /** Why it is not READY, for people; undefined if it is, or was not read from yet. */
  readonly reason?: string | undefined;
  /** How long ago the bridge was heard of last, in milliseconds; undefined: never. */
  readonly ageMs?: number | undefined;
  /** Hits that were marked as stale. */
  readonly staleReads?: number;
  /** How many variables are known; `size` of them with their value. */
  readonly variables?: number;
  /** How many bytes the values take that are here. */
  readonly bytes?: number;
}

export interface Reads {
  /** The copy that is read from; undefined if there is none. */
  readonly replica: Replica | undefined;
  get(identifier: string, options: FreshOptions): Promise<Answer>;
  getMany(identifiers: readonly string[], options: ReadOptions): Promise<FoundVariables>;
  snapshot(identifiers: readonly string[], options: ReadOptions): Promise<Answers>;
  /** A variable, at once. */
  peek(identifier: string): Held;
  /** Done when the copy is current. */
  ready(options: CallOptions): Promise<void>;
  /** For how long answers are kept. Throws RangeError for what is no time, and TypeError where there is no cache. */
  setTtl(ttlMs: number): void;
  /** Forgets what is kept of a variable, by name or id; without one, of all. */
  invalidate(identifier?: string): void;
  stats(): CacheStats;
  /** Lets go of what is kept. */
  close(): void;
}

/** The freshness of what the bridge has just answered. */
export const ASKED = { source: "server", ageMs: 0, stale: false } as const;

export class ServerReads implements Reads {
  readonly replica = undefined;
  readonly #sessionId: string;
  readonly #calls: Calls;
  #fetches = 0;

  constructor(sessionId: string, calls: Calls) {
    this.#sessionId = sessionId;
    this.#calls = calls;
  }

  async get(identifier: string, options: FreshOptions): Promise<Answer> {
    // What is asked now is later than any point; one that is none is refused all the same.
    if (options.after !== undefined) toPoint(options.after);
    this.#fetches++;
    const { variable, revision } = await this.#calls.get(this.#sessionId, identifier, options);
    return { variable, revision, ...ASKED };
  }

  getMany(identifiers: readonly string[], options: ReadOptions): Promise<Answers> {
    return this.snapshot(identifiers, options);
  }

  async snapshot(identifiers: readonly string[], options: ReadOptions): Promise<Answers> {
    this.#fetches++;
    const { found, missing, revision } = await this.#calls.getMany(this.#sessionId, identifiers, options);
    return { found, missing, revision, ...ASKED };
  }

  peek(identifier: string): never {
    throw nothingToPeek("off", this.#sessionId, identifier);
  }

  async ready(): Promise<void> {}

  setTtl(): never {
    throw new TypeError('there is no cache to set the TTL of: the session was opened with cache: "off"');
  }

  invalidate(): void {}

  stats(): CacheStats {
    return { mode: "off", hits: 0, misses: 0, fetches: this.#fetches, evictions: 0, size: 0 };
  }

  close(): void {}
}

export function nothingToPeek(mode: CacheMode, sessionId: string, identifier: string): BridgeError {
  const text = `there is no copy of the session to peek into: it was opened with cache: "${mode}"`;
  return errorFor("NOT_READY", text, { sessionId, identifier });
}
