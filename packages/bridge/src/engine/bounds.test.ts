import { describe, expect, test } from "vitest";
import { Refusal } from "../core/refusal.js";
import { Bench, command, literal, OutlivingStore, openBench } from "../testing/bench.contract.js";

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

describe("the values of one commit fit one message [VAL-20 refuses]", () => {
  const limits = { maxMessageBytes: 10_000 };
  const long = "x".repeat(3_000);
  const items = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ identifier: `v${i}`, value: literal(long) }));
  const batch = (count: number, atomic: boolean) =>
    ({
      kind: "setVariables",
      sessionId: "s",
      items: items(count),
      atomic,
      onMissing: "infer",
      metadata: [],
    }) as const;
  const tooLarge = {
    reason: "TOO_LARGE",
    details: { limit: { setting: "max-message-bytes", limit: 10_000 } },
  };

  test.for([true, false])(
    "of a batch (atomic: %s), in process too, where there is no message",
    async (atomic) => {
      const bench = new Bench({ limits });
      expect((await bench.do(batch(3, atomic))).results).toHaveLength(3);
      expect(await bench.refused(batch(4, atomic))).toMatchObject(tooLarge);
      expect((await bench.do(command.list("s"))).revision.number).toBe(1);
    },
  );

  test("of one value", async () => {
    const bench = new Bench({ limits });
    expect(await bench.refused(command.set("s", "a", "x".repeat(10_001)))).toMatchObject(tooLarge);
    expect((await bench.do(command.sessions())).sessions).toEqual([]);
  });

  test("of definitions that change around values which are there already", async () => {
    const bench = new Bench({ limits });
    const definitions = (count: number, most: number) =>
      Array.from({ length: count }, (_, i) => ({
        name: `v${i}`,
        type: "string",
        initialValue: literal(""),
        constraints: [{ key: "max_length", values: [literal(BigInt(most))] }],
        metadata: [],
      }));
    const ensure = (count: number, most: number) =>
      ({ kind: "ensureVariables", sessionId: "s", definitions: definitions(count, most) }) as const;
    await bench.do(command.create("s"));
    for (const [i] of items(4).entries()) await bench.do(command.set("s", `v${i}`, long));
    expect(await bench.refused(ensure(4, 5_000))).toMatchObject(tooLarge);
    expect((await bench.do(ensure(3, 5_000))).revision.number).toBe(6);
  });
});

describe("the values of one session have a bound of their own", () => {
  const limits = { maxSessionBytes: 10_000 };
  const tooLarge = {
    reason: "TOO_LARGE",
    details: { limit: { setting: "max-session-bytes", limit: 10_000 } },
  };
  const long = (count: number): string => "é".repeat(count / 2);

  test("[VAL-20 refuses] what would grow beyond it, set, registered or incremented into being", async () => {
    const bench = new Bench({ limits });
    await bench.do(command.set("s", "a", long(5_000)));
    expect(await bench.refused(command.set("s", "b", long(5_002)))).toMatchObject({
      ...tooLarge,
      details: { limit: { ...tooLarge.details.limit, actual: 10_002 } },
    });
    await bench.do(command.set("s", "b", long(5_000)));
    expect(await bench.refused(command.increment("s", "n", 1))).toMatchObject(tooLarge);
    const definition = {
      name: "c",
      type: "boolean",
      initialValue: literal(true),
      constraints: [],
      metadata: [],
    };
    const registration = { kind: "registerVariable", sessionId: "s", definition, onMissing: "fail" } as const;
    expect(await bench.refused(registration)).toMatchObject(tooLarge);
    expect((await bench.do(command.list("s"))).variables).toHaveLength(2);
  });

  test("[VAL-20 accepts] what takes the place of as much, and what was made room for", async () => {
    const bench = new Bench({ limits });
    await bench.do(command.set("s", "a", long(5_000)));
    await bench.do(command.set("s", "b", long(5_000)));
    await bench.do(command.set("s", "b", long(4_998)));
    expect(await bench.refused(command.set("s", "a", long(5_004)))).toMatchObject(tooLarge);
    await bench.do(command.set("s", "a", long(5_002)));
    await bench.do(command.drop("s", "b"));
    await bench.do(command.set("s", "c", long(4_998)));
    await bench.do(command.create("t"));
    await bench.do(command.set("t", "a", long(10_000)));
  });

  test("which counts on after a restart, and lets a session that is larger change what it has", async () => {
    const store = new OutlivingStore();
    const first = new Bench({ store });
    for (const name of ["a", "b", "c"]) await first.do(command.set("s", name, long(4_000)));
    const bench = await openBench({ store, limits });
    expect(await bench.refused(command.set("s", "d", 1))).toMatchObject(tooLarge);
    await bench.do(command.set("s", "a", long(4_000)));
    await bench.do(command.set("s", "a", long(2_000)));
    expect(await bench.refused(command.set("s", "a", long(2_002)))).toMatchObject(tooLarge);
    await bench.do(command.set("s", "a", long(1_000)));
    await bench.do(command.set("s", "b", long(1_000)));
    await bench.do(command.set("s", "d", long(4_000)));
  });
});
