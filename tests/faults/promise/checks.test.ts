/** The checks of the promise find what they are for, and nothing in what is right. */
import { expect, test } from "vitest";
import type { RunCommit } from "./commits.js";
import { forward, READ_CHECKS, so } from "./reads.js";
import type { EventTold, ReadTold, Told, WriteTold } from "./tale.js";
import { snapshotFaults, watchesOf, watchFaults } from "./watches.js";
import { durable, numbered, once, paired, summed, undone, WRITE_CHECKS, wanted } from "./writes.js";

const pointOf = (revision: number, life = "1") =>
  revision === 0 ? `-0-${"0".repeat(16)}` : `${life.repeat(32)}-${revision}-${"c".repeat(16)}`;

/** The values and versions of what a commit changed. */
type Sides = Readonly<{ [name: string]: readonly [value: string | number, version: number] }>;

function commit(revision: number, op: string | undefined, sides: Sides): RunCommit {
  return {
    sessionId: "run",
    point: pointOf(revision),
    revision,
    kind: revision === 1 ? "created" : "changed",
    source: "python",
    wallTimeMs: 7,
    metadata: new Map(op === undefined ? [] : [["op", op]]),
    changes: Object.entries(sides).map(([name, [value, version]]) => ({ name, after: { version, value } })),
    op,
    request: `client ${revision}`,
  };
}

const write = (
  op: string,
  what: WriteTold["what"],
  outcome: WriteTold["outcome"],
  at?: RunCommit,
): WriteTold => ({
  tells: "write",
  loop: "w",
  op,
  what,
  outcome,
  ...(at === undefined
    ? { error: "SomeError" }
    : {
        point: at.point,
        values: Object.fromEntries(at.changes.map(({ name, after }) => [name, after?.value])),
      }),
});

const created = commit(1, undefined, {});
const pair = commit(2, "w 1", { a: ["w 1", 1], b: ["w 1", 1] });
const begun = commit(3, undefined, { counter: [0, 1] });
const one = commit(4, "w 2", { counter: [1, 2] });
const two = commit(5, "w 3", { counter: [2, 3] });
const set = commit(6, "w 6", { own: ["w 6", 1] });
const COMMITS = [created, pair, begun, one, two, set];

const WRITES = [
  write("w 1", "pair", "ok", pair),
  write("w 2", "increment", "ok", one),
  write("w 3", "increment", "unknown"),
  write("w 4", "increment", "unavailable"),
  write("w 5", "set", "refused"),
  write("w 6", "set", "ok", set),
];

test("what is right is found right", () => {
  for (const check of WRITE_CHECKS) expect(check(COMMITS, WRITES), check.name).toEqual([]);
});

/** Another one in the place of a commit. */
const instead = (place: number, ...others: readonly RunCommit[]) => COMMITS.toSpliced(place, 1, ...others);
/** The same commits, numbered anew from 1. */
const renumbered = (commits: readonly RunCommit[]) =>
  commits.map((each, i) => ({ ...each, revision: i + 1, point: pointOf(i + 1) }));

test.each<[(typeof WRITE_CHECKS)[number], string, readonly RunCommit[], readonly WriteTold[]]>([
  [numbered, "a revision is missing", instead(3), WRITES],
  [numbered, "a revision comes twice", [...COMMITS, set], WRITES],
  [numbered, "the session is another one", instead(5, { ...set, point: pointOf(6, "2") }), WRITES],
  [durable, "an acknowledged write is lost", COMMITS.slice(0, 5), WRITES],
  [durable, "it is at another revision", renumbered(instead(0)), WRITES],
  [durable, "it has another value", instead(5, commit(6, "w 6", { own: ["w 5", 1] })), WRITES],
  [durable, "half of it is there", instead(1, commit(2, "w 1", { a: ["w 1", 1] })), WRITES],
  [once, "a retry was carried out again", [...COMMITS, { ...set, revision: 7, request: "client 7" }], WRITES],
  [once, "a request id comes twice", [...COMMITS, { ...set, revision: 7, op: "w 7" }], WRITES],
  [undone, "a refused write was made", instead(5, { ...set, op: "w 5" }), WRITES],
  [undone, "one that was never handed over was made", instead(4, { ...two, op: "w 4" }), WRITES],
  [wanted, "nobody wrote what is there", instead(4, { ...two, op: "w 9" }), WRITES],
  [paired, "half of a pair is there", instead(1, commit(2, "w 1", { b: ["w 1", 1] })), WRITES],
  [paired, "a pair differs", instead(1, commit(2, "w 1", { a: ["w 1", 1], b: ["w 0", 1] })), WRITES],
  [summed, "an increment is lost", instead(4), WRITES.with(2, write("w 3", "increment", "ok", two))],
  [summed, "an increment counts twice", [...COMMITS, commit(7, "w 3", { counter: [3, 4] })], WRITES],
  [summed, "one overwrote another", instead(4, commit(5, "w 3", { counter: [1, 3] })), WRITES],
])("$name: %s", (check, _, commits, writes) => {
  expect(check(commits, writes)).not.toEqual([]);
});

const read = (values: ReadTold["values"], point?: string): ReadTold => ({
  tells: "read",
  loop: "w",
  values,
  ...(point === undefined ? {} : { point }),
});
const READS = [
  read({ counter: 0 }, begun.point),
  WRITES[1] as WriteTold,
  read({ counter: 1 }, one.point),
  read({ a: "w 1", b: "w 1" }),
  read({ counter: 2 }, set.point),
];

test("reads that are right are found right", () => {
  for (const check of READ_CHECKS) expect(check(COMMITS, READS), check.name).toEqual([]);
});

test.each<[(typeof READ_CHECKS)[number], string, readonly (ReadTold | WriteTold)[]]>([
  [so, "a pair is torn", [read({ a: "w 1", b: "" })]],
  [so, "it was something else", [read({ counter: 2 }, one.point)]],
  [so, "it never was", [read({ counter: 1 }, pointOf(9))]],
  [forward, "it goes back", [read({ counter: 2 }, two.point), read({ counter: 1 }, one.point)]],
  [forward, "it is older than an own write", [WRITES[1] as WriteTold, read({ counter: 0 }, begun.point)]],
])("$name: %s", (check, _, tale) => {
  expect(check(COMMITS, tale)).not.toEqual([]);
});

/** What a watch tells of a commit, with what was before. */
function event({ point, revision, kind, metadata, changes }: RunCommit, before: Sides = {}): EventTold {
  const told = changes.map(({ name, after }) => {
    const [previous, version] = before[name] ?? [];
    const former = version === undefined ? {} : { previous, previous_version: version };
    return { name, value: after?.value, version: after?.version as number, ...former };
  });
  return {
    tells: "event",
    watch: "all",
    point,
    event: {
      kind,
      session_id: "run",
      revision,
      source: "python",
      committed_at: new Date(7).toISOString(),
      metadata: Object.fromEntries(metadata),
      changes: told,
    },
  };
}

const TALE: readonly Told[] = [
  { tells: "begins", watch: "all", names: [] },
  { tells: "stands", watch: "all", point: pointOf(0) },
  event(created),
  event(pair),
  event(begun),
  { tells: "begins", watch: "all", names: [], after: begun.point },
  { tells: "stands", watch: "all", point: begun.point },
  event(one, { counter: [0, 1] }),
  event(two, { counter: [1, 2] }),
  event(set),
];

const faultsOf = (tale: readonly Told[]) =>
  watchesOf(tale).flatMap((run) => watchFaults(COMMITS, run, run.after === undefined));

test("watches that are right are found right", () => {
  expect(watchesOf(TALE)).toHaveLength(2);
  expect(faultsOf(TALE)).toEqual([]);
});

test.each<[string, string, readonly Told[]]>([
  ["reliable", "an event is dropped", TALE.toSpliced(8, 1)],
  ["reliable", "an event of a lost commit is told", [...TALE, event(commit(7, "w 7", { own: ["w 7", 2] }))]],
  ["unique", "an event is told twice", TALE.toSpliced(8, 0, TALE[7] as Told)],
  ["ordered", "two events change places", TALE.with(7, TALE[8] as Told).with(8, TALE[7] as Told)],
  ["atomic", "half of a commit is told", TALE.with(3, event({ ...pair, changes: pair.changes.slice(1) }))],
  ["resumable", "it goes on too late", TALE.toSpliced(7, 1)],
  ["resumable", "it goes on too early", TALE.toSpliced(7, 0, TALE[4] as Told)],
  ["bookmarkable", "the point stays behind", TALE.with(8, { ...(TALE[8] as EventTold), point: one.point })],
  ["previousValue", "another value was before", TALE.with(8, event(two, { counter: [0, 2] }))],
  ["creation", "it begins with a past", TALE.with(2, event({ ...created, kind: "changed" }))],
])("%s: %s", (validator, _, tale) => {
  expect(faultsOf(tale).filter((fault) => fault.startsWith(`${validator}: `))).not.toEqual([]);
});

test("what is read after a gap is found right or wrong", () => {
  const snapshot = {
    tells: "snapshot",
    watch: "all",
    revision: 5,
    values: { a: "w 1", counter: 2 },
  } as const;
  expect(snapshotFaults(COMMITS, snapshot)).toEqual([]);
  expect(snapshotFaults(COMMITS, { ...snapshot, values: { counter: 1 } })).not.toEqual([]);
  expect(snapshotFaults(COMMITS, { ...snapshot, revision: 9 })).not.toEqual([]);
});
