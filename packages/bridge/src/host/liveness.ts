/**
 * Notices that a worker no longer says that it is alive, as it has promised to.
 *
 * It looks twice in the promised time, and takes three looks in a row without a sign for silence, which is at the latest
 * after twice that time. One is not enough: after a time in which this process itself did not run, signs wait to be read,
 * and the first look comes before they are. Nor are two: a worker does not send a sign soon after another (`_host.py`).
 */
import type { Clock } from "../core/clock.js";

const QUIET_LOOKS = 3;

export class Liveness {
  readonly #clock: Clock;
  readonly #onSilence: () => void;
  #cancel: () => void = () => {};
  #heard = true;
  #quietLooks = 0;

  /** Calls `onSilence` once, unless it is stopped before. */
  constructor(clock: Clock, onSilence: () => void) {
    this.#clock = clock;
    this.#onSilence = onSilence;
  }

  /** From now on there has to be a sign every so many milliseconds; undefined: none. */
  expect(withinMs: number | undefined): void {
    this.stop();
    this.heard();
    if (withinMs !== undefined) this.#lookAfter(withinMs / 2);
  }

  /** A sign of life. */
  heard(): void {
    this.#heard = true;
  }

  stop(): void {
    this.#cancel();
  }

  #lookAfter(ms: number): void {
    this.#cancel = this.#clock.setTimer(ms, () => {
      this.#quietLooks = this.#heard ? 0 : this.#quietLooks + 1;
      this.#heard = false;
      if (this.#quietLooks >= QUIET_LOOKS) this.#onSilence();
      else this.#lookAfter(ms);
    });
  }
}
