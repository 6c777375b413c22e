/**
 * Subscriptions that were lost and rest before they are begun again (decision 0017). A rest is cut short when somebody wants what it
 * would bring, when the bridge is heard, and when there is room for what was refused; but never to less than the pause of a call
 * after as many failures. So however many wake each other, a bridge is asked no more often than calls would ask it.
 */
import type { Clock } from "../../core/clock.js";
import type { ErrorReason } from "../../core/errors.js";
import { backoffMs, restMs } from "../outcome.js";

/** What comes before a rest. */
export interface Lost {
  /** How many attempts have failed one after the other. */
  readonly failures: number;
  /** What the last one failed with; undefined: it was given up from this side. */
  readonly reason: ErrorReason | undefined;
}

export interface Rest {
  /** Ends it, and nobody is called back. */
  readonly stop: () => void;
  /** Somebody waits for its end: it lasts no longer than the pause of a call. */
  readonly hurry: () => void;
}

interface Sleeper extends Rest {
  readonly needsRoom: boolean;
  /** Ends it, and calls back. */
  readonly end: () => void;
}

export class Resting {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #all = new Set<Sleeper>();

  /** @param random numbers from [0, 1) that spread the attempts of many clients */
  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Begins a rest, and calls back when it is over. */
  rest({ failures, reason }: Lost, then: () => void): Rest {
    const clock = this.#clock;
    const jitter = this.#random();
    const wantedAt = clock.now() + backoffMs(failures, jitter);
    let isHurried = false;
    const rest: Sleeper = {
      needsRoom: reason === "TOO_MANY_WATCHES",
      stop: () => {
        cancelTimer();
        this.#all.delete(rest);
      },
      hurry: () => {
        if (isHurried || !this.#all.has(rest)) return;
        isHurried = true;
        cancelTimer();
        cancelTimer = clock.setTimer(Math.max(0, wantedAt - clock.now()), rest.end);
      },
      end: () => {
        // Whoever was called back before may have stopped it.
        if (!this.#all.has(rest)) return;
        rest.stop();
        then();
      },
    };
    this.#all.add(rest);
    let cancelTimer = clock.setTimer(restMs(failures, jitter), rest.end);
    return rest;
  }

  /** The bridge is there: those come back whom its absence kept away. */
  heard(): void {
    for (const { needsRoom, hurry } of this.#all) if (!needsRoom) hurry();
  }

  /** One that had begun has left: those come back that were refused for want of room. */
  hasRoom(): void {
    for (const { needsRoom, hurry } of this.#all) if (needsRoom) hurry();
  }

  /** Ends all rests at once: the client was closed, and who asks is told so. */
  close(): void {
    for (const { end } of [...this.#all]) end();
  }
}
