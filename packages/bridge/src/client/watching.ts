/**
 * A watch as a program reads it: events one after the other, across lost connections and restarts of the bridge. What has
 * come and was not read waits here, bounded; a reader that is slower than that is told the rest from the bridge again, as
 * far back as the bridge keeps it.
 *
 *   asking ──▶ told of ──▶ behind (too much waits) ──▶ asking, when all of it is read
 *     ▲           └─────▶ pausing (the bridge is gone) ──▶ asking
 *     └──────────────────── over: closed, aborted, or an error that another attempt would not change
 */
import type { Revision } from "../core/commands.js";
import { type BridgeError, errorFor } from "../core/errors.js";
import { Refusal } from "../core/refusal.js";
import type { SessionEvent } from "../core/session/event.js";
import { pointAfter, ToldQueue } from "../core/told-queue.js";
import type { Told, Watch } from "../core/watch.js";
import { toPoint, toText } from "./points.js";
import type { OnAbort } from "./transport/abort.js";
import type { Transport } from "./transport/transport.js";

/** What a watch may be given. */
export interface WatchOptions {
  /**
   * A point that was told before, from {@link SessionWatch.point}: what came after it is told first, so that a program that
   * starts again misses nothing. Default: only what comes from now on is told.
   */
  readonly after?: string;
  /** Ends the watch. Reading it then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** What a watch asks for, and how its events are shown. */
export interface WatchParts<E> {
  readonly transport: Transport;
  readonly watch: Omit<Watch, "after">;
  readonly options: WatchOptions;
  /** How to listen to the signal of the options. */
  readonly onAbort: OnAbort;
  view(event: SessionEvent): E;
  /** Is told each time that it is lost and will be begun again. */
  readonly lost?: (error: BridgeError) => void;
  /** Is told when the bridge says why it does not go on, before its reader is. */
  readonly refused?: (error: BridgeError) => void;
}

/**
 * The events of a session, each once and in order, for `for await`.
 *
 * It goes on by itself when the connection breaks or the bridge starts again, and waits as long as there is no bridge. It ends
 * when the loop is left, by `return()`, or when its signal is aborted.
 *
 * Reading throws WatchGapError when some of what happened cannot be told any more: then read the session, and watch again.
 * It also throws ClosedError, InvalidInputError and LimitError.
 */
export class SessionWatch<E> implements AsyncIterableIterator<E, undefined, undefined> {
  readonly #parts: WatchParts<E>;
  readonly #stopListening: () => void;
  #queue = new ToldQueue();
  /** Where it is begun again. */
  #next: Revision | undefined;
  /** What was read. */
  #point: Revision | undefined;
  #state: "asking" | "told" | "behind" | "pausing" | "over" = "asking";
  /** Why reading throws when all that has come is read; undefined if it just ends. */
  #error: unknown;
  /** How many attempts have failed one after the other. */
  #failures = 0;
  /** How much it was told since it was asked for. The first is where it stands, which is no news. */
  #toldCount = 0;
  #stop = (): void => {};
  /** Who waits for something new. */
  readonly #readers = new Set<() => void>();

  constructor(parts: WatchParts<E>) {
    this.#parts = parts;
    const { after, signal } = parts.options;
    signal?.throwIfAborted();
    this.#next = after === undefined ? undefined : toPoint(after);
    this.#point = this.#next;
    this.#stopListening = parts.onAbort((reason) => this.#drop(reason));
    this.#ask();
  }

  /**
   * The point that has been read: everything up to it was told, and a watch that is begun `after` it is told the rest. Undefined
   * until it is known where the watch begins, which {@link SessionWatch.ready} waits for.
   */
  get point(): string | undefined {
    return this.#point === undefined ? undefined : toText(this.#point);
  }

  /** Done when the watch stands: every commit that is made from now on is told. Throws as reading does. */
  async ready(): Promise<void> {
    while (this.#next === undefined || this.#state === "asking" || this.#state === "pausing") {
      this.#assertGoesOn();
      await this.#news();
    }
    this.#assertGoesOn();
  }

  #assertGoesOn(): void {
    if (this.#state === "over") throw this.#error ?? errorFor("CLOSED", "the watch was ended");
  }

  /** The next event. */
  async next(): Promise<IteratorResult<E, undefined>> {
    for (;;) {
      const told = this.#queue.take();
      if (told === undefined) {
        if (this.#state === "over") return this.#ending();
        await this.#news();
      } else if (told instanceof Refusal) {
        // All that had come is read.
        this.#queue = new ToldQueue();
        this.#ask();
      } else {
        this.#point = pointAfter(told);
        if (told.kind === "event") return { done: false, value: this.#view(told.event) };
      }
    }
  }

  /** Whoever reads with `for await` does not come back after an error. */
  #view(event: SessionEvent): E {
    try {
      return this.#parts.view(event);
    } catch (error) {
      this.#drop(undefined);
      throw error;
    }
  }

  #ending(): IteratorResult<E, undefined> {
    const error = this.#error;
    if (error === undefined) return { done: true, value: undefined };
    // Once: whoever reads on after an error finds an end, as with any iterator.
    this.#error = undefined;
    throw error;
  }

  /** Ends the watch. What has come and was not read is dropped. */
  async return(): Promise<IteratorResult<E, undefined>> {
    this.#drop(undefined);
    // It may have ended before, for a reason that nobody wants to know any more.
    this.#error = undefined;
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#drop(undefined);
  }

  #ask(): void {
    this.#state = "asking";
    this.#toldCount = 0;
    const { transport, watch } = this.#parts;
    const after = this.#next;
    this.#stop = transport.watch(after === undefined ? watch : { ...watch, after }, {
      told: (told) => this.#take(told),
      ended: (error) => this.#lost(error),
    });
  }

  #take(told: Told): void {
    if (++this.#toldCount > 1) this.#failures = 0;
    this.#queue.add(told);
    if (this.#queue.isEnded) {
      this.#stop();
      this.#state = "behind";
    } else {
      this.#next = pointAfter(told);
      this.#point ??= this.#next;
      this.#state = "told";
    }
    this.#tell();
  }

  #lost(error: BridgeError): void {
    // The bridge is well, and was only not read.
    if (error.reason === "WATCH_OVERFLOW" && this.#toldCount > 1) return this.#ask();
    if (!PASSING.has(error.reason)) {
      this.#parts.refused?.(error);
      return this.#end(error);
    }
    this.#state = "pausing";
    this.#parts.lost?.(error);
    this.#failures++;
    const lost = { failures: this.#failures, reason: error.reason };
    this.#stop = this.#parts.transport.rest(lost, () => this.#ask()).stop;
  }

  /** Ends, and forgets what was not read. */
  #drop(reason: unknown): void {
    this.#queue = new ToldQueue();
    this.#end(reason);
  }

  #end(error: unknown): void {
    if (this.#state === "over") return;
    this.#stop();
    this.#stopListening();
    this.#state = "over";
    this.#error = error;
    this.#tell();
  }

  #news(): Promise<void> {
    return new Promise((resolve) => this.#readers.add(resolve));
  }

  #tell(): void {
    const told = [...this.#readers];
    this.#readers.clear();
    for (const resolve of told) resolve();
  }
}

/** What another attempt may find otherwise: the bridge is away, or on its way out. */
const PASSING: ReadonlySet<string> = new Set([
  "UNAVAILABLE",
  "SHUTTING_DOWN",
  "DEADLINE_EXCEEDED",
  "WATCH_OVERFLOW",
]);
