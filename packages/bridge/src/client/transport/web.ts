/**
 * The transport of a page: each call is a request, and each watch one whose answer goes on. So answers, and what watches tell,
 * come on separate connections, of which a browser has few; what a channel does by its order is done here by waiting.
 */
import type { Clock } from "../../core/clock.js";
import type { Command, Reply, ReplyTo, Revision } from "../../core/commands.js";
import { BridgeError, errorFor } from "../../core/errors.js";
import type { Follow } from "../../core/state-update.js";
import { pointAfter } from "../../core/told-queue.js";
import type { Watch } from "../../core/watch.js";
import { SERVICES, type StreamRpc } from "../../wire/services.js";
import { followBytes, updateFromBytes } from "../../wire/state-codecs.js";
import { toldFromBytes, watchBytes } from "../../wire/watch-codecs.js";
import { OF_THE_STATE } from "../own-calls.js";
import type { OnAbort } from "./abort.js";
import { type Lost, type Rest, Resting } from "./resting.js";
import { systemClock } from "./system-clock.js";
import {
  CATCH_UP_MS,
  type CallOptions,
  type FollowReader,
  type Transport,
  type WatchReader,
} from "./transport.js";
import { UnderWay } from "./under-way.js";
import { happensWithin } from "./waiting.js";
import { WebCalls } from "./web-calls.js";
import { checkBaseUrl } from "./web-http.js";
import { Listeners } from "./web-listeners.js";
import { Order } from "./web-order.js";
import { pageOperator, pageTurn } from "./web-page.js";
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

const STREAMS = new Map(SERVICES.flatMap(({ streams }) => streams.map((rpc) => [rpc.kind, rpc])));

export class WebTransport implements Transport {
  readonly address: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly operator = pageOperator;
  readonly turn = pageTurn;
  readonly #reach: Reach;
  readonly #resting: Resting;
  readonly #order = new Order();
  readonly #calls: WebCalls;
  readonly #underWay: UnderWay;
  readonly #streams = new Set<WebStream<unknown>>();
  readonly #listeners: Listeners;

  /** Asks nothing before the first call. */
  constructor(baseUrl: string, options: WebTransportOptions = {}) {
    const { timeoutMs, clock = systemClock, random = Math.random } = options;
    this.address = checkBaseUrl(baseUrl);
    this.#underWay = new UnderWay(() => this.#wasClosed(), timeoutMs);
    this.timeoutMs = this.#underWay.timeoutMs;
    this.clock = clock;
    this.#resting = new Resting(clock, random);
    this.#listeners = new Listeners(clock);
    const { address } = this;
    this.#reach = new Reach({
      address,
      clock,
      reached: () => this.operator.notice({ event: "connect", address }),
    });
    this.#calls = new WebCalls({
      address,
      clock,
      random,
      order: this.#order,
      reach: this.#reach,
      heard: () => this.#resting.heard(),
    });
  }

  call<C extends Command>(command: C, options?: CallOptions): Promise<ReplyTo<C["kind"]>> {
    return this.#underWay.call<C>(options, (timeoutMs, onAbort) => this.#inTime(command, timeoutMs, onAbort));
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
    this.#underWay.close();
    for (const stream of this.#streams) stream.end(this.#wasClosed());
    this.#resting.close();
    await this.#underWay.ended();
  }

  #wasClosed(): BridgeError {
    return errorFor("CLOSED", `the client of ${this.address} was closed`);
  }

  /** The answer to a command, when all who listen to its session were told what it is true at (ORD-2), or its caller waits no longer. */
  async #inTime(command: Command, timeoutMs: number, onAbort: OnAbort): Promise<Reply> {
    const { clock } = this;
    const deadline = clock.now() + timeoutMs;
    const answer = this.#calls.carry(command, timeoutMs, onAbort);
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
    const asked = this.#calls.carry({ kind: "getSession", sessionId }, ms, onAbort);
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
      url: address + (STREAMS.get(kind) as StreamRpc).path,
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
    if (this.#underWay.isClosed) queueMicrotask(() => stream.end(this.#wasClosed()));
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

function tooMany(): BridgeError {
  const text =
    `this client follows sessions and watches over ${MOST_STREAMS} streams already, and a browser has few connections: ` +
    "close a session or end a watch";
  return errorFor("TOO_MANY_WATCHES", text);
}
