/**
 * Who is to be told of which session. A commit is offered here when it is made, and told when it is durable (ORD-5): to each
 * listener that was there before it, whole and in order. The hub has no time of its own, waits for no listener, and does
 * nothing for a session that nobody listens to.
 */
import { Refusal } from "../core/refusal.js";
import type { SessionEvent } from "../core/session/event.js";
import type { StateLog } from "../core/state-log.js";
import { Follower, type FollowerOptions } from "./follower.js";
import { type Listener, News } from "./listener.js";
import { Watcher, type WatcherOptions } from "./watcher.js";

/** The listeners of one session, and the commits that they are yet to be told. */
interface Topic {
  readonly listeners: Set<Listener>;
  /** Offered and not durable yet, in order. */
  pending: { readonly place: number; readonly event: SessionEvent }[];
  /** The state of the session while it has followers, and the place up to which it shows already what was offered. */
  states: { readonly log: StateLog; readonly since: number; followers: number } | undefined;
}

export class Hub {
  readonly #topics = new Map<string, Topic>();
  readonly #unused: (sessionId: string) => void;
  #count = 0;
  /** Counts the commits that were offered. */
  #place = 0;
  #ended: Refusal | undefined;

  /** `unused` is told of a session when the last listener that counted as use has left. */
  constructor(unused: (sessionId: string) => void) {
    this.#unused = unused;
  }

  /** How many listeners there are. */
  get count(): number {
    return this.#count;
  }

  /** True if somebody is to be told what becomes of the session. */
  isWatched(sessionId: string): boolean {
    return this.#topics.has(sessionId);
  }

  /** True if a listener to the session counts as use of it. */
  isUsed(sessionId: string): boolean {
    const topic = this.#topics.get(sessionId);
    if (topic === undefined) return false;
    for (const { passive } of topic.listeners) if (!passive) return true;
    return false;
  }

  /** Begins a watch: what is offered from now on is kept for it, and told from its `open` on. */
  subscribe(sessionId: string, options: WatcherOptions): Watcher {
    const topic = this.#topicOf(sessionId);
    const watcher = new Watcher(options, this.#place, () => this.#leave(sessionId, topic, watcher));
    return this.#join(topic, watcher);
  }

  /**
   * Begins to follow a session: from its `open` on the follower is taken to where the session stands.
   *
   * @param state the log of the session as it stands now, asked for if nobody follows it yet
   */
  follow(sessionId: string, options: FollowerOptions, state: () => StateLog): Follower {
    const topic = this.#topicOf(sessionId);
    topic.states ??= { log: state(), since: this.#place, followers: 0 };
    const { states } = topic;
    states.followers++;
    const follower = new Follower(options, states.log, this.#place, () => {
      if (this.#leave(sessionId, topic, follower) && --states.followers === 0) topic.states = undefined;
    });
    return this.#join(topic, follower);
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

  /** Tells all listeners that nothing comes any more, and those that join later. What is not durable yet is never told. */
  end(why: Refusal): void {
    if (this.#ended !== undefined) return;
    this.#ended = why;
    for (const { listeners } of this.#topics.values())
      for (const listener of listeners) guarded(listener, () => listener.end(why));
  }

  #topicOf(sessionId: string): Topic {
    const topic = this.#topics.get(sessionId) ?? { listeners: new Set(), pending: [], states: undefined };
    this.#topics.set(sessionId, topic);
    return topic;
  }

  #join<L extends Listener>(topic: Topic, listener: L): L {
    topic.listeners.add(listener);
    this.#count++;
    if (this.#ended !== undefined) listener.end(this.#ended);
    return listener;
  }

  /** True if it had not left before. */
  #leave(sessionId: string, topic: Topic, listener: Listener): boolean {
    if (!topic.listeners.delete(listener)) return false;
    this.#count--;
    const wasUsed = !listener.passive && !this.isUsed(sessionId);
    if (topic.listeners.size === 0) this.#topics.delete(sessionId);
    if (wasUsed) this.#unused(sessionId);
    return true;
  }

  /** Tells what was offered up to a place: with a commit all those before it are durable. */
  #tell(topic: Topic, last: number): void {
    if (this.#ended !== undefined) return;
    const { pending } = topic;
    let count = 0;
    while (count < pending.length && (pending[count]?.place ?? 0) <= last) count++;
    for (const { place, event } of pending.splice(0, count)) {
      const { states } = topic;
      if (states !== undefined && place > states.since) states.log.add(event);
      const news = new News(event);
      for (const listener of topic.listeners)
        if (place > listener.since) guarded(listener, () => listener.hear(news));
    }
  }
}

/**
 * Lets a listener know of something. It should not fail. If it does it is ended, and nobody else suffers from it: not the
 * commit that is being made, and not those who are told after it.
 */
function guarded(listener: Listener, tell: () => void): void {
  try {
    tell();
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    try {
      listener.end(new Refusal("INTERNAL", `the watch has failed: ${problem}`));
    } catch {
      // Its reader finds it when it takes.
    }
    listener.close();
  }
}
