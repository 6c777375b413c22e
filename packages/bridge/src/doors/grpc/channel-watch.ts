/** A watch on a channel, of either kind: how much it has to tell that has no turn yet, and what it tells in its turn. */
import { Refusal } from "../../core/refusal.js";
import type { Subscription } from "../../engine/subscription.js";
import type { Telling } from "./tellings.js";

export class ChannelWatch<T = unknown> {
  readonly id: number;
  readonly #telling: Pick<Telling<never, T>, "bytes" | "goesOn">;
  /** What a message may have. */
  readonly #maxBytes: number;
  #subscription: Subscription<T> | undefined;
  /** How much of what waits has its turn already. */
  #promised = 0;
  #isAmid = false;
  #closed = false;

  constructor(id: number, telling: Pick<Telling<never, T>, "bytes" | "goesOn">, maxBytes: number) {
    this.id = id;
    this.#telling = telling;
    this.#maxBytes = maxBytes;
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
    const told = this.#closed ? undefined : this.#subscription?.take();
    const said = told === undefined || told instanceof Refusal ? undefined : told;
    this.#isAmid = said !== undefined && this.#telling.goesOn(said);
    if (!this.#isAmid) this.#promised--;
    return said === undefined ? (told as Refusal | undefined) : this.#telling.bytes(said, this.#maxBytes);
  }

  close(): void {
    this.#closed = true;
    this.#subscription?.close();
  }
}
