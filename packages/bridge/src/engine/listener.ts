/** Who is told what becomes of a session, and how many are told it alike. */
import type { Refusal } from "../core/refusal.js";
import type { SessionEvent } from "../core/session/event.js";
import { narrowed, type Told, type WatchFilter } from "../core/watch.js";

export interface Listener {
  /** True: it does not count as use of the session. */
  readonly passive: boolean;
  /** It is not told what was offered up to this place. */
  readonly since: number;
  /** Takes a commit that is durable. */
  hear(news: News): void;
  /** Nothing comes any more, and this is why. */
  end(why: Refusal): void;
  /** It is not told anything any more. */
  close(): void;
}

/** A commit on its way to listeners. Filters that are the same are asked once. */
export class News {
  readonly #event: SessionEvent;
  readonly #answers = new Map<string, Told>();

  constructor(event: SessionEvent) {
    this.#event = event;
  }

  /** What a filter leaves of it. */
  narrowed(filter: WatchFilter): Told {
    const told = this.#answers.get(filter.key) ?? narrowed(this.#event, filter);
    this.#answers.set(filter.key, told);
    return told;
  }
}
