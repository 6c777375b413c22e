/**
 * A watch, of either kind, as a stream of its own, for clients without a channel. What is not sent yet waits with the watch,
 * where it is bounded; what sends is handed only so much, as it would keep all of it.
 */
import type { Revision } from "../core/commands.js";
import { Refusal } from "../core/refusal.js";
import type { Subscription } from "../engine/subscription.js";
import type { StreamRpc } from "../wire/services.js";
import { beginWatch, brokenWatch, type DoorContext, type Way } from "./answering.js";
import { Pulse } from "./pulse.js";
import { EVENTS, STATE, type Telling } from "./tellings.js";

/** Where a stream leads. */
export interface Outlet {
  /** Sends a message, and calls back when it is handed on. */
  write(bytes: Uint8Array, sent: () => void): void;
  /** Ends the stream with why. */
  end(why: Refusal): void;
}

/** A stream that was begun, as whoever knows of its connection has it. */
export interface Begun {
  /** Ends it with why, unless it has ended. */
  end(why: Refusal): void;
  /** Its reader has gone. */
  close(): void;
}

/** How much is handed over before what was handed over before is sent. */
const IN_FLIGHT_BYTES = 262_144;

/** The bytes of a message in which nothing is set. */
const NOTHING = new Uint8Array();

/** All streams of a door. */
export class WatchStreams {
  readonly #context: DoorContext;
  readonly #open = new Set<Begun>();
  /** Why none is begun any more; undefined while some are. */
  #drained: Refusal | undefined;

  constructor(context: DoorContext) {
    this.#context = context;
  }

  /**
   * Begins one.
   *
   * @param asked the bytes of what is asked for, or why there are none
   */
  begin(
    kind: StreamRpc["kind"],
    asked: Uint8Array | Refusal,
    way: Pick<Way, "method" | "refusal">,
    outlet: Outlet,
  ): Begun {
    switch (kind) {
      case "watch":
        return this.#begin(EVENTS, asked, way, outlet);
      case "follow":
        return this.#begin(STATE, asked, way, outlet);
    }
  }

  #begin<A extends { readonly sessionId: string }, T>(
    telling: Telling<A, T>,
    asked: Uint8Array | Refusal,
    way: Pick<Way, "method" | "refusal">,
    outlet: Outlet,
  ): Begun {
    const stream = new WatchStream(this.#context, telling, outlet, () => this.#open.delete(stream));
    this.#open.add(stream);
    stream.begin(this.#drained ?? (asked instanceof Refusal ? asked : telling.asked(asked)), way);
    return stream;
  }

  /** Ends all of them, and at once those that are begun later: a server that closes does not wait for clients to end them. */
  drain(): void {
    this.#drained = new Refusal("SHUTTING_DOWN", "the bridge is shutting down; resume elsewhere or later");
    for (const stream of this.#open) stream.end(this.#drained);
  }
}

class WatchStream<A extends { readonly sessionId: string }, T> implements Begun {
  readonly #context: DoorContext;
  readonly #telling: Telling<A, T>;
  readonly #outlet: Outlet;
  readonly #left: () => void;
  #subscription: Subscription<T> | undefined;
  readonly #pulse: Pulse;
  /** Where its reader stands; undefined: it was told nothing yet. */
  #point: Revision | undefined;
  /** True if what was told last is a part, and the rest is to come. */
  #isAmid = false;
  #isQuiet = false;
  #inFlightBytes = 0;
  #closed = false;

  constructor(context: DoorContext, telling: Telling<A, T>, outlet: Outlet, left: () => void) {
    this.#context = context;
    this.#telling = telling;
    this.#outlet = outlet;
    this.#left = left;
    this.#pulse = new Pulse(context.clock, () => this.#beat());
  }

  begin(asked: A | Refusal, way: Pick<Way, "method" | "refusal">): void {
    this.#pulse.start();
    void beginWatch(this.#context, way, this.#telling, asked, (subscription) => {
      this.#subscription = subscription;
      this.#flush();
    }).then((begun) => {
      if (begun instanceof Refusal) this.end(begun);
      // The caller may have gone before it began.
      else if (this.#closed) begun.close();
    });
  }

  end(why: Refusal): void {
    if (this.#closed) return;
    this.#outlet.end(why);
    this.close();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#pulse.stop();
    this.#subscription?.close();
    this.#left();
  }

  /** Tells what there is to tell. It is called in the middle of a commit, which is not to suffer from a bug in here. */
  #flush(): void {
    try {
      this.#tell();
    } catch (error) {
      this.end(brokenWatch(this.#context.logger, error));
    }
  }

  #tell(): void {
    while (!this.#closed && this.#inFlightBytes < IN_FLIGHT_BYTES) {
      const told = this.#subscription?.take();
      if (told === undefined) return;
      if (told instanceof Refusal) return this.end(told);
      this.#point = this.#telling.pointAfter(told);
      this.#isAmid = this.#telling.goesOn(told);
      this.#isQuiet = false;
      this.#write(this.#telling.bytes(told, this.#context.engine.limits.maxMessageBytes));
    }
  }

  #write(bytes: Uint8Array): void {
    this.#inFlightBytes += bytes.length;
    this.#outlet.write(bytes, () => {
      this.#inFlightBytes -= bytes.length;
      this.#flush();
    });
  }

  /**
   * Says where its reader stands if it was told nothing since the last look, and nothing is on its way. While it has not begun,
   * as its session is still being read from a file, that is nothing: a sign of life.
   */
  #beat(): void {
    const isIdle = this.#inFlightBytes === 0 && !this.#isAmid;
    if (this.#isQuiet && isIdle)
      this.#write(this.#point === undefined ? NOTHING : this.#telling.standing(this.#point));
    this.#isQuiet = !this.#isQuiet;
  }
}
