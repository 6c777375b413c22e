/** A watch on a channel, of either kind: how much it has to tell that has no turn yet, and what it tells in its turn. */
import type { Revision } from "../../core/commands.js";
import { Refusal } from "../../core/refusal.js";
import type { Subscription } from "../../engine/subscription.js";
import type { Telling } from "../tellings.js";

export class ChannelWatch<T = unknown> {
  readonly id: number;
  readonly #telling: Omit<Telling<never, T>, "asked" | "begin">;
  /** What a message may have. */
  readonly #maxBytes: number;
  /** Why the watch ends in which something has broken. */
  readonly #broken: (error: unknown) => Refusal;
  #subscription: Subscription<T> | undefined;
  /** How much of what waits has its turn already. */
  #promised = 0;
  #isAmid = false;
  /** Where its reader stands; undefined: it was told nothing yet. */
  #point: Revision | undefined;
  #isQuiet = false;
  #closed = false;

  constructor(
    id: number,
    telling: Omit<Telling<never, T>, "asked" | "begin">,
    maxBytes: number,
    broken: (error: unknown) => Refusal,
  ) {
    this.id = id;
    this.#telling = telling;
    this.#maxBytes = maxBytes;
    this.#broken = broken;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** True if what it told last is a part, and the rest belongs into the same turn. */
  get isAmid(): boolean {
    return this.#isAmid;
  }

  /** How much has become ready that has no turn yet; it is promised one. What waited may have become less meanwhile. */
  promise(subscription: Subscription<T>): number {
    this.#subscription = subscription;
    const count = Math.max(0, subscription.waiting - this.#promised);
    this.#promised += count;
    return count;
  }

  /** The bytes of what it tells in its turn, or why it ends. */
  take(): Uint8Array | Refusal | undefined {
    try {
      return this.#take();
    } catch (error) {
      // It has no more turns than this one.
      this.#isAmid = false;
      return this.#broken(error);
    }
  }

  #take(): Uint8Array | Refusal | undefined {
    const told = this.#closed ? undefined : this.#subscription?.take();
    const said = told === undefined || told instanceof Refusal ? undefined : told;
    this.#isAmid = said !== undefined && this.#telling.goesOn(said);
    if (!this.#isAmid) this.#promised--;
    if (said === undefined) return told as Refusal | undefined;
    this.#point = this.#telling.pointAfter(said);
    this.#isQuiet = false;
    return this.#telling.bytes(said, this.#maxBytes);
  }

  /** True if nothing was told since the last look. Whoever looks has something said then. */
  looksQuiet(): boolean {
    const wasQuiet = this.#isQuiet;
    this.#isQuiet = !wasQuiet;
    return wasQuiet;
  }

  /** The bytes that say where its reader stands. All that was told must have been said; undefined: nothing was told yet. */
  get standing(): Uint8Array | undefined {
    return this.#point === undefined ? undefined : this.#telling.standing(this.#point);
  }

  close(): void {
    this.#closed = true;
    this.#subscription?.close();
  }
}
