/** What is kept, told, shown and printed of commits, in the form in which the validators of watches compare it. */
import type { ChangeView, SessionEventView } from "../client/event-views.js";
import { toText } from "../client/points.js";
import { fromStored, isSafe } from "../client/values.js";
import type { Change, Commit } from "../core/session/commit.js";
import type { SessionEvent, VariableAt } from "../core/session/event.js";
import { pointAfter } from "../core/told-queue.js";
import type { Told as EngineTold } from "../core/watch.js";
import type { CommitRecord } from "../storage/record.js";
import type { Made, Side, Step, Told } from "./watch-validators.contract.js";

/** A commit as a store keeps it. */
export function madeOf({ commit, check }: Pick<CommitRecord, "commit" | "check">): Made {
  const { sessionId, incarnation, revision, source, wallTimeMs, metadata, changes } = commit;
  return {
    sessionId,
    point: toText({ incarnation, number: revision, check }),
    revision,
    kind: kindOf(commit),
    source,
    wallTimeMs,
    metadata,
    changes: changes.map((change) => ({ name: nameOf(change), after: afterOf(change) })),
  };
}

function kindOf({ kind, created }: Commit): Made["kind"] {
  if (created !== undefined) return "created";
  if (kind === "deleteSession") return "deleted";
  return kind === "expireSession" ? "expired" : "changed";
}

function nameOf(change: Change): string {
  return change.kind === "define" ? change.variable.name : change.name;
}

function afterOf(change: Change): Side | undefined {
  if (change.kind === "drop") return undefined;
  return sideOf(change.kind === "set" ? change : change.variable);
}

/** What a watch of the engine tells, and what is read from the wire. */
export function stepOf(told: EngineTold): Step {
  const point = toText(pointAfter(told));
  return told.kind === "bookmark" ? { point } : { event: toldOf(told.event), point };
}

/** An event of the domain. */
export function toldOf({ revision, changes, ...rest }: SessionEvent): Told {
  return {
    ...rest,
    revision: revision.number,
    commit: toText(revision),
    changes: changes.map(({ name, before, after }) => ({
      name,
      before: before && sideOf(before),
      after: after && sideOf(after),
    })),
  };
}

function sideOf({ version, type, value }: VariableAt): Side {
  return {
    version,
    ...(type === undefined ? {} : { type }),
    ...(type === undefined || value === undefined ? {} : { value: fromStored(type, value) }),
  };
}

/** An event as a client shows it. */
export function shownOf({ at, changes, ...rest }: SessionEventView): Told {
  return { ...rest, wallTimeMs: at.getTime(), changes: changes.map(shownChange) };
}

function shownChange({ name, version, value, previousVersion, previous }: ChangeView) {
  return { name, before: shownSide(previousVersion, previous), after: shownSide(version, value) };
}

function shownSide(version: number | undefined, value: unknown): Side | undefined {
  if (version === undefined) return undefined;
  // An integer is a number or a bigint, as its definition says.
  const plain = typeof value === "bigint" && isSafe(value) ? Number(value) : value;
  return { version, ...(value === undefined ? {} : { value: plain }) };
}

/** An event as `watch --json` prints it. */
export interface PrintedEvent {
  readonly kind: Told["kind"];
  readonly session_id: string;
  readonly revision: number;
  readonly source: string;
  readonly committed_at: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly changes: readonly {
    readonly name: string;
    readonly value?: unknown;
    readonly version?: number;
    readonly previous?: unknown;
    readonly previous_version?: number;
  }[];
}

export function printedOf(event: PrintedEvent): Told {
  const { kind, session_id, revision, source, committed_at, metadata, changes } = event;
  return {
    kind,
    sessionId: session_id,
    revision,
    source,
    wallTimeMs: Date.parse(committed_at),
    metadata: new Map(Object.entries(metadata)),
    changes: changes.map(({ name, value, version, previous, previous_version }) => ({
      name,
      before: shownSide(previous_version, previous),
      after: shownSide(version, value),
    })),
  };
}
