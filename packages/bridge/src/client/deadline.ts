/** One deadline over several calls, and over the pauses between them. */
import type { Clock } from "../core/clock.js";
import { errorFor } from "../core/errors.js";
import { AbortWatch, type OnAbort } from "./transport/abort.js";
import { type CallOptions, checkTimeout } from "./transport/transport.js";
import { happensWithin, pause } from "./transport/waiting.js";

export class Deadline {
  /** How long all of it may take, in milliseconds. */
  readonly timeoutMs: number;
  readonly #signal: AbortSignal | undefined;
  readonly #clock: Clock;
  readonly #endMs: number;
  readonly #onAbort: OnAbort;

  /** The time begins now. Throws RangeError for a timeout that means nothing. */
  constructor({ timeoutMs, signal }: CallOptions & { readonly timeoutMs: number }, clock: Clock) {
    this.timeoutMs = checkTimeout(timeoutMs);
    this.#signal = signal;
    this.#clock = clock;
    this.#endMs = clock.now() + timeoutMs;
    this.#onAbort = new AbortWatch().of(signal);
  }

  /** Milliseconds until the end; 0 after it. */
  get leftMs(): number {
    return Math.max(0, this.#endMs - this.#clock.now());
  }

  /** The options of a call that has to end in time. Throws DeadlineError if there is none left. */
  options(): CallOptions {
    const timeoutMs = this.leftMs;
    // Timers are true to a millisecond, so less than that is none.
    if (timeoutMs < 1) throw errorFor("DEADLINE_EXCEEDED", `it did not end within ${this.timeoutMs} ms`);
    return this.#signal === undefined ? { timeoutMs } : { timeoutMs, signal: this.#signal };
  }

  /** True as soon as the event has come; false if the time is up before it. Rejects with the reason of an abort. */
  async comes(event: Promise<unknown>): Promise<boolean> {
    // It may be over with the same abort, and is left alone then.
    event.catch(() => {});
    this.#signal?.throwIfAborted();
    return happensWithin(event, this.leftMs, this.#clock, this.#onAbort);
  }

  /** Lets time pass, no more than is left. Rejects with the reason of an abort. */
  async pause(ms: number): Promise<void> {
    this.#signal?.throwIfAborted();
    await pause(Math.min(ms, this.leftMs), this.#clock, this.#onAbort);
  }
}
