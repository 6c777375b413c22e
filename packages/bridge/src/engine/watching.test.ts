/** How a watch begins, ends, and counts; what it tells in between is in watching.property.test.ts. */
import { describe, expect, test } from "vitest";
import type { Revision } from "../core/commands.js";
import { Refusal } from "../core/refusal.js";
import { MOST_WAITING, pointAfter } from "../core/told-queue.js";
import type { Told, Watch } from "../core/watch.js";
import { MemoryStore } from "../storage/memory/memory-store.js";
import type { CommitRecord } from "../storage/record.js";
import {
  Bench,
  command,
  heldStore,
  isPending,
  OutlivingStore,
  openBench,
  settle,
} from "../testing/bench.contract.js";
import { witnessWatches } from "../testing/watch-witness.contract.js";
import { ANYONE } from "./principal.js";
import { ABSENT } from "./sessions.js";
import type { Subscription } from "./subscription.js";

witnessWatches();

type Asked = Partial<Watch>;

function ask(bench: Bench, more: Asked = {}, notify: (subscription: Subscription) => void = () => {}) {
  return bench.engine.watch(ANYONE, { sessionId: "s", names: [], passive: false, ...more }, notify);
}

async function begin(bench: Bench, more: Asked = {}): Promise<Subscription> {
  const begun = await ask(bench, more);
  if (begun instanceof Refusal) throw new Error(`${begun.reason}: ${begun.message}`);
  return begun;
}

async function refusal(bench: Bench, more: Asked): Promise<Refusal> {
  const begun = await ask(bench, more);
  if (begun instanceof Refusal) return begun;
  throw new Error("the watch was not refused");
}

function takeAll(subscription: Subscription): (Told | Refusal)[] {
  const all: (Told | Refusal)[] = [];
  for (;;) {
    const told = subscription.take();
    if (told === undefined) return all;
    all.push(told);
    if (told instanceof Refusal) return all;
  }
}

/** What was told, as short as it can be told apart. */
function short(subscription: Subscription): string[] {
  return takeAll(subscription).map((told) => {
    if (told instanceof Refusal) return told.reason;
    if (told.kind === "bookmark") return `at ${told.revision.number}`;
    const { kind, revision, changes } = told.event;
    const what = changes.map(({ name, before, after }) => `${name} ${before?.value} → ${after?.value}`);
    return [`${revision.number} ${kind}`, ...what].join(", ");
  });
}

async function revision(bench: Bench): Promise<Revision> {
  return (await bench.do(command.session("s"))).session.revision;
}

describe("an absent session", () => {
  test("can be watched, from revision 0, and its creation is told [ORD-13 accepts]", async () => {
    const bench = new Bench();
    const watch = await begin(bench);
    expect(short(watch)).toEqual(["at 0"]);
    await bench.do(command.set("s", "a", 1));
    await bench.do(command.end("s"));
    await bench.do(command.create("s"));
    expect(short(watch)).toEqual(["1 created, a undefined → 1", "2 deleted", "1 created"]);
  });

  test("is resumed from revision 0, also when it was created meanwhile", async () => {
    const bench = new Bench();
    await bench.do(command.create("s"));
    await bench.do(command.set("s", "a", 1));
    expect(short(await begin(bench, { after: ABSENT }))).toEqual([
      "at 0",
      "1 created",
      "2 changed, a undefined → 1",
    ]);
  });

  test("is absent only when the commit that ended it is durable", async () => {
    const store = heldStore();
    const bench = new Bench({ store });
    const created = bench.ask(command.create("s"));
    store.release();
    await created;
    const watch = await begin(bench);
    expect(short(watch)).toEqual(["at 1"]);
    const ended = bench.ask(command.end("s"));
    const second = ask(bench);
    expect(await isPending(second)).toBe(true);
    expect(short(watch)).toEqual([]);
    store.release();
    await ended;
    expect(short(watch)).toEqual(["2 deleted"]);
    expect(short((await second) as Subscription)).toEqual(["at 0"]);
  });
});

describe("resuming", () => {
  test("goes on after a point of the session's own life, and from nowhere else [ORD-4 accepts]", async () => {
    const bench = new Bench();
    await bench.do(command.create("s"));
    await bench.do(command.set("s", "a", 1));
    const point = await revision(bench);
    await bench.do(command.set("s", "a", 2));
    await bench.do(command.set("s", "a", 3));
    // What was missed first does not say what it replaced; the next one replaced what that made.
    expect(short(await begin(bench, { after: point }))).toEqual([
      "at 2",
      "3 changed, a undefined → 2",
      "4 changed, a 2 → 3",
    ]);
    expect(short(await begin(bench, { after: await revision(bench) }))).toEqual(["at 4"]);
  });

  test.each<[string, (point: Revision) => Revision]>([
    ["another check", (point) => ({ ...point, check: point.check ^ 1n })],
    ["another check at the tip", (point) => ({ ...point, number: 3, check: 7n })],
    ["another life", (point) => ({ ...point, incarnation: "f".repeat(32) })],
    ["a number that is yet to come", (point) => ({ ...point, number: 9 })],
  ])("from %s is refused [ORD-4 refuses]", async (_, wrong) => {
    const bench = new Bench();
    await bench.do(command.create("s"));
    await bench.do(command.set("s", "a", 1));
    const point = await revision(bench);
    await bench.do(command.set("s", "a", 2));
    const refused = await refusal(bench, { after: wrong(point) });
    expect(refused).toMatchObject({ reason: "WATCH_GAP", details: { sessionId: "s" } });
    expect(refused.message).toContain("it stands at revision 3 now");
  });

  test("from a session that is gone is refused", async () => {
    const bench = new Bench();
    await bench.do(command.create("s"));
    const point = await revision(bench);
    await bench.do(command.end("s"));
    expect(await refusal(bench, { after: point })).toMatchObject({ reason: "WATCH_GAP" });
  });

  test("from what is no longer kept is refused as that, and from the oldest that is kept it goes on", async () => {
    const bench = new Bench();
    await bench.do(command.create("s"));
    const old = await revision(bench);
    for (let i = 0; i < 400; i++) await bench.do(command.set("s", "a", i));
    const point = await revision(bench);
    for (let i = 0; i < 1_000; i++) await bench.do(command.set("s", "a", i));
    expect(await refusal(bench, { after: old })).toMatchObject({ reason: "HISTORY_COMPACTED" });
    expect(takeAll(await begin(bench, { after: point }))).toHaveLength(1_001);
  });

  test("reads the store while commits go on, and nothing is told twice", async () => {
    const store = heldStore();
    const bench = new Bench({ store });
    const asked = [1, 2, 3].map((value) => bench.ask(command.set("s", "a", value)));
    store.release();
    await Promise.all(asked);
    const point = pointAfter((await begin(bench)).take() as Told);
    const later = [4, 5].map((value) => bench.ask(command.set("s", "a", value)));
    const begun = ask(bench, { after: point });
    const last = bench.ask(command.set("s", "a", 6));
    store.release();
    await Promise.all([...later, last]);
    expect(short((await begun) as Subscription)).toEqual([
      "at 3",
      "4 changed, a undefined → 4",
      "5 changed, a 4 → 5",
      "6 changed, a 5 → 6",
    ]);
  });
});

test("resuming from a store that answers late tells what was committed meanwhile once", async () => {
  let answer = (): void => {};
  const answers = new Promise<void>((resolve) => {
    answer = resolve;
  });
  class LateStore extends MemoryStore {
    override async commitsAfter(...asked: Parameters<MemoryStore["commitsAfter"]>) {
      await answers;
      return super.commitsAfter(...asked);
    }
  }
  const bench = new Bench({ store: new LateStore() });
  await bench.do(command.create("s"));
  const point = await revision(bench);
  await bench.do(command.set("s", "a", 1));
  const begun = ask(bench, { after: point });
  await bench.do(command.set("s", "a", 2));
  answer();
  expect(short((await begun) as Subscription)).toEqual([
    "at 1",
    "2 changed, a undefined → 1",
    "3 changed, a 1 → 2",
  ]);
});

describe("a filter", () => {
  test("leaves bookmarks of what it leaves out, and as few as it can [ORD-6 accepts]", async () => {
    const bench = new Bench();
    await bench.do(command.create("s"));
    const watch = await begin(bench, { names: ["a"], glob: "x*" });
    for (const name of ["b", "c", "a", "b", "xyz", "d", "e"]) await bench.do(command.set("s", name, 1));
    expect(short(watch)).toEqual([
      "at 1",
      "at 3",
      "4 changed, a undefined → 1",
      "at 5",
      "6 changed, xyz undefined → 1",
      "at 8",
    ]);
    const after = { incarnation: (await revision(bench)).incarnation, number: 1, check: 0n };
    const [first] = (await bench.store.commitsAfter("s", 0)) as readonly CommitRecord[];
    const late = await begin(bench, { names: ["a"], after: { ...after, check: first?.check ?? 0n } });
    expect(short(late)).toEqual(["at 1", "at 3", "4 changed, a undefined → 1", "at 8"]);
  });

  test.each<[string, Asked, string]>([
    ["an empty name", { names: [""] }, "INVALID_NAME"],
    ["too many names", { names: Array.from({ length: 1_001 }, (_, i) => `n${i}`) }, "TOO_MANY_ITEMS"],
    ["half a glob", { glob: "a\\" }, "INVALID_ARGUMENT"],
    ["no session", { sessionId: "" }, "INVALID_NAME"],
    ["a point of no life", { after: { incarnation: "", number: 3, check: 0n } }, "INVALID_ARGUMENT"],
    ["a life at 0", { after: { incarnation: "0".repeat(32), number: 0, check: 0n } }, "INVALID_ARGUMENT"],
  ])("that makes no sense is refused: %s", async (_, asked, reason) => {
    expect(await refusal(new Bench(), asked)).toMatchObject({ reason });
  });
});

describe("a reader that is too slow", () => {
  test("is ended after what it was told without a gap, and nobody else is [ORD-6 refuses]", async () => {
    const bench = new Bench();
    await bench.do(command.create("s"));
    const slow = await begin(bench);
    const fast = await begin(bench);
    for (let i = 0; i < MOST_WAITING + 10; i++) {
      await bench.do(command.set("s", "a", i));
      if (i % 100 === 0) takeAll(fast);
    }
    const told = takeAll(slow);
    expect(told).toHaveLength(MOST_WAITING + 2);
    expect(told.at(-1)).toMatchObject({ reason: "WATCH_OVERFLOW" });
    const last = told.at(-2) as Told;
    expect(pointAfter(last).number).toBe(MOST_WAITING + 1);
    expect(short(await begin(bench, { after: pointAfter(last) }))).toHaveLength(11);
    expect(short(fast).at(-1)).toMatch(/^1011 changed/);
  });

  test("is ended for the bytes that wait as well", async () => {
    const bench = new Bench();
    await bench.do(command.create("s"));
    const slow = await begin(bench);
    // Each has the value before and the value now.
    for (let i = 0; i < 6; i++) await bench.do(command.set("s", "a", "x".repeat(1_000_000)));
    expect(short(slow).map((each) => each.slice(0, 9))).toEqual([
      "at 1",
      "2 changed",
      "3 changed",
      "4 changed",
      "5 changed",
      "WATCH_OVE",
    ]);
  });
});

describe("time to live", () => {
  const ttl = 10_000;

  test("does not run while a session is watched, and begins anew when the last watch ends [ORD-12 accepts]", async () => {
    const bench = new Bench();
    await bench.do(command.create("s", ttl));
    const first = await begin(bench);
    const second = await begin(bench, { passive: true });
    bench.clock.advance(5 * ttl);
    await settle();
    expect(short(second)).toEqual(["at 1"]);
    first.close();
    bench.clock.advance(ttl - 1);
    expect(short(second)).toEqual([]);
    bench.clock.advance(1);
    await settle();
    expect(short(second)).toEqual(["2 expired"]);
    await bench.refused(command.session("s"));
  });

  test("runs under a watch that only looks on [ORD-12 refuses]", async () => {
    const bench = new Bench();
    await bench.do(command.create("s", ttl));
    bench.clock.advance(ttl - 1);
    const watch = await begin(bench, { passive: true });
    bench.clock.advance(1);
    await settle();
    expect(short(watch)).toEqual(["at 1", "2 expired"]);
  });

  test("is kept for a watched session as that of one in use", async () => {
    const store = new OutlivingStore();
    const bench = await openBench({ store });
    await bench.do(command.create("s", ttl));
    await begin(bench);
    bench.clock.advance(6 * ttl);
    await bench.engine.close();
    const [head] = await store.heads();
    expect(head?.restMs).toBe(ttl);
  });
});

describe("an end", () => {
  test("by its reader makes room for another watch", async () => {
    const bench = new Bench({ limits: { maxWatches: 2 } });
    const watches = [await begin(bench), await begin(bench)];
    expect(await refusal(bench, {})).toMatchObject({
      reason: "TOO_MANY_WATCHES",
      details: { limit: { setting: "max-watches", limit: 2, actual: 3 } },
    });
    watches[0]?.close();
    watches[0]?.close();
    await begin(bench);
    expect(await refusal(bench, {})).toMatchObject({ reason: "TOO_MANY_WATCHES" });
  });

  test("of the bridge is told, and what waits before it", async () => {
    const bench = new Bench();
    const watch = await begin(bench);
    await bench.do(command.create("s"));
    await bench.engine.close();
    expect(short(watch)).toEqual(["at 0", "1 created", "SHUTTING_DOWN"]);
    expect(await refusal(bench, {})).toMatchObject({ reason: "SHUTTING_DOWN" });
  });

  test("of the store is told, and no commit that may be lost [ORD-5 refuses]", async () => {
    const store = heldStore();
    const bench = new Bench({ store });
    const watch = await begin(bench);
    const asked = bench.ask(command.create("s")).catch((error: Error) => error.message);
    const begins = ask(bench).catch((error: Error) => error.message);
    store.fail();
    expect(await asked).toContain("the store failed");
    expect(await begins).toContain("the store failed");
    expect(short(watch)).toEqual(["at 0", "SHUTTING_DOWN"]);
    await expect(ask(bench)).rejects.toThrow("the store failed");
  });
});

test("a sleeping session is woken, and one that nobody watches costs its commits nothing", async () => {
  const store = new OutlivingStore();
  const first = await openBench({ store });
  await first.do(command.set("s", "a", 1));
  const point = await revision(first);
  await first.do(command.set("s", "a", 2));
  await first.engine.close();
  const bench = await openBench({ store });
  const watch = await begin(bench, { after: point });
  await bench.do(command.set("s", "a", 3));
  expect(short(watch)).toEqual(["at 1", "2 changed, a undefined → 2", "3 changed, a 2 → 3"]);
});
