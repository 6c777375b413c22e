/**
 * The state of a session, and how a commit changes it.
 *
 * `apply` is the only code that changes a state. It decides nothing: it must do the same to the same commit for ever,
 * in the running server, at a restart and in a replica.
 */
import type { ItemSet, RequestId } from "../commands.js";
import type { Metadata } from "../metadata.js";
import type { Variable } from "../variable.js";
import type { Change, Commit } from "./commit.js";
import { RequestLog, type RequestLogContents } from "./requests.js";
import { valueBytes } from "./value-size.js";

/** What never changes about a session. */
type Birth = Pick<SessionState, "id" | "incarnation" | "ttlMs" | "metadata" | "createdAtMs">;

/** A session's whole state at one revision, as data. */
export interface SessionSnapshot extends Birth {
  readonly revision: number;
  readonly variables: readonly Variable[];
  readonly tombstones: readonly (readonly [name: string, version: number])[];
  readonly requests: RequestLogContents;
}

export class SessionState {
  readonly id: string;
  readonly incarnation: string;
  readonly ttlMs: number;
  readonly metadata: Metadata;
  readonly createdAtMs: number;
  readonly #variables = new Map<string, Variable>();
  /** Deleted names with the versions they had (VAL-10). */
  readonly #tombstones = new Map<string, number>();
  #requests = new RequestLog();
  #revision = 0;
  #valueBytes = 0;

  private constructor({ id, incarnation, ttlMs, metadata, createdAtMs }: Birth) {
    this.id = id;
    this.incarnation = incarnation;
    this.ttlMs = ttlMs;
    this.metadata = metadata;
    this.createdAtMs = createdAtMs;
  }

  /** The session that a commit creates, with that commit applied. */
  static create(commit: Commit): SessionState {
    const { sessionId: id, incarnation, wallTimeMs: createdAtMs, created } = commit;
    if (created === undefined) throw new Error(`commit ${commit.revision} creates no session`);
    const state = new SessionState({
      id,
      incarnation,
      createdAtMs,
      ...created,
    });
    state.apply(commit);
    return state;
  }

  /** All of the state as it is now. Later commits do not show in it. */
  snapshot(): SessionSnapshot {
    const { id, incarnation, ttlMs, metadata, createdAtMs, revision } = this;
    return {
      id,
      incarnation,
      ttlMs,
      metadata,
      createdAtMs,
      revision,
      variables: [...this.#variables.values()],
      tombstones: [...this.#tombstones],
      requests: this.#requests.contents(),
    };
  }

  /** The state that a snapshot was taken of. */
  static restore(snapshot: SessionSnapshot): SessionState {
    const state = new SessionState(snapshot);
    for (const variable of snapshot.variables) state.#put(variable, undefined);
    for (const [name, version] of snapshot.tombstones) state.#tombstones.set(name, version);
    state.#requests = RequestLog.from(snapshot.requests);
    state.#revision = snapshot.revision;
    return state;
  }

  get revision(): number {
    return this.#revision;
  }

  /** The bytes that the values of all variables take. */
  get valueBytes(): number {
    return this.#valueBytes;
  }

  /** The variables by name. */
  get variables(): ReadonlyMap<string, Variable> {
    return this.#variables;
  }

  /** How many names take room: variables and tombstones. */
  get nameCount(): number {
    return this.#variables.size + this.#tombstones.size;
  }

  /** The version that a deleted name had; 0 if the name was never used. */
  lastVersion(name: string): number {
    return this.#tombstones.get(name) ?? 0;
  }

  /** See {@link RequestLog.find}. */
  findRequest(writer: string, id: RequestId): number | "new" | "forgotten" {
    return this.#requests.find(ownedBy(writer, id));
  }

  /** Carries a commit out. It has to be the next one of this session. */
  apply(commit: Commit): void {
    if (commit.incarnation !== this.incarnation || commit.revision !== this.#revision + 1) {
      throw new Error(
        `commit ${commit.revision} does not follow revision ${this.#revision} of session ${this.id}`,
      );
    }
    for (const change of commit.changes) this.#change(change, commit);
    if (commit.requestId !== undefined)
      this.#requests.record(ownedBy(commit.writer, commit.requestId), commit.revision);
    this.#revision = commit.revision;
  }

  #change(change: Change, commit: Commit): void {
    switch (change.kind) {
      case "define": {
        const { name } = change.variable;
        this.#tombstones.delete(name);
        this.#put(change.variable, this.#variables.get(name));
        return;
      }
      case "set": {
        const before = this.#variables.get(change.name);
        if (before === undefined) throw new Error(`commit ${commit.revision} sets the absent ${change.name}`);
        this.#put(rewritten(before, change, commit), before);
        return;
      }
      case "drop": {
        const before = this.#variables.get(change.name);
        if (before !== undefined) this.#valueBytes -= valueBytes(before.value);
        this.#variables.delete(change.name);
        this.#tombstones.set(change.name, change.version);
      }
    }
  }

  /** Puts a variable in the place of what it was before. */
  #put(variable: Variable, before: Variable | undefined): void {
    this.#variables.set(variable.name, variable);
    this.#valueBytes += valueBytes(variable.value) - (before === undefined ? 0 : valueBytes(before.value));
  }
}

/** The variable with a new value. Every field by name: this runs for each write, and a spread costs several times more. */
function rewritten(before: Variable, { value, version }: ItemSet, commit: Commit): Variable {
  return {
    id: before.id,
    name: before.name,
    type: before.type,
    value,
    version,
    limits: before.limits,
    registered: before.registered,
    latest: commit.metadata,
    source: commit.source,
    createdAtMs: before.createdAtMs,
    updatedAtMs: commit.wallTimeMs,
    provisional: before.provisional,
  };
}

/** Request ids of different principals are different, whatever bits they have. */
function ownedBy(writer: string, { clientId, sequence }: RequestId): RequestId {
  return { clientId: `${clientId} ${writer}`, sequence };
}
