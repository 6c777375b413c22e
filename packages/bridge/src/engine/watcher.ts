/** One who is told every event (ORD-6), from its queue. */
import { Refusal } from "../core/refusal.js";
import { ToldQueue } from "../core/told-queue.js";
import type { Told, WatchFilter } from "../core/watch.js";
import type { Listener, News } from "./listener.js";
import type { Notify, Subscription } from "./subscription.js";

/** How a watch is begun. */
export interface WatcherOptions {
  readonly filter: WatchFilter;
  /** True: it does not count as use of the session. */
  readonly passive: boolean;
  /** Called with the watch when there is something to take; first when it is open. */
  readonly notify: Notify;
}

export class Watcher implements Listener, Subscription {
  readonly passive: boolean;
  readonly since: number;
  readonly #filter: WatchFilter;
  readonly #notify: Notify;
  readonly #leave: () => void;
  /** What came before it began, which need not be bounded: it is what a store keeps. */
  #earlier: readonly Told[] | undefined;
  #taken = 0;
  readonly #queue = new ToldQueue();

  constructor({ filter, passive, notify }: WatcherOptions, since: number, leave: () => void) {
    this.passive = passive;
    this.since = since;
    this.#filter = filter;
    this.#notify = notify;
    this.#leave = leave;
  }

  /** Lets the reader take what came earlier, and then what was kept since. */
  open(earlier: readonly Told[]): void {
    this.#earlier = earlier;
    this.#notify(this);
  }

  hear(news: News): void {
    if (this.#queue.add(news.narrowed(this.#filter)) && this.#earlier !== undefined) this.#notify(this);
  }

  end(why: Refusal): void {
    this.#queue.end(why);
    if (this.#earlier !== undefined) this.#notify(this);
  }

  get waiting(): number {
    return this.#earlier === undefined ? 0 : this.#earlier.length - this.#taken + this.#queue.waiting;
  }

  take(): Told | Refusal | undefined {
    if (this.#earlier === undefined) return undefined;
    const earlier = this.#earlier[this.#taken];
    if (earlier !== undefined) {
      if (++this.#taken === this.#earlier.length) {
        this.#earlier = [];
        this.#taken = 0;
      }
      return earlier;
    }
    const told = this.#queue.take();
    if (told instanceof Refusal) this.close();
    return told;
  }

  close(): void {
    this.#leave();
  }
}
