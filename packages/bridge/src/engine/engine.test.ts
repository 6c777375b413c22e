import { describe, expect, test } from "vitest";
import type { Command, RequestId } from "../core/commands.js";
import { Refusal } from "../core/refusal.js";
import { MemoryStore } from "../storage/memory/memory-store.js";
import type { Store } from "../storage/store.js";
import { Bench, command, HeldStore, isPending, literal, settle } from "../testing/bench.contract.js";

const CLIENT = "0123456789abcdef".repeat(2);
const requestId = (sequence: number, clientId = CLIENT): RequestId => ({ clientId, sequence });

/** A store in memory that outlives its engine and counts what it is asked. */
class KeptStore extends MemoryStore {
  loads = 0;
  /** Set, it is what loads wait for. */
  gate: Promise<void> | undefined;

  override async load(sessionId: string) {
    this.loads++;
    await this.gate;
    return super.load(sessionId);
  }

  override async close(): Promise<void> {}
}

describe("answers", () => {
  async function heldSession(): Promise<{ bench: Bench; store: HeldStore }> {
    const store = new HeldStore();
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

  test("never say OK to a write that the store failed to keep, nor show it to anyone", async () => {
    const { bench, store } = await heldSession();
    const written = bench.ask(command.set("s", "a", 2));
    const read = bench.ask(command.get("s", "a"));
    await settle();
    store.fail();
    await expect(written).rejects.toThrow("the disk is gone");
    await expect(read).rejects.toThrow("the disk is gone");
    await expect(bench.ask(command.get("s", "a"))).rejects.toThrow("the disk is gone");
  });

  test("never show a write that the store would not take", async () => {
    const store = new KeptStore();
    const bench = new Bench({ store });
    await bench.do(command.set("s", "a", 1));
    store.append = () => {
      throw new Error("closed");
    };
    await expect(bench.ask(command.set("s", "a", 2))).rejects.toThrow("closed");
    const read = await bench.ask(command.get("s", "a")).catch(() => undefined);
    if (read === undefined || read instanceof Refusal || read.kind !== "getVariable") return;
    expect(read.variable.value).toBe(1);
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
    const bench = new Bench({ store });
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
    const second = new Bench({ store });
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
    const bench = new Bench({ store });
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
    const bench = new Bench({ store });
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

  test("hands its store nothing more, not even for a command that was waiting for its session", async () => {
    const store = new KeptStore();
    const bench = new Bench({ store });
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

describe("a request id", () => {
  test("of a write that is remembered gets the original answer, whatever the retry holds", async () => {
    const bench = new Bench();
    await bench.do(command.create("s"));
    const items = [
      { identifier: "a", value: literal(1) },
      { identifier: "\u0000", value: literal(1) },
      { identifier: "a", value: literal(2) },
      { identifier: "var_x_1", value: literal(3) },
      { identifier: "b", value: literal("text"), expectedVersion: 4 },
    ];
    const ask = {
      kind: "setVariables",
      sessionId: "s",
      items,
      atomic: false,
      onMissing: "infer",
      metadata: [],
      requestId: requestId(1),
    } as const;
    const original = await bench.do(ask);
    await bench.do(command.set("s", "a", 99));
    expect(await bench.do(ask)).toEqual(original);
    expect(await bench.do({ ...ask, items: [] })).toEqual(original);
    expect(
      original.results.map((result) =>
        result instanceof Refusal ? result.details.identifier : result.version,
      ),
    ).toEqual([1, "\u0000", "a", "var_x_1", "b"]);
    expect(await bench.do(command.get("s", "a"))).toMatchObject({
      variable: { value: 99 },
      revision: { number: 3 },
    });
  });

  test("of a refused write may be used again", async () => {
    const bench = new Bench();
    await bench.do(command.create("s"));
    const ask = { ...command.set("s", "a", 1), onMissing: "fail", requestId: requestId(1) } as const;
    expect((await bench.refused(ask)).reason).toBe("VARIABLE_NOT_FOUND");
    expect(await bench.do({ ...ask, onMissing: "infer" })).toMatchObject({ revision: { number: 2 } });
  });

  test("means nothing in a later life of the session", async () => {
    const bench = new Bench();
    await bench.do({ ...command.set("s", "a", 1), requestId: requestId(1) });
    await bench.do(command.end("s"));
    await bench.do(command.create("s"));
    expect(await bench.do({ ...command.set("s", "a", 2), requestId: requestId(1) })).toMatchObject({
      item: { value: 2 },
      revision: { number: 2 },
    });
  });

  test("gets the original answer although the session is deleted right after it was asked for", async () => {
    const bench = new Bench();
    const ask = { ...command.set("s", "a", 1), requestId: requestId(1) };
    const original = await bench.do(ask);
    const [retried] = await Promise.all([
      bench.ask(ask),
      bench.ask(command.end("s")),
      bench.ask(command.create("s")),
    ]);
    expect(retried).toEqual(original);
  });

  test("of a write whose record the store has let go of is not carried out again", async () => {
    const bench = new Bench();
    const first = { ...command.increment("s", "n", 1), requestId: requestId(1) };
    await bench.do(first);
    for (let i = 0; i < 1_500; i++) await bench.do(command.set("s", "other", i));
    expect((await bench.refused(first)).reason).toBe("OUTCOME_UNKNOWN");
    expect(await bench.do(command.get("s", "n"))).toMatchObject({ variable: { value: 1, version: 1 } });
  });

  test("that is forgotten is OUTCOME_UNKNOWN, of a creation too", async () => {
    const bench = new Bench();
    const creation = { ...command.create("s"), requestId: requestId(1) };
    await bench.do(creation);
    for (let i = 0; i < 1_000; i++)
      await bench.do({ ...command.set("s", "n", i), requestId: requestId(2 + i) });
    expect((await bench.refused({ ...command.set("s", "n", 0), requestId: requestId(1) })).reason).toBe(
      "OUTCOME_UNKNOWN",
    );
    expect(await bench.ask(creation)).toMatchObject({ reason: "OUTCOME_UNKNOWN" });
  });

  test("belongs to its principal: another's with the same bits is another write", async () => {
    const bench = new Bench();
    await bench.do(command.create("s"));
    const ask = { ...command.increment("s", "n", 1), requestId: requestId(1) };
    await bench.engine.dispatch({ name: "one" }, ask);
    await bench.engine.dispatch({ name: "other" }, ask);
    expect(await bench.do(command.get("s", "n"))).toMatchObject({ variable: { value: 2 } });
  });

  test("of a write of one kind is no licence to answer a command of another kind with its reply", async () => {
    const bench = new Bench();
    await bench.do({ ...command.create("s"), requestId: requestId(1) });
    await bench.do({ ...command.set("s", "a", 1), requestId: requestId(2) });
    for (const sequence of [1, 2]) {
      const answer = await bench.ask({ ...command.drop("s", "a"), requestId: requestId(sequence) });
      expect(answer instanceof Refusal ? "deleteVariable" : answer.kind).toBe("deleteVariable");
    }
    expect(await bench.do(command.get("s", "a"))).toMatchObject({ variable: { version: 1 } });
  });
});

describe("the order of checks", () => {
  const bench = (): Bench => new Bench({ limits: { maxItems: 2 } });
  const many = ["a", "b", "c"];

  test.for<[string, Command, string]>([
    [
      "too many names to read, of a session that is not there",
      { kind: "getVariables", sessionId: "s", identifiers: many },
      "TOO_MANY_ITEMS",
    ],
    [
      "too many items to set, of a session that is not there",
      {
        kind: "setVariables",
        sessionId: "s",
        items: many.map((identifier) => ({ identifier, value: literal(1) })),
        atomic: true,
        onMissing: "fail",
        metadata: [],
      },
      "TOO_MANY_ITEMS",
    ],
    ["a bad name in a session that is not there", command.get("s", "\u0000"), "SESSION_NOT_FOUND"],
    [
      "a bad source and a session that is not there",
      { ...command.end("s"), source: "X" },
      "INVALID_ARGUMENT",
    ],
    [
      "bad metadata and a session that is not there",
      { ...command.set("s", "a", 1), onMissing: "fail", metadata: [["", ""]] },
      "INVALID_METADATA",
    ],
    [
      "a bad session id and everything else bad",
      { ...command.set("", "\u0000", 1), source: "X", metadata: [["", ""]] },
      "INVALID_NAME",
    ],
  ])("names first, of %s, what comes first", async ([, ask, reason]) => {
    expect((await bench().refused(ask)).reason).toBe(reason);
  });
});

describe("pages and batches of values", () => {
  /** Variables whose values are small and whose metadata is as large as it may be. */
  async function heavyMetadata(count: number): Promise<Bench> {
    const bench = new Bench();
    const metadata: [string, string][] = [["k", "x".repeat(4_000)]];
    await bench.do(command.create("s"));
    for (let i = 0; i < count; i++) {
      const definition = {
        name: `v${i}`,
        type: "float",
        initialValue: literal(1),
        constraints: [],
        metadata,
      };
      await bench.do({ kind: "registerVariable", sessionId: "s", definition, onMissing: "fail" });
    }
    return bench;
  }

  test("end when they have grown past 1 MiB, metadata counted", async () => {
    const bench = await heavyMetadata(600);
    const { variables } = await bench.do(command.list("s"));
    const bytes = variables
      .flatMap(({ registered }) => [...registered.values()])
      .reduce((sum, text) => sum + text.length, 0);
    expect(bytes).toBeLessThan(1_048_576 + 10_000);
  });

  test("of sessions stay within one message, metadata counted", async () => {
    const bench = new Bench();
    for (let i = 0; i < 1_000; i++)
      await bench.do({ ...command.create(`${"s".repeat(250)}${i}`), metadata: [["k", "x".repeat(4_090)]] });
    const { sessions } = await bench.do(command.sessions());
    const bytes = sessions.reduce(
      (sum, { id, metadata }) => sum + id.length + (metadata.get("k")?.length ?? 0),
      0,
    );
    expect(bytes).toBeLessThan(4_194_304);
  });

  test("of names asked for stay within one message, metadata counted", async () => {
    const bench = await heavyMetadata(2);
    for (const name of ["v0", "v1"])
      await bench.do({ ...command.set("s", name, 2), metadata: [["l", "x".repeat(4_000)]] });
    const identifiers = Array.from({ length: 1_000 }, (_, i) => `v${i % 2}`);
    const answer = await bench.ask({ kind: "getVariables", sessionId: "s", identifiers });
    if (answer instanceof Refusal) return expect(answer.reason).toBe("TOO_LARGE");
    const found = answer.kind === "getVariables" ? answer.found : [];
    const texts = found.flatMap(({ variable }) => [
      ...variable.registered.values(),
      ...variable.latest.values(),
    ]);
    expect(texts.reduce((sum, text) => sum + text.length, 0)).toBeLessThan(4_194_304);
  });

  test("hold everything once when they are read one after the other", async () => {
    const bench = await heavyMetadata(700);
    const seen: string[] = [];
    for (let pageToken = "", first = true; first || pageToken !== ""; first = false) {
      const page = await bench.do({ ...command.list("s"), pageSize: 300, pageToken });
      seen.push(...page.variables.map(({ name }) => name));
      pageToken = page.nextPageToken;
    }
    expect(seen).toHaveLength(700);
    expect(new Set(seen).size).toBe(700);
  });
});

describe("a refusal", () => {
  test("names a value that does not fit a definition, of every type", async () => {
    const bench = new Bench();
    for (const [value, type] of [
      ["hello", "float"],
      [1.5, "integer"],
      [true, "string"],
      [2n ** 53n + 1n, "float"],
    ] as const) {
      const name = `v_${typeof value}`;
      await bench.do(command.set("s", name, value));
      const initialValue = type === "string" ? literal("x") : literal(1);
      const definition = { name, type, initialValue, constraints: [], metadata: [] };
      const refusal = await bench.refused({
        kind: "registerVariable",
        sessionId: "s",
        definition,
        onMissing: "fail",
      });
      expect(refusal.reason).toBe("DEFINITION_CONFLICT");
      expect(refusal.message).toContain(String(value));
    }
  });

  test("names the identifier as it was given, and the session", async () => {
    const bench = new Bench();
    await bench.do(command.set("s", "a", 1));
    for (const identifier of ["absent", "var_a_77", "var_ a_1", "", "\ud800"]) {
      const { details } = await bench.refused(command.get("s", identifier));
      expect(details).toEqual({ sessionId: "s", identifier });
    }
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
