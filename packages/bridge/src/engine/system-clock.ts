/** The clock of the machine. */
import type { Clock } from "../core/clock.js";

/** Longer delays overflow in timers and fire at once; such a timer is set again when it fires. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  setTimer(ms, fire) {
    let timer: NodeJS.Timeout;
    const arm = (left: number): void => {
      // Up, since timers drop fractions and would fire before their time.
      const step = Math.min(Math.max(Math.ceil(left), 0), MAX_TIMER_MS);
      timer = setTimeout(() => (left > step ? arm(left - step) : fire()), step);
      timer.unref();
    };
    arm(ms);
    return () => clearTimeout(timer);
  },
};
