/**
 * One stream to a bridge. It carries commands and brings replies until it ends, which it does once; what it has not
 * answered by then is lost. What is sent in the same turn of the loop leaves in one message.
 */
import { type Client, type ClientDuplexStream, Metadata, type StatusObject } from "@grpc/grpc-js";
import { Refusal } from "../../core/refusal.js";
import { VERSION } from "../../version.js";
import {
  CHANNEL,
  cancellation,
  clientHello,
  commandMessages,
  followMessages,
  readResponse,
  watchMessages,
} from "../../wire/channel.js";
import { CLIENT_KEY } from "../../wire/keys.js";
import { Outbox } from "../../wire/outbox.js";
import { Parts } from "../../wire/parts.js";
import { STATUS } from "../outcome.js";
import { LONGEST_REPLY_BYTES } from "./transport.js";

/** What a stream tells. */
export interface ChannelEvents {
  /** Something has come, whatever it is. */
  heard(): void;
  /** The bytes of what a watch tells. */
  told(id: number, bytes: Uint8Array): void;
  /** The bytes of a reply. What was told before it is told before. */
  replied(id: number, bytes: Uint8Array): void;
  /** The server takes no more commands on this stream; what it has taken it answers. */
  goingAway(): void;
  /** Nothing follows. */
  ended(status: Pick<StatusObject, "code" | "details" | "metadata">): void;
}

/** How much is handed to gRPC before it has sent what it was handed before. */
const IN_FLIGHT_BYTES = 524_288;

export class ChannelStream {
  readonly #stream: ClientDuplexStream<Buffer, Buffer>;
  readonly #events: ChannelEvents;
  readonly #parts = new Parts(LONGEST_REPLY_BYTES);
  readonly #eventParts = new Parts(LONGEST_REPLY_BYTES);
  readonly #outbox = new Outbox();
  #inFlightBytes = 0;
  #flushes = false;
  #ended = false;

  /** Opens a stream on a connection that stands. */
  constructor(client: Client, events: ChannelEvents) {
    this.#events = events;
    const metadata = new Metadata();
    metadata.set(CLIENT_KEY, `typescript/${VERSION}`);
    this.#stream = client.makeBidiStreamRequest<Buffer, Buffer>(CHANNEL.path, asItIs, asItIs, metadata);
    this.#stream.on("data", (bytes: Buffer) => this.#receive(bytes));
    this.#stream.on("status", (status: StatusObject) => this.#end(status));
    // The status says the same.
    this.#stream.on("error", () => {});
    this.#say(clientHello(VERSION));
  }

  /** Sends a command; `timeoutMs` is how long its reply is waited for. */
  send(id: number, timeoutMs: number, command: Uint8Array): void {
    for (const message of commandMessages(id, timeoutMs, command)) this.#say(message);
  }

  /** Asks to be told events. */
  watch(id: number, asked: Uint8Array): void {
    for (const message of watchMessages(id, asked)) this.#say(message);
  }

  /** Asks to be told the state. */
  follow(id: number, asked: Uint8Array): void {
    for (const message of followMessages(id, asked)) this.#say(message);
  }

  /** Says that nobody waits for a reply any more, or reads a watch. */
  cancel(id: number): void {
    this.#say(cancellation(id));
  }

  /** Ends the stream without another word. */
  close(): void {
    this.#ended = true;
    this.#stream.cancel();
  }

  /** Ends the stream from this side, since it is of no more use, as if the server had ended it so. */
  giveUp(code: number, details: string): void {
    this.#stream.cancel();
    this.#end({ code, details, metadata: new Metadata() });
  }

  #receive(bytes: Buffer): void {
    if (this.#ended) return;
    this.#events.heard();
    const response = readResponse(bytes);
    if (response instanceof Refusal) return this.giveUp(STATUS.INTERNAL, response.message);
    for (const { id, event, more } of response.events) {
      const whole = this.#eventParts.add({ id, bytes: event, more });
      if (whole === undefined) continue;
      if (!(whole instanceof Uint8Array))
        return this.giveUp(STATUS.INTERNAL, `the parts of event ${id} are ${whole.kind}`);
      this.#events.told(id, whole);
      if (this.#ended) return;
    }
    for (const { id, reply, more } of response.replies) {
      const whole = this.#parts.add({ id, bytes: reply, more });
      if (whole === undefined) continue;
      if (!(whole instanceof Uint8Array))
        return this.giveUp(STATUS.INTERNAL, `the parts of reply ${id} are ${whole.kind}`);
      this.#events.replied(id, whole);
      // Whoever was told may have closed the stream.
      if (this.#ended) return;
    }
    if (response.goingAway) this.#events.goingAway();
  }

  #end(status: Parameters<ChannelEvents["ended"]>[0]): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#events.ended(status);
  }

  #say(message: Uint8Array): void {
    if (this.#ended) return;
    this.#outbox.add(message);
    if (this.#flushes) return;
    this.#flushes = true;
    process.nextTick(() => {
      this.#flushes = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (!this.#ended && this.#inFlightBytes < IN_FLIGHT_BYTES) {
      const message = this.#outbox.take();
      if (message === undefined) return;
      const { buffer, byteOffset, byteLength } = message;
      this.#inFlightBytes += byteLength;
      // gRPC writes Buffers only. No byte is copied.
      this.#stream.write(Buffer.from(buffer, byteOffset, byteLength), () => {
        this.#inFlightBytes -= byteLength;
        this.#flush();
      });
    }
  }
}

function asItIs(bytes: Buffer): Buffer {
  return bytes;
}
