/** The numbers of what is sent on streams: one after the other, and from the beginning again where the field of a frame ends. */
const MOST_ID = 2 ** 32;

export class CommandIds {
  #last: number;

  constructor(last = 0) {
    this.#last = last;
  }

  /** The one that was given last. */
  get last(): number {
    return this.#last;
  }

  /** Gives the next that is not in use: a watch may have had its own for longer than it takes to come round. */
  next(inUse: { has(id: number): boolean }): number {
    do this.#last = (this.#last + 1) % MOST_ID;
    while (inUse.has(this.#last));
    return this.#last;
  }
}
