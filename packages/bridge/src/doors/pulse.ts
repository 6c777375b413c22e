/**
 * Looks regularly after watches that are told nothing, so that they are told where they stand: who hears nothing at all then
 * knows that it is alone.
 *
 * What was told nothing from one look to the next is told so, which is 2 s after the last time at the latest.
 */
import type { Clock } from "../core/clock.js";

const LOOK_MS = 1_000;

export class Pulse {
  readonly #clock: Clock;
  readonly #look: () => void;
  #stop: (() => void) | undefined;

  constructor(clock: Clock, look: () => void) {
    this.#clock = clock;
    this.#look = look;
  }

  /** Begins to look, unless it does. */
  start(): void {
    this.#stop ??= this.#clock.setTimer(LOOK_MS, () => {
      this.#stop = undefined;
      this.start();
      this.#look();
    });
  }

  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
  }
}
