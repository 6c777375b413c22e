/**
 * What waits for a watcher, in order and bounded (P9). One that is too slow is ended: what waits is a gapless beginning of
 * what it was to be told, and it may resume from the end of that.
 */
import type { Revision } from "./commands.js";
import { Refusal } from "./refusal.js";
import { eventBytes } from "./session/event.js";
import type { Told } from "./watch.js";

/** As many commits as a store keeps at least for those that resume, so that nothing is gained by waiting longer. */
export const MOST_WAITING = 1_000;
export const MOST_WAITING_BYTES = 8 * 1_048_576;

export class ToldQueue {
  #items: { readonly told: Told; readonly bytes: number }[] = [];
  /** Items before it are taken. */
  #next = 0;
  #bytes = 0;
  #end: Refusal | undefined;

  /** How often `take` gives something new; an end counts as well. */
  get waiting(): number {
    return this.#items.length - this.#next + (this.#end === undefined ? 0 : 1);
  }

  /** True if nothing is put in any more. */
  get isEnded(): boolean {
    return this.#end !== undefined;
  }

  /** Puts something in. True if the reader has to look: a bookmark that takes the place of one that waits is no news. */
  add(told: Told): boolean {
    if (this.#end !== undefined) return false;
    const waiting = this.#items.length - this.#next;
    const last = waiting > 0 ? this.#items.at(-1)?.told : undefined;
    if (told.kind === "bookmark" && last !== undefined) {
      // It says again where the reader comes to anyway.
      if (pointAfter(last).check === told.revision.check) return false;
      if (last.kind === "bookmark") {
        this.#items[this.#items.length - 1] = { told, bytes: 0 };
        return false;
      }
    }
    const bytes = told.kind === "event" ? eventBytes(told.event) : 0;
    // One that is alone but for bookmarks waits, however long it is.
    const isTooLong = bytes > 0 && this.#bytes > 0 && this.#bytes + bytes > MOST_WAITING_BYTES;
    if (waiting >= MOST_WAITING || isTooLong) this.end(overflow());
    else {
      this.#items.push({ told, bytes });
      this.#bytes += bytes;
    }
    return true;
  }

  /** Nothing is put in any more; when the rest is taken, this is why. */
  end(why: Refusal): void {
    this.#end ??= why;
  }

  /** What comes next, or why nothing does; undefined while there is nothing. */
  take(): Told | Refusal | undefined {
    const item = this.#items[this.#next];
    if (item === undefined) return this.#end;
    this.#next++;
    this.#bytes -= item.bytes;
    if (this.#next === this.#items.length) {
      this.#items = [];
      this.#next = 0;
    } else if (this.#next >= MOST_WAITING) {
      this.#items = this.#items.slice(this.#next);
      this.#next = 0;
    }
    return item.told;
  }
}

/** Where the watcher stands that was told this: the session's end leaves it with no session. */
export function pointAfter(told: Told): Revision {
  if (told.kind === "bookmark") return told.revision;
  const { kind, revision } = told.event;
  return kind === "deleted" || kind === "expired" ? NOWHERE : revision;
}

/** The point before a session's creation. */
const NOWHERE: Revision = Object.freeze({ incarnation: "", number: 0, check: 0n });

function overflow(): Refusal {
  return new Refusal(
    "WATCH_OVERFLOW",
    "the reader of the watch is too slow, and too much waits for it; resume from the last revision that it was told",
  );
}
