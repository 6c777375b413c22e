/** A channel as its bytes: it sends what a test says and shows what comes back. For tests of the door only. */
import { Client, type ClientDuplexStream, credentials, type StatusObject } from "@grpc/grpc-js";
import type { Command, Reply } from "../../core/commands.js";
import { Refusal } from "../../core/refusal.js";
import type { Follow, StateUpdate } from "../../core/state-update.js";
import type { Told, Watch } from "../../core/watch.js";
import { stepOf } from "../../testing/watch-forms.contract.js";
import type { OpenReading } from "../../testing/watch-readings.contract.js";
import { noteWatch } from "../../testing/watch-witness.contract.js";
import {
  CHANNEL,
  type ChannelResponse,
  clientHello,
  commandBytes,
  commandMessages,
  followBytes,
  followMessages,
  readResponse,
  replyFromBytes,
  toldFromBytes,
  updateFromBytes,
  watchBytes,
  watchFromBytes,
  watchMessages,
} from "../../wire/channel.js";
import { joined, Parts } from "../../wire/parts.js";
import { refusalFromDetails } from "../../wire/status.js";

/** How a channel ended. */
export interface Ending {
  readonly code: number;
  readonly message: string;
  readonly refusal: Refusal | undefined;
}

export class RawChannel {
  /** All messages so far, with their lengths. */
  readonly messages: { readonly response: ChannelResponse; readonly bytes: number }[] = [];
  /** What watches told, by their numbers, with the message that it came in. */
  readonly told = new Map<number, { readonly told: Told; readonly message: number }[]>();
  /** What followers are told, as `told`. */
  readonly updates = new Map<number, { readonly update: StateUpdate; readonly message: number }[]>();
  readonly replies = new Map<number, Reply | Refusal>();
  readonly ended: Promise<Ending>;
  readonly stream: ClientDuplexStream<Buffer, Buffer>;
  readonly #client: Client;
  readonly #parts = new Parts(64 * 1_048_576);
  readonly #eventParts = new Parts(64 * 1_048_576);
  /** What each watch was told, for those who hold it against what happened. */
  readonly #witnessed = new Map<number, OpenReading>();
  /** The numbers that states are told with. */
  readonly #followed = new Set<number>();
  readonly #waiting = new Set<() => void>();

  constructor(address: string) {
    this.#client = new Client(address, credentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1,
      "grpc.max_receive_message_length": -1,
    });
    this.stream = this.#client.makeBidiStreamRequest<Buffer, Buffer>(CHANNEL.path, asIs, asIs);
    this.stream.on("error", () => {});
    this.stream.on("data", (bytes: Buffer) => this.#receive(bytes));
    this.ended = new Promise((resolve) => {
      this.stream.on("status", ({ code, details, metadata }: StatusObject) => {
        const content = metadata.get("grpc-status-details-bin")[0];
        const refusal = Buffer.isBuffer(content) ? refusalFromDetails(content) : undefined;
        resolve({ code, message: details, refusal });
      });
    });
  }

  /** Sends messages as one. */
  send(...messages: Uint8Array[]): void {
    const length = messages.reduce((sum, message) => sum + message.length, 0);
    this.stream.write(Buffer.from(joined(messages, length)));
  }

  hello(): void {
    this.send(clientHello("1.2.3"));
  }

  /** Sends commands in one message, numbered from `firstId`. */
  ask(firstId: number, ...commands: Command[]): void {
    this.send(
      ...commands.flatMap((command, i) => commandMessages(firstId + i, 60_000, commandBytes(command))),
    );
  }

  /** Asks for a watch of a session, of all of it unless told otherwise. */
  watch(id: number, sessionId: string, more: Partial<Watch> = {}): void {
    this.send(...this.watching(id, watchBytes({ sessionId, names: [], passive: false, ...more })));
  }

  /** The messages that ask for a watch, which is witnessed from now on if there can be one. */
  watching(id: number, asked: Uint8Array): Uint8Array[] {
    const watch = watchFromBytes(asked);
    if (!(watch instanceof Refusal)) this.#witnessed.set(id, noteWatch(watch));
    return watchMessages(id, asked);
  }

  /** Follows the state of a session. */
  follow(id: number, sessionId: string, more: Partial<Follow> = {}): void {
    this.#followed.add(id);
    this.send(...followMessages(id, followBytes({ sessionId, passive: false, ...more })));
  }

  /** The reply to a command, when it has come. */
  async reply(id: number): Promise<Reply | Refusal> {
    await this.until(() => this.replies.has(id));
    return this.replies.get(id) as Reply | Refusal;
  }

  /** Done when a condition holds after a message. */
  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!holds()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  close(): void {
    this.stream.cancel();
    this.#client.close();
  }

  #receive(bytes: Buffer): void {
    const response = readResponse(bytes);
    if (response instanceof Refusal) throw new Error(response.message);
    this.messages.push({ response, bytes: bytes.length });
    for (const { id, event, more } of response.events) {
      const whole = this.#eventParts.add({ id, bytes: event, more });
      if (whole === undefined) continue;
      if (!(whole instanceof Uint8Array)) throw new Error(`event ${id} is ${whole.kind}`);
      const message = this.messages.length;
      if (this.#followed.has(id)) {
        const updates = this.updates.get(id) ?? [];
        this.updates.set(id, updates);
        updates.push({ update: updateFromBytes(whole), message });
      } else {
        const all = this.told.get(id) ?? [];
        this.told.set(id, all);
        const told = toldFromBytes(whole);
        all.push({ told, message });
        const witnessed = this.#witnessed.get(id);
        if (witnessed === undefined) throw new Error(`watch ${id} was asked for without a witness`);
        witnessed.step(stepOf(told));
      }
    }
    for (const { id, reply, more } of response.replies) {
      const whole = this.#parts.add({ id, bytes: reply, more });
      if (whole instanceof Uint8Array) this.replies.set(id, replyFromBytes(whole));
      else if (whole !== undefined) throw new Error(`reply ${id} is ${whole.kind}`);
    }
    for (const look of this.#waiting) look();
  }
}

/** For a door to an engine that nobody watches. */
export function noWatch(): Promise<never> {
  return Promise.reject(new Error("nobody watches"));
}

function asIs(bytes: Buffer): Buffer {
  return bytes;
}
