import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkMetadata, EMPTY_METADATA, type Metadata, overlay } from "./metadata.js";
import { Refusal } from "./refusal.js";
import { compareUtf8 } from "./text.js";

type Pairs = readonly (readonly [string, string])[];

function checked(pairs: Pairs): Metadata {
  const metadata = checkMetadata(pairs);
  if (metadata instanceof Refusal) throw new Error(metadata.message);
  return metadata;
}

const numbered = (count: number, value = ""): Pairs =>
  Array.from({ length: count }, (_, i) => [`k${i}`, value]);

describe("checkMetadata", () => {
  test.for<[string, Pairs]>([
    ["no pairs", []],
    ["an empty value", [["k", ""]]],
    ["32 keys", numbered(32)],
    ["a key of 256 bytes", [["é".repeat(128), ""]]],
    ["4,096 bytes in all", [["k", "x".repeat(4_095)]]],
    ["4,096 bytes in many characters", [["é", `${"\u{1f600}".repeat(1_023)}ab`]]],
    [
      "keys that objects have",
      [
        ["constructor", "x"],
        ["toString", "y"],
        ["then", "z"],
      ],
    ],
    [
      "keys that differ in case or normal form",
      [
        ["k", ""],
        ["K", ""],
        ["é", ""],
        ["e\u0301", ""],
      ],
    ],
    [
      "control characters and a space as key",
      [
        ["\u0000", "\u0000"],
        [" ", " "],
      ],
    ],
  ])("accepts %s", ([, pairs]) => {
    expect(checked(pairs).size).toBe(pairs.length);
  });

  test.for<[string, Pairs]>([
    ["an empty key", [["", "x"]]],
    ["a key of 257 bytes", [["x".repeat(257), ""]]],
    ["33 keys", numbered(33)],
    ["4,097 bytes in all", [["k", "x".repeat(4_096)]]],
    ["4,097 bytes in all of many pairs", [...numbered(10, "x".repeat(400)), ["rest", "x".repeat(73)]]],
    [
      "a key twice",
      [
        ["k", "1"],
        ["a", ""],
        ["k", "2"],
      ],
    ],
    ["the key __proto__", [["__proto__", "x"]]],
    ["the key source", [["source", "x"]]],
    ["the key created_at", [["created_at", "x"]]],
    ["the key updated_at", [["updated_at", "x"]]],
    ["a lone surrogate in a key", [["\ud800", ""]]],
    ["a lone surrogate in a value", [["k", "a\udc00"]]],
  ])("refuses %s", ([, pairs]) => {
    const refusal = checkMetadata(pairs);
    expect(refusal).toBeInstanceOf(Refusal);
    expect((refusal as Refusal).reason).toBe("INVALID_METADATA");
  });

  test("counts the bytes of keys and values together, at the border exactly", () => {
    expect(checkMetadata([...numbered(10, "x".repeat(400)), ["rest", "x".repeat(72)]])).not.toBeInstanceOf(
      Refusal,
    );
  });

  test("orders by the UTF-8 bytes of the keys, whatever order they come in", () => {
    const keys = fc.uniqueArray(fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 }), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(keys, (given) => {
        fc.pre(!given.some((key) => key === "__proto__"));
        const metadata = checked(given.map((key, i) => [key, String(i)]));
        expect([...metadata.keys()]).toEqual([...given].sort(compareUtf8));
        expect(given.every((key, i) => metadata.get(key) === String(i))).toBe(true);
      }),
    );
  });

  test("takes pairs from any iterable, once, and leaves a given list as it is", () => {
    function* pairs(): Generator<[string, string]> {
      yield ["b", "2"];
      yield ["a", "1"];
    }
    expect([...checked([...pairs()])]).toEqual([
      ["a", "1"],
      ["b", "2"],
    ]);
    expect([...(checkMetadata(pairs()) as Metadata)]).toEqual([
      ["a", "1"],
      ["b", "2"],
    ]);
    const given: Pairs = Object.freeze([
      ["b", "2"],
      ["a", "1"],
    ] as const);
    checkMetadata(given);
    expect(given[0]).toEqual(["b", "2"]);
  });

  test("of nothing is the one empty metadata", () => {
    expect(checkMetadata(undefined)).toBe(EMPTY_METADATA);
    expect(checkMetadata([])).toBe(EMPTY_METADATA);
  });

  test("changes no prototype, whatever the keys are", () => {
    checkMetadata([
      ["__proto__", "x"],
      ["constructor", "y"],
    ]);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});

describe("overlay", () => {
  test("has the keys of both in order, and the upper one's value where both have a key", () => {
    const keys = fc.dictionary(
      fc.constantFrom("a", "b", "c", "\uffff", "\u{1f600}"),
      fc.constantFrom("1", "2"),
    );
    fc.assert(
      fc.property(keys, keys, (lower, upper) => {
        const laid = overlay(checked(Object.entries(lower)), checked(Object.entries(upper)));
        const expected = Object.entries({ ...lower, ...upper }).sort(([a], [b]) => compareUtf8(a, b));
        expect([...laid]).toEqual(expected);
      }),
    );
  });

  test("leaves both as they are", () => {
    const lower = checked([["a", "1"]]);
    const upper = checked([
      ["a", "2"],
      ["b", "3"],
    ]);
    overlay(lower, upper);
    expect([[...lower], [...upper]]).toEqual([
      [["a", "1"]],
      [
        ["a", "2"],
        ["b", "3"],
      ],
    ]);
  });
});
