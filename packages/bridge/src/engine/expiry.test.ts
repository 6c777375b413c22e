import { describe, expect, test } from "vitest";
import type { Clock } from "../core/clock.js";
import { MemoryStore } from "../storage/memory/memory-store.js";
import { fromRecord } from "../storage/record.js";
import type { Store } from "../storage/store.js";
import {
  Bench,
  command,
  heldStore,
  isPending,
  OutlivingStore,
  openBench,
  settle,
} from "../testing/bench.contract.js";
import { FaultyStore } from "../testing/faulty-store.contract.js";
import { ManualClock } from "../testing/manual-clock.js";

const DAY_MS = 86_400_000;

describe("a session", () => {
  test("is there until its TTL has passed, to the millisecond, and not after", async () => {
    const bench = new Bench();
    await bench.do(command.create("s", 1_000));
    bench.clock.advance(999.5);
    expect((await bench.do(command.session("s"))).session.id).toBe("s");
    bench.clock.advance(999.5);
    expect((await bench.do(command.heartbeat("s"))).revision.number).toBe(1);
    bench.clock.advance(1_000);
    expect((await bench.refused(command.session("s"))).reason).toBe("SESSION_NOT_FOUND");
  });

  test.for([
    ["reading its head", command.session("s")],
    ["a heartbeat", command.heartbeat("s")],
    ["reading a variable", command.get("s", "a")],
    ["looking for a variable that is not there", command.get("s", "absent")],
    ["reading several", { kind: "getVariables", sessionId: "s", identifiers: [] }],
    ["listing its variables", command.list("s")],
    ["a set", command.set("s", "a", 2)],
    ["a set that is refused", command.set("s", "a", "text")],
    ["an increment", command.increment("s", "a", 1)],
    ["a deletion", command.drop("s", "a")],
    ["an ensure of nothing", { kind: "ensureVariables", sessionId: "s", definitions: [] }],
    ["being created again", command.create("s")],
  ] as const)("is kept alive by %s", async ([, use]) => {
    const bench = new Bench();
    await bench.do(command.create("s", 1_000));
    await bench.do(command.set("s", "a", 1));
    bench.clock.advance(900);
    await bench.ask(use);
    bench.clock.advance(999);
    expect((await bench.do(command.sessions())).sessions).toHaveLength(1);
    bench.clock.advance(1);
    expect((await bench.do(command.sessions())).sessions).toHaveLength(0);
  });

  test("is not kept alive by a list, nor by a command that came too late or for another one", async () => {
    const bench = new Bench();
    await bench.do(command.create("s", 1_000));
    bench.clock.advance(900);
    await bench.do(command.sessions());
    await bench.ask(command.heartbeat("s"), bench.clock.now() - 1);
    await bench.do(command.create("t"));
    await bench.ask({ kind: "ping", message: "s" });
    bench.clock.advance(100);
    expect((await bench.refused(command.heartbeat("s"))).reason).toBe("SESSION_NOT_FOUND");
  });

  test("with a TTL of zero never expires, nor does one without a TTL where the default is zero", async () => {
    const bench = new Bench({ defaultTtlMs: 0 });
    await bench.do(command.create("s", 0));
    await bench.do(command.create("t"));
    expect(bench.clock.pendingTimers).toBe(0);
    bench.clock.advance(100 * 365 * DAY_MS);
    expect((await bench.do(command.sessions())).sessions).toHaveLength(2);
  });

  test("takes the default TTL where it names none, created outright or by a write", async () => {
    const bench = new Bench({ defaultTtlMs: 7_000 });
    await bench.do(command.create("s"));
    await bench.do(command.set("t", "a", 1));
    expect((await bench.do(command.sessions())).sessions.map(({ ttlMs }) => ttlMs)).toEqual([7_000, 7_000]);
    bench.clock.advance(7_000);
    expect((await bench.do(command.sessions())).sessions).toEqual([]);
  });

  test("lives through every jump of the wall clock, and expires in time after it", async () => {
    const bench = new Bench();
    await bench.do(command.create("s", 60_000));
    for (const ms of [3_600_000, -3_600_000, 10 * 365 * DAY_MS, -20 * 365 * DAY_MS, 1]) {
      bench.clock.jumpWall(ms);
      bench.clock.advance(11_999);
      expect((await bench.do(command.sessions())).sessions).toHaveLength(1);
    }
    bench.clock.advance(4);
    expect((await bench.do(command.sessions())).sessions).toHaveLength(1);
    bench.clock.advance(1);
    expect((await bench.do(command.sessions())).sessions).toHaveLength(0);
  });

  test("with a TTL beyond 2^31 ms does not expire early, nor late", async () => {
    const bench = new Bench();
    await bench.do(command.create("s", 30 * DAY_MS));
    bench.clock.advance(30 * DAY_MS - 1);
    expect((await bench.do(command.sessions())).sessions).toHaveLength(1);
    bench.clock.advance(1);
    expect((await bench.do(command.sessions())).sessions).toHaveLength(0);
  });

  test("ends with a commit of its own, one after its last", async () => {
    const store = heldStore();
    const bench = new Bench({ store });
    const created = bench.ask(command.create("s", 1_000));
    await isPending(created);
    store.release();
    await created;
    bench.clock.advance(1_000);
    expect(store.records.map(({ commit }) => [commit.kind, commit.revision])).toEqual([
      ["createSession", 1],
      ["expireSession", 2],
    ]);
  });

  test("is swept although nobody asks for it", async () => {
    const bench = new Bench();
    await bench.do(command.create("s", 1_000));
    bench.clock.advance(1_000);
    expect(await bench.store.load("s")).toBeUndefined();
    expect(bench.clock.pendingTimers).toBe(0);
  });

  test("that expired can be created again, and its new life is not cut short by the old one's timer", async () => {
    const bench = new Bench();
    const first = (await bench.do(command.create("s", 1_000))).session.revision;
    bench.clock.advance(500);
    await bench.do(command.end("s"));
    const second = (await bench.do(command.create("s", 1_000))).session.revision;
    expect(second.incarnation).not.toBe(first.incarnation);
    bench.clock.advance(999);
    expect((await bench.do(command.sessions())).sessions).toHaveLength(1);
    bench.clock.advance(1);
    expect((await bench.do(command.sessions())).sessions).toHaveLength(0);
  });

  test("found to be due on access is gone for good before its absence is told", async () => {
    const store = heldStore();
    const clock = new StoppedTimers();
    const bench = new Bench({ store, clock });
    const created = bench.ask(command.create("s", 1_000));
    await isPending(created);
    store.release();
    await created;
    clock.advance(1_000);
    const asked = bench.ask(command.session("s"));
    expect(await isPending(asked)).toBe(true);
    expect(store.records.at(-1)?.commit.kind).toBe("expireSession");
    store.release();
    expect(await asked).toMatchObject({ reason: "SESSION_NOT_FOUND" });
  });
});

/** A clock whose timers never fire, as on a machine that is too busy to sweep. */
class StoppedTimers extends ManualClock {
  override setTimer(): () => void {
    return () => {};
  }
}

describe("on a machine too busy to sweep", () => {
  test("expired sessions are neither found nor listed", async () => {
    const clock = new StoppedTimers();
    const bench = new Bench({ clock });
    await bench.do(command.create("s", 1_000));
    await bench.do(command.create("t", 5_000));
    clock.advance(1_000);
    expect((await bench.do(command.sessions())).sessions.map(({ id }) => id)).toEqual(["t"]);
    expect((await bench.refused(command.get("s", "a"))).reason).toBe("SESSION_NOT_FOUND");
    expect((await bench.do(command.create("s"))).created).toBe(true);
  });

  test("expired sessions that sleep do not stand in the way of new ones, nor come back", async () => {
    const kept = new OutlivingStore();
    const first = new Bench({ store: kept });
    for (const id of ["s", "t"]) await first.do(command.create(id, 1_000));
    const clock = new StoppedTimers();
    const store = new FaultyStore(kept);
    const bench = await openBench({ store, clock, limits: { maxSessions: 2 } });
    clock.advance(61_000);
    expect((await bench.do(command.create("u"))).created).toBe(true);
    expect((await bench.do(command.sessions())).sessions.map(({ id }) => id)).toEqual(["u"]);
    // What was not listed is gone for good.
    expect((await kept.heads()).map(({ sessionId }) => sessionId)).toEqual(["u"]);
  });

  test("expired sessions do not stand in the way of new ones", async () => {
    const clock = new StoppedTimers();
    const bench = new Bench({ clock, limits: { maxSessions: 2 } });
    await bench.do(command.create("s", 1_000));
    await bench.do(command.create("t", 1_000));
    clock.advance(1_000);
    expect((await bench.do(command.create("u"))).created).toBe(true);
  });
});

describe("sessions that sleep", () => {
  /** An engine over a store in which an earlier one left sessions. */
  async function restarted(
    count: number,
  ): Promise<{ bench: Bench; store: FaultyStore; kept: OutlivingStore }> {
    const kept = new OutlivingStore();
    const first = new Bench({ store: kept });
    for (let i = 0; i < count; i++) await first.do(command.set(`s${i}`, "a", i));
    const store = new FaultyStore(kept);
    return { bench: await openBench({ store }), store, kept };
  }

  test("are not read to be ended: a crowd that is due would keep the store from all else", async () => {
    const { bench, store, kept } = await restarted(50);
    bench.clock.advance(3_600_000);
    await settle();
    expect(await kept.heads()).toEqual([]);
    expect((await bench.do(command.sessions())).sessions).toEqual([]);
    expect((await bench.refused(command.get("s7", "a"))).reason).toBe("SESSION_NOT_FOUND");
    expect(store.loads).toBe(0);
    expect(store.records.every(({ commit }) => commit.kind === "expireSession")).toBe(true);
  });

  test("and never expire are shown as used when the bridge started: their uses are not stored", async () => {
    const store = new OutlivingStore();
    const first = await openBench({ store });
    await first.do(command.create("s", 0));
    // For which idle times are kept at all.
    await first.do(command.create("t", DAY_MS));
    first.clock.advance(3_600_000);
    const wall = first.clock.wallTime();
    await first.do(command.heartbeat("s"));
    await first.engine.close();
    const bench = await openBench({ store, clock: new ManualClock({ now: 7, wall }) });
    expect((await bench.do(command.sessions())).sessions[0]).toMatchObject({
      id: "s",
      lastAccessedAtMs: wall,
    });
  });

  test("end with a commit that follows their last one", async () => {
    const { bench, store } = await restarted(1);
    const before = (await bench.do(command.session("s0"))).session.revision;
    bench.clock.advance(400_000);
    bench.clock.advance(3_300_000);
    const { incarnation, number, check } = before;
    const [end] = store.records;
    expect(end?.commit).toMatchObject({ kind: "expireSession", incarnation, revision: number + 1 });
    expect(fromRecord(end?.bytes as Uint8Array).previousCheck).toBe(check);
  });

  test("are listed although they fall asleep again while others are woken", async () => {
    let open = (): void => {};
    const gate = new Promise<void>((done) => {
      open = done;
    });
    const kept = new (class extends OutlivingStore {
      override async load(sessionId: string) {
        if (sessionId === "s1") await gate;
        return super.load(sessionId);
      }
    })();
    const first = new Bench({ store: kept });
    for (const id of ["s0", "s1"]) await first.do(command.create(id));
    const bench = await openBench({ store: kept });
    // Long enough for the next minute to put to sleep what is awake and has not been used since.
    bench.clock.advance(310_000);
    const listed = bench.do(command.sessions());
    await settle();
    bench.clock.advance(60_000);
    open();
    expect((await listed).sessions.map(({ id }) => id)).toEqual(["s0", "s1"]);
  });
});

/** Counts what a clock's timers do in one firing, so that a long one shows. */
class WatchedClock extends ManualClock {
  readonly firings: number[] = [];
  readonly #count: () => number;

  constructor(count: () => number) {
    super();
    this.#count = count;
  }

  override setTimer(ms: number, fire: () => void): () => void {
    return super.setTimer(ms, () => {
      const before = this.#count();
      fire();
      this.firings.push(this.#count() - before);
    });
  }
}

describe("many sessions", () => {
  const COUNT = 100_000;
  const timeout = 60_000;

  async function crowd(
    count: number,
    ttlMs: (i: number) => number,
  ): Promise<{ bench: Bench; clock: WatchedClock; ended: () => number }> {
    const store = new MemoryStore();
    let ended = 0;
    const counting: Store = {
      name: store.name,
      persistent: store.persistent,
      failure: store.failure,
      heads: () => store.heads(),
      append(records) {
        ended += records.filter(({ commit }) => commit.kind === "expireSession").length;
        return store.append(records);
      },
      load: (id) => store.load(id),
      commitsAfter: (id, revision) => store.commitsAfter(id, revision),
      history: (id, variable) => store.history(id, variable),
      keepRests: () => {},
      close: () => store.close(),
    };
    const clock = new WatchedClock(() => ended);
    const bench = new Bench({ store: counting, clock });
    for (let i = 0; i < count; i++) await bench.ask(command.create(`s${i}`, ttlMs(i)));
    return { bench, clock, ended: () => ended };
  }

  test("due at the same moment, a hundred thousand, all end at it, a few in each turn of the event loop", {
    timeout,
  }, async () => {
    const { bench, clock, ended } = await crowd(COUNT, () => 60_000);
    clock.advance(59_999);
    expect(ended()).toBe(0);
    clock.advance(1);
    expect(ended()).toBe(COUNT);
    expect(Math.max(...clock.firings)).toBeLessThanOrEqual(1_000);
    expect(clock.pendingTimers).toBe(0);
    expect((await bench.do(command.sessions())).sessions).toEqual([]);
  });

  test("due one after the other end in that order, each at its time", { timeout }, async () => {
    const { clock, ended } = await crowd(20_000, (i) => 1 + ((i * 7_919) % 20_000));
    for (const at of [1, 10, 5_000, 15_000, 20_000]) {
      clock.advance(at - clock.now());
      expect(ended()).toBe(at);
    }
  });

  test("in use all the time cost one timer", { timeout }, async () => {
    const { bench, clock, ended } = await crowd(20_000, () => 1_000);
    for (let round = 0; round < 3; round++) {
      clock.advance(999);
      for (let i = 0; i < 20_000; i += 1_000) await bench.ask(command.heartbeat(`s${i}`));
      expect(clock.pendingTimers).toBeLessThanOrEqual(1);
    }
    expect(ended()).toBe(20_000 - 20);
  });
});

describe("the schedule", () => {
  test("stops with the engine: no timer is left, and none is set for a session that was still being loaded", async () => {
    const kept = new OutlivingStore();
    await new Bench({ store: kept }).do(command.create("s", 1_000));
    let open = (): void => {};
    const gate = new Promise<void>((done) => {
      open = done;
    });
    const store: Store = {
      name: "slow",
      persistent: true,
      failure: kept.failure,
      heads: () => kept.heads(),
      append: (records) => kept.append(records),
      load: async (id) => {
        await gate;
        return kept.load(id);
      },
      commitsAfter: (id, revision) => kept.commitsAfter(id, revision),
      history: (id, variable) => kept.history(id, variable),
      keepRests: (rests, elapsedMs) => kept.keepRests(rests, elapsedMs),
      close: async () => {},
    };
    const bench = await openBench({ store });
    await Promise.race([bench.ask(command.create("t", 1_000)), settle()]);
    const asked = bench.ask(command.session("s"));
    await bench.engine.close();
    open();
    await asked;
    await settle();
    expect(bench.clock.pendingTimers).toBe(0);
  });

  test("does not throw out of its timer when the store fails: what throws there ends the whole process", async () => {
    const store = new MemoryStore();
    const bench = new Bench({ store });
    await bench.do(command.create("s", 1_000));
    await bench.do(command.create("t", 60_000));
    store.append = () => {
      throw new Error("the disk is full");
    };
    bench.clock.advance(1_000);
    await expect(bench.ask(command.session("t"))).rejects.toThrow("the disk is full");
  });

  test("keeps no more timers than one, however many sessions come and go", async () => {
    const clock = new ManualClock();
    const bench = new Bench({ clock });
    for (let i = 0; i < 5_000; i++) {
      await bench.ask(command.create(`s${i}`, 1_000 + i));
      await bench.ask(command.end(`s${i}`));
    }
    expect((clock satisfies Clock).pendingTimers).toBeLessThanOrEqual(1);
  });
});
