/** How the variables of a session are read: from the bridge, each time. Other ways stand on this one (`live-reads.ts`). */
import type { FoundVariable, ReplyTo } from "../core/commands.js";
import { errorFor } from "../core/errors.js";
import type { Variable } from "../core/variable.js";
import type { Calls } from "./calls.js";
import type { Replica } from "./replica.js";
import type { CallOptions } from "./transport/transport.js";

/**
 * Where a session's reads are answered: `live`, from a copy of the session that the bridge keeps current; `off`, by the bridge.
 */
export type CacheMode = "live" | "off";

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
  /** How long ago, in milliseconds, the bridge may have been heard of last; else it is asked. Default: it does not matter. */
  readonly maxAgeMs?: number;
}

/** A variable as a read finds it. */
export type Held = Pick<Variable, "type" | "value" | "version">;

/** Where an answer comes from, and what it is true at. */
export interface Freshness {
  readonly revision: ReplyTo<"getVariable">["revision"];
  readonly source: "server" | "replica";
  /** How old the answer may be at most, in milliseconds. */
  readonly ageMs: number;
  readonly stale: boolean;
}

export interface Answer extends Freshness {
  readonly variable: Held;
}

/** Several variables at one revision. */
export interface Answers extends Freshness {
  readonly found: readonly (Pick<FoundVariable, "identifier"> & { readonly variable: Held })[];
  readonly missing: readonly string[];
}

export interface Reads {
  /** The copy that is read from; undefined if there is none. */
  readonly replica: Replica | undefined;
  get(identifier: string, options: FreshOptions): Promise<Answer>;
  getMany(identifiers: readonly string[], options: ReadOptions): Promise<Answers>;
  /** A variable, at once. */
  peek(identifier: string): Held;
  /** Done when the copy is current. */
  ready(options: CallOptions): Promise<void>;
  /** Lets go of the copy. */
  close(): void;
}

const ASKED = { source: "server", ageMs: 0, stale: false } as const;

export class ServerReads implements Reads {
  readonly replica = undefined;
  readonly #sessionId: string;
  readonly #calls: Calls;

  constructor(sessionId: string, calls: Calls) {
    this.#sessionId = sessionId;
    this.#calls = calls;
  }

  async get(identifier: string, options: FreshOptions): Promise<Answer> {
    const { variable, revision } = await this.#calls.get(this.#sessionId, identifier, options);
    return { variable, revision, ...ASKED };
  }

  async getMany(identifiers: readonly string[], options: ReadOptions): Promise<Answers> {
    const { found, missing, revision } = await this.#calls.getMany(this.#sessionId, identifiers, options);
    return { found, missing, revision, ...ASKED };
  }

  peek(identifier: string): never {
    const text = 'there is no copy of the session to peek into: it was opened with cache: "off"';
    throw errorFor("NOT_READY", text, { sessionId: this.#sessionId, identifier });
  }

  async ready(): Promise<void> {}

  close(): void {}
}
