/** A watch on its way over a stream: told what comes, until it ends. Whether it is begun again, its reader decides. */
import { type BridgeError, errorFor, errorFrom } from "../../core/errors.js";
import { Refusal } from "../../core/refusal.js";
import type { Told } from "../../core/watch.js";
import { replyFromBytes } from "../../wire/channel.js";
import { transportError } from "../../wire/status.js";
import type { Carried, Failed } from "./grpc-errand.js";
import type { WatchReader } from "./transport.js";

/** Who is told, and how that is read. */
export interface WatchErrandReader extends WatchReader {
  /** Throws a BridgeError for what makes no sense. */
  read(bytes: Uint8Array): Told;
}

export class WatchErrand implements Carried {
  readonly isWatch = true;
  /** It is waited for as long as it takes. */
  readonly deadline = Number.POSITIVE_INFINITY;
  readonly bytes: Uint8Array;
  readonly #address: string;
  readonly #reader: WatchErrandReader;
  #isSettled = false;

  constructor(address: string, bytes: Uint8Array, reader: WatchErrandReader) {
    this.#address = address;
    this.bytes = bytes;
    this.#reader = reader;
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  told(bytes: Uint8Array): void {
    if (this.#isSettled) return;
    try {
      this.#reader.told(this.#reader.read(bytes));
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
              `the bridge at ${this.#address} ended a watch with an answer to ${reply.kind}`,
            ),
      );
    } catch (cause) {
      this.#end(cause as BridgeError);
    }
  }

  failed({ status, details, refusal }: Failed): undefined {
    if (refusal !== undefined) this.#end(errorFrom(refusal));
    else if (status === undefined)
      this.#end(errorFor("UNAVAILABLE", `no bridge answers at ${this.#address}`));
    else this.#end(transportError({ code: status, message: `${details} (from ${this.#address})` }));
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
    this.#reader.ended(error);
  }
}
