import { describe, expect, test } from "vitest";
import { type HistoryEntry, keepNewest, valueSize } from "./history.js";

const sizes = (...of: readonly number[]): number[] => keepNewest(of, (size) => size);

describe("of a history are kept", () => {
  test("the newest 50", () => {
    const all = Array.from({ length: 200 }, (_, i) => i);
    for (const count of [0, 1, 49, 50, 51, 200])
      expect(keepNewest(all.slice(0, count), () => 8)).toEqual(all.slice(Math.max(0, count - 50), count));
  });

  test("1 MiB, and not a byte more", () => {
    expect(sizes(1, 524_288, 524_288)).toEqual([524_288, 524_288]);
    expect(sizes(524_289, 524_288)).toEqual([524_288]);
    expect(sizes(0, 1_048_576)).toEqual([0, 1_048_576]);
  });

  test("no older ones beyond one that does not fit, however small they are", () => {
    expect(sizes(8, 1_048_576, 8)).toEqual([8]);
  });

  test("the standing one, whatever it takes", () => {
    expect(sizes(8, 5_000_000)).toEqual([5_000_000]);
  });
});

test("a text takes its bytes in UTF-8, and any other value 8", () => {
  const size = (value: HistoryEntry["value"]): number => valueSize({ value } as HistoryEntry);
  expect([size("é€\u{1f600}"), size(""), size(1.5), size(-(2n ** 63n)), size(true)]).toEqual([9, 0, 8, 8, 8]);
});
