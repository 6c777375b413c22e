/** The judge of stories sees what differs, however small. */
import { describe, expect, test } from "vitest";
import type { Json, JsonObject } from "../vectors/files.js";
import { factsIn, faultsOf } from "./judge.js";

const same: readonly (readonly [what: string, expected: Json, actual: Json])[] = [
  ["an int", { int: "5" }, { int: "5" }],
  ["an int that JavaScript has as a number", { int: "5" }, { number: "5" }],
  ["an int that it has as a bigint", { int: "9007199254740993" }, { bigint: "9007199254740993" }],
  ["a float in other words", { float: "1.5e0" }, { float: "1.5" }],
  ["a float that JavaScript has as a number", { float: "-0" }, { number: "-0" }],
  ["NaN", { float: "NaN" }, { float: "NaN" }],
  [
    "lists and objects",
    { list: [{ dict: [["a", { int: "1" }]] }] },
    { list: [{ dict: [["a", { number: "1" }]] }] },
  ],
  ["null as a value", { null: null }, { null: null }],
  ["nothing", null, null],
  ["keys that nobody asked for", { version: 1 }, { version: 1, revision: 2 }],
  ["a key that is to be absent", { why: null }, { who: "a" }],
  [
    "lists of records",
    [{ name: "a" }, { name: "b" }],
    [
      { name: "a", x: 1 },
      { name: "b", x: 2 },
    ],
  ],
];

const different: typeof same = [
  ["an int for a float", { float: "5" }, { int: "5" }],
  ["a float for an int", { int: "5" }, { float: "5" }],
  ["a rounded integer", { int: "9007199254740993" }, { number: "9007199254740992" }],
  ["the sign of a zero", { float: "-0" }, { float: "0" }],
  ["the last bit of a float", { float: "0.1" }, { float: "0.10000000000000002" }],
  ["a boolean for an int", { int: "1" }, { bool: true }],
  ["text for a number", { int: "1" }, { str: "1" }],
  ["null for a text", { str: "null" }, { null: null }],
  ["a shorter list", { list: [{ int: "1" }] }, { list: [] }],
  ["other keys", { dict: [["a", { int: "1" }]] }, { dict: [["b", { int: "1" }]] }],
  ["an item within", { list: [{ float: "1" }] }, { list: [{ int: "1" }] }],
  ["a value that is missing", { value: { null: null } }, {}],
  ["a version", { version: 1 }, { version: 2 }],
  ["a key that is there", { why: null }, { why: "a" }],
  ["the order of records", [{ name: "a" }, { name: "b" }], [{ name: "b" }, { name: "a" }]],
  ["one record more", [{ name: "a" }], [{ name: "a" }, { name: "b" }]],
  ["something for nothing", null, 5],
  ["nothing for something", true, null],
];

describe("the judge", () => {
  test.each(same)("takes %s", (_, expected, actual) => {
    expect(faultsOf({ gives: expected }, { gives: actual })).toEqual([]);
  });

  test.each(different)("sees %s", (_, expected, actual) => {
    expect(faultsOf({ gives: expected }, { gives: actual })).not.toEqual([]);
  });

  const error: JsonObject = { class: "ConflictError", reason: "VERSION_CONFLICT", expected: 1, current: 2 };

  test("tells errors from results, and errors apart", () => {
    expect(faultsOf({ fails: { class: "ConflictError", current: 2 } }, { fails: error })).toEqual([]);
    expect(faultsOf({ fails: { class: "ConflictError", current: 3 } }, { fails: error })).toHaveLength(1);
    expect(faultsOf({ fails: { class: "LimitError" } }, { fails: error })).toHaveLength(1);
    expect(faultsOf({ fails: error }, { gives: null })).toHaveLength(1);
    expect(faultsOf({ gives: null }, { fails: error })).toHaveLength(1);
  });

  test("counts what it compares", () => {
    expect(factsIn({ gives: { version: 1, value: { list: [{ int: "1" }, { int: "2" }] } } })).toBe(2);
    expect(factsIn({ gives: [{ name: "a", id: "b" }, { name: "c" }] })).toBe(3);
    expect(factsIn({ gives: [] })).toBe(1);
    expect(factsIn({ fails: error })).toBe(4);
  });
});
