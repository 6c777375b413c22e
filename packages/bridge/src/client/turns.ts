/**
 * Turns of the event loop for programs that await nothing but reads. What a copy answers is there at once, so a loop of such reads
 * would stand everything else still: news would not be told, no time would be up, and nobody could abort it (ORD-9).
 */

/** A turn costs as much as some hundred reads. */
const READS_A_TURN = 1_024;

export class Turns {
  readonly #turn: () => Promise<void>;
  #reads = 0;

  constructor(turn: () => Promise<void>) {
    this.#turn = turn;
  }

  /** Counts a read. What it has to wait for besides its answer: mostly nothing, which is undefined, and now and then a turn. */
  next(): Promise<void> | undefined {
    this.#reads++;
    return this.#reads % READS_A_TURN === 0 ? this.#turn() : undefined;
  }
}
