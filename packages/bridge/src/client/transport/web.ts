/**
 * The transport of a page: each call is a request, and each watch one whose answer goes on. So answers, and what watches tell,
 * come on separate connections, of which a browser has few; what a channel does by its order is done here by waiting.
 *
 * A command is made into bytes once, so that every attempt is the same request under the same request id.
 */
import type { Clock } from "../../core/clock.js";
import type { Command, Reply, ReplyTo, Revision } from "../../core/commands.js";
import { BridgeError, errorFor } from "../../core/errors.js";
import type { Follow } from "../../core/state-update.js";
import { pointAfter } from "../../core/told-queue.js";
import type { Watch } from "../../core/watch.js";
import { type Rpc, SERVICES, type StreamRpc } from "../../wire/services.js";
import { followBytes, updateFromBytes } from "../../wire/state-codecs.js";
import { toldFromBytes, watchBytes } from "../../wire/watch-codecs.js";
import type { Operator } from "../operator.js";
import { INDEFINITE, STATUS } from "../outcome.js";
import { OF_THE_STATE } from "../own-calls.js";
import { AbortWatch, type OnAbort } from "./abort.js";
import { Errand, type Failed, NOT_HANDED_OVER } from "./errand.js";
import { type Lost, type Rest, Resting } from "./resting.js";
import { systemClock } from "./system-clock.js";
import {
  CATCH_UP_MS,
  type CallOptions,
  checkTimeout,
  DEFAULT_TIMEOUT_MS,
  type FollowReader,
  isWrite,
  type Transport,
  type WatchReader,
} from "./transport.js";
import { happensWithin, pause } from "./waiting.js";
import { checkBaseUrl, post } from "./web-http.js";
import { Listeners } from "./web-listeners.js";
import { Order } from "./web-order.js";
import { Position } from "./web-position.js";
import { Reach } from "./web-reach.js";
import { WebStream, type WebStreamOptions } from "./web-stream.js";

export interface WebTransportOptions {
  /** How long a call waits that says nothing else, in milliseconds. Default: 5,000. */
  readonly timeoutMs?: number;
  /** What calls, and the pauses between attempts, are measured by. */
  readonly clock?: Clock;
  /** Numbers from [0, 1) that spread the attempts of many clients. */
  readonly random?: () => number;
}

/**
 * How many streams a client may have. A browser makes six connections to a host and port, for all its pages together, and calls need
 * one.
 */
export const MOST_STREAMS = 4;

/** How long it is waited for a sign that the bridge is there, in milliseconds. */
const REACH_MS = 5_000;

const RPCS = new Map(SERVICES.flatMap(({ rpcs }) => rpcs.map((rpc) => [rpc.kind, rpc])));
const STREAMS = new Map(SERVICES.flatMap(({ streams }) => streams.map((rpc) => [rpc.kind, rpc])));

/** Nobody operates a page but who has opened it, and he has a console. */
const pageOperator: Operator = {
  notice() {},
  warn(warning) {
    console.warn(warning);
  },
};

/** A command on its way. */
interface Delivery {
  readonly errand: Errand;
  readonly command: Command;
  readonly rpc: Rpc;
  readonly signal: AbortSignal;
  /** True while the bridge may have it and has not answered. */
  isHandedOver: boolean;
}

export class WebTransport implements Transport {
  readonly address: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly operator = pageOperator;
  readonly #random: () => number;
  readonly #reach: Reach;
  readonly #resting: Resting;
  readonly #order = new Order();
  readonly #aborts = new AbortWatch();
  readonly #pending = new Set<Promise<unknown>>();
  readonly #streams = new Set<WebStream<unknown>>();
  readonly #listeners: Listeners;
  #closed = false;

  /** Asks nothing before the first call. */
  constructor(baseUrl: string, options: WebTransportOptions = {}) {
    const { timeoutMs = DEFAULT_TIMEOUT_MS, clock = systemClock, random = Math.random } = options;
    this.address = checkBaseUrl(baseUrl);
    this.timeoutMs = checkTimeout(timeoutMs);
    this.clock = clock;
    this.#random = random;
    this.#resting = new Resting(clock, random);
    this.#listeners = new Listeners(clock);
    this.#reach = new Reach({
      clock,
      ask: () => this.#ask(),
      reached: () => this.operator.notice({ event: "connect", address: this.address }),
    });
  }

  async call<C extends Command>(
    command: C,
    { timeoutMs = this.timeoutMs, signal }: CallOptions = {},
  ): Promise<ReplyTo<C["kind"]>> {
    checkTimeout(timeoutMs);
    signal?.throwIfAborted();
    if (this.#closed) throw this.#wasClosed();
    const answer = this.#inTime(command, timeoutMs, this.#aborts.of(signal));
    this.#pending.add(answer);
    try {
      return (await answer) as ReplyTo<C["kind"]>;
    } finally {
      this.#pending.delete(answer);
    }
  }

  watch(watch: Watch, reader: WatchReader): () => void {
    return this.#listen("watch", watch.sessionId, {
      bytes: watchBytes(watch),
      read: toldFromBytes,
      told: (told) => reader.told(told),
      pointAfter,
      ended: (error) => reader.ended(error),
    });
  }

  follow(follow: Follow, reader: FollowReader): () => void {
    return this.#listen("follow", follow.sessionId, {
      bytes: followBytes(follow),
      read: updateFromBytes,
      told: (update) => reader.updated(update),
      pointAfter: ({ revision, more }) => (more ? undefined : revision),
      ended: (error) => reader.ended(error),
    });
  }

  rest(lost: Lost, then: () => void): Rest {
    return this.#resting.rest(lost, then);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const stream of this.#streams) stream.end(this.#wasClosed());
    this.#resting.close();
    // Each of them has its own deadline, so this ends.
    await Promise.allSettled(this.#pending);
  }

  #wasClosed(): BridgeError {
    return errorFor("CLOSED", `the client of ${this.address} was closed`);
  }

  #urlOf({ path }: Pick<Rpc, "path">): string {
    return this.address + path;
  }

  /** Whether the bridge answers. */
  async #ask(): Promise<boolean> {
    const rpc = RPCS.get("ping") as Rpc;
    const abort = new AbortController();
    const cancelTimer = this.clock.setTimer(REACH_MS, () => abort.abort());
    const bytes = rpc.request({ kind: "ping", message: "" });
    const answer = await post({ url: this.#urlOf(rpc), bytes, signal: abort.signal }, REACH_MS);
    cancelTimer();
    return isDefinite(answer);
  }

  // ---- calls

  #carry(command: Command, timeoutMs: number, onAbort: OnAbort): Promise<Reply> {
    const rpc = RPCS.get(command.kind) as Rpc;
    const bytes = rpc.request(command);
    const { address, clock } = this;
    const abort = new AbortController();
    return new Promise((resolve, reject) => {
      const end = (): void => {
        cancelTimer();
        stopListening();
      };
      const errand = new Errand({
        address,
        command,
        bytes,
        read: rpc.reply,
        advice: adviceAt(address),
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
      const delivery = { errand, command, rpc, signal: abort.signal, isHandedOver: false };
      const cancelTimer = clock.setTimer(timeoutMs, () => {
        const status = delivery.isHandedOver ? STATUS.DEADLINE_EXCEEDED : undefined;
        errand.failed({ ...NOT_HANDED_OVER, status }, 0, 1, 0);
        abort.abort();
      });
      const stopListening = onAbort((reason) => {
        errand.aborted(reason);
        abort.abort();
      });
      void this.#deliver(delivery);
    });
  }

  /** Has a command carried out in its turn; its errand tells the caller. */
  async #deliver(delivery: Delivery): Promise<void> {
    const { command, errand, signal } = delivery;
    const end =
      "sessionId" in command ? await this.#order.turn(command.sessionId, isWrite(command.kind)) : () => {};
    for (let attempt = 1; !errand.isSettled; attempt++) {
      const answer = await this.#attempt(delivery);
      // Its caller may have gone.
      if (errand.isSettled) break;
      const timeLeftMs = errand.deadline - this.clock.now();
      const afterMs =
        answer instanceof Uint8Array
          ? errand.answered(answer, timeLeftMs, attempt, this.#random())
          : errand.failed(answer, timeLeftMs, attempt, this.#random());
      // Its errand is settled when it is aborted.
      if (afterMs !== undefined) await pause(afterMs, this.clock, this.#aborts.of(signal)).catch(() => {});
    }
    end();
  }

  async #attempt(delivery: Delivery): Promise<Uint8Array | Failed> {
    const { errand, rpc, signal } = delivery;
    if (!(await this.#reach.isThere()) || errand.isSettled) return NOT_HANDED_OVER;
    const timeLeftMs = Math.max(1, Math.ceil(errand.deadline - this.clock.now()));
    delivery.isHandedOver = true;
    const { bytes } = errand;
    const answer = await post({ url: this.#urlOf(rpc), bytes, signal }, timeLeftMs);
    delivery.isHandedOver = false;
    if (isDefinite(answer)) {
      this.#reach.heard();
      this.#resting.heard();
    } else if (!signal.aborted) this.#reach.lost();
    return answer;
  }

  // ---- answers, and what is told

  /** The answer to a command, when all who listen to its session were told what it is true at (ORD-2), or its caller waits no longer. */
  async #inTime(command: Command, timeoutMs: number, onAbort: OnAbort): Promise<Reply> {
    const { clock } = this;
    const deadline = clock.now() + timeoutMs;
    const answer = this.#carry(command, timeoutMs, onAbort);
    if (!("sessionId" in command)) return answer;
    const { sessionId } = command;
    const wait = async (reaches: (ms: number) => Promise<void>): Promise<void> => {
      if (!this.#listeners.has(sessionId)) return;
      const ms = Math.min(CATCH_UP_MS, deadline - clock.now());
      await happensWithin(reaches(ms), ms, clock, onAbort);
    };
    try {
      const reply = await answer;
      const revision = revisionOf(reply);
      if (revision !== undefined) await wait(() => this.#listeners.reach(sessionId, revision));
      return reply;
    } catch (error) {
      if (error instanceof BridgeError && OF_THE_STATE.has(error.reason))
        await wait((ms) => this.#reachesPresent(sessionId, ms, onAbort));
      throw error;
    }
  }

  /** A refusal does not say what it was true at, so where those who listen have to come to is asked for. */
  async #reachesPresent(sessionId: string, ms: number, onAbort: OnAbort): Promise<void> {
    const asked = this.#carry({ kind: "getSession", sessionId }, ms, onAbort);
    const present = await asked.then(revisionOf, (error: unknown) =>
      error instanceof BridgeError && error.reason === "SESSION_NOT_FOUND" ? ABSENT : undefined,
    );
    if (present !== undefined) await this.#listeners.reach(sessionId, present);
  }

  #listen<T>(
    kind: StreamRpc["kind"],
    sessionId: string,
    { told, pointAfter: pointOf, ...options }: ListenOptions<T>,
  ): () => void {
    const position = new Position();
    const { address, clock } = this;
    const stream: WebStream<T> = new WebStream({
      ...options,
      address,
      clock,
      url: this.#urlOf(STREAMS.get(kind) as StreamRpc),
      reach: this.#reach,
      turn: () => this.#order.turn(sessionId, false),
      heard: () => position.heard(),
      told: (each) => {
        told(each);
        const point = pointOf(each);
        if (point === undefined) return;
        position.moved(point);
        // A bridge that says where things stand, and breaks off, again and again, is no success.
        if (position.timesMoved === 2) this.#resting.heard();
      },
      left: () => {
        position.ended();
        this.#listeners.remove(sessionId, listener);
        this.#streams.delete(stream);
        if (position.timesMoved > 0) this.#resting.hasRoom();
      },
    });
    const listener = { kind, position, giveUp: (details: string) => stream.giveUp(details) };
    if (this.#closed) queueMicrotask(() => stream.end(this.#wasClosed()));
    else if (this.#streams.size >= MOST_STREAMS) queueMicrotask(() => stream.end(tooMany()));
    else {
      this.#streams.add(stream);
      this.#listeners.add(sessionId, listener);
      void stream.begin();
    }
    return () => stream.stop();
  }
}

/** What a stream is asked for, and who is told. */
interface ListenOptions<T> extends Pick<WebStreamOptions<T>, "bytes" | "read" | "told" | "ended"> {
  /** Where what is told leads; undefined: the rest is to come. */
  pointAfter(told: T): Revision | undefined;
}

/** Where a session that does not exist stands. */
const ABSENT: Revision = { incarnation: "", number: 0, check: 0n };

/** What a reply is true at. */
function revisionOf(reply: Reply): Revision | undefined {
  if ("revision" in reply) return reply.revision;
  return "session" in reply ? reply.session.revision : undefined;
}

/** True if it is known by an answer what became of what was asked: that is how a bridge answers, and nothing that has lost one. */
function isDefinite(answer: Uint8Array | Failed): boolean {
  return answer instanceof Uint8Array || answer.refusal !== undefined || !INDEFINITE.has(answer.status);
}

function tooMany(): BridgeError {
  const text =
    `this client follows sessions and watches over ${MOST_STREAMS} streams already, and a browser has few connections: ` +
    "close a session or end a watch";
  return errorFor("TOO_MANY_WATCHES", text);
}

/** What to do where no bridge answers. A browser says the same if the bridge does not let the page ask. */
function adviceAt(address: string): string {
  const { location } = globalThis as { readonly location?: { readonly origin?: string } };
  const origin = location?.origin;
  const advice =
    "Is the address right? `npx snakepit-bridge serve` starts a bridge at http://127.0.0.1:50051";
  return origin === undefined || origin === new URL(address).origin
    ? advice
    : `${advice}, and pages of ${origin} may use it with \`--allow-origin ${origin}\``;
}
