/** A commit in the making: what a write may look at while it decides, and the commit it ends in. Changes no state. */
import type { RequestId } from "../commands.js";
import type { BridgeLimits } from "../limits.js";
import { EMPTY_METADATA, type Metadata } from "../metadata.js";
import { type Identifier, variableId } from "../names.js";
import { overLimit, type Refusal } from "../refusal.js";
import type { Variable } from "../variable.js";
import type { Change, Commit, CommitKind } from "./commit.js";
import { checkCommitSize, checkSessionSize } from "./commit-size.js";
import type { SessionState } from "./state.js";

/** What the domain does not know by itself: time, randomness, limits. */
export interface WriteContext {
  /** The principal that writes. */
  readonly writer: string;
  readonly wallTimeMs: number;
  readonly limits: BridgeLimits;
  /** The TTL of a session that a write creates. */
  readonly defaultTtlMs: number;
  /** 128 fresh random bits in hex. */
  newIncarnation(): string;
  /** Refuses one session more, if the server has as many as it may have. */
  refuseSession(): Refusal | undefined;
}

/** What a write says about itself, checked. */
export interface WriteNote {
  readonly source: string;
  readonly writer: string;
  readonly metadata: Metadata;
  readonly requestId?: RequestId;
}

export class Draft {
  readonly context: WriteContext;
  readonly note: WriteNote;
  readonly #state: SessionState | undefined;
  readonly #sessionId: string;
  readonly #newNames = new Set<string>();

  constructor(state: SessionState | undefined, sessionId: string, note: WriteNote, context: WriteContext) {
    this.#state = state;
    this.#sessionId = sessionId;
    this.note = note;
    this.context = context;
  }

  /** The revision that the commit will have. */
  get revision(): number {
    return (this.#state?.revision ?? 0) + 1;
  }

  /** The variable that an identifier leads to. An id leads nowhere once its variable is deleted. */
  find({ name, id }: Identifier): Variable | undefined {
    const variable = this.#state?.variables.get(name);
    return id === undefined || variable?.id === id ? variable : undefined;
  }

  /** The id and version that a new variable of this name gets. */
  birth(name: string): { id: string; version: number } {
    return {
      id: variableId(name, this.revision),
      version: (this.#state?.lastVersion(name) ?? 0) + 1,
    };
  }

  /** Takes room for a new name, or refuses it. */
  takeName(name: string): Refusal | undefined {
    const { maxVariables } = this.context.limits;
    const needed = (this.#state?.nameCount ?? 0) + this.#newNames.size + 1;
    if (!this.#knows(name) && needed > maxVariables) {
      const message = `the session would have ${needed} variables (deleted names count), more than ${maxVariables}`;
      return overLimit("TOO_MANY_VARIABLES", message, "max-variables", maxVariables, needed);
    }
    if (!this.#knows(name)) this.#newNames.add(name);
    return undefined;
  }

  #knows(name: string): boolean {
    return (
      this.#state !== undefined && (this.#state.variables.has(name) || this.#state.lastVersion(name) > 0)
    );
  }

  /** The commit of these changes, unless they are too large for one; it creates the session if there is none. */
  commit(kind: CommitKind, changes: readonly Change[], refused: Commit["refused"] = []): Commit | Refusal {
    const { limits } = this.context;
    const tooLarge = checkCommitSize(changes, limits) ?? checkSessionSize(this.#state, changes, limits);
    if (tooLarge !== undefined) return tooLarge;
    const created = {
      ttlMs: this.context.defaultTtlMs,
      metadata: EMPTY_METADATA,
    };
    return {
      sessionId: this.#sessionId,
      incarnation: this.#state?.incarnation ?? this.context.newIncarnation(),
      revision: this.revision,
      kind,
      wallTimeMs: this.context.wallTimeMs,
      source: this.note.source,
      writer: this.note.writer,
      metadata: this.note.metadata,
      ...(this.note.requestId === undefined ? {} : { requestId: this.note.requestId }),
      ...(this.#state === undefined ? { created } : {}),
      changes,
      refused,
    };
  }
}
