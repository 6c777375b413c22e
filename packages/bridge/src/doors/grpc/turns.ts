/**
 * What a channel has to say, in the order in which it became ready: replies, and what watches tell. A watch keeps what it
 * tells itself, bounded; here stands only whose turn it is. So a client that does not read costs no more than that, and a
 * reply still leaves after all that was told before it (ORD-2).
 */
import type { Refusal } from "../../core/refusal.js";
import type { Subscription } from "../../engine/subscription.js";
import type { ChannelWatch } from "./channel-watch.js";

/** A turn: a reply, or so much of what a watch tells. */
type Turn =
  | { readonly id: number; readonly reply: Uint8Array }
  | { readonly watch: ChannelWatch; count: number };

/** What is said next. */
export type Said =
  | { readonly id: number; readonly reply: Uint8Array }
  | { readonly watch: ChannelWatch; readonly told: Uint8Array | Refusal };

export class Turns {
  #turns: Turn[] = [];
  /** Those before it are over. */
  #next = 0;
  #replyBytes = 0;

  /** How much waits that is kept here. */
  get replyBytes(): number {
    return this.#replyBytes;
  }

  get isEmpty(): boolean {
    return this.#turns.length === 0;
  }

  /** Gives a reply a turn. */
  addReply(id: number, reply: Uint8Array): void {
    this.#turns.push({ id, reply });
    this.#replyBytes += reply.length;
  }

  /** Gives a turn to what has become ready of a watch. */
  addWatch<T>(watch: ChannelWatch<T>, subscription: Subscription<T>): void {
    const count = watch.promise(subscription);
    if (count === 0) return;
    const last = this.#turns.at(-1);
    if (last !== undefined && "watch" in last && last.watch === watch) last.count += count;
    else this.#turns.push({ watch, count });
  }

  /** What is said next; undefined if nothing waits. */
  take(): Said | undefined {
    for (;;) {
      const turn = this.#turns[this.#next];
      if (turn === undefined) return undefined;
      if (!("watch" in turn)) {
        this.#replyBytes -= turn.reply.length;
        this.#over();
        return turn;
      }
      const told = turn.watch.take();
      // What is told in parts has one turn for all of them.
      if (!turn.watch.isAmid && --turn.count <= 0) this.#over();
      if (told !== undefined) return { watch: turn.watch, told };
    }
  }

  #over(): void {
    this.#next++;
    if (this.#next === this.#turns.length) this.#turns = [];
    else if (this.#next < 1_000) return;
    else this.#turns = this.#turns.slice(this.#next);
    this.#next = 0;
  }
}
