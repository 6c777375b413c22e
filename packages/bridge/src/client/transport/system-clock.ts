/**
 * The clock that a client waits by. Unlike that of a server, its timers keep the process alive: whoever awaits a call
 * wants its end, and between two attempts there is nothing else that would hold the process.
 */
import type { Clock } from "../../core/clock.js";

export const systemClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  setTimer(ms, fire) {
    const timer = setTimeout(fire, ms);
    return () => clearTimeout(timer);
  },
};
