/**
 * Has the commands of a session decided in the order in which they were asked (ORD-17), though each is a request of its own: a
 * write waits until all before it have ended, and a read until all writes before it have.
 */
export class Order {
  readonly #lanes = new Map<string, Lane>();

  /** Done when it is the turn of a command. Answers how to end it. */
  async turn(sessionId: string, isWrite: boolean): Promise<() => void> {
    const lane = this.#lanes.get(sessionId) ?? { write: undefined, reads: new Set() };
    this.#lanes.set(sessionId, lane);
    const before = isWrite ? [lane.write, ...lane.reads] : [lane.write];
    let end = (): void => {};
    const ended = new Promise<void>((resolve) => {
      end = () => {
        lane.reads.delete(ended);
        if (lane.write === ended) lane.write = undefined;
        if (lane.write === undefined && lane.reads.size === 0 && this.#lanes.get(sessionId) === lane)
          this.#lanes.delete(sessionId);
        resolve();
      };
    });
    if (isWrite) {
      lane.write = ended;
      lane.reads.clear();
    } else lane.reads.add(ended);
    await Promise.all(before);
    return end;
  }
}

interface Lane {
  /** The last write. */
  write: Promise<void> | undefined;
  /** The reads since then. */
  readonly reads: Set<Promise<void>>;
}
