/**
 * Who watches which session. A commit is offered here when it is made, and told when it is durable (ORD-5): to each watcher
 * that was there before it, whole and in order. The hub has no time of its own, waits for no watcher, and does nothing for
 * a session that nobody watches.
 */
import { Refusal } from "../core/refusal.js";
import type { SessionEvent } from "../core/session/event.js";
import { ToldQueue } from "../core/told-queue.js";
import { narrowed, type Told, type WatchFilter } from "../core/watch.js";

/** A watch as its reader has it. */
export interface Subscription {
  /** What comes next, or why nothing comes any more; undefined while there is nothing new. */
  take(): Told | Refusal | undefined;
  /** How often `take` gives something now. */
  readonly waiting: number;
  /** Ends the watch. */
  close(): void;
}

/** How its reader is told that there is something to take. It must not throw. */
export type Notify = (subscription: Subscription) => void;

/** How a watch is begun. */
export interface SubscribeOptions {
  readonly filter: WatchFilter;
  /** True: it does not count as use of the session. */
  readonly passive: boolean;
  /** Called with the watch when there is something to take; first when it is open. */
  readonly notify: Notify;
}

/** The watchers of one session, and the commits that they are yet to be told. */
interface Topic {
  readonly watchers: Set<Watcher>;
  /** Offered and not durable yet, in order. */
  pending: { readonly place: number; readonly event: SessionEvent }[];
}

export class Hub {
  readonly #topics = new Map<string, Topic>();
  readonly #unused: (sessionId: string) => void;
  #count = 0;
  /** Counts the commits that were offered. */
  #place = 0;
  #ended: Refusal | undefined;

  /** `unused` is told of a session when the last watch that counted as use has ended. */
  constructor(unused: (sessionId: string) => void) {
    this.#unused = unused;
  }

  /** How many watches there are. */
  get count(): number {
    return this.#count;
  }

  /** True if somebody is to be told what becomes of the session. */
  isWatched(sessionId: string): boolean {
    return this.#topics.has(sessionId);
  }

  /** True if a watch of the session counts as use of it. */
  isUsed(sessionId: string): boolean {
    const topic = this.#topics.get(sessionId);
    if (topic === undefined) return false;
    for (const { passive } of topic.watchers) if (!passive) return true;
    return false;
  }

  /** Begins a watch: what is offered from now on is kept for it, and told from its `open` on. */
  subscribe(sessionId: string, options: SubscribeOptions): Watcher {
    const topic = this.#topics.get(sessionId) ?? { watchers: new Set(), pending: [] };
    this.#topics.set(sessionId, topic);
    const watcher = new Watcher(options, this.#place, () => this.#leave(sessionId, topic, watcher));
    topic.watchers.add(watcher);
    this.#count++;
    if (this.#ended !== undefined) watcher.end(this.#ended);
    return watcher;
  }

  /** Takes a commit of a watched session that was made just now; it is told when it is durable, undefined: already. */
  offer(event: SessionEvent, durable: Promise<void> | undefined): void {
    const topic = this.#topics.get(event.sessionId);
    if (topic === undefined) return;
    const place = ++this.#place;
    topic.pending.push({ place, event });
    if (durable === undefined) this.#tell(topic, place);
    // Who fails is told elsewhere, and ends the hub.
    else durable.then(() => this.#tell(topic, place)).catch(() => {});
  }

  /** Ends all watches, and those that are begun later. What is not durable yet is never told. */
  end(why: Refusal): void {
    if (this.#ended !== undefined) return;
    this.#ended = why;
    for (const { watchers } of this.#topics.values()) for (const watcher of watchers) watcher.end(why);
  }

  /** Tells what was offered up to a place: with a commit all those before it are durable. */
  #tell(topic: Topic, last: number): void {
    if (this.#ended !== undefined) return;
    const { pending } = topic;
    let count = 0;
    while (count < pending.length && (pending[count]?.place ?? 0) <= last) count++;
    for (const { place, event } of pending.splice(0, count)) tellAll(topic.watchers, place, event);
  }

  #leave(sessionId: string, topic: Topic, watcher: Watcher): void {
    if (!topic.watchers.delete(watcher)) return;
    this.#count--;
    const wasUsed = !watcher.passive && !this.isUsed(sessionId);
    if (topic.watchers.size === 0) this.#topics.delete(sessionId);
    if (wasUsed) this.#unused(sessionId);
  }
}

/** Filters that are the same are asked once. */
function tellAll(watchers: Iterable<Watcher>, place: number, event: SessionEvent): void {
  const answers = new Map<string, Told>();
  for (const watcher of watchers) {
    if (place <= watcher.since) continue;
    const { filter } = watcher;
    const told = answers.get(filter.key) ?? narrowed(event, filter);
    answers.set(filter.key, told);
    watcher.tell(told);
  }
}

/** A watch as the hub has it. */
export class Watcher implements Subscription {
  readonly filter: WatchFilter;
  readonly passive: boolean;
  /** What was offered up to this place it is not told. */
  readonly since: number;
  readonly #notify: Notify;
  readonly #leave: () => void;
  /** What came before it began, which need not be bounded: it is what a store keeps. */
  #earlier: readonly Told[] | undefined;
  #taken = 0;
  readonly #queue = new ToldQueue();

  constructor({ filter, passive, notify }: SubscribeOptions, since: number, leave: () => void) {
    this.filter = filter;
    this.passive = passive;
    this.since = since;
    this.#notify = notify;
    this.#leave = leave;
  }

  /** Lets the reader take what came earlier, and then what was kept since. */
  open(earlier: readonly Told[]): void {
    this.#earlier = earlier;
    this.#notify(this);
  }

  tell(told: Told): void {
    if (this.#queue.add(told) && this.#earlier !== undefined) this.#notify(this);
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
