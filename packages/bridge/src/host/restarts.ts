/**
 * When a worker that has ended is started again: after a pause that doubles each time, shortened by up to half so that
 * many workers do not come back at once. One that ran well for a while begins anew with the shortest pause. Pure.
 */

/** How often and how soon a worker is started again. */
export interface RestartOptions {
  /** How many restarts in a row, none of which ran well for `resetAfterMs`, before it is given up. Default: 10. */
  readonly limit?: number;
  /** The first pause, in milliseconds. Default: 200. */
  readonly firstDelayMs?: number;
  /** The longest pause, in milliseconds. Default: 30,000. */
  readonly maxDelayMs?: number;
  /** How long a worker has to be ready, in milliseconds, to count as well. Default: 60,000. */
  readonly resetAfterMs?: number;
}

export type RestartPolicy = Readonly<Required<RestartOptions>>;

export class Restarts {
  readonly #policy: RestartPolicy;
  readonly #random: () => number;
  #inARow = 0;

  /** `random` gives numbers from [0, 1). */
  constructor(policy: RestartPolicy, random: () => number) {
    this.#policy = policy;
    this.#random = random;
  }

  /** How many restarts there were since it last ran well. */
  get inARow(): number {
    return this.#inARow;
  }

  /** The pause before the next start of a worker that was ready for so long; undefined if it is given up. */
  next(readyForMs: number): number | undefined {
    const { limit, firstDelayMs, maxDelayMs, resetAfterMs } = this.#policy;
    if (readyForMs >= resetAfterMs) this.#inARow = 0;
    if (this.#inARow >= limit) return undefined;
    const longest = Math.min(maxDelayMs, firstDelayMs * 2 ** this.#inARow);
    this.#inARow += 1;
    return longest * (1 - this.#random() / 2);
  }
}
