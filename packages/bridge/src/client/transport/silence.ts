/**
 * Finds out that nothing is heard on a stream any more, though a server says something every 2 s while it has watches on it.
 *
 * It looks once a second, and counts looks: as much time as the loop of this process was blocked for, or the process stopped,
 * counts as one. What has arrived meanwhile is read before the next look.
 */
import type { Clock } from "../../core/clock.js";

const LOOK_MS = 1_000;
/** A stream is dead on which nothing was heard for so many looks. */
const MOST_LOOKS = 5;

export class Silence {
  readonly #clock: Clock;
  readonly #isWanted: () => boolean;
  readonly #ended: () => void;
  #looks = 0;
  #stop: (() => void) | undefined;

  /**
   * @param isWanted whether there is something on the stream by which a server would be heard
   * @param ended called when the stream is taken for dead
   */
  constructor(clock: Clock, isWanted: () => boolean, ended: () => void) {
    this.#clock = clock;
    this.#isWanted = isWanted;
    this.#ended = ended;
  }

  /** Begins to look, unless it does, for as long as it is wanted. */
  start(): void {
    if (this.#stop !== undefined) return;
    this.heard();
    this.#lookLater();
  }

  /** Something was heard. The second in which that was does not count. */
  heard(): void {
    this.#looks = -1;
  }

  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  #lookLater(): void {
    this.#stop = this.#clock.setTimer(LOOK_MS, () => {
      this.#stop = undefined;
      if (!this.#isWanted()) return;
      if (++this.#looks < MOST_LOOKS) this.#lookLater();
      else this.#ended();
    });
  }
}
