/**
 * A commit: one atomic change of one session, and all that is needed to repeat it and to answer for it again.
 *
 * Commits are facts. The session is the fold of its commits (`apply`), the answer to a write is read off its commit
 * (`outcomeOf`), a record of commits is the storage, and a push of commits is the watch.
 */
import type { ItemSet, RequestId, VariableOutcome, VariableWrite } from "../commands.js";
import type { Metadata } from "../metadata.js";
import type { ItemRefusal, Refusal } from "../refusal.js";
import type { Variable } from "../variable.js";

/** What caused a commit: a write, or the passing of time. */
export type CommitKind = VariableWrite["kind"] | "createSession" | "deleteSession" | "expireSession";

/** What a commit does to one variable. */
export type Change =
  /** The variable as it is from now on, all of it: registered, inferred, redefined. */
  | { readonly kind: "define"; readonly variable: Variable }
  /** A new value under the same definition. */
  | ({ readonly kind: "set"; readonly name: string } & ItemSet)
  /** The variable is gone; its name is remembered with the version it had. */
  | { readonly kind: "drop"; readonly name: string; readonly version: number };

/** What a session is created with. */
export interface SessionHead {
  readonly ttlMs: number;
  readonly metadata: Metadata;
}

export interface Commit {
  readonly sessionId: string;
  readonly incarnation: string;
  /** One more than the commit before it; 1 creates the session. */
  readonly revision: number;
  readonly kind: CommitKind;
  readonly wallTimeMs: number;
  /** The language of the writer. */
  readonly source: string;
  /** The principal that wrote; a request id is its own. */
  readonly writer: string;
  /** The metadata of this change. */
  readonly metadata: Metadata;
  readonly requestId?: RequestId;
  /** Present in the commit that creates the session. */
  readonly created?: SessionHead;
  readonly changes: readonly Change[];
  /** Of a best-effort batch: the items that were refused, by place, so that a retry gets the same answer. */
  readonly refused: readonly ItemRefusal[];
}

/** The answer to the write that a commit carried out; undefined for a commit that no write on variables caused. */
export function outcomeOf(commit: Commit): VariableOutcome | undefined {
  switch (commit.kind) {
    case "registerVariable":
      return { kind: "registerVariable", variable: defined(commit) };
    case "setVariable":
    case "incrementVariable":
      return { kind: commit.kind, item: accepted(commit)[0] as ItemSet };
    case "setVariables":
      return { kind: "setVariables", results: results(commit) };
    case "deleteVariable":
      return { kind: "deleteVariable" };
    default:
      return undefined;
  }
}

function defined(commit: Commit): Variable {
  const [change] = commit.changes;
  if (change?.kind !== "define") throw new Error(`commit ${commit.revision} registers nothing`);
  return change.variable;
}

function accepted(commit: Commit): ItemSet[] {
  return commit.changes.flatMap((change) => {
    if (change.kind === "drop") return [];
    const { id, type, version, value } = change.kind === "set" ? change : change.variable;
    return [{ id, type, version, value }];
  });
}

/** Accepted items stand in order, so the refused ones are put back into their places. */
function results(commit: Commit): (ItemSet | Refusal)[] {
  const all: (ItemSet | Refusal)[] = accepted(commit);
  for (const { index, refusal } of commit.refused) all.splice(index, 0, refusal);
  return all;
}
