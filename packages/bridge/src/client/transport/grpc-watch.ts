/** A watch on its way over a stream, of either kind: told what comes, until it ends. Whether it is begun again, its reader decides. */
import { type BridgeError, errorFor, errorFrom } from "../../core/errors.js";
import { Refusal } from "../../core/refusal.js";
import { replyFromBytes } from "../../wire/channel.js";
import type { Carried, Failed } from "./errand.js";
import { watchEnding } from "./watch-ending.js";

/** What is asked for, how what is told is read, and who is told it. */
export interface WatchErrandOptions<T> {
  readonly address: string;
  readonly asks: "events" | "state";
  readonly bytes: Uint8Array;
  /** Throws a BridgeError for what makes no sense. */
  read(bytes: Uint8Array): T;
  told(told: T): void;
  ended(error: BridgeError): void;
}

export class WatchErrand<T> implements Carried {
  readonly asks: "events" | "state";
  /** It is waited for as long as it takes. */
  readonly deadline = Number.POSITIVE_INFINITY;
  readonly bytes: Uint8Array;
  readonly #options: WatchErrandOptions<T>;
  #isSettled = false;

  constructor(options: WatchErrandOptions<T>) {
    this.asks = options.asks;
    this.bytes = options.bytes;
    this.#options = options;
  }

  told(bytes: Uint8Array): void {
    if (this.#isSettled) return;
    try {
      this.#options.told(this.#options.read(bytes));
    } catch (cause) {
      this.#end(cause as BridgeError);
    }
  }

  /** A reply says why it ended. */
  answered(bytes: Uint8Array): undefined {
    try {
      const reply = replyFromBytes(bytes);
      this.#end(
        reply instanceof Refusal
          ? errorFrom(reply)
          : errorFor(
              "PROTOCOL",
              `the bridge at ${this.#options.address} ended a watch with an answer to ${reply.kind}`,
            ),
      );
    } catch (cause) {
      this.#end(cause as BridgeError);
    }
  }

  failed(failed: Failed): undefined {
    this.#end(watchEnding(failed, this.#options.address));
  }

  /** Nobody reads any more. */
  stop(): void {
    this.#isSettled = true;
  }

  /** Ends it from this side, and says why. */
  close(why: BridgeError): void {
    this.#end(why);
  }

  #end(error: BridgeError): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#options.ended(error);
  }
}
