/**
 * Has errands carried out over one stream after another: it connects when there is something to send, hands over what waits
 * in the order in which it came, and when a stream ends, sends what was not answered again, in that same order (ORD-17).
 *
 *   idle → connecting → open → (the stream ends) → pausing → connecting …
 *
 * A stream that nobody uses is let go: while there is one, gRPC keeps the process alive, and a program that has nothing more
 * to do shall end. Another one costs as much as any call.
 */
import type { Client } from "@grpc/grpc-js";
import type { Clock } from "../../core/clock.js";
import { refusalFromDetails } from "../../wire/status.js";
import { STATUS } from "../outcome.js";
import { CommandIds } from "./command-ids.js";
import { type Carried, type Failed, NOT_HANDED_OVER } from "./errand.js";
import { isConnected } from "./grpc-connection.js";
import { type ChannelEvents, ChannelStream } from "./grpc-stream.js";
import { Silence } from "./silence.js";

/** A stream, and what was sent on it and is not answered, in order. */
interface Open {
  readonly stream: ChannelStream;
  readonly sent: Map<number, Carried>;
  readonly silence: Silence;
  /** Looks no more whether it is used. */
  stopWatching: () => void;
  /** How many messages have come. */
  heard: number;
}

/** Where an errand is that was sent. */
interface Place extends Pick<Open, "stream" | "sent"> {
  readonly id: number;
}

/** As many messages come of every bridge, before any news: its hello, and where a watch stands. */
const MOST_GREETINGS = 2;
/** How often it is looked whether a stream is used. */
const IDLE_MS = 150;

export interface LinkOptions {
  /** Makes a client of gRPC: with a connection that others of this process have too, or with one of its own. */
  connect(how: "shared" | "alone"): Client;
  readonly clock: Clock;
  readonly random: () => number;
  /** Called when the bridge is heard for the first time, and when it is heard again after it was lost. */
  reached(): void;
  /** Called when the bridge is heard on a new stream. */
  heard(): void;
}

export class Link {
  readonly #options: LinkOptions;
  #client: Client;
  readonly #clock: Clock;
  readonly #random: () => number;
  /** What is to be sent, in order. */
  #waiting = new Set<Carried>();
  readonly #places = new Map<Carried, Place>();
  readonly #streams = new Set<Open>();
  /** The stream that takes commands. */
  #open: Open | undefined;
  #state: "idle" | "connecting" | "pausing" | "closed" = "idle";
  /** How many attempts have failed one after the other. */
  #failures = 0;
  readonly #ids = new CommandIds();
  /** The place of each errand among all that was submitted. */
  readonly #turns = new WeakMap<Carried, number>();
  #lastTurn = 0;
  /** What a server refused for now, in order, and how its pause is ended. */
  readonly #pausing = new Map<Carried, () => void>();
  #stopPause = (): void => {};
  /** Whether the bridge was heard since it was lost. */
  #isThere = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#client = options.connect("shared");
    this.#clock = options.clock;
    this.#random = options.random;
  }

  /** Has an errand carried out; it tells its caller. */
  submit(errand: Carried): void {
    this.#lastTurn++;
    this.#turns.set(errand, this.#lastTurn);
    this.#waiting.add(errand);
    this.#go();
  }

  /** Lets go of an errand whose caller waits no longer. */
  withdraw(errand: Carried): void {
    this.#waiting.delete(errand);
    this.#pausing.get(errand)?.();
    this.#pausing.delete(errand);
    if (this.#waiting.size === 0 && this.#state === "pausing") this.#stopPause();
    const place = this.#places.get(errand);
    if (place === undefined) return;
    this.#places.delete(errand);
    place.sent.delete(place.id);
    place.stream.cancel(place.id);
    this.#go();
  }

  /** Lets go of an errand whose time is up, and tells its caller what that means. */
  expire(errand: Carried): void {
    const sent = this.#places.has(errand);
    this.withdraw(errand);
    const failed = sent ? { ...NOT_HANDED_OVER, status: STATUS.DEADLINE_EXCEEDED } : NOT_HANDED_OVER;
    errand.failed(failed, 0, 1, 0);
  }

  /** Ends all streams, and lets go of the connection. Nothing may be under way. */
  close(): void {
    if (this.#state === "pausing") this.#stopPause();
    this.#state = "closed";
    for (const open of this.#streams) this.#drop(open);
    this.#client.close();
  }

  #go(): void {
    if (this.#waiting.size === 0) return;
    if (this.#open !== undefined) this.#handOver(this.#open);
    else if (this.#state === "idle" && !this.#isOwed) void this.#reach();
  }

  /** True if a server that goes away has still to answer: what it does not answer is sent again before all that waits. */
  get #isOwed(): boolean {
    for (const { sent } of this.#streams)
      for (const { asks } of sent.values()) if (asks === "answer") return true;
    return false;
  }

  async #reach(): Promise<void> {
    this.#state = "connecting";
    const client = this.#client;
    const isReady = await isConnected(client.getChannel());
    if (this.#isClosed) return;
    this.#state = "idle";
    // It was given up meanwhile, and says nothing of the one that is in its place.
    if (client !== this.#client) return this.#go();
    if (!isReady) {
      this.#isThere = false;
      const waiting = this.#waiting;
      this.#waiting = new Set();
      this.#lose(waiting, NOT_HANDED_OVER);
      return;
    }
    // Everybody may have gone.
    if (this.#waiting.size > 0) this.#openStream();
  }

  get #isClosed(): boolean {
    return this.#state === "closed";
  }

  #openStream(): void {
    const sent = new Map<number, Carried>();
    const events: ChannelEvents = {
      heard: () => this.#heard(open),
      told: (id, bytes) => sent.get(id)?.told(bytes),
      replied: (id, bytes) => this.#replied(sent, id, bytes),
      goingAway: () => {
        if (this.#open === open) this.#open = undefined;
        this.#go();
      },
      ended: ({ code, details, metadata }) => {
        // One that was going away has a follower, which may have been heard.
        if (this.#open === open || this.#open === undefined) this.#isThere = false;
        this.#forget(open);
        if (sent.size === 0) return this.#go();
        const [content] = metadata.get("grpc-status-details-bin");
        const refusal = Buffer.isBuffer(content) ? refusalFromDetails(content) : undefined;
        // A server that shuts down ends its streams in peace.
        const status = code === STATUS.OK ? STATUS.UNAVAILABLE : code;
        for (const errand of sent.values()) this.#places.delete(errand);
        this.#lose(sent.values(), { status, details, refusal });
      },
    };
    const stream = new ChannelStream(this.#client, events);
    const isWatching = (): boolean => [...sent.values()].some(({ asks }) => asks !== "answer");
    const silence = new Silence(this.#clock, isWatching, () => this.#abandon(open));
    const open: Open = { stream, sent, silence, stopWatching: () => {}, heard: 0 };
    this.#streams.add(open);
    this.#open = open;
    this.#handOver(open);
    this.#watch(open, this.#ids.last);
  }

  #heard(open: Open): void {
    open.silence.heard();
    open.heard++;
    if (open.heard === 1) {
      if (!this.#isThere) this.#options.reached();
      this.#isThere = true;
      this.#options.heard();
    }
    // A bridge that only greets and says where things stand, and then ends, again and again, is no success.
    if (open.heard > MOST_GREETINGS) this.#failures = 0;
  }

  /** Lets go of a stream if nobody uses it until the next look. */
  #watch(open: Open, lastId: number): void {
    open.stopWatching = this.#clock.setTimer(IDLE_MS, () => {
      if (open.sent.size === 0 && lastId === this.#ids.last) this.#drop(open);
      else this.#watch(open, this.#ids.last);
    });
  }

  /** Gives a stream up on which nothing is heard, and the connection, which may be no better: others would wait on it too. */
  #abandon(open: Open): void {
    if (this.#open === open || this.#open === undefined) {
      const dead = this.#client;
      this.#client = this.#options.connect("alone");
      dead.close();
    }
    open.stream.giveUp(STATUS.UNAVAILABLE, "nothing was heard of it for 5 s");
  }

  #drop(open: Open): void {
    open.stream.close();
    this.#forget(open);
  }

  #forget(open: Open): void {
    open.stopWatching();
    open.silence.stop();
    this.#streams.delete(open);
    if (this.#open === open) this.#open = undefined;
  }

  /** From here on a write may be carried out. */
  #handOver(open: Open): void {
    const now = this.#clock.now();
    for (const errand of this.#waiting) {
      const id = this.#ids.next(open.sent);
      open.sent.set(id, errand);
      this.#places.set(errand, { stream: open.stream, sent: open.sent, id });
      if (errand.asks !== "answer") open.silence.start();
      if (errand.asks === "events") open.stream.watch(id, errand.bytes);
      else if (errand.asks === "state") open.stream.follow(id, errand.bytes);
      else open.stream.send(id, Math.max(1, Math.ceil(errand.deadline - now)), errand.bytes);
    }
    this.#waiting.clear();
  }

  #replied(sent: Map<number, Carried>, id: number, bytes: Uint8Array): void {
    const errand = sent.get(id);
    // Its caller may have gone.
    if (errand === undefined) return;
    sent.delete(id);
    this.#places.delete(errand);
    const timeLeftMs = errand.deadline - this.#clock.now();
    const attempt = this.#failures + 1;
    const afterMs = errand.answered(bytes, timeLeftMs, attempt, this.#random());
    this.#failures = afterMs === undefined ? 0 : attempt;
    this.#go();
    if (afterMs === undefined) return;
    this.#pausing.set(
      errand,
      this.#clock.setTimer(afterMs, () => this.#endPause(errand)),
    );
  }

  /** Sends an errand again that has paused, with those that were refused before it: their pauses may be longer. */
  #endPause(errand: Carried): void {
    const again: Carried[] = [];
    for (const [each, cancelTimer] of this.#pausing) {
      cancelTimer();
      this.#pausing.delete(each);
      again.push(each);
      if (each === errand) break;
    }
    this.#putBack(again);
    this.#go();
  }

  /** Has errands wait again, before all that came later (ORD-17). */
  #putBack(errands: readonly Carried[]): void {
    const turnOf = (errand: Carried): number => this.#turns.get(errand) ?? 0;
    this.#waiting = new Set([...errands, ...this.#waiting].sort((one, other) => turnOf(one) - turnOf(other)));
  }

  /** Tells errands that an attempt has failed, and sends those again that are not settled by that, before all others. */
  #lose(errands: Iterable<Carried>, failed: Failed): void {
    const now = this.#clock.now();
    const jitter = this.#random();
    this.#failures += 1;
    let afterMs: number | undefined;
    const again: Carried[] = [];
    for (const errand of errands) {
      const pauseMs = errand.failed(failed, errand.deadline - now, this.#failures, jitter);
      if (pauseMs === undefined) continue;
      again.push(errand);
      afterMs = pauseMs;
    }
    this.#putBack(again);
    if (afterMs === undefined) return this.#go();
    this.#state = "pausing";
    const cancelTimer = this.#clock.setTimer(afterMs, () => {
      this.#state = "idle";
      this.#go();
    });
    this.#stopPause = () => {
      cancelTimer();
      this.#state = "idle";
    };
  }
}
