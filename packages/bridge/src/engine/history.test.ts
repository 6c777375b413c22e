import { describe, expect, test } from "vitest";
import {
  Bench,
  command,
  heldStore,
  literal,
  OutlivingStore,
  openBench,
  settle,
} from "../testing/bench.contract.js";

/** The versions and values of a history, newest first. */
async function shown(bench: Bench, name: string, limit?: number): Promise<[number, unknown][]> {
  const { entries } = await bench.do(command.history("s", name, limit));
  return entries.map(({ version, value }) => [version, value]);
}

describe("a history", () => {
  test("has an entry for each accepted set, whatever it came from, and says who made it and when", async () => {
    const bench = new Bench();
    await bench.do({ ...command.set("s", "n", 1n), source: "python", metadata: [["why", "first"]] });
    bench.clock.advance(1_000);
    await bench.do({ ...command.increment("s", "n", 4n), source: "cli" });
    await bench.refused(command.set("s", "n", "text"));
    const items = [
      { identifier: "n", value: literal(7n) },
      { identifier: "absent", value: literal(1) },
    ];
    const batch = { kind: "setVariables", sessionId: "s", items, atomic: false } as const;
    await bench.do({
      ...batch,
      onMissing: "fail",
      metadata: [
        ["z", "1"],
        ["a", "2"],
      ],
    });
    await bench.refused({ ...batch, atomic: true, onMissing: "fail", metadata: [] });
    const { id, entries, compacted, revision } = await bench.do(command.history("s", "n"));
    expect({ id, compacted, revision: revision.number }).toEqual({
      id: "var_n_1",
      compacted: false,
      revision: 3,
    });
    const start = bench.clock.wallTime() - 1_000;
    expect(entries).toEqual([
      {
        version: 3,
        type: "integer",
        value: 7n,
        revision: 3,
        wallTimeMs: start + 1_000,
        source: "unknown",
        metadata: new Map([
          ["a", "2"],
          ["z", "1"],
        ]),
      },
      {
        version: 2,
        type: "integer",
        value: 5n,
        revision: 2,
        wallTimeMs: start + 1_000,
        source: "cli",
        metadata: new Map(),
      },
      {
        version: 1,
        type: "integer",
        value: 1n,
        revision: 1,
        wallTimeMs: start,
        source: "python",
        metadata: new Map([["why", "first"]]),
      },
    ]);
  });

  test("begins with the first value of a definition, whose metadata is not that of a write", async () => {
    const bench = new Bench();
    await bench.do(command.create("s"));
    const definition = { name: "t", type: "float", initialValue: literal(0.5), constraints: [] };
    await bench.do({
      kind: "registerVariable",
      sessionId: "s",
      definition: { ...definition, metadata: [["unit", "K"]] },
      onMissing: "fail",
      source: "typescript",
    });
    const { entries } = await bench.do(command.history("s", "t"));
    expect(entries).toMatchObject([{ version: 1, value: 0.5, source: "typescript", metadata: new Map() }]);
  });

  test("has no entry for what defines without setting, and shows the current value as it is now", async () => {
    const bench = new Bench();
    await bench.do({ ...command.set("s", "x", 1n), metadata: [["who", "me"]] });
    await bench.do({ ...command.set("s", "x", 2n), source: "python", metadata: [["who", "you"]] });
    const ensure = (constraints: { key: string; values: ReturnType<typeof literal>[] }[]) =>
      ({
        kind: "ensureVariables",
        sessionId: "s",
        definitions: [{ name: "x", type: "float", initialValue: literal(0), constraints, metadata: [] }],
        source: "typescript",
      }) as const;
    await bench.do(ensure([]));
    await bench.do(ensure([{ key: "max", values: [literal(9)] }]));
    await bench.do(ensure([{ key: "max", values: [literal(9)] }]));
    const { entries, revision } = await bench.do(command.history("s", "x"));
    expect(revision.number).toBe(4);
    expect(entries).toMatchObject([
      {
        version: 2,
        type: "float",
        value: 2,
        revision: 2,
        source: "python",
        metadata: new Map([["who", "you"]]),
      },
      { version: 1, type: "integer", value: 1n, revision: 1 },
    ]);
  });

  test("shows the type that a provisional variable had at each version", async () => {
    const bench = new Bench();
    await bench.do(command.set("s", "x", 1n));
    await bench.do(command.set("s", "x", 1.5));
    const { entries } = await bench.do(command.history("s", "x"));
    expect(entries.map(({ type, value }) => [type, value])).toEqual([
      ["float", 1.5],
      ["integer", 1n],
    ]);
  });

  test("is cut to the newest that a limit asks for, and tells what is no longer kept apart from that", async () => {
    const bench = new Bench();
    for (let i = 1; i <= 50; i++) await bench.do(command.set("s", "x", i));
    expect(await shown(bench, "x", 2)).toEqual([
      [50, 50],
      [49, 49],
    ]);
    expect(await bench.do(command.history("s", "x", 1))).toMatchObject({ compacted: false });
    await bench.do(command.set("s", "x", 51));
    const { entries, compacted } = await bench.do(command.history("s", "x"));
    expect([entries.length, entries.at(-1)?.version, compacted]).toEqual([50, 2, true]);
    expect(await shown(bench, "x", 4_294_967_295)).toHaveLength(50);
  });

  test.for([0, -1, 1.5, 2 ** 32, Number.NaN])("with the limit %d is refused", async (limit) => {
    const bench = new Bench();
    await bench.do(command.set("s", "x", 1));
    expect(await bench.refused(command.history("s", "x", limit))).toMatchObject({
      reason: "INVALID_ARGUMENT",
      details: { field: "limit", sessionId: "s" },
    });
  });

  test("is of the variable that lives, not of one that had its name", async () => {
    const bench = new Bench();
    const { item } = await bench.do(command.set("s", "x", 1));
    await bench.do(command.drop("s", "x"));
    expect(await bench.refused(command.history("s", "x"))).toMatchObject({
      reason: "VARIABLE_NOT_FOUND",
      details: { identifier: "x", sessionId: "s" },
    });
    await bench.do(command.set("s", "x", true));
    const { id, entries, compacted } = await bench.do(command.history("s", "x"));
    expect([id, entries.length, entries[0]?.version, compacted]).toEqual(["var_x_3", 1, 2, false]);
    expect((await bench.refused(command.history("s", item.id))).reason).toBe("VARIABLE_NOT_FOUND");
    expect(await bench.do(command.history("s", id))).toMatchObject({ id });
    expect((await bench.refused(command.history("none", "x"))).reason).toBe("SESSION_NOT_FOUND");
    expect((await bench.refused(command.history("s", " x"))).reason).toBe("INVALID_NAME");
  });

  test("of values that no message holds is refused, with the way out", async () => {
    const bench = new Bench({ limits: { maxMessageBytes: 1_000 } });
    for (let i = 0; i < 4; i++) await bench.do(command.set("s", "x", String(i).repeat(300)));
    expect(await bench.refused(command.history("s", "x"))).toMatchObject({
      reason: "TOO_LARGE",
      message: expect.stringContaining("ask for fewer of them with a limit"),
      details: { limit: { setting: "max-message-bytes", limit: 1_000 } },
    });
    expect(await shown(bench, "x", 2)).toHaveLength(2);
  });

  test("of a session that sleeps is read like any other, and reading it is a use", async () => {
    const store = new OutlivingStore();
    const first = new Bench({ store });
    await first.do({ ...command.create("s", 1_000) });
    for (let i = 0; i < 3; i++) await first.do(command.set("s", "x", i));
    const bench = await openBench({ store });
    expect(await shown(bench, "x")).toEqual([
      [3, 2],
      [2, 1],
      [1, 0],
    ]);
    bench.clock.advance(999);
    await bench.do(command.history("s", "x"));
    bench.clock.advance(999);
    expect(await shown(bench, "x", 1)).toEqual([[3, 2]]);
    bench.clock.advance(1_000);
    expect((await bench.refused(command.history("s", "x"))).reason).toBe("SESSION_NOT_FOUND");
  });

  test("is that of the moment it was asked for, whatever comes while the store reads it", async () => {
    const store = heldStore();
    const bench = new Bench({ store });
    const before = [1, 2].map((value) => bench.ask(command.set("s", "x", value)));
    const asked = bench.do(command.history("s", "x"));
    const after = [bench.ask(command.set("s", "x", 3)), bench.ask(command.drop("s", "x"))];
    const later = bench.ask(command.history("s", "x"));
    await settle();
    store.release();
    await Promise.all([...before, ...after]);
    expect(await asked).toMatchObject({ revision: { number: 2 }, entries: [{ value: 2 }, { value: 1 }] });
    expect(await later).toMatchObject({ reason: "VARIABLE_NOT_FOUND" });
  });
});
