/** A clock that stands still until it is moved, so that tests decide what time it is and nothing waits. */
import type { Clock } from "../core/clock.js";

interface Timer {
  readonly at: number;
  /** Timers due at the same time fire in the order they were set. */
  readonly order: number;
  readonly fire: () => void;
  cancelled: boolean;
}

export class ManualClock implements Clock {
  #now: number;
  /** What the wall clock shows when the other one shows 0. */
  #wallAtZero: number;
  #order = 0;
  #pending = 0;
  /** A heap: the timer that fires next is first. */
  readonly #timers: Timer[] = [];

  /** A clock that shows these times, in milliseconds; `wall` is since 1970. */
  constructor({ now = 0, wall = Date.UTC(2030, 0, 1) }: { now?: number; wall?: number } = {}) {
    this.#now = now;
    this.#wallAtZero = wall - now;
  }

  now(): number {
    return this.#now;
  }

  wallTime(): number {
    return this.#now + this.#wallAtZero;
  }

  setTimer(ms: number, fire: () => void): () => void {
    const timer: Timer = { at: this.#now + Math.max(0, ms), order: this.#order++, fire, cancelled: false };
    this.#push(timer);
    this.#pending++;
    return () => {
      if (!timer.cancelled) this.#pending--;
      timer.cancelled = true;
    };
  }

  /** How many timers are set and have neither fired nor been cancelled. */
  get pendingTimers(): number {
    return this.#pending;
  }

  /**
   * Lets time pass on both clocks. Every timer that becomes due fires at its own time, in order, those among them that
   * other timers set included.
   */
  advance(ms: number): void {
    if (!(ms >= 0)) throw new RangeError(`a clock cannot go by ${ms} ms`);
    const end = this.#now + ms;
    for (let next = this.#timers[0]; next !== undefined && next.at <= end; next = this.#timers[0]) {
      this.#pop();
      if (next.cancelled) continue;
      next.cancelled = true;
      this.#pending--;
      this.#now = Math.max(this.#now, next.at);
      next.fire();
    }
    this.#now = end;
  }

  /** Moves the wall clock alone, forwards or backwards, as an administrator or a time server does. */
  jumpWall(ms: number): void {
    this.#wallAtZero += ms;
  }

  #push(timer: Timer): void {
    const heap = this.#timers;
    let i = heap.push(timer) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (isBefore(heap[parent] as Timer, timer)) break;
      heap[i] = heap[parent] as Timer;
      i = parent;
    }
    heap[i] = timer;
  }

  #pop(): void {
    const heap = this.#timers;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let i = 0;
    for (let child = 1; child < heap.length; child = 2 * i + 1) {
      const right = heap[child + 1];
      if (right !== undefined && isBefore(right, heap[child] as Timer)) child++;
      if (isBefore(last, heap[child] as Timer)) break;
      heap[i] = heap[child] as Timer;
      i = child;
    }
    heap[i] = last;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
