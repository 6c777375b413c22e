import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { INT64_MAX, INT64_MIN } from "../core/literal.js";
import { ByteReader, ByteWriter } from "./bytes.js";

function written(write: (out: ByteWriter) => void): Uint8Array {
  const out = new ByteWriter();
  write(out);
  return out.finish();
}

const field = fc.oneof(
  fc.record({ kind: fc.constant("byte" as const), value: fc.nat(255) }),
  fc.record({ kind: fc.constant("varint" as const), value: fc.maxSafeNat() }),
  fc.record({ kind: fc.constant("float64" as const), value: fc.double() }),
  fc.record({ kind: fc.constant("int64" as const), value: fc.bigInt({ min: INT64_MIN, max: INT64_MAX }) }),
  fc.record({ kind: fc.constant("uint64" as const), value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) }),
  fc.record({ kind: fc.constant("text" as const), value: fc.string({ unit: "binary", maxLength: 300 }) }),
  fc.record({ kind: fc.constant("bytes" as const), value: fc.uint8Array({ maxLength: 300 }) }),
);
type Field = typeof field extends fc.Arbitrary<infer F> ? F : never;

function write(out: ByteWriter, { kind, value }: Field): void {
  switch (kind) {
    case "byte":
      return out.byte(value);
    case "varint":
      return out.varint(value);
    case "float64":
      return out.float64(value);
    case "int64":
      return out.int64(value);
    case "uint64":
      return out.uint64(value);
    case "text":
      return out.text(value);
    case "bytes":
      return out.bytes(value);
  }
}

describe("bytes", () => {
  test("come back as the fields they were written from, to the last one", () => {
    fc.assert(
      fc.property(fc.array(field, { maxLength: 40 }), (fields) => {
        const input = new ByteReader(written((out) => fields.forEach((one) => void write(out, one))));
        for (const { kind, value } of fields) expect(input[kind]()).toEqual(value);
        input.end();
      }),
    );
  });

  test.for([0, 1, 127, 128, 16_383, 16_384, 2 ** 32 - 1, 2 ** 32, 2 ** 49, 2 ** 53 - 1])(
    "hold the number %d",
    (value) => {
      expect(new ByteReader(written((out) => out.varint(value))).varint()).toBe(value);
    },
  );

  test.for([63, 64, 65, 255, 256, 257, 100_000])("hold a text of %d characters, ASCII or not", (length) => {
    for (const text of [
      "x".repeat(length),
      `${"x".repeat(length - 1)}é`,
      "\u{1f600}".repeat(length),
      `\ufeff${"y".repeat(length)}`,
    ])
      expect(new ByteReader(written((out) => out.text(text))).text()).toBe(text);
  });

  test("of one finish are not changed by what is written next", () => {
    const out = new ByteWriter();
    out.text("first");
    const first = out.finish();
    const copy = first.slice();
    out.text("second, and longer");
    expect(out.finish().length).toBe(4 + 18);
    expect(first).toEqual(copy);
  });

  test("that end within a field are refused", () => {
    fc.assert(
      fc.property(field, fc.nat(400), (one, cut) => {
        const bytes = written((out) => write(out, one));
        fc.pre(cut < bytes.length);
        expect(() => new ByteReader(bytes.subarray(0, cut))[one.kind]()).toThrow(RangeError);
      }),
    );
  });

  test("that are left over are refused", () => {
    const input = new ByteReader(Uint8Array.of(1, 2));
    input.byte();
    expect(() => input.end()).toThrow(RangeError);
  });

  test("of a number without an end are refused", () => {
    expect(() => new ByteReader(new Uint8Array(12).fill(0x80)).varint()).toThrow(RangeError);
  });

  test("of a number beyond 2^53 − 1, which no writer writes, are refused", () => {
    expect(() => new ByteReader(Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 127)).varint()).toThrow(
      RangeError,
    );
  });

  test("of a text that is not UTF-8 are refused as out of range, as all damage is", () => {
    expect(() => new ByteReader(Uint8Array.of(2, 0, 0, 0, 0xc3, 0x28)).text()).toThrow(RangeError);
  });

  test("of a text that claims more than there is are refused before anything is made of it", () => {
    expect(() => new ByteReader(Uint8Array.of(255, 255, 255, 255, 65)).text()).toThrow(RangeError);
  });
});
