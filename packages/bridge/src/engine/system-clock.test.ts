import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { systemClock } from "./system-clock.js";

const DAY_MS = 86_400_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

describe("timers of the system clock", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
  afterEach(() => void vi.useRealTimers());

  test("fire once, when the time has come", () => {
    const fire = vi.fn();
    systemClock.setTimer(1_000, fire);
    vi.advanceTimersByTime(999);
    expect(fire).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(fire).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(10 * DAY_MS);
    expect(fire).toHaveBeenCalledTimes(1);
  });

  test.for([
    ["2^31 − 1 ms", LONGEST_TIMER_MS],
    ["2^31 ms", LONGEST_TIMER_MS + 1],
    ["30 days", 30 * DAY_MS],
    ["ten years", 3_650 * DAY_MS],
  ] as const)("of %s do not overflow and fire at once, but in time", ([, ms]) => {
    const fire = vi.fn();
    systemClock.setTimer(ms, fire);
    vi.advanceTimersByTime(ms - 1);
    expect(fire).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(fire).toHaveBeenCalledTimes(1);
  });

  test("that are cancelled never fire, also when they were set again in between", () => {
    const fire = vi.fn();
    const early = systemClock.setTimer(30 * DAY_MS, fire);
    const late = systemClock.setTimer(30 * DAY_MS, fire);
    early();
    vi.advanceTimersByTime(LONGEST_TIMER_MS + 1_000);
    late();
    vi.advanceTimersByTime(100 * DAY_MS);
    expect(fire).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("of no time or less fire as soon as they can, and never on the spot", () => {
    const fire = vi.fn();
    systemClock.setTimer(0, fire);
    systemClock.setTimer(-5, fire);
    expect(fire).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(fire).toHaveBeenCalledTimes(2);
  });

  test("never fire before their time because of a fraction of a millisecond", () => {
    const fire = vi.fn();
    systemClock.setTimer(1.75, fire);
    vi.advanceTimersByTime(1);
    expect(fire).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(fire).toHaveBeenCalledTimes(1);
  });
});

describe("the system clock", () => {
  test("does not keep the process alive", () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
    const before = timers();
    const cancel = systemClock.setTimer(60_000, () => {});
    expect(timers()).toBe(before);
    cancel();
  });

  test("does not go back, and does not follow the wall clock", () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      const before = systemClock.now();
      vi.setSystemTime(Date.UTC(1990, 0, 1));
      expect(systemClock.wallTime()).toBe(Date.UTC(1990, 0, 1));
      expect(systemClock.now()).toBeGreaterThanOrEqual(before);
      vi.setSystemTime(Date.UTC(2090, 0, 1));
      expect(systemClock.now() - before).toBeLessThan(DAY_MS);
    } finally {
      vi.useRealTimers();
    }
  });
});
