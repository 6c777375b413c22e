import { describe, expect, test } from "vitest";
import { Restarts } from "./restarts.js";

const policy = { limit: 5, firstDelayMs: 100, maxDelayMs: 1_000, resetAfterMs: 60_000 };

function pauses(restarts: Restarts, count: number): (number | undefined)[] {
  return Array.from({ length: count }, () => restarts.next(0));
}

describe("the pause before a restart", () => {
  test("doubles up to the longest, and there is none beyond the limit", () => {
    const restarts = new Restarts(policy, () => 0);
    expect(pauses(restarts, 7)).toEqual([100, 200, 400, 800, 1_000, undefined, undefined]);
    expect(restarts.inARow).toBe(5);
  });

  test("is shortened by up to half", () => {
    expect(pauses(new Restarts(policy, () => 0.5), 3)).toEqual([75, 150, 300]);
    expect(new Restarts(policy, () => 1 - Number.EPSILON).next(0)).toBeCloseTo(50);
  });

  test("is the shortest again after a worker has run well for long enough", () => {
    const restarts = new Restarts(policy, () => 0);
    pauses(restarts, 5);
    expect(restarts.next(59_999)).toBeUndefined();
    expect(restarts.next(60_000)).toBe(100);
    expect(restarts.inARow).toBe(1);
    expect(restarts.next(0)).toBe(200);
  });

  test("stays a number after very many restarts", () => {
    const restarts = new Restarts({ ...policy, limit: 5_000 }, () => 0);
    expect(pauses(restarts, 5_000).at(-1)).toBe(1_000);
  });
});
