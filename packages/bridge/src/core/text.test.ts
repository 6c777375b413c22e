import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { titled } from "../testing/titled.contract.js";
import { codePointLength, compareUtf8, formatNumber, isWellFormed, toUtf8, utf8Length } from "./text.js";

/** Text in which every border of UTF-8 and UTF-16 turns up, each surrogate beside its neighbours. */
const EDGES = [
  "\u0000",
  "\u007f",
  "\u0080",
  "\u07ff",
  "\u0800",
  "\ud7ff",
  "\ue000",
  "\uffff",
  "\u{10000}",
  "\u{10ffff}",
];
const text = fc.oneof(
  fc.array(fc.constantFrom(...EDGES, "a", "b"), { maxLength: 12 }).map((parts) => parts.join("")),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ unit: "grapheme", maxLength: 40 }),
);
/** Text that may have lone surrogates. */
const units = fc
  .array(fc.constantFrom("\ud800", "\udbff", "\udc00", "\udfff", "a", "\uffff"), { maxLength: 8 })
  .map((parts) => parts.join(""));

describe("utf8Length", () => {
  test("counts the bytes that an encoder writes", () => {
    fc.assert(fc.property(text, (s) => void expect(utf8Length(s)).toBe(Buffer.byteLength(s, "utf8"))));
    fc.assert(fc.property(text, (s) => void expect(utf8Length(s)).toBe(toUtf8(s).length)));
  });
});

describe("codePointLength", () => {
  test("counts what iterating the text yields, lone surrogates included", () => {
    fc.assert(fc.property(fc.oneof(text, units), (s) => void expect(codePointLength(s)).toBe([...s].length)));
  });
});

describe("compareUtf8", () => {
  test("orders as the bytes of UTF-8 are ordered", () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareUtf8(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
    );
  });

  test("orders texts that share a beginning as their bytes are ordered", () => {
    fc.assert(
      fc.property(text, text, text, (start, a, b) => {
        const [x, y] = [start + a, start + b];
        expect(Math.sign(compareUtf8(x, y))).toBe(Buffer.compare(Buffer.from(x), Buffer.from(y)));
      }),
    );
  });

  test("puts characters beyond U+FFFF after U+FFFF, where UTF-16 puts them before U+E000", () => {
    expect(compareUtf8("\u{10000}", "\uffff")).toBeGreaterThan(0);
    expect(compareUtf8("\u{10000}", "\ue000")).toBeGreaterThan(0);
    expect(["\uffff", "\u{1f600}", "\ue000", "a"].sort(compareUtf8)).toEqual([
      "a",
      "\ue000",
      "\uffff",
      "\u{1f600}",
    ]);
  });

  test("is zero for equal texts only", () => {
    fc.assert(fc.property(text, text, (a, b) => void expect(compareUtf8(a, b) === 0).toBe(a === b)));
  });
});

describe("isWellFormed", () => {
  test("is false exactly where encoding and decoding does not give the text back", () => {
    fc.assert(
      fc.property(fc.oneof(text, units), (s) => {
        expect(isWellFormed(s)).toBe(new TextDecoder("utf-8", { ignoreBOM: true }).decode(toUtf8(s)) === s);
      }),
    );
  });

  test.for(titled(["\ud800", "a\udc00", "\udc00\ud800", "\u{1f600}\ud83d"]))(
    "is false for the lone surrogate in %s",
    ([, s]) => {
      expect(isWellFormed(s)).toBe(false);
    },
  );
});

describe("formatNumber", () => {
  test.for([
    [-0, "-0"],
    [0, "0"],
    [Number.NaN, "NaN"],
    [Number.POSITIVE_INFINITY, "Infinity"],
    [Number.NEGATIVE_INFINITY, "-Infinity"],
    [1e21, "1e+21"],
    [123456789012345680000, "123456789012345680000"],
    [5e-324, "5e-324"],
    [0.1 + 0.2, "0.30000000000000004"],
    [-1.5, "-1.5"],
    [2n ** 63n - 1n, "9223372036854775807"],
    [-(2n ** 63n), "-9223372036854775808"],
    [0n, "0"],
  ] as const)("writes %s as %s", ([value, text]) => {
    expect(formatNumber(value)).toBe(text);
  });
});
