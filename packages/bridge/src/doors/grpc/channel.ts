/**
 * The handler of channels: one stream for a client process. Commands are given to the engine in the order in which they
 * come, and each is answered when it is ready; what is ready in the same turn of the loop leaves in one message.
 *
 * A client that does not read, or asks for more than it waits for, slows itself down and nobody else: nothing more is read
 * from it while too much is under way or unsent (P9).
 */
import type { handleBidiStreamingCall, ServerDuplexStream } from "@grpc/grpc-js";
import { Refusal } from "../../core/refusal.js";
import {
  type ChannelRequest,
  commandFromBytes,
  goingAway,
  PROTOCOL,
  replyBytes,
  replyMessages,
  serverHello,
} from "../../wire/channel.js";
import { Outbox } from "../../wire/outbox.js";
import { Parts } from "../../wire/parts.js";
import { answer, type DoorContext, tooLong } from "./answering.js";
import { refuseClient } from "./client-version.js";
import { refused } from "./refused.js";

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
  readonly #outbox = new Outbox();
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
    this.#refusal = refuseClient(stream.metadata);
    this.#parts = new Parts(context.engine.limits.maxMessageBytes);
    stream.on("data", (request: Requests) => this.#receive(request));
    // The client has said all that it wanted to say.
    stream.on("end", () => this.drain());
    stream.on("cancelled", () => this.#close());
    stream.on("close", () => this.#close());
    stream.on("error", () => this.#close());
  }

  /** Takes no more commands, answers what is under way, and ends. */
  drain(): void {
    if (this.#draining || this.#closed) return;
    this.#draining = true;
    this.#say(goingAway());
    this.#endIfDone();
  }

  #receive(request: Requests): void {
    // What is read after it was told to go elsewhere is not carried out.
    if (this.#draining || this.#closed) return;
    if (request instanceof Refusal) return this.#fail(request);
    if (!this.#greeted && !this.#greet(request)) return;
    for (const id of request.cancelled) this.#forget(id);
    for (const { id, timeoutMs, command, more } of request.commands) {
      const whole = this.#parts.add({ id, bytes: command, more });
      if (whole === undefined) continue;
      if (whole instanceof Uint8Array) this.#begin(id, whole, timeoutMs);
      else if (whole.kind === "too long") this.#refuse(id, tooLong(whole.bytes, this.#maxBytes));
      else return this.#fail(outOfTurn(id, whole.expectedId));
    }
    this.#throttle();
  }

  get #maxBytes(): number {
    return this.#context.engine.limits.maxMessageBytes;
  }

  /** True if this is a client that can be understood. */
  #greet({ hello }: ChannelRequest): boolean {
    if (hello?.protocol === PROTOCOL) {
      this.#greeted = true;
      this.#say(serverHello(this.#version));
      return true;
    }
    const speaks = `this server is of version ${this.#version} and speaks version ${PROTOCOL} of the protocol`;
    const text =
      hello === undefined
        ? "the first message of a channel has to say hello"
        : `${speaks}; the client of version ${hello.version} speaks ${hello.protocol}: make both the same version`;
    this.#fail(new Refusal("INVALID_ARGUMENT", text, { field: "hello" }));
    return false;
  }

  #begin(id: number, bytes: Uint8Array, timeoutMs: number | undefined): void {
    if (this.#running.has(id))
      return this.#fail(new Refusal("INVALID_ARGUMENT", `command ${id} is under way`, { field: "id" }));
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

  /** Nobody waits for the answer any more. */
  #forget(id: number): void {
    this.#running.delete(id);
  }

  #refuse(id: number, refusal: Refusal): void {
    this.#reply(id, refusal);
  }

  #reply(id: number, reply: Uint8Array | Refusal): void {
    const bytes = reply instanceof Refusal ? replyBytes(reply) : reply;
    for (const message of replyMessages(id, bytes)) this.#say(message);
  }

  #say(message: Uint8Array): void {
    if (this.#closed) return;
    this.#outbox.add(message);
    if (this.#flushes) return;
    this.#flushes = true;
    // After all that becomes ready in this turn of the loop.
    process.nextTick(() => {
      this.#flushes = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (!this.#closed && this.#inFlightBytes < IN_FLIGHT_BYTES) {
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
      this.#outbox.bytes + this.#inFlightBytes > MOST_BYTES;
    if (isBusy !== this.#stream.isPaused()) isBusy ? this.#stream.pause() : this.#stream.resume();
  }

  #endIfDone(): void {
    if (!this.#draining || this.#closed || this.#running.size > 0 || this.#outbox.bytes > 0) return;
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
    this.#ended();
  }
}

function outOfTurn(id: number, expectedId: number): Refusal {
  const text = `a part of command ${id} came before the last one of command ${expectedId}`;
  return new Refusal("INVALID_ARGUMENT", text, { field: "commands" });
}
