/**
 * Turns of the event loop for programs that await nothing but reads. What a copy answers is there at once, so a loop of such reads
 * would stand everything else still: news would not be told, no time would be up, and nobody could abort it (ORD-9).
 */

/** A turn costs as much as some hundred reads. */
const READS_A_TURN = 1_024;

export class Turns {
  #reads = 0;

  /** Counts a read. What it has to wait for besides its answer: mostly nothing, which is undefined, and now and then a turn. */
  next(): Promise<void> | undefined {
    this.#reads++;
    return this.#reads % READS_A_TURN === 0 ? turn() : undefined;
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") {
      setImmediate(resolve);
      return;
    }
    // In a page a message is what comes soonest after all that waits already.
    const { port1, port2 } = new MessageChannel();
    port1.addEventListener("message", () => {
      port1.close();
      resolve();
    });
    port1.start();
    port2.postMessage(undefined);
  });
}
