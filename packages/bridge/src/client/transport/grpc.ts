/**
 * The transport to a bridge elsewhere: all calls of a client share one stream (`grpc-link.ts`).
 *
 * A command is made into bytes once, so that every attempt is the same request under the same request id.
 */
import { Client, credentials } from "@grpc/grpc-js";
import type { Clock } from "../../core/clock.js";
import type { Command, Reply, ReplyTo } from "../../core/commands.js";
import { type BridgeError, errorFor } from "../../core/errors.js";
import type { Follow } from "../../core/state-update.js";
import type { Watch } from "../../core/watch.js";
import {
  commandBytes,
  followBytes,
  replyFromBytes,
  updateFromBytes,
  watchBytes,
} from "../../wire/channel.js";
import type { OnAbort } from "./abort.js";
import { checkAddress } from "./address.js";
import { carry } from "./errand.js";
import { Link } from "./grpc-link.js";
import { CHANNEL_OPTIONS } from "./grpc-options.js";
import { WatchErrand, type WatchErrandOptions } from "./grpc-watch.js";
import { nodeOperator } from "./node-operator.js";
import { nodeTurn } from "./node-turn.js";
import { type Lost, type Rest, Resting } from "./resting.js";
import { systemClock } from "./system-clock.js";
import { ToldReader } from "./told-reader.js";
import type { CallOptions, FollowReader, Transport, WatchReader } from "./transport.js";
import { UnderWay } from "./under-way.js";

export interface GrpcTransportOptions {
  /** How long a call waits that says nothing else, in milliseconds. Default: 5,000. */
  readonly timeoutMs?: number;
  /** What calls, and the pauses between attempts, are measured by. */
  readonly clock?: Clock;
  /** Numbers from [0, 1) that spread the attempts of many clients. */
  readonly random?: () => number;
}

export class GrpcTransport implements Transport {
  readonly address: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly operator = nodeOperator;
  readonly turn = nodeTurn;
  readonly #link: Link;
  readonly #resting: Resting;
  readonly #underWay: UnderWay;
  readonly #watches = new Set<WatchErrand<unknown>>();
  readonly #toldReader = new ToldReader();

  /** Connects with the first call. */
  constructor(address: string, options: GrpcTransportOptions = {}) {
    const { timeoutMs, clock = systemClock, random = Math.random } = options;
    this.address = checkAddress(address);
    this.#underWay = new UnderWay(() => this.#wasClosed(), timeoutMs);
    this.timeoutMs = this.#underWay.timeoutMs;
    this.clock = clock;
    this.#resting = new Resting(clock, random);
    this.#link = new Link({
      connect: (how) => clientOf(address, how),
      clock,
      random,
      reached: () => nodeOperator.notice({ event: "connect", address }),
      heard: () => this.#resting.heard(),
    });
  }

  call<C extends Command>(command: C, options?: CallOptions): Promise<ReplyTo<C["kind"]>> {
    return this.#underWay.call<C>(options, (timeoutMs, onAbort) => this.#carry(command, timeoutMs, onAbort));
  }

  watch(watch: Watch, reader: WatchReader): () => void {
    return this.#subscribe({
      asks: "events",
      bytes: watchBytes(watch),
      read: (bytes) => this.#toldReader.read(bytes, this.#watches.size > 1),
      told: (told) => reader.told(told),
      ended: (error) => reader.ended(error),
    });
  }

  follow(follow: Follow, reader: FollowReader): () => void {
    return this.#subscribe({
      asks: "state",
      bytes: followBytes(follow),
      read: updateFromBytes,
      told: (update) => reader.updated(update),
      ended: (error) => reader.ended(error),
    });
  }

  rest(lost: Lost, then: () => void): Rest {
    return this.#resting.rest(lost, then);
  }

  #subscribe<T>(options: Omit<WatchErrandOptions<T>, "address">): () => void {
    const errand = new WatchErrand<T>({
      ...options,
      address: this.address,
      ended: (error) => {
        this.#watches.delete(errand);
        options.ended(error);
      },
    });
    this.#watches.add(errand);
    if (this.#underWay.isClosed) queueMicrotask(() => errand.close(this.#wasClosed()));
    else this.#link.submit(errand);
    return () => {
      errand.stop();
      this.#watches.delete(errand);
      this.#link.withdraw(errand);
    };
  }

  #wasClosed(): BridgeError {
    return errorFor("CLOSED", `the client of ${this.address} was closed`);
  }

  async close(): Promise<void> {
    this.#underWay.close();
    for (const errand of this.#watches) {
      this.#link.withdraw(errand);
      errand.close(this.#wasClosed());
    }
    this.#resting.close();
    await this.#underWay.ended();
    this.#link.close();
  }

  #carry(command: Command, timeoutMs: number, onAbort: OnAbort): Promise<Reply> {
    const { address, clock } = this;
    return carry(
      {
        address,
        command,
        bytes: commandBytes(command),
        read: replyFromBytes,
        advice: "Is the address right? `npx snakepit-bridge serve` starts a bridge at 127.0.0.1:50051",
        timeoutMs,
      },
      { clock, onAbort, carrier: this.#link },
    );
  }
}

function clientOf(address: string, how: "shared" | "alone"): Client {
  const options = how === "alone" ? { "grpc.use_local_subchannel_pool": 1 } : {};
  return new Client(address, credentials.createInsecure(), { ...CHANNEL_OPTIONS, ...options });
}
