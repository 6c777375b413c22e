/**
 * When to look at which session for its expiry: a heap of due times. A use of a session does not move it in the heap;
 * when its old time comes it is looked at, found alive and put back at its new time. So a touch costs nothing.
 */
import type { Clock } from "../core/clock.js";

/** Looked at in one go before other work gets its turn; a million sessions may be due at the same moment. */
const LOOKS_PER_TURN = 1_000;

interface Due {
  readonly at: number;
  readonly sessionId: string;
}

export class ExpirySchedule {
  readonly #clock: Clock;
  readonly #look: (sessionId: string) => number | undefined;
  readonly #heap: Due[] = [];
  #cancel: (() => void) | undefined;
  #armedFor = Number.POSITIVE_INFINITY;

  /** `look` ends the session if it is due and answers undefined, or answers when to look again. */
  constructor(clock: Clock, look: (sessionId: string) => number | undefined) {
    this.#clock = clock;
    this.#look = look;
  }

  /** Looks at a session at this time of the clock, or soon after. */
  add(sessionId: string, at: number): void {
    this.#push({ at, sessionId });
    this.#arm();
  }

  /** Stops looking. */
  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#heap.length = 0;
  }

  #arm(): void {
    const next = this.#heap[0]?.at;
    if (next === undefined || next >= this.#armedFor) return;
    this.#cancel?.();
    this.#armedFor = next;
    this.#cancel = this.#clock.setTimer(Math.max(0, next - this.#clock.now()), () => this.#turn());
  }

  #turn(): void {
    this.#cancel = undefined;
    this.#armedFor = Number.POSITIVE_INFINITY;
    const now = this.#clock.now();
    for (
      let looks = 0;
      looks < LOOKS_PER_TURN && (this.#heap[0]?.at ?? Number.POSITIVE_INFINITY) <= now;
      looks++
    ) {
      const { sessionId } = this.#pop() as Due;
      const again = this.#look(sessionId);
      if (again !== undefined) this.#push({ at: again, sessionId });
    }
    this.#arm();
  }

  #push(due: Due): void {
    const heap = this.#heap;
    let i = heap.push(due) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if ((heap[parent] as Due).at <= due.at) break;
      heap[i] = heap[parent] as Due;
      i = parent;
    }
    heap[i] = due;
  }

  #pop(): Due | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return top;
    let i = 0;
    for (let child = 1; child < heap.length; child = 2 * i + 1) {
      if ((heap[child + 1]?.at ?? Number.POSITIVE_INFINITY) < (heap[child] as Due).at) child++;
      if ((heap[child] as Due).at >= last.at) break;
      heap[i] = heap[child] as Due;
      i = child;
    }
    heap[i] = last;
    return top;
  }
}
