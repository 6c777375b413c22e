import { describe, expect, test } from "vitest";
import type { Command, RequestId } from "../core/commands.js";
import { MemoryStore } from "../storage/memory/memory-store.js";
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
import type { FaultyStore } from "../testing/faulty-store.contract.js";

const CLIENT = "0123456789abcdef".repeat(2);
const requestId = (sequence: number, clientId = CLIENT): RequestId => ({ clientId, sequence });

/** A store in memory that outlives its engine and counts what it is asked. */
class KeptStore extends OutlivingStore {
  loads = 0;
  /** Set, it is what loads wait for. */
  gate: Promise<void> | undefined;

  override async load(sessionId: string) {
    this.loads++;
    await this.gate;
    return super.load(sessionId);
  }
}

describe("answers", () => {
  async function heldSession(): Promise<{ bench: Bench; store: FaultyStore }> {
    const store = heldStore();
    const bench = new Bench({ store });
    const created = bench.ask(command.create("s"));
    const set = bench.ask(command.set("s", "a", 1));
    await settle();
    store.release();
    await settle();
    store.release();
    await Promise.all([created, set]);
    return { bench, store };
  }

  test("to a write leave when the store has its commit, and not before", async () => {
    const { bench, store } = await heldSession();
    const written = bench.ask(command.set("s", "a", 2));
    expect(await isPending(written)).toBe(true);
    store.release();
    expect(await written).toMatchObject({ revision: { number: 3 } });
  });

  test.for([
    ["a read", command.get("s", "a")],
    ["a list", command.list("s")],
    ["a read of what is not there", command.get("s", "absent")],
    ["a read of a history", command.history("s", "a")],
    ["a read of the history of what is not there", command.history("s", "absent")],
    ["a heartbeat", command.heartbeat("s")],
    ["a read of the head", command.session("s")],
    ["a refused set", command.set("s", "a", "text")],
    [
      "a batch of nothing",
      { kind: "setVariables", sessionId: "s", items: [], atomic: true, onMissing: "fail", metadata: [] },
    ],
    ["a creation that finds the session", command.create("s")],
  ] as const)("to %s leave when what they were judged by is durable", async ([, ask]) => {
    const { bench, store } = await heldSession();
    const written = bench.ask(command.set("s", "a", 2));
    const answer = bench.ask(ask);
    expect(await isPending(answer)).toBe(true);
    store.release();
    await written;
    expect(await isPending(answer)).toBe(false);
  });

  test("are not held up by the commits of other sessions", async () => {
    const { bench } = await heldSession();
    void bench.ask(command.set("t", "a", 2));
    expect(await isPending(bench.ask(command.get("s", "a")))).toBe(false);
  });

  test("that a session is gone leave when its deletion is durable", async () => {
    const { bench, store } = await heldSession();
    const ended = bench.ask(command.end("s"));
    const asked = bench.ask(command.get("s", "a"));
    expect(await isPending(asked)).toBe(true);
    store.release();
    expect(await ended).toMatchObject({ revision: { number: 3 } });
    expect(await asked).toMatchObject({ reason: "SESSION_NOT_FOUND" });
  });

  test("that leave an ended session out of a list leave when its end is durable", async () => {
    const { bench, store } = await heldSession();
    const ended = bench.ask(command.end("s"));
    const listed = bench.ask(command.sessions());
    expect(await isPending(listed)).toBe(true);
    store.release();
    await ended;
    expect(await listed).toMatchObject({ sessions: [] });
  });

  test("that refuse a creation leave when what they were judged by is durable", async () => {
    const store = heldStore();
    const bench = new Bench({ store, limits: { maxSessions: 1 } });
    const creation = { ...command.create("s"), requestId: requestId(1) };
    const writes = Array.from({ length: 1_000 }, (_, i) => ({
      ...command.set("s", "n", i),
      requestId: requestId(2 + i),
    }));
    void bench.ask(creation);
    for (const write of writes) void bench.ask(write);
    const forgotten = bench.ask(creation);
    expect(await isPending(forgotten)).toBe(true);
    store.release();
    expect(await forgotten).toMatchObject({ reason: "OUTCOME_UNKNOWN" });
    void bench.ask(command.end("s"));
    void bench.ask(command.create("t"));
    const oneTooMany = bench.ask(command.create("s"));
    expect(await isPending(oneTooMany)).toBe(true);
    store.release();
    expect(await oneTooMany).toMatchObject({ reason: "TOO_MANY_SESSIONS" });
  });

  test("to a creation after a deletion leave in that order, and name another incarnation", async () => {
    const { bench, store } = await heldSession();
    const ended = bench.ask(command.end("s"));
    const created = bench.ask(command.create("s"));
    await settle();
    store.release();
    await settle();
    store.release();
    const [before, after] = await Promise.all([ended, created]);
    expect(after).toMatchObject({ created: true, session: { revision: { number: 1 }, variableCount: 0 } });
    expect(JSON.stringify(before, big)).not.toContain(
      (after as { session: { revision: { incarnation: string } } }).session.revision.incarnation,
    );
    expect(store.records.map(({ commit }) => commit.kind).slice(-2)).toEqual([
      "deleteSession",
      "createSession",
    ]);
  });
});

const big = (_key: string, value: unknown): unknown => (typeof value === "bigint" ? String(value) : value);

describe("commands that meet", () => {
  test("are decided in the order sent", async () => {
    const bench = new Bench();
    await bench.do(command.create("s"));
    const answers = await Promise.all([
      bench.do(command.set("s", "a", 1)),
      bench.do(command.increment("s", "a", 1)),
      bench.do(command.get("s", "a")),
      bench.do(command.increment("s", "a", 1)),
      bench.do(command.drop("s", "a")),
      bench.do(command.set("s", "a", 9)),
    ]);
    expect(answers.map(({ revision }) => revision.number)).toEqual([2, 3, 3, 4, 5, 6]);
    expect(answers[2]).toMatchObject({ variable: { value: 2, version: 2 } });
    expect(answers[5]).toMatchObject({ item: { version: 4 } });
  });

  test("at a session nobody has asked for yet load it once and are decided in the order sent", async () => {
    const store = new KeptStore();
    await new Bench({ store }).do(command.set("s", "n", 0));
    const bench = await openBench({ store });
    store.loads = 0;
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => bench.do(command.increment("s", "n", 1))),
    );
    expect(store.loads).toBe(1);
    expect(answers.map(({ item }) => item.value)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
    expect(answers.map(({ revision }) => revision.number)).toEqual(
      Array.from({ length: 100 }, (_, i) => i + 2),
    );
  });

  test("in creating a session make it once", async () => {
    const bench = new Bench();
    const answers = await Promise.all(Array.from({ length: 20 }, () => bench.do(command.create("s"))));
    expect(answers.filter(({ created }) => created)).toHaveLength(1);
    expect(new Set(answers.map(({ session }) => session.revision.incarnation)).size).toBe(1);
  });

  test("with the same request id are carried out once and answered alike", async () => {
    const bench = new Bench();
    await bench.do(command.create("s"));
    const ask = { ...command.increment("s", "n", 1), requestId: requestId(1) };
    const answers = await Promise.all(Array.from({ length: 10 }, () => bench.do(ask)));
    expect(new Set(answers.map((answer) => JSON.stringify(answer, big))).size).toBe(1);
    expect(await bench.do(command.get("s", "n"))).toMatchObject({
      variable: { value: 1 },
      revision: { number: 2 },
    });
  });

  test("keep to their own session: a hundred sessions at once do not mix", async () => {
    const bench = new Bench();
    const ids = Array.from({ length: 100 }, (_, i) => `s${i}`);
    await Promise.all(
      ids.flatMap((id, i) => Array.from({ length: 10 }, () => bench.do(command.increment(id, "n", i)))),
    );
    for (const [i, id] of ids.entries())
      expect(await bench.do(command.get(id, "n"))).toMatchObject({
        variable: { value: 10 * i, version: 10 },
      });
  });
});

describe("an engine on a store that another one filled", () => {
  test("goes on where that one stopped: state, revision, check and memory of writes", async () => {
    const store = new KeptStore();
    const first = new Bench({ store });
    await first.do(command.set("s", "a", 1));
    const written = await first.do({ ...command.increment("s", "a", 1), requestId: requestId(7) });
    await first.do(command.drop("s", "a"));
    await first.engine.close();
    const second = await openBench({ store });
    expect(await second.do({ ...command.increment("s", "a", 1), requestId: requestId(7) })).toEqual(written);
    const set = await second.do(command.set("s", "a", 5));
    expect(set).toMatchObject({
      item: { id: "var_a_4", version: 3 },
      revision: { number: 4, incarnation: written.revision.incarnation },
    });
  });

  test("loads again after a load has failed", async () => {
    const store = new KeptStore();
    await new Bench({ store }).do(command.set("s", "a", 1));
    const bench = await openBench({ store });
    store.gate = Promise.reject(new Error("the disk is slow"));
    await expect(bench.ask(command.get("s", "a"))).rejects.toThrow("the disk is slow");
    store.gate = undefined;
    expect(await bench.do(command.get("s", "a"))).toMatchObject({ variable: { value: 1 } });
  });
});

describe("a deadline", () => {
  test("that has passed refuses the command, which is not carried out", async () => {
    const bench = new Bench();
    await bench.do(command.create("s"));
    bench.clock.advance(10);
    for (const deadline of [-1, 9, 10]) {
      expect(await bench.ask(command.set("s", "a", 1), deadline)).toMatchObject({
        reason: "DEADLINE_EXCEEDED",
      });
    }
    expect(await bench.do(command.list("s"))).toMatchObject({ variables: [], revision: { number: 1 } });
  });

  test("that is ahead changes nothing", async () => {
    const bench = new Bench();
    bench.clock.advance(10);
    expect(await bench.ask(command.set("s", "a", 1), 10.5)).toMatchObject({ kind: "setVariable" });
  });

  test("is measured on the clock that never jumps", async () => {
    const bench = new Bench();
    bench.clock.jumpWall(10 ** 12);
    expect(await bench.ask(command.set("s", "a", 1), 1)).toMatchObject({ kind: "setVariable" });
  });

  test("that passes while the session is loaded refuses the command when its turn comes", async () => {
    const store = new KeptStore();
    await new Bench({ store }).do(command.set("s", "a", 1));
    const bench = await openBench({ store });
    let open = (): void => {};
    store.gate = new Promise((done) => {
      open = done;
    });
    const late = bench.ask(command.set("s", "a", 2), 100);
    await settle();
    bench.clock.advance(100);
    open();
    expect(await late).toMatchObject({ reason: "DEADLINE_EXCEEDED" });
    expect(await bench.do(command.get("s", "a"))).toMatchObject({ variable: { value: 1 } });
  });
});

describe("a closed engine", () => {
  const commands: readonly Command[] = [
    { kind: "ping", message: "" },
    command.create("s"),
    command.session("s"),
    command.sessions(),
    command.heartbeat("s"),
    command.end("s"),
    command.get("s", "a"),
    command.history("s", "a"),
    command.set("s", "a", 1),
    command.set("\ud800", "a", 1),
  ];

  test.for(commands.map((ask) => [ask.kind, ask] as const))(
    "refuses %s as SHUTTING_DOWN",
    async ([, ask]) => {
      const bench = new Bench();
      await bench.do(command.set("s", "a", 1));
      await bench.engine.close();
      expect((await bench.refused(ask)).reason).toBe("SHUTTING_DOWN");
    },
  );

  test("can be closed again, which waits for the first time", async () => {
    const store = new KeptStore();
    let closed = 0;
    let open = (): void => {};
    store.close = async () => {
      closed++;
      await new Promise<void>((done) => {
        open = done;
      });
    };
    const bench = await openBench({ store });
    const both = Promise.all([bench.engine.close(), bench.engine.close()]);
    expect(await isPending(both)).toBe(true);
    open();
    await both;
    expect(closed).toBe(1);
  });

  test("hands its store nothing more, not even for a command that was waiting for its session", async () => {
    const store = new KeptStore();
    await new Bench({ store }).do(command.create("s"));
    const bench = await openBench({ store });
    let open = (): void => {};
    store.gate = new Promise((done) => {
      open = done;
    });
    const waiting = bench.ask(command.set("s", "a", 1));
    await settle();
    await bench.engine.close();
    let appended = 0;
    store.append = () => void appended++;
    open();
    const answer = await waiting.catch((error: unknown) => error);
    expect(appended).toBe(0);
    expect(answer).toMatchObject({ reason: "SHUTTING_DOWN" });
  });
});

describe("hostile names", () => {
  test("work as any others where they are allowed, and change no prototype", async () => {
    const bench = new Bench();
    const names = ["constructor", "prototype", "hasOwnProperty", "toString", "then", "valueOf"];
    for (const name of names) {
      await bench.do(command.set(name, name, name));
      expect(await bench.do(command.get(name, name))).toMatchObject({ variable: { name, value: name } });
      await bench.do({ ...command.set(name, "m", 1), metadata: [[name, name]] });
    }
    expect((await bench.do(command.sessions())).sessions.map(({ id }) => id)).toEqual([...names].sort());
    for (const ask of [command.set("__proto__", "a", 1), command.set("s", "__proto__", 1)])
      expect((await bench.refused(ask)).reason).toBe("INVALID_NAME");
    expect(Object.getOwnPropertyNames(Object.prototype)).toHaveLength(12);
  });
});

describe("ping", () => {
  test("answers with the message, the wall time and the version", async () => {
    const bench = new Bench();
    bench.clock.jumpWall(-5);
    expect(await bench.do({ kind: "ping", message: "é" })).toEqual({
      kind: "ping",
      message: "é",
      serverTimeMs: bench.clock.wallTime(),
      serverVersion: "0.0.0",
    });
  });

  test("takes 1,024 bytes and no more", async () => {
    const bench = new Bench();
    await bench.do({ kind: "ping", message: "é".repeat(512) });
    expect((await bench.refused({ kind: "ping", message: `${"é".repeat(512)}x` })).details.field).toBe(
      "message",
    );
  });
});

test("what is read stays as it was read while the session goes on", async () => {
  const store: Store = new MemoryStore();
  const bench = new Bench({ store });
  await bench.do(command.set("s", "a", 1));
  const read = await bench.do(command.get("s", "a"));
  const before = JSON.stringify(read, big);
  await bench.do({ ...command.set("s", "a", 2), source: "python", metadata: [["k", "v"]] });
  await bench.do(command.drop("s", "a"));
  expect(JSON.stringify(read, big)).toBe(before);
});
