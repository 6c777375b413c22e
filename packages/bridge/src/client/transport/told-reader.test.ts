import { expect, test } from "vitest";
import type { Told } from "../../core/watch.js";
import { toldBytes } from "../../wire/watch-codecs.js";
import { ToldReader } from "./told-reader.js";

const event = (number: number, source = "typescript"): Told => ({
  kind: "event",
  event: {
    sessionId: "run",
    revision: { incarnation: "0".repeat(32), number, check: 1n },
    kind: "changed",
    source,
    wallTimeMs: 0,
    metadata: new Map(),
    changes: [{ name: "a", after: { version: number, type: "float", value: number } }],
  },
});
const bytesOf = (told: Told) => toldBytes(told, 1_048_576).slice();

test("what several watches are told in the same bytes is read once", () => {
  const reader = new ToldReader();
  const first = reader.read(bytesOf(event(1)), true);
  expect(first).toEqual(event(1));
  expect(reader.read(bytesOf(event(2)), true)).toEqual(event(2));
  expect(reader.read(bytesOf(event(1)), true)).toBe(first);
});

test("the bytes may lie anywhere, and be used for something else afterwards", () => {
  const reader = new ToldReader();
  const bytes = bytesOf(event(1));
  const elsewhere = new Uint8Array(bytes.length + 10);
  elsewhere.set(bytes, 5);
  const told = reader.read(elsewhere.subarray(5, 5 + bytes.length), true);
  elsewhere.fill(0);
  expect(told).toEqual(event(1));
  expect(reader.read(bytes, true)).toBe(told);
});

test("a watch that is alone keeps nothing", () => {
  const reader = new ToldReader();
  const first = reader.read(bytesOf(event(1)), false);
  const again = reader.read(bytesOf(event(1)), false);
  expect(again).toEqual(first);
  expect(again).not.toBe(first);
});

test("little is kept: the newest, and nothing that is long", () => {
  const reader = new ToldReader();
  const first = reader.read(bytesOf(event(1)), true);
  for (let number = 2; number <= 256; number++) reader.read(bytesOf(event(number)), true);
  expect(reader.read(bytesOf(event(1)), true)).toBe(first);
  reader.read(bytesOf(event(257)), true);
  expect(reader.read(bytesOf(event(1)), true)).not.toBe(first);
  const long = bytesOf(event(1, "x".repeat(1_024)));
  expect(reader.read(long, true)).not.toBe(reader.read(long, true));
});

test("bytes that make no sense are refused each time", () => {
  const reader = new ToldReader();
  for (let time = 1; time <= 2; time++)
    expect(() => reader.read(Uint8Array.of(255), true)).toThrow(
      expect.objectContaining({ reason: "PROTOCOL" }),
    );
});
