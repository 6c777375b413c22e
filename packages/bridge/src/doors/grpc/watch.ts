/**
 * The handler of `Watch` for clients without a channel: one stream for one watch. What is not sent yet waits with the watch,
 * where it is bounded; gRPC itself is handed only so much, as it would keep all of it.
 */
import type { handleServerStreamingCall, ServerWritableStream } from "@grpc/grpc-js";
import type { Revision } from "../../core/commands.js";
import { Refusal } from "../../core/refusal.js";
import type { Watch } from "../../core/watch.js";
import type { Subscription } from "../../engine/subscription.js";
import { beginWatch, type DoorContext } from "./answering.js";
import { refuseClient } from "./client-version.js";
import { Pulse } from "./pulse.js";
import { refused } from "./refused.js";
import { EVENTS } from "./tellings.js";

type Stream = ServerWritableStream<Watch | Refusal, Uint8Array>;

/** How much is handed to gRPC before it has sent what it was handed before. */
const IN_FLIGHT_BYTES = 262_144;

/** All watches that are streams of their own. */
export class WatchStreams {
  readonly #context: DoorContext;
  readonly #open = new Set<WatchStream>();

  constructor(context: DoorContext) {
    this.#context = context;
  }

  /** Serves one. */
  readonly handler: handleServerStreamingCall<Watch | Refusal, Uint8Array> = (stream) => {
    const watch = new WatchStream(this.#context, stream, () => this.#open.delete(watch));
    this.#open.add(watch);
  };

  /** Ends all of them, so that a server that closes waits for no client. */
  drain(): void {
    const why = new Refusal("SHUTTING_DOWN", "the bridge is shutting down; resume elsewhere or later");
    for (const watch of this.#open) watch.end(why);
  }
}

class WatchStream {
  readonly #stream: Stream;
  readonly #maxBytes: number;
  readonly #left: () => void;
  #subscription: Subscription | undefined;
  readonly #pulse: Pulse;
  /** Where its reader stands; undefined: it was told nothing yet. */
  #point: Revision | undefined;
  #isQuiet = false;
  #inFlightBytes = 0;
  #closed = false;

  constructor(context: DoorContext, stream: Stream, left: () => void) {
    this.#stream = stream;
    this.#maxBytes = context.engine.limits.maxMessageBytes;
    this.#left = left;
    this.#pulse = new Pulse(context.clock, () => this.#beat());
    this.#pulse.start();
    for (const event of ["cancelled", "close", "error"]) stream.on(event, () => this.#close());
    const way = { method: "Watch", refusal: refuseClient(stream.metadata) };
    void beginWatch(context, way, EVENTS, stream.request, (subscription) => {
      this.#subscription = subscription;
      this.#flush();
    }).then((begun) => {
      if (begun instanceof Refusal) this.end(begun);
      // The caller may have gone before it began.
      else if (this.#closed) begun.close();
    });
  }

  /** Ends with a status that says why. */
  end(why: Refusal): void {
    if (this.#closed) return;
    // This is how a stream of grpc-js ends with a status.
    this.#stream.emit("error", refused(why, this.#stream.metadata));
    this.#close();
  }

  #flush(): void {
    while (!this.#closed && this.#inFlightBytes < IN_FLIGHT_BYTES) {
      const told = this.#subscription?.take();
      if (told === undefined) return;
      if (told instanceof Refusal) return this.end(told);
      this.#point = EVENTS.pointAfter(told);
      this.#isQuiet = false;
      this.#write(EVENTS.bytes(told, this.#maxBytes));
    }
  }

  #write(bytes: Uint8Array): void {
    this.#inFlightBytes += bytes.length;
    this.#stream.write(bytes, () => {
      this.#inFlightBytes -= bytes.length;
      this.#flush();
    });
  }

  /** Says where its reader stands if it was told nothing since the last look, and nothing is on its way. */
  #beat(): void {
    if (this.#isQuiet && this.#point !== undefined && this.#inFlightBytes === 0)
      this.#write(EVENTS.standing(this.#point));
    this.#isQuiet = !this.#isQuiet;
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#pulse.stop();
    this.#subscription?.close();
    this.#left();
  }
}
