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
import { AbortWatch, type OnAbort } from "./abort.js";
import { checkAddress } from "./address.js";
import { Errand } from "./errand.js";
import { Link } from "./grpc-link.js";
import { CHANNEL_OPTIONS } from "./grpc-options.js";
import { WatchErrand, type WatchErrandOptions } from "./grpc-watch.js";
import { nodeOperator } from "./node-operator.js";
import { type Lost, type Rest, Resting } from "./resting.js";
import { systemClock } from "./system-clock.js";
import { ToldReader } from "./told-reader.js";
import {
  type CallOptions,
  checkTimeout,
  DEFAULT_TIMEOUT_MS,
  type FollowReader,
  type Transport,
  type WatchReader,
} from "./transport.js";

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
  readonly #link: Link;
  readonly #resting: Resting;
  readonly #aborts = new AbortWatch();
  readonly #pending = new Set<Promise<unknown>>();
  readonly #watches = new Set<WatchErrand<unknown>>();
  readonly #toldReader = new ToldReader();
  #closed = false;

  /** Connects with the first call. */
  constructor(address: string, options: GrpcTransportOptions = {}) {
    const { timeoutMs = DEFAULT_TIMEOUT_MS, clock = systemClock, random = Math.random } = options;
    this.address = checkAddress(address);
    this.timeoutMs = checkTimeout(timeoutMs);
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

  async call<C extends Command>(
    command: C,
    { timeoutMs = this.timeoutMs, signal }: CallOptions = {},
  ): Promise<ReplyTo<C["kind"]>> {
    checkTimeout(timeoutMs);
    signal?.throwIfAborted();
    if (this.#closed) throw this.#wasClosed();
    const answer = this.#carry(command, timeoutMs, this.#aborts.of(signal));
    this.#pending.add(answer);
    try {
      return (await answer) as ReplyTo<C["kind"]>;
    } finally {
      this.#pending.delete(answer);
    }
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
    if (this.#closed) queueMicrotask(() => errand.close(this.#wasClosed()));
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
    this.#closed = true;
    for (const errand of this.#watches) {
      this.#link.withdraw(errand);
      errand.close(this.#wasClosed());
    }
    this.#resting.close();
    // Each of them has its own deadline, so this ends.
    await Promise.allSettled(this.#pending);
    this.#link.close();
  }

  #carry(command: Command, timeoutMs: number, onAbort: OnAbort): Promise<Reply> {
    const bytes = commandBytes(command);
    const { address, clock } = this;
    return new Promise((resolve, reject) => {
      const end = (): void => {
        cancelTimer();
        stopListening();
      };
      const errand = new Errand({
        address,
        command,
        bytes,
        read: replyFromBytes,
        advice: "Is the address right? `npx snakepit-bridge serve` starts a bridge at 127.0.0.1:50051",
        timeoutMs,
        deadline: clock.now() + timeoutMs,
        resolve: (reply) => {
          end();
          resolve(reply);
        },
        reject: (error) => {
          end();
          reject(error);
        },
      });
      const cancelTimer = clock.setTimer(timeoutMs, () => this.#link.expire(errand));
      const stopListening = onAbort((reason) => {
        this.#link.withdraw(errand);
        errand.aborted(reason);
      });
      this.#link.submit(errand);
    });
  }
}

function clientOf(address: string, how: "shared" | "alone"): Client {
  const options = how === "alone" ? { "grpc.use_local_subchannel_pool": 1 } : {};
  return new Client(address, credentials.createInsecure(), { ...CHANNEL_OPTIONS, ...options });
}
