import fc from "fast-check";
import { expect, test } from "vitest";
import { ManualClock } from "./manual-clock.js";

test("time stands still until it is moved, and moves both clocks", () => {
  const clock = new ManualClock({ now: 5, wall: 1_000 });
  expect([clock.now(), clock.wallTime()]).toEqual([5, 1_000]);
  clock.advance(2.5);
  expect([clock.now(), clock.wallTime()]).toEqual([7.5, 1_002.5]);
});

test("a jump of the wall clock moves nothing else and fires nothing", () => {
  const clock = new ManualClock({ wall: 1_000 });
  let fired = 0;
  clock.setTimer(10, () => fired++);
  clock.jumpWall(-5_000);
  clock.jumpWall(100_000);
  expect([clock.now(), clock.wallTime(), fired]).toEqual([0, 96_000, 0]);
});

test("timers fire at their own times, in the order of their times and then of their setting", () => {
  const clock = new ManualClock();
  const log: string[] = [];
  const note = (name: string) => () => void log.push(`${name} at ${clock.now()}`);
  clock.setTimer(20, note("late"));
  clock.setTimer(10, note("first"));
  clock.setTimer(10, note("second"));
  clock.setTimer(0, note("now"));
  clock.advance(15);
  expect(log).toEqual(["now at 0", "first at 10", "second at 10"]);
  expect(clock.pendingTimers).toBe(1);
  clock.advance(5);
  expect(log.at(-1)).toBe("late at 20");
});

test("a timer that sets another within the same stretch of time sees it fire", () => {
  const clock = new ManualClock();
  const fired: number[] = [];
  const again = (): void => {
    fired.push(clock.now());
    if (fired.length < 5) clock.setTimer(3, again);
  };
  clock.setTimer(3, again);
  clock.advance(10);
  expect(fired).toEqual([3, 6, 9]);
});

test("a cancelled timer does not fire, and cancelling one that has fired does nothing", () => {
  const clock = new ManualClock();
  let fired = 0;
  const cancel = clock.setTimer(1, () => fired++);
  const cancelFired = clock.setTimer(2, () => fired++);
  cancel();
  cancel();
  clock.advance(2);
  cancelFired();
  expect([fired, clock.pendingTimers]).toEqual([1, 0]);
});

test("time never goes back", () => {
  expect(() => new ManualClock().advance(-1)).toThrow(RangeError);
  expect(() => new ManualClock().advance(Number.NaN)).toThrow(RangeError);
});

test("any number of timers fires in the order of a stable sort by their times", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 200 }), (delays) => {
      const clock = new ManualClock();
      const fired: number[] = [];
      for (const [i, ms] of delays.entries()) clock.setTimer(ms, () => fired.push(i));
      clock.advance(20);
      const expected = delays.map((ms, i) => ({ ms, i })).sort((a, b) => a.ms - b.ms);
      expect(fired).toEqual(expected.map(({ i }) => i));
    }),
  );
});
