import { describe, expect, test } from "vitest";
import { History } from "../testing/commits.contract.js";
import type { Stored } from "./literal.js";
import type { SessionEvent } from "./session/event.js";
import { MOST_VALUE_BYTES, StateLog } from "./state-log.js";
import type { StateUpdate } from "./state-update.js";

const ABSENT = { incarnation: "", number: 0, check: 0n };
const LIFE = "1".repeat(32);

function revision(number: number, incarnation = LIFE) {
  return { incarnation, number, check: BigInt(number) };
}

function event(
  number: number,
  changes: Record<string, Stored | undefined>,
  kind: SessionEvent["kind"] = "changed",
  incarnation = LIFE,
): SessionEvent {
  return {
    sessionId: "s",
    revision: revision(number, incarnation),
    kind,
    source: "test",
    wallTimeMs: 0,
    metadata: new Map(),
    changes: Object.entries(changes).map(([name, value]) =>
      value === undefined
        ? { name, before: { version: 1 } }
        : { name, id: `var_${name}_1`, after: { version: number, type: "string", value } },
    ),
  };
}

/** What is told, as short as it can be told apart. */
function short(updates: readonly StateUpdate[]): string[] {
  return updates.map(({ base, revision: { number }, changed, deleted, more }) =>
    [
      `${base?.number ?? "all"} → ${number}`,
      ...changed.map(({ name, value }) => `${name} ${value ?? "-"}`),
      ...deleted.map((name) => `no ${name}`),
      ...(more ? ["more"] : []),
    ].join(", "),
  );
}

describe("a follower is told", () => {
  test("each variable once, however often it has changed since, and deletions", () => {
    const log = new StateLog(revision(1), []);
    for (let i = 2; i < 500; i++) log.add(event(i, { [`v${i % 3}`]: `${i}` }));
    log.add(event(500, { v0: undefined }));
    expect(short(log.stepsFrom(revision(1)))).toEqual(["1 → 500, v2 497, v1 499, no v0"]);
    expect(short(log.stepsFrom(revision(498)))).toEqual(["498 → 500, v1 499, no v0"]);
    expect(short(log.stepsFrom(revision(500)))).toEqual(["500 → 500"]);
    expect(short(log.stepsFrom(undefined))).toEqual(["all → 500, v2 497, v1 499"]);
  });

  test("the whole session in the order in which it was set, those unchanged longest first", () => {
    const history = new History("s");
    for (const name of ["a", "b", "c"]) history.set(name, "string", name);
    const setAt: Record<string, number> = { a: 30, b: 10, c: 20 };
    const variables = [...history.state.variables.values()].map((each) => ({
      ...each,
      updatedAtMs: setAt[each.name] as number,
    }));
    const log = new StateLog(revision(5), variables);
    expect(short(log.stepsFrom(undefined))).toEqual(["all → 5, b b, c c, a a"]);
    log.add(event(6, { c: "C" }));
    expect(short(log.stepsFrom(undefined))).toEqual(["all → 6, b b, a a, c C"]);
    expect(short(log.stepsFrom(revision(5)))).toEqual(["5 → 6, c C"]);
  });

  test("another life of the session whole, and its end", () => {
    const log = new StateLog(revision(1), []);
    log.add(event(2, { a: "1" }));
    log.add(event(3, {}, "deleted"));
    for (const from of [revision(1), revision(2), undefined]) {
      expect(short(log.stepsFrom(from))).toEqual(["all → 0"]);
    }
    expect(short(log.stepsFrom(ABSENT))).toEqual(["0 → 0"]);
    const other = "2".repeat(32);
    log.add(event(1, { b: "1" }, "created", other));
    log.add(event(2, { c: "1" }, "changed", other));
    for (const from of [revision(1), ABSENT, undefined])
      expect(short(log.stepsFrom(from))).toEqual(["all → 2, b 1, c 1"]);
    expect(short(log.stepsFrom(revision(1, other)))).toEqual(["1 → 2, c 1"]);
  });

  test("what it missed before the log began, and what came since", () => {
    const log = new StateLog(revision(5), []);
    log.add(event(6, { a: "6", b: undefined }));
    const missed = new Map([
      ["a", { name: "a", id: "i", version: 1, type: "string" as const, value: "4" }],
      ["c", { name: "c", id: "i", version: 1, type: "string" as const, value: "5" }],
      ["d", undefined],
    ]);
    expect(short(log.stepsFrom(revision(3), missed))).toEqual(["3 → 6, c 5, a 6, no d, no b"]);
  });

  test("the same object as all others who stand there", () => {
    const log = new StateLog(revision(1), []);
    log.add(event(2, { a: "1" }));
    for (const from of [revision(1), undefined]) expect(log.stepsFrom(from)).toBe(log.stepsFrom(from));
    const before = log.stepsFrom(revision(1));
    log.add(event(3, { b: "1" }));
    expect(log.stepsFrom(revision(1))).not.toBe(before);
  });

  test("no values that are longer than 64 KiB of UTF-8 [ORD-7]", () => {
    const log = new StateLog(revision(1), []);
    const longest = "ä".repeat(MOST_VALUE_BYTES / 2);
    log.add(event(2, { a: longest, b: `${longest}x` }));
    const [update] = log.stepsFrom(revision(1));
    expect(update?.changed).toEqual([
      { name: "a", id: "var_a_1", version: 2, type: "string", value: longest },
      { name: "b", id: "var_b_1", version: 2, type: "string" },
    ]);
  });

  test("a long step in parts, each of which says where it leads [ORD-18]", () => {
    const log = new StateLog(revision(1), []);
    const text = "x".repeat(50_000);
    log.add(event(2, { a: text, b: text, c: text, d: text, e: undefined }));
    const parts = log.stepsFrom(revision(1));
    expect(parts.map(({ base, revision, more }) => [base?.number, revision.number, more])).toEqual([
      [1, 2, true],
      [1, 2, true],
      [1, 2, true],
      [1, 2, false],
    ]);
    expect(parts.map(({ changed, deleted }) => [...changed.map(({ name }) => name), ...deleted])).toEqual([
      ["a"],
      ["b"],
      ["c"],
      ["d", "e"],
    ]);
    const names = Object.fromEntries(
      Array.from({ length: 20_000 }, (_, i) => [`${i}`.padStart(20, "n"), undefined]),
    );
    log.add(event(3, names));
    const more = log.stepsFrom(revision(2));
    expect(more.length).toBeGreaterThan(3);
    expect(more.flatMap(({ deleted }) => deleted)).toHaveLength(20_000);
  });

  test("with no more kept than there is, however much happens", () => {
    const log = new StateLog(revision(1), []);
    for (let i = 2; i < 100_002; i++) log.add(event(i, { [`v${i % 10}`]: `${i}` }));
    const [step] = log.stepsFrom(revision(2));
    expect(step?.changed).toHaveLength(10);
    expect(log.kept).toBeLessThanOrEqual(100);
  });
});
