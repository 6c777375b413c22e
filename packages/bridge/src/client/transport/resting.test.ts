/** How often what was lost is tried again, whoever wakes whom, on a clock that stands still (decision 0017). */
import { beforeEach, describe, expect, test } from "vitest";
import { ManualClock } from "../../testing/manual-clock.js";
import { type Lost, Resting } from "./resting.js";

/** What cannot be reached any more, and what was refused for want of room. */
const gone = (failures: number): Lost => ({ failures, reason: "UNAVAILABLE" });
const refused = (failures: number): Lost => ({ failures, reason: "TOO_MANY_WATCHES" });

let clock: ManualClock;
let resting: Resting;
/** When each rest was over, in milliseconds. */
let ends: Record<string, number>;
beforeEach(() => {
  clock = new ManualClock();
  resting = new Resting(clock, () => 0);
  ends = {};
});
const rest = (name: string, lost: Lost) =>
  resting.rest(lost, () => {
    expect(ends).not.toHaveProperty(name);
    ends[name] = clock.now();
  });

test("a rest is 100 ms, doubling up to 30 s, and shortened at random by up to half", () => {
  for (const failures of [1, 2, 3, 9, 10, 50]) rest(String(failures), gone(failures));
  new Resting(clock, () => 0.5).rest(gone(2), () => {
    ends["spread"] = clock.now();
  });
  clock.advance(60_000);
  expect(ends).toEqual({ 1: 100, 2: 200, 3: 400, 9: 25_600, 10: 30_000, 50: 30_000, spread: 150 });
  expect(clock.pendingTimers).toBe(0);
});

test("a rest that is stopped calls nobody back, whatever happens", () => {
  const { stop, hurry } = rest("stopped", gone(9));
  stop();
  hurry();
  resting.heard();
  resting.close();
  expect(clock.pendingTimers).toBe(0);
  expect(ends).toEqual({});
});

describe.each<[string, (rest: { hurry(): void }) => void]>([
  ["somebody waits for", ({ hurry }) => hurry()],
  ["whose bridge is heard", () => resting.heard()],
])("a rest %s", (_, wake) => {
  test("is over at once if it has lasted as long as the pause of a call", () => {
    const long = rest("long", gone(10));
    clock.advance(2_000);
    wake(long);
    clock.advance(0);
    expect(ends).toEqual({ long: 2_000 });
  });

  test("is shortened to the pause of a call, counted from its beginning, and no further", () => {
    const long = rest("long", gone(10));
    for (let ms = 0; ms < 1_900; ms += 100) {
      wake(long);
      clock.advance(100);
    }
    expect(ends).toEqual({});
    clock.advance(100);
    expect(ends).toEqual({ long: 2_000 });
  });

  test("is as long as ever if that is as long as the pause of a call", () => {
    const short = rest("short", gone(3));
    wake(short);
    clock.advance(399);
    expect(ends).toEqual({});
    clock.advance(1);
    expect(ends).toEqual({ short: 400 });
  });
});

test("room ends the rests of those that were refused for want of it, and a bridge that is heard those of the others", () => {
  for (const name of ["gone", "away"]) rest(name, gone(10));
  for (const name of ["refused", "full"]) rest(name, refused(10));
  clock.advance(5_000);
  resting.hasRoom();
  clock.advance(0);
  expect(ends).toEqual({ refused: 5_000, full: 5_000 });
  clock.advance(1_000);
  resting.heard();
  clock.advance(60_000);
  expect(ends).toEqual({ refused: 5_000, full: 5_000, gone: 6_000, away: 6_000 });
});

test("a client that is closed has nobody rest", () => {
  rest("gone", gone(10));
  rest("refused", refused(1));
  resting.close();
  expect(ends).toEqual({ gone: 0, refused: 0 });
  expect(clock.pendingTimers).toBe(0);
});

test("one that is stopped by who is called back before it is not called back", () => {
  resting.rest(gone(1), () => second.stop());
  const second = rest("second", gone(1));
  resting.close();
  expect(ends).toEqual({});
});

test("those who wake each other at each attempt ask no more often than calls do", () => {
  const asked: Record<string, number[]> = { a: [], b: [], c: [] };
  const ask = (name: string, failures: number): void => {
    asked[name]?.push(clock.now());
    // Whoever asks is heard and leaves, and fails all the same.
    resting.rest(name === "a" ? gone(failures) : refused(failures), () => ask(name, failures + 1));
    resting.heard();
    resting.hasRoom();
  };
  for (const name of Object.keys(asked)) ask(name, 1);
  clock.advance(60_000);
  for (const times of Object.values(asked)) {
    const pauses = times.slice(1).map((at, i) => at - (times[i] ?? 0));
    expect(pauses.slice(0, 5)).toEqual([100, 200, 400, 800, 1_600]);
    for (const pause of pauses.slice(5)) expect(pause).toBeGreaterThanOrEqual(2_000);
  }
});
