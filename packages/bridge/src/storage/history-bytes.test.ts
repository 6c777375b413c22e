import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { HistoryEntry } from "../core/history.js";
import { INT64_MAX, INT64_MIN } from "../core/literal.js";
import { ByteWriter } from "./bytes.js";
import { fromEntryBytes, packHistory, toEntryBytes, unpackHistory, valueSizeOf } from "./history-bytes.js";

const text = fc.string({ unit: "binary", maxLength: 300 });
const value = fc.oneof(
  fc.record({ type: fc.constant("float" as const), value: fc.oneof(fc.double(), fc.constant(-0)) }),
  fc.record({
    type: fc.constant("integer" as const),
    value: fc.bigInt({ min: INT64_MIN, max: INT64_MAX }),
  }),
  fc.record({ type: fc.constant("string" as const), value: text }),
  fc.record({ type: fc.constant("boolean" as const), value: fc.boolean() }),
  fc.record({ type: fc.constant("choice" as const), value: text }),
  fc.record({
    type: fc.constant("json" as const),
    value: fc.constantFrom(' {"b":1.0, "a":[null]}\n', '"\\u00e9é"', "null", "-0"),
  }),
);
const entry: fc.Arbitrary<HistoryEntry> = fc
  .tuple(
    value,
    fc.record({
      version: fc.maxSafeNat(),
      revision: fc.maxSafeNat(),
      wallTimeMs: fc.double({ min: 0, max: 1e15, noNaN: true }),
      source: text,
      metadata: fc.uniqueArray(fc.tuple(text, text), { selector: ([key]) => key, maxLength: 3 }),
    }),
  )
  .map(([kept, { metadata, ...rest }]) => ({ ...rest, ...kept, metadata: new Map(metadata) }));

const sample: HistoryEntry = {
  version: 3,
  type: "string",
  value: "warm",
  revision: 9,
  wallTimeMs: 1_900_000_000_000,
  source: "python",
  metadata: new Map([["why", "cold"]]),
};

describe("the bytes of a history", () => {
  test("come back as what they were made of, entry by entry", () => {
    fc.assert(
      fc.property(text, fc.array(entry, { maxLength: 8 }), (id, entries) => {
        const out = new ByteWriter();
        const packed = packHistory(
          id,
          entries.map((each) => toEntryBytes(out, each)),
        );
        const history = unpackHistory(packed);
        expect(history.id).toBe(id);
        expect(history.entries.map(fromEntryBytes)).toEqual(entries);
      }),
    );
  });

  test("say what the value of an entry takes without the rest being read", () => {
    const size = (given: string): number =>
      valueSizeOf(toEntryBytes(new ByteWriter(), { ...sample, value: given }));
    for (const length of [0, 1, 127, 128, 16_383, 16_384, 1_048_576])
      expect(size("x".repeat(length))).toBe(length);
    expect(size("é")).toBe(2);
  });

  test("are these, for good", () => {
    const packed = packHistory("var_t_2", [toEntryBytes(new ByteWriter(), sample)]);
    expect(Buffer.from(packed).toString("hex")).toBe(
      "01070000007661725f745f32012f0403020304000000776172" +
        "6d09000080330da67b4206000000707974686f6e010300000077687904000000636f6c64",
    );
  });

  test("of another format, cut off or with something left over are refused", () => {
    const packed = packHistory("var_t_2", [toEntryBytes(new ByteWriter(), sample)]);
    expect(() => unpackHistory(Uint8Array.of(2, ...packed.subarray(1)))).toThrow(
      "history format 2 is not known; this version reads 1",
    );
    for (let length = 0; length < packed.length; length++)
      expect(() => unpackHistory(packed.subarray(0, length))).toThrow(RangeError);
    expect(() => unpackHistory(Uint8Array.of(...packed, 0))).toThrow(RangeError);
    const bytes = toEntryBytes(new ByteWriter(), sample);
    for (let length = 0; length < bytes.length; length++)
      expect(() => fromEntryBytes(bytes.subarray(0, length))).toThrow(RangeError);
    expect(() => fromEntryBytes(Uint8Array.of(...bytes, 0))).toThrow(RangeError);
  });
});
