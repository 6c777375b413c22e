/**
 * The handler of channels: one stream for a client process. Commands are given to the engine in the order in which they
 * come, and each is answered when it is ready; what is ready in the same turn of the loop leaves in one message.
 *
 * Watches take their turn among the commands, and what they tell is said in order with the replies (`turns.ts`).
 *
 * A client that does not read, or asks for more than it waits for, slows itself down and nobody else: nothing more is read
 * from it while too much is under way or unsent (P9).
 */
import type { handleBidiStreamingCall, ServerDuplexStream } from "@grpc/grpc-js";
import { quoteName } from "../../core/names.js";
import { Refusal } from "../../core/refusal.js";
import {
  CHANNEL_MESSAGE_BYTES,
  type ChannelRequest,
  commandFromBytes,
  eventMessages,
  goingAway,
  PROTOCOL,
  replyBytes,
  replyMessages,
  serverHello,
  signOfLife,
} from "../../wire/channel.js";
import { Outbox } from "../../wire/outbox.js";
import { Parts } from "../../wire/parts.js";
import { answer, beginWatch, brokenWatch, type DoorContext, tooLong } from "../answering.js";
import { refuseClient } from "../client-version.js";
import { Pulse } from "../pulse.js";
import { EVENTS, STATE, type Telling } from "../tellings.js";
import { ChannelWatch } from "./channel-watch.js";
import { claimOf } from "./claims.js";
import { refused } from "./refused.js";
import { type Said, Turns } from "./turns.js";

type Requests = ChannelRequest | Refusal;
type Stream = ServerDuplexStream<Requests, Uint8Array>;

/** While a channel has more than this under way or unsent, nothing more is read from it. */
const MOST_COMMANDS = 10_000;
const MOST_BYTES = 8 * 1_048_576;
/** How much is handed to gRPC before it has sent what it was handed before. */
const IN_FLIGHT_BYTES = 524_288;

/** All open channels of a server. */
export class Channels {
  readonly #context: DoorContext;
  readonly #version: string;
  readonly #open = new Set<Channel>();
  #draining = false;

  /** `version` is told to clients. */
  constructor(context: DoorContext, version: string) {
    this.#context = context;
    this.#version = version;
  }

  /** Serves one. */
  readonly handler: handleBidiStreamingCall<Requests, Uint8Array> = (stream) => {
    const channel = new Channel(this.#context, this.#version, stream, () => this.#open.delete(channel));
    this.#open.add(channel);
    if (this.#draining) channel.drain();
  };

  /** Ends all channels when what was sent on them is answered; so a server that closes waits for no client. */
  drain(): void {
    this.#draining = true;
    for (const channel of this.#open) channel.drain();
  }
}

class Channel {
  readonly #context: DoorContext;
  readonly #version: string;
  readonly #stream: Stream;
  readonly #ended: () => void;
  /** Why this client may ask nothing but what this is. */
  readonly #refusal: Refusal | undefined;
  readonly #parts: Parts;
  readonly #turns = new Turns();
  readonly #outbox = new Outbox();
  readonly #watches = new Map<number, ChannelWatch>();
  readonly #pulse: Pulse;
  /** The commands that have not been answered, and the bytes that they came in. */
  readonly #running = new Map<number, number>();
  #runningBytes = 0;
  #inFlightBytes = 0;
  #greeted = false;
  #flushes = false;
  #draining = false;
  /** True when nothing more is said. */
  #closed = false;

  constructor(context: DoorContext, version: string, stream: Stream, ended: () => void) {
    this.#context = context;
    this.#version = version;
    this.#stream = stream;
    this.#ended = ended;
    this.#refusal = refuseClient(claimOf(stream.metadata));
    this.#parts = new Parts(context.engine.limits.maxMessageBytes);
    this.#pulse = new Pulse(context.clock, () => this.#beat());
    stream.on("data", (request: Requests) => this.#receive(request));
    // The client has said all that it wanted to say.
    stream.on("end", () => this.drain());
    stream.on("cancelled", () => this.#close());
    stream.on("close", () => this.#close());
    stream.on("error", () => this.#close());
  }

  /** Takes no more commands, answers what is under way, ends watches, and ends. */
  drain(): void {
    if (this.#draining || this.#closed) return;
    this.#draining = true;
    this.#outbox.add(goingAway());
    for (const watch of this.#watches.values())
      this.#endWatch(
        watch,
        new Refusal("SHUTTING_DOWN", "the bridge is shutting down; resume elsewhere or later"),
      );
    this.#flushLater();
  }

  #receive(request: Requests): void {
    // What is read after it was told to go elsewhere is not carried out.
    if (this.#draining || this.#closed) return;
    if (request instanceof Refusal) return this.#fail(request);
    if (!this.#greeted && !this.#greet(request)) return;
    for (const { id, timeoutMs, command, more, watch, state } of request.commands) {
      const whole = this.#parts.add({ id, bytes: command, more });
      if (whole === undefined) continue;
      if (this.#running.has(id) || this.#watches.has(id)) return this.#fail(underWay(id));
      if (whole instanceof Uint8Array) {
        if (state) this.#beginWatch(id, whole, STATE);
        else if (watch) this.#beginWatch(id, whole, EVENTS);
        else this.#begin(id, whole, timeoutMs);
      } else if (whole.kind === "too long") this.#refuse(id, tooLong(whole.bytes, this.#maxBytes));
      else return this.#fail(outOfTurn(id, whole.expectedId));
    }
    // What was begun and is not wanted any more may stand in one message.
    for (const id of request.cancelled) this.#forget(id);
    this.#throttle();
  }

  get #maxBytes(): number {
    return this.#context.engine.limits.maxMessageBytes;
  }

  /** True if this is a client that can be understood. */
  #greet({ hello }: ChannelRequest): boolean {
    if (hello?.protocol === PROTOCOL) {
      this.#greeted = true;
      this.#outbox.add(serverHello(this.#version));
      this.#flushLater();
      return true;
    }
    const speaks = `this server is of version ${this.#version} and speaks version ${PROTOCOL} of the protocol`;
    const text =
      hello === undefined
        ? "the first message of a channel has to say hello"
        : `${speaks}; the client of version ${quoteName(hello.version)} speaks ${hello.protocol}: make both the same version`;
    this.#fail(new Refusal("INVALID_ARGUMENT", text, { field: "hello" }));
    return false;
  }

  #begin(id: number, bytes: Uint8Array, timeoutMs: number | undefined): void {
    const deadline = timeoutMs === undefined ? undefined : this.#context.clock.now() + timeoutMs;
    this.#running.set(id, bytes.length);
    this.#runningBytes += bytes.length;
    void answer(this.#context, commandFromBytes(bytes), {
      method: "Channel",
      deadline,
      encode: replyBytes,
      refusal: this.#refusal,
    }).then((reply) => this.#answered(id, bytes.length, reply));
  }

  #answered(id: number, bytes: number, reply: Uint8Array | Refusal): void {
    this.#runningBytes -= bytes;
    // It may have been cancelled.
    if (this.#running.delete(id)) this.#reply(id, reply);
    this.#throttle();
    this.#endIfDone();
  }

  #beginWatch<A extends { readonly sessionId: string }, T>(
    id: number,
    bytes: Uint8Array,
    telling: Telling<A, T>,
  ): void {
    const broken = (error: unknown) => brokenWatch(this.#context.logger, error);
    const watch = new ChannelWatch(id, telling, this.#maxBytes, broken);
    this.#watches.set(id, watch);
    this.#pulse.start();
    const way = { method: "Channel", refusal: this.#refusal };
    void beginWatch(this.#context, way, telling, telling.asked(bytes), (subscription) => {
      this.#turns.addWatch(watch, subscription);
      this.#flushLater();
    }).then((begun) => {
      if (begun instanceof Refusal) this.#endWatch(watch, begun);
      // It may have been cancelled before it began.
      else if (watch.closed) begun.close();
    });
  }

  /** Ends a watch, and says why. */
  #endWatch(watch: ChannelWatch, why: Refusal): void {
    if (watch.closed) return;
    this.#stopWatch(watch);
    this.#refuse(watch.id, why);
  }

  #stopWatch(watch: ChannelWatch): void {
    watch.close();
    this.#watches.delete(watch.id);
    if (this.#watches.size === 0) this.#pulse.stop();
  }

  /** Says of watches that are told nothing where they stand. What waits says more, and is not overtaken. */
  #beat(): void {
    if (!this.#turns.isEmpty || this.#outbox.bytes > 0) return;
    for (const watch of this.#watches.values()) {
      if (!watch.looksQuiet()) continue;
      const { standing } = watch;
      const messages = standing === undefined ? [signOfLife()] : eventMessages(watch.id, standing);
      for (const message of messages) this.#outbox.add(message);
      this.#flushLater();
    }
  }

  /** Nobody waits for the answer any more, or for what a watch tells. */
  #forget(id: number): void {
    this.#running.delete(id);
    const watch = this.#watches.get(id);
    if (watch !== undefined) this.#stopWatch(watch);
  }

  #refuse(id: number, refusal: Refusal): void {
    this.#reply(id, refusal);
  }

  #reply(id: number, reply: Uint8Array | Refusal): void {
    this.#turns.addReply(id, reply instanceof Refusal ? replyBytes(reply) : reply);
    this.#flushLater();
  }

  #flushLater(): void {
    if (this.#flushes || this.#closed) return;
    this.#flushes = true;
    // After all that becomes ready in this turn of the loop.
    process.nextTick(() => {
      this.#flushes = false;
      this.#flush();
    });
  }

  /** Makes messages of what has its turn, enough for one to be sent. */
  #fill(): void {
    while (this.#outbox.bytes < CHANNEL_MESSAGE_BYTES) {
      const said = this.#turns.take();
      if (said === undefined) return;
      for (const message of this.#messages(said)) this.#outbox.add(message);
    }
  }

  #messages(said: Said): Uint8Array[] {
    if (!("watch" in said)) return replyMessages(said.id, said.reply);
    const { watch, told } = said;
    if (!(told instanceof Refusal)) return eventMessages(watch.id, told);
    this.#stopWatch(watch);
    return replyMessages(watch.id, replyBytes(told));
  }

  #flush(): void {
    while (!this.#closed && this.#inFlightBytes < IN_FLIGHT_BYTES) {
      this.#fill();
      const message = this.#outbox.take();
      if (message === undefined) break;
      const { length } = message;
      this.#inFlightBytes += length;
      this.#stream.write(message, () => {
        this.#inFlightBytes -= length;
        this.#flush();
      });
    }
    this.#throttle();
    this.#endIfDone();
  }

  /** Reads on, or not. */
  #throttle(): void {
    if (this.#closed) return;
    const isBusy =
      this.#running.size > MOST_COMMANDS ||
      this.#runningBytes > MOST_BYTES ||
      this.#turns.replyBytes + this.#outbox.bytes + this.#inFlightBytes > MOST_BYTES;
    if (isBusy !== this.#stream.isPaused()) isBusy ? this.#stream.pause() : this.#stream.resume();
  }

  #endIfDone(): void {
    if (!this.#draining || this.#closed || this.#running.size > 0) return;
    if (!this.#turns.isEmpty || this.#outbox.bytes > 0) return;
    this.#stream.end();
    this.#close();
  }

  /** Ends with a status that says why. */
  #fail(refusal: Refusal): void {
    if (this.#closed) return;
    // This is how a stream of grpc-js ends with a status.
    this.#stream.emit("error", refused(refusal, this.#stream.metadata));
    this.#close();
  }

  #close(): void {
    this.#closed = true;
    for (const watch of this.#watches.values()) this.#stopWatch(watch);
    this.#ended();
  }
}

function underWay(id: number): Refusal {
  return new Refusal("INVALID_ARGUMENT", `command ${id} is under way`, { field: "id" });
}

function outOfTurn(id: number, expectedId: number): Refusal {
  const text = `a part of command ${id} came before the last one of command ${expectedId}`;
  return new Refusal("INVALID_ARGUMENT", text, { field: "commands" });
}
