import { describe, expect, test } from "vitest";
import type { RequestId } from "../core/commands.js";
import { Refusal } from "../core/refusal.js";
import { Bench, command, literal } from "../testing/bench.contract.js";

const CLIENT = "0123456789abcdef".repeat(2);
const requestId = (sequence: number): RequestId => ({ clientId: CLIENT, sequence });

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
