import { describe, expect, test } from "vitest";
import type { TypeName } from "../core/values/registry.js";
import { table } from "./table.js";
import { jsonValue, plainValue, readValue, showValue } from "./values.js";

describe("a text without a type", () => {
  test.each([
    "0",
    "-1",
    "+1",
    "1.5",
    ".5",
    "5.",
    "1e3",
    "-1E-3",
    "NaN",
    "Infinity",
    "-Infinity",
    "9007199254740991",
  ])("%s is a number", (text) => {
    expect(readValue(text)).toEqual({ kind: "number", value: Number(text) });
  });

  test("a negative zero stays one", () => {
    expect(readValue("-0")).toEqual({ kind: "number", value: -0 });
  });

  test("a whole number that a double does not hold exactly is kept exact", () => {
    expect(readValue("9007199254740993")).toEqual({ kind: "integer", value: 9_007_199_254_740_993n });
    expect(readValue("-9223372036854775808")).toEqual({ kind: "integer", value: -(2n ** 63n) });
    expect(readValue("9223372036854775808")).toMatch(/does not fit/);
  });

  test.each(["true", "false"])("%s is a boolean", (text) => {
    expect(readValue(text)).toEqual({ kind: "boolean", value: text === "true" });
  });

  test.each(["", " ", "1 ", "1_000", "0x10", "1e", ".", "+", "nan", "True", "yes", "--1", "٣", "1\n"])(
    "%j is text",
    (text) => {
      expect(readValue(text)).toEqual({ kind: "string", value: text });
    },
  );
});

describe("a text with a type", () => {
  test.each<[string, TypeName, unknown]>([
    ["1", "float", { kind: "float", value: 1 }],
    ["NaN", "float", { kind: "float", value: Number.NaN }],
    ["1", "integer", { kind: "integer", value: 1n }],
    ["+7", "integer", { kind: "integer", value: 7n }],
    ["true", "boolean", { kind: "boolean", value: true }],
    ["12", "string", { kind: "string", value: "12" }],
    ["12", "choice", { kind: "string", value: "12" }],
    ["[1, 2]", "json", { kind: "json", value: "[1, 2]" }],
    ["text", "json", { kind: "json", value: "text" }],
    ["a", "float", '"a" is not a number'],
    ["1.0", "integer", '"1.0" is not a whole number'],
    ["9223372036854775808", "integer", "9223372036854775808 does not fit into signed 64 bit"],
    ["1", "boolean", '"1" is neither true nor false'],
  ])("%j as %s", (text, type, value) => {
    expect(readValue(text, type)).toEqual(value);
  });
});

test("values are shown on one line, and told apart", () => {
  expect(["12", 12, -0, 2n ** 60n, Number.NaN, true, "a\nb"].map(showValue)).toEqual([
    '"12"',
    "12",
    "-0",
    "1152921504606846976",
    "NaN",
    "true",
    '"a\\nb"',
  ]);
  expect([{ a: [-0, 3.2e18] }, ["x"], null].map(showValue)).toEqual([
    '{"a":[-0.0,3.2e+18]}',
    '["x"]',
    "null",
  ]);
  expect(plainValue("a\nb")).toBe("a\nb");
  expect([1, 2n ** 60n, Number.NEGATIVE_INFINITY, "x", false, { a: 1 }].map(jsonValue)).toEqual([
    1,
    "1152921504606846976",
    "-Infinity",
    "x",
    false,
    { a: 1 },
  ]);
});

test("a table has columns, and no cell breaks it", () => {
  expect(
    table(
      ["NAME", "VALUE"],
      [
        ["é\u{1f600}", "1"],
        ["longer", "x".repeat(100)],
      ],
    ),
  ).toBe(`NAME    VALUE\né\u{1f600}      1\nlonger  ${"x".repeat(47)}…\n`);
  expect(table(["NAME"], [])).toBe("NAME\n");
});
