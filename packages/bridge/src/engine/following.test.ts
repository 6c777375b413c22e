/** How a follower begins, ends, and counts; what it is told in between is in following.property.test.ts. */
import { describe, expect, test } from "vitest";
import type { Revision } from "../core/commands.js";
import { Refusal } from "../core/refusal.js";
import type { Follow, StateUpdate } from "../core/state-update.js";
import { MemoryStore } from "../storage/memory/memory-store.js";
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

type States = Subscription<StateUpdate>;

function ask(bench: Bench, more: Partial<Follow> = {}, notify: (states: States) => void = () => {}) {
  return bench.engine.follow(ANYONE, { sessionId: "s", passive: false, ...more }, notify);
}

async function begin(bench: Bench, more: Partial<Follow> = {}): Promise<States> {
  const begun = await ask(bench, more);
  if (begun instanceof Refusal) throw new Error(`${begun.reason}: ${begun.message}`);
  return begun;
}

async function refusal(bench: Bench, more: Partial<Follow>): Promise<Refusal> {
  const begun = await ask(bench, more);
  if (begun instanceof Refusal) return begun;
  throw new Error("it was not refused");
}

/** What is told, as short as it can be told apart. */
function short(states: States): string[] {
  const all: string[] = [];
  for (;;) {
    const told = states.take();
    if (told === undefined) return all;
    if (told instanceof Refusal) return [...all, told.reason];
    const { base, revision, changed, deleted, more } = told;
    all.push(
      [
        `${base?.number ?? "all"} → ${revision.number}`,
        ...changed.map(({ name, value }) => `${name} ${value}`),
        ...deleted.map((name) => `no ${name}`),
        ...(more ? ["more"] : []),
      ].join(", "),
    );
  }
}

async function bench(options: ConstructorParameters<typeof Bench>[0] = {}): Promise<Bench> {
  const made = new Bench(options);
  for (const value of [1, 2, 3]) await made.do(command.set("s", `v${value}`, value));
  return made;
}

async function tip(bench: Bench): Promise<Revision> {
  return (await bench.do(command.session("s"))).session.revision;
}

describe("begins", () => {
  test("with the whole session, and is taken on in one step however much has happened [ORD-6 accepts]", async () => {
    const made = await bench();
    const states = await begin(made);
    expect([states.waiting, short(states), states.waiting]).toEqual([1, ["all → 3, v1 1, v2 2, v3 3"], 0]);
    await made.do(command.set("s", "v1", 4));
    await made.do(command.set("s", "v1", 5));
    await made.do(command.drop("s", "v2"));
    expect([states.waiting, short(states), states.waiting]).toEqual([1, ["3 → 6, v1 5, no v2"], 0]);
  });

  test("with an absent session, and is told of its creation and its end", async () => {
    const made = new Bench();
    const states = await begin(made);
    expect(short(states)).toEqual(["all → 0"]);
    await made.do(command.create("s"));
    expect(short(states)).toEqual(["all → 1"]);
    await made.do(command.set("s", "a", 1));
    expect(short(states)).toEqual(["1 → 2, a 1"]);
    await made.do(command.end("s"));
    expect(short(states)).toEqual(["all → 0"]);
    await made.do(command.create("s"));
    await made.do(command.end("s"));
    expect([states.waiting, short(states)]).toEqual([0, []]);
    await made.do(command.set("s", "b", 1));
    expect(short(states)).toEqual(["all → 1, b 1"]);
  });

  test("where it was, if what has happened since is known [ORD-4 accepts]", async () => {
    const made = await bench();
    const after = await tip(made);
    expect(short(await begin(made, { after }))).toEqual(["3 → 3"]);
    await made.do(command.set("s", "v1", 4));
    await made.do(command.drop("s", "v2"));
    const states = await begin(made, { after });
    expect(short(states)).toEqual(["3 → 5, v1 4, no v2"]);
    await made.do(command.set("s", "v1", 5));
    expect(short(states)).toEqual(["5 → 6, v1 5"]);
    expect(short(await begin(made, { after: ABSENT }))).toEqual(["all → 6, v3 3, v1 5"]);
    expect(short(await begin(new Bench(), { after: ABSENT }))).toEqual(["0 → 0"]);
  });

  test("with the whole session where a point is none of it: in the future, of another life, of none [ORD-6 refuses]", async () => {
    const made = await bench();
    const after = await tip(made);
    const whole = ["all → 3, v1 1, v2 2, v3 3"];
    for (const point of [
      { ...after, number: 4 },
      { ...after, check: 1n },
      { ...after, number: 2 },
      { ...after, number: 2, check: 1n },
      { ...after, incarnation: "f".repeat(32) },
    ])
      expect(short(await begin(made, { after: point }))).toEqual(whole);
    await made.do(command.end("s"));
    expect(short(await begin(made, { after }))).toEqual(["all → 0"]);
  });

  test("with the whole session where the store has forgotten what came after", async () => {
    class Forgetful extends MemoryStore {
      override async commitsAfter(): Promise<"compacted"> {
        return "compacted";
      }
    }
    const made = await bench({ store: new Forgetful() });
    const after = await tip(made);
    made.clock.advance(1);
    await made.do(command.set("s", "v1", 4));
    expect(short(await begin(made, { after }))).toEqual(["all → 4, v2 2, v3 3, v1 4"]);
    expect(short(await begin(made, { after: await tip(made) }))).toEqual(["4 → 4"]);
  });

  test("when that from which it tells is durable, with what is durable by then [ORD-5 accepts]", async () => {
    const store = heldStore();
    const made = new Bench({ store });
    void made.ask(command.set("s", "a", 1));
    const beginning = begin(made);
    expect(await isPending(beginning)).toBe(true);
    void made.ask(command.set("s", "a", 2));
    store.release();
    const states = await beginning;
    void made.ask(command.set("s", "a", 3));
    expect(short(states)).toEqual(["all → 2, a 2"]);
    store.release();
    await settle();
    expect(short(states)).toEqual(["2 → 3, a 3"]);
  });

  test("beside a watch that was told of nothing yet", async () => {
    const store = heldStore();
    const made = new Bench({ store });
    void made.engine.watch(ANYONE, { sessionId: "s", names: [], passive: false }, () => {});
    void made.ask(command.set("s", "a", 1));
    void made.ask(command.set("s", "b", 1));
    const beginning = begin(made);
    void made.ask(command.set("s", "c", 1));
    store.release();
    expect(short(await beginning)).toEqual(["all → 3, a 1, b 1, c 1"]);
  });

  test("tells nothing when the store fails first [ORD-5 refuses]", async () => {
    const store = heldStore();
    const made = new Bench({ store });
    void made.ask(command.set("s", "a", 1)).catch(() => {});
    const beginning = begin(made);
    store.fail();
    await expect(beginning).rejects.toThrow("the disk is gone");
  });

  test("with a session that sleeps", async () => {
    const store = new OutlivingStore();
    await (await openBench({ store })).do(command.set("s", "a", 1));
    expect(short(await begin(await openBench({ store })))).toEqual(["all → 1, a 1"]);
  });

  test("not with a name that is none, or a point that can be none", async () => {
    const made = await bench();
    expect(await refusal(made, { sessionId: "" })).toMatchObject({ reason: "INVALID_NAME" });
    const after = { incarnation: "", number: 3, check: 1n };
    expect(await refusal(made, { after })).toMatchObject({ reason: "INVALID_ARGUMENT" });
  });
});

describe("is told", () => {
  test("the same objects as all others that stand there", async () => {
    const made = await bench();
    const followers = await Promise.all([begin(made), begin(made)]);
    const whole = followers.map((states) => states.take());
    expect(whole[0]).toBe(whole[1]);
    await made.do(command.set("s", "a", 1));
    followers.push(await begin(made, { after: (whole[0] as StateUpdate).revision }));
    const steps = followers.map((states) => states.take());
    for (const step of steps) expect(step).toBe(steps[0]);
  });

  test("a long step in parts to its end before what came meanwhile", async () => {
    const made = await bench();
    for (const name of ["a", "b", "c"]) await made.do(command.set("s", name, "x".repeat(50_000)));
    const states = await begin(made);
    const first = states.take() as StateUpdate;
    expect([first.more, states.waiting]).toEqual([true, 1]);
    await made.do(command.set("s", "a", "y"));
    await made.do(command.set("s", "a", "z"));
    expect(states.waiting).toBe(2);
    const rest: (StateUpdate | Refusal | undefined)[] = [];
    while (states.waiting > 0) rest.push(states.take());
    expect(rest.map((each) => (each as StateUpdate).base?.number)).toEqual([undefined, undefined, 6]);
    expect((rest.at(-1) as StateUpdate).changed).toMatchObject([{ name: "a", value: "z" }]);
  });

  test("that there is something when there is, and the end after what waits", async () => {
    const made = await bench();
    let calls = 0;
    const states = (await ask(made, {}, () => calls++)) as States;
    expect(calls).toBe(1);
    await made.do(command.set("s", "a", 1));
    expect(calls).toBe(2);
    await made.engine.close();
    expect([calls, states.waiting]).toEqual([3, 2]);
    expect(short(states)).toEqual(["all → 4, v1 1, v2 2, v3 3, a 1", "SHUTTING_DOWN"]);
  });

  test("nothing of what came when it had ended", async () => {
    const made = await bench();
    let calls = 0;
    const states = (await ask(made, {}, () => calls++)) as States;
    short(states);
    states.close();
    states.close();
    await made.do(command.set("s", "a", 1));
    expect(calls).toBe(1);
    // The next one begins anew.
    expect(short(await begin(made))).toEqual(["all → 4, v1 1, v2 2, v3 3, a 1"]);
  });
});

describe("counts", () => {
  test("among the watches of a server", async () => {
    const made = await bench({ limits: { maxWatches: 2 } });
    const states = await begin(made);
    await made.engine.watch(ANYONE, { sessionId: "s", names: [], passive: false }, () => {});
    expect(await refusal(made, {})).toMatchObject({ reason: "TOO_MANY_WATCHES" });
    states.close();
    await begin(made);
  });

  test.each([false, true])("as use of its session unless it is passive: %s [ORD-12]", async (passive) => {
    const made = new Bench({ defaultTtlMs: 1_000 });
    await made.do(command.create("s"));
    const states = await begin(made, { passive });
    made.clock.advance(5_000);
    expect(short(states)).toEqual([passive ? "all → 0" : "all → 1"]);
  });
});
