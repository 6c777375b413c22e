/**
 * When to look at which session for its expiry: a heap of due times. A use of a session does not move it in the heap;
 * when its old time comes it is looked at, found alive and put back at its new time. So a touch costs nothing, and a
 * session that has ended is noticed when its time comes, or when such left-overs have become the larger half.
 */
import type { Clock } from "../core/clock.js";

/** Looked at in one go before other work gets its turn; a million sessions may be due at the same moment. */
const LOOKS_PER_TURN = 1_000;
/** Below this size the heap is not worth cleaning. */
const SMALL_HEAP = 1_024;

/** One life of a session: an id alone might mean a later one. */
export interface Lifetime {
  readonly sessionId: string;
  readonly incarnation: string;
}

/** What the schedule asks of and does to sessions. */
export interface Expirable {
  /** When the session is due as things stand; undefined if it has ended or never is. */
  dueTime(lifetime: Lifetime): number | undefined;
  /** Ends a session that is due. */
  expire(lifetime: Lifetime): void;
}

interface Entry {
  readonly at: number;
  readonly lifetime: Lifetime;
}

export class ExpirySchedule {
  readonly #clock: Clock;
  readonly #sessions: Expirable;
  #heap: Entry[] = [];
  /** The size of the heap when it was last cleaned. */
  #cleanSize = SMALL_HEAP;
  #closed = false;
  #armed: { readonly at: number; readonly cancel: () => void } | undefined;

  constructor(clock: Clock, sessions: Expirable) {
    this.#clock = clock;
    this.#sessions = sessions;
  }

  /** Looks at a session at this time of the clock, or soon after. */
  add(lifetime: Lifetime, at: number): void {
    if (this.#closed) return;
    if (this.#heap.length >= 2 * this.#cleanSize) this.#clean();
    this.#push({ at, lifetime });
    this.#arm();
  }

  /** Looks at all that are due now. */
  sweep(): void {
    this.#look(Number.POSITIVE_INFINITY);
  }

  /** Stops looking. */
  close(): void {
    this.#closed = true;
    this.#armed?.cancel();
    this.#armed = undefined;
    this.#heap = [];
  }

  #arm(): void {
    const next = this.#heap[0]?.at;
    if (next === undefined || (this.#armed !== undefined && this.#armed.at <= next)) return;
    this.#armed?.cancel();
    const cancel = this.#clock.setTimer(Math.max(0, next - this.#clock.now()), () => this.#turn());
    this.#armed = { at: next, cancel };
  }

  #turn(): void {
    this.#armed = undefined;
    this.#look(LOOKS_PER_TURN);
    this.#arm();
  }

  #look(most: number): void {
    const now = this.#clock.now();
    for (let looks = 0; looks < most; looks++) {
      const first = this.#heap[0];
      if (first === undefined || first.at > now) break;
      this.#pop();
      const due = this.#sessions.dueTime(first.lifetime);
      if (due === undefined) continue;
      if (due <= now) this.#sessions.expire(first.lifetime);
      else this.#push({ at: due, lifetime: first.lifetime });
    }
  }

  /** Drops the entries of sessions that have ended. */
  #clean(): void {
    this.#heap = this.#heap
      .filter(({ lifetime }) => this.#sessions.dueTime(lifetime) !== undefined)
      .sort((a, b) => a.at - b.at);
    this.#cleanSize = Math.max(SMALL_HEAP, this.#heap.length);
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let i = heap.push(entry) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if ((heap[parent] as Entry).at <= entry.at) break;
      heap[i] = heap[parent] as Entry;
      i = parent;
    }
    heap[i] = entry;
  }

  /** Takes the first entry out. */
  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let i = 0;
    for (let child = 1; child < heap.length; child = 2 * i + 1) {
      if ((heap[child + 1]?.at ?? Number.POSITIVE_INFINITY) < (heap[child] as Entry).at) child++;
      if ((heap[child] as Entry).at >= last.at) break;
      heap[i] = heap[child] as Entry;
      i = child;
    }
    heap[i] = last;
  }
}
