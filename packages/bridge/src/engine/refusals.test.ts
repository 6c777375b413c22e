import { describe, expect, test } from "vitest";
import type { Command } from "../core/commands.js";
import { Bench, command, literal } from "../testing/bench.contract.js";

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
