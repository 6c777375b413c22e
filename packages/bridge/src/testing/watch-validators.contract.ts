/**
 * What every watch keeps, whatever happens: looked at from outside, with all commits that were made on one side and all that
 * a reader was told on the other.
 */
import { expect } from "vitest";
import type { Revision } from "../core/commands.js";
import type { Change, Commit } from "../core/session/commit.js";
import type { SessionEvent, VariableAt } from "../core/session/event.js";
import { pointAfter } from "../core/told-queue.js";
import type { Told } from "../core/watch.js";
import type { CommitRecord } from "../storage/record.js";

/** What a reader was told in one watch: what began it, and where it was to begin. */
export interface Reading {
  /** The point that it was begun after; undefined: where the session stood. */
  readonly after: Revision | undefined;
  /** Where the session stood when it was begun, as a place in `records`: so many had been made. */
  readonly begunAt: number;
  readonly told: readonly Told[];
  readonly wants: (name: string) => boolean;
  /** True: its connection broke now and then, so that it was told some commits later. */
  readonly wasCut?: boolean;
}

/** Holds what a reader was told against the commits of one session, all its lives, in the order in which they were made. */
export function checkReading(
  records: readonly CommitRecord[],
  { after, begunAt, told, wants, wasCut = false }: Reading,
): void {
  if (told.length === 0) return;
  const [first] = told;
  // Bookmarkable: the first thing that is told is where it begins.
  expect(first?.kind).toBe("bookmark");
  const start = after ?? standing(records, begunAt);
  expect(pointAfter(first as Told)).toEqual(start);
  let place = placeAfter(records, start, begunAt);
  for (const each of told.slice(1)) {
    if (each.kind === "bookmark") {
      // Nothing that was asked for was left out up to it.
      const end = records.findIndex(({ check }) => check === each.revision.check) + 1;
      expect(end).toBeGreaterThan(place);
      for (; place < end; place++) expect(isWanted(records[place] as CommitRecord, wants)).toBe(false);
      continue;
    }
    // Ordered, unique, reliable: the very next commit that was asked for.
    while (!isWanted(records[place] as CommitRecord, wants)) place++;
    const record = records[place++] as CommitRecord;
    checkEvent(each.event, record, wants);
    checkFormer(each.event, records.slice(0, place - 1), wasCut || place - 1 < begunAt);
  }
}

/** Where a session stood after so many commits. */
export function standing(records: readonly CommitRecord[], count: number): Revision {
  const last = records[count - 1];
  return last === undefined || isEnd(last.commit) ? nowhere : pointOf(last);
}

const nowhere: Revision = { incarnation: "", number: 0, check: 0n };

function pointOf({ commit, check }: CommitRecord): Revision {
  return { incarnation: commit.incarnation, number: commit.revision, check };
}

function isEnd({ kind }: Commit): boolean {
  return kind === "deleteSession" || kind === "expireSession";
}

/** The place of the commit that follows a point. After nowhere it is the creation of the life that stood at the time. */
function placeAfter(records: readonly CommitRecord[], { number, check }: Revision, begunAt: number): number {
  if (number > 0) return records.findIndex((record) => record.check === check) + 1;
  let place = begunAt;
  while (place > 0 && !isEnd((records[place - 1] as CommitRecord).commit)) place--;
  return place;
}

/** A beginning and an end are told to all. */
function isWanted({ commit }: CommitRecord, wants: (name: string) => boolean): boolean {
  return (
    commit.created !== undefined || isEnd(commit) || commit.changes.some((change) => wants(nameOf(change)))
  );
}

function nameOf(change: Change): string {
  return change.kind === "define" ? change.variable.name : change.name;
}

/** Atomic: all that was asked for of a commit, and nothing else. */
function checkEvent(event: SessionEvent, record: CommitRecord, wants: (name: string) => boolean): void {
  const { commit } = record;
  const kind =
    commit.created === undefined
      ? ({ deleteSession: "deleted", expireSession: "expired" } as const)[commit.kind as "deleteSession"]
      : "created";
  expect(event).toMatchObject({
    sessionId: commit.sessionId,
    revision: pointOf(record),
    kind: kind ?? "changed",
    source: commit.source,
    wallTimeMs: commit.wallTimeMs,
    metadata: commit.metadata,
  });
  const made = commit.changes.filter((change) => wants(nameOf(change)));
  expect(event.changes.map(({ name, after }) => ({ name, after }))).toEqual(
    made.map((change) => ({ name: nameOf(change), after: sideOf(change) })),
  );
}

function sideOf(change: Change): VariableAt | undefined {
  if (change.kind === "drop") return undefined;
  const { version, type, value } = change.kind === "set" ? change : change.variable;
  return { version, type, value };
}

/** Previous value: what the commits before made of it; what was missed may leave the value out, and never the version. */
function checkFormer(event: SessionEvent, before: readonly CommitRecord[], wasMissed: boolean): void {
  for (const { name, before: told } of event.changes) {
    let former: VariableAt | undefined;
    // A session begins with nothing.
    for (const { commit } of event.kind === "created" ? [] : before) {
      if (commit.created !== undefined) former = undefined;
      for (const change of commit.changes) if (nameOf(change) === name) former = sideOf(change);
    }
    if (wasMissed && told !== undefined && !("value" in told)) expect(told.version).toBe(former?.version);
    else expect(told).toEqual(former);
  }
}
