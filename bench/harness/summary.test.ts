import { describe, expect, test } from "vitest";
import type { Case, Floor, Sample } from "./case.js";
import { median, percentile } from "./statistics.js";
import { summarize } from "./summary.js";

const one = (subject: string, more: Partial<Case> = {}): Case => ({
  work: "get",
  callers: 1,
  subject,
  measure: () => Promise.reject(new Error("not to be measured here")),
  ...more,
});
const sample = (cpuUs: number, calls = 100): Sample => ({ calls, seconds: 1, p50Us: 5, p99Us: 9, cpuUs });

describe("medians and percentiles", () => {
  test("of odd and even numbers of values, and of none", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([])).toBeNaN();
  });

  test("a percentile is one of the values", () => {
    const hundred = Array.from({ length: 100 }, (_, i) => i + 1);
    expect([0, 0.25, 0.5, 0.99, 1].map((share) => percentile(hundred, share))).toEqual([1, 25, 50, 99, 100]);
  });
});

describe("a summary", () => {
  const floors: readonly Floor[] = [{ metric: "cpuUs", floor: 1.3, goal: 1.1 }];
  const cases = [one("bridge", { beside: "echo", floors }), one("echo"), one("echo", { callers: 16 })];

  test("compares within rounds, so that what slows a whole round changes nothing", () => {
    const [bridge, echo] = summarize(cases, [
      [sample(12), sample(120), sample(24)],
      [sample(10), sample(100), sample(20)],
      [sample(1), sample(1), sample(1)],
    ]);
    expect(bridge?.ratios?.cpuUs?.median).toBeCloseTo(1.2);
    expect(bridge?.verdicts).toMatchObject([{ floorReached: true, goalReached: false }]);
    expect(echo).toMatchObject({ median: { cpuUs: 20, callsPerSecond: 100 }, verdicts: [] });
    expect(echo?.ratios).toBeUndefined();
  });

  test("tells of a goal without a floor, and of a floor without a goal", () => {
    const alone: readonly Floor[] = [
      { metric: "cpuUs", goal: 1.1 },
      { metric: "cpuUs", floor: 1.3 },
    ];
    const [bridge] = summarize(
      [one("bridge", { beside: "echo", floors: alone }), one("echo")],
      [[sample(12)], [sample(10)]],
    );
    expect(bridge?.verdicts.map(({ floorReached, goalReached }) => [floorReached, goalReached])).toEqual([
      [undefined, false],
      [true, undefined],
    ]);
  });

  test("says nothing of processor time where there is none", () => {
    const blind: Sample = { calls: 1, seconds: 1, p50Us: 1, p99Us: 1 };
    const [bridge] = summarize(cases, [[blind], [blind], [blind]]);
    expect(bridge?.median.cpuUs).toBeUndefined();
    expect(bridge?.verdicts).toEqual([]);
  });

  test("compares with another subject than the one beside if a floor says so", () => {
    const other: Floor = { metric: "cpuUs", beside: "peer", floor: 6, goal: 5 };
    const [bridge] = summarize(
      [one("bridge", { beside: "echo", floors: [...floors, other] }), one("echo"), one("peer")],
      [[sample(12)], [sample(10)], [sample(2)]],
    );
    expect(bridge?.ratios?.cpuUs?.median).toBeCloseTo(1.2);
    expect(bridge?.verdicts).toMatchObject([
      { beside: "echo", floorReached: true },
      { beside: "peer", measured: { median: 6 }, floorReached: true, goalReached: false },
    ]);
  });

  test("compares by what a figure is beyond the other", () => {
    const excess: Floor = { metric: "cpuUs", as: "excess", floor: 10, goal: 1 };
    const [bridge] = summarize(
      [one("bridge", { beside: "echo", floors: [excess] }), one("echo")],
      [
        [sample(12), sample(120)],
        [sample(10), sample(112)],
      ],
    );
    expect(bridge?.verdicts).toMatchObject([
      { measured: { median: 5, lowerQuartile: 2, upperQuartile: 8 }, floorReached: true, goalReached: false },
    ]);
  });

  test("judges a figure by itself where it is beside nothing", () => {
    const itself: Floor = { metric: "p99Us", as: "itself", floor: 9, goal: 8 };
    const [bridge] = summarize([one("bridge", { floors: [itself] })], [[sample(1), sample(1)]]);
    expect(bridge?.verdicts).toMatchObject([
      { measured: { median: 9 }, floorReached: true, goalReached: false },
    ]);
  });

  test("of throughput more is better", () => {
    const fast = one("bridge", {
      beside: "echo",
      floors: [{ metric: "callsPerSecond", floor: 1, goal: 2 }],
    });
    const [bridge] = summarize([fast, one("echo")], [[sample(1, 150)], [sample(1, 100)]]);
    expect(bridge?.verdicts).toMatchObject([{ floorReached: true, goalReached: false }]);
  });
});
