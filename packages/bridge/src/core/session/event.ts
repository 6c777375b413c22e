/**
 * A commit as a watcher is told it: what changed, from what to what. A commit says what it made and not what was before, so
 * an event is made by one who knows the variables before it, or some of them.
 */
import type { Revision } from "../commands.js";
import type { Stored } from "../literal.js";
import type { Metadata } from "../metadata.js";
import { creationOf } from "../names.js";
import type { TypeName } from "../values/registry.js";
import type { Variable } from "../variable.js";
import type { Change, Commit } from "./commit.js";
import { metadataBytes, valueBytes } from "./value-size.js";

/** A commit, as a watch tells it. */
export interface SessionEvent {
  readonly sessionId: string;
  readonly revision: Revision;
  /** Whether it created or ended the session; `changed` if neither. */
  readonly kind: "changed" | "created" | "deleted" | "expired";
  readonly source: string;
  readonly wallTimeMs: number;
  readonly metadata: Metadata;
  /** Each variable at most once. */
  readonly changes: readonly VariableChange[];
}

/** What a commit did to one variable. Equal versions before and after: it was defined anew and not set. */
export interface VariableChange {
  readonly name: string;
  /** Absent if it was deleted and nobody knows the id any more. */
  readonly id?: string;
  /** Absent: it did not exist. */
  readonly before?: VariableAt;
  /** Absent: it was deleted. */
  readonly after?: VariableAt;
}

/** A variable before or after a change. */
export interface VariableAt {
  readonly version: number;
  /** Absent where it is not known any more, as the value. */
  readonly type?: TypeName;
  readonly value?: Stored;
}

/** What is to be known of a variable before a commit. */
export type Former = Pick<Variable, "id" | "version" | "type" | "value">;

/**
 * The event of a commit.
 *
 * @param former what a variable was before the commit; undefined where that is not known
 */
export function eventOf(
  commit: Commit,
  revision: Revision,
  former: (name: string) => Former | undefined,
): SessionEvent {
  const { sessionId, source, wallTimeMs, metadata, changes } = commit;
  return {
    sessionId,
    revision,
    kind: kindOf(commit),
    source,
    wallTimeMs,
    metadata,
    changes: changes.map((change) => changeOf(change, commit, former(nameOf(change)))),
  };
}

/**
 * The events of commits that are told later, oldest first. What a variable was before is known from the commit that made it
 * so, if that is among them.
 */
export function eventsOf(commits: readonly { commit: Commit; revision: Revision }[]): SessionEvent[] {
  const known = new Map<string, Former>();
  return commits.map(({ commit, revision }) => {
    const event = eventOf(commit, revision, (name) => known.get(name));
    for (const change of commit.changes) {
      if (change.kind === "drop") known.delete(change.name);
      else known.set(nameOf(change), change.kind === "set" ? change : change.variable);
    }
    return event;
  });
}

/** About the bytes that an event takes. */
export function eventBytes({ sessionId, metadata, changes }: SessionEvent): number {
  let bytes = 256 + sessionId.length + metadataBytes(metadata);
  for (const { name, before, after } of changes)
    bytes += 128 + 4 * name.length + sideBytes(before) + sideBytes(after);
  return bytes;
}

function sideBytes(side: VariableAt | undefined): number {
  return side?.value === undefined ? 0 : valueBytes(side.value);
}

function kindOf({ kind, created }: Commit): SessionEvent["kind"] {
  if (created !== undefined) return "created";
  if (kind === "deleteSession") return "deleted";
  return kind === "expireSession" ? "expired" : "changed";
}

function nameOf(change: Change): string {
  return change.kind === "define" ? change.variable.name : change.name;
}

function changeOf(change: Change, commit: Commit, former: Former | undefined): VariableChange {
  if (change.kind === "drop") {
    const { name, version } = change;
    return former === undefined
      ? { name, before: { version } }
      : { name, id: former.id, before: sideOf(former) };
  }
  const { id, ...rest } = change.kind === "set" ? change : change.variable;
  const made = { name: rest.name, id, after: sideOf(rest) };
  if (former?.id === id) return { ...made, before: sideOf(former) };
  if (creationOf(id) === commit.revision) return made;
  return { ...made, before: { version: rest.version - (setsValues(commit) ? 1 : 0) } };
}

/** A definition that an existing variable is given sets nothing; any other change of one does. */
function setsValues({ kind }: Commit): boolean {
  return kind !== "registerVariable" && kind !== "ensureVariables";
}

function sideOf({ version, type, value }: Pick<Former, "version" | "type" | "value">): VariableAt {
  return { version, type, value };
}
