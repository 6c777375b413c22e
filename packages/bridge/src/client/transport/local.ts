/**
 * The transport to a bridge in the same process: it passes commands to `dispatch` as they are. Errors, deadlines and
 * what is known about an unanswered write are the same as over a connection, so a program can move its bridge out of
 * its process and behave alike.
 */
import type { Clock } from "../../core/clock.js";
import type { Command, Reply, ReplyTo } from "../../core/commands.js";
import { type BridgeError, errorFor, errorFrom } from "../../core/errors.js";
import { Refusal } from "../../core/refusal.js";
import type { Follow, StateUpdate } from "../../core/state-update.js";
import type { Told, Watch } from "../../core/watch.js";
import type { Engine } from "../../engine/engine.js";
import type { Principal } from "../../engine/principal.js";
import { StoreError } from "../../engine/store-error.js";
import type { Notify, Subscription } from "../../engine/subscription.js";
import type { OnAbort } from "./abort.js";
import { nodeOperator } from "./node-operator.js";
import { nodeTurn } from "./node-turn.js";
import { type Lost, type Rest, Resting } from "./resting.js";
import {
  type CallOptions,
  type FollowReader,
  isWrite,
  type Transport,
  type WatchReader,
} from "./transport.js";
import { UnderWay } from "./under-way.js";

export interface LocalTransportOptions {
  readonly engine: Pick<Engine, "dispatch" | "watch" | "follow">;
  /** The engine's clock: deadlines are told to the engine, and are waited for, on the same one. */
  readonly clock: Clock;
  /** How long a call waits that says nothing else, in milliseconds. Default: 5,000. */
  readonly timeoutMs?: number;
}

/** Who asks. The program that runs the bridge may do everything. */
const HOST: Principal = Object.freeze({ name: "in process" });

export class LocalTransport implements Transport {
  readonly address = "in process";
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly operator = nodeOperator;
  readonly turn = nodeTurn;
  readonly #engine: LocalTransportOptions["engine"];
  readonly #resting: Resting;
  readonly #underWay: UnderWay;
  readonly #watches = new Set<LocalWatch<unknown>>();

  constructor({ engine, clock, timeoutMs }: LocalTransportOptions) {
    this.#engine = engine;
    this.clock = clock;
    this.#resting = new Resting(clock, Math.random);
    this.#underWay = new UnderWay(wasClosed, timeoutMs);
    this.timeoutMs = this.#underWay.timeoutMs;
  }

  call<C extends Command>(command: C, options?: CallOptions): Promise<ReplyTo<C["kind"]>> {
    return this.#underWay.call<C>(options, (timeoutMs, onAbort) =>
      this.#dispatch(command, timeoutMs, onAbort),
    );
  }

  watch(watch: Watch, reader: WatchReader): () => void {
    return this.#subscribe<Told>(watch, reader, (notify) => this.#engine.watch(HOST, watch, notify));
  }

  follow(follow: Follow, reader: FollowReader): () => void {
    const told = (update: StateUpdate): void => reader.updated(update);
    const ended = (error: BridgeError): void => reader.ended(error);
    return this.#subscribe(follow, { told, ended }, (notify) => this.#engine.follow(HOST, follow, notify));
  }

  rest(lost: Lost, then: () => void): Rest {
    return this.#resting.rest(lost, then);
  }

  #subscribe<T>(
    asked: Watch | Follow,
    reader: LocalReader<T>,
    begin: (notify: Notify<T>) => Promise<Subscription<T> | Refusal>,
  ): () => void {
    const local = new LocalWatch(reader, () => this.#watches.delete(local));
    this.#watches.add(local);
    if (this.#underWay.isClosed) queueMicrotask(() => local.end(wasClosed()));
    else
      begin((subscription) => local.read(subscription)).then(
        (begun) => {
          if (begun instanceof Refusal) local.end(errorFrom(begun));
          else if (local.isOver) begun.close();
        },
        (cause: unknown) => local.end(unwatched(asked, cause)),
      );
    return () => local.stop();
  }

  async close(): Promise<void> {
    this.#underWay.close();
    for (const watch of this.#watches) watch.end(wasClosed());
    this.#resting.close();
    await this.#underWay.ended();
  }

  #dispatch(command: Command, timeoutMs: number, onAbort: OnAbort): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const cancelTimer = this.clock.setTimer(timeoutMs, () => {
        stopListening();
        reject(late(command));
      });
      const stopListening = onAbort((reason) => {
        cancelTimer();
        reject(reason);
      });
      const end = (): void => {
        cancelTimer();
        stopListening();
      };
      this.#engine.dispatch(HOST, command, this.clock.now() + timeoutMs).then(
        (answer) => {
          end();
          if (answer instanceof Refusal) reject(errorFrom(answer));
          else resolve(answer);
        },
        (cause: unknown) => {
          end();
          reject(broken(command, cause));
        },
      );
    });
  }
}

interface LocalReader<T> {
  told(told: T): void;
  ended(error: BridgeError): void;
}

/** A watch of either kind, and its reader. */
class LocalWatch<T> {
  readonly #reader: LocalReader<T>;
  readonly #over: () => void;
  #subscription: Subscription<T> | undefined;
  #isOver = false;

  constructor(reader: LocalReader<T>, over: () => void) {
    this.#reader = reader;
    this.#over = over;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Tells its reader what there is to tell. */
  read(subscription: Subscription<T>): void {
    this.#subscription = subscription;
    while (!this.#isOver) {
      const told = subscription.take();
      if (told === undefined) return;
      if (told instanceof Refusal) this.end(errorFrom(told));
      else this.#reader.told(told);
    }
  }

  stop(): void {
    this.#isOver = true;
    this.#subscription?.close();
    this.#over();
  }

  end(why: BridgeError): void {
    if (this.#isOver) return;
    this.stop();
    this.#reader.ended(why);
  }
}

function wasClosed(): BridgeError {
  return errorFor("CLOSED", "the client was closed");
}

/** The engine failed where a watch should have begun. */
function unwatched({ sessionId }: Watch | Follow, cause: unknown): BridgeError {
  return cause instanceof StoreError
    ? errorFor("UNAVAILABLE", cause.message, { sessionId, cause })
    : errorFor("INTERNAL", "the bridge failed to begin a watch", { sessionId, cause });
}

/** The engine took the command and has not answered in time. */
function late(command: Command): BridgeError {
  return isWrite(command.kind)
    ? errorFor(
        "OUTCOME_UNKNOWN",
        "the write was not answered in time and may be carried out yet",
        where(command),
      )
    : errorFor("DEADLINE_EXCEEDED", "the read was not answered in time", where(command));
}

/** The engine failed where it should have answered. */
function broken(command: Command, cause: unknown): BridgeError {
  if (cause instanceof StoreError) return withoutStore(command, cause);
  const details = { ...where(command), cause };
  return isWrite(command.kind)
    ? errorFor("OUTCOME_UNKNOWN", "the bridge failed, and the write may have been carried out", details)
    : errorFor("INTERNAL", "the bridge failed to answer", details);
}

/** The engine's store has failed. */
function withoutStore(command: Command, cause: StoreError): BridgeError {
  const details = { ...where(command), cause };
  return cause.begun && isWrite(command.kind)
    ? errorFor("OUTCOME_UNKNOWN", `${cause.message}; the write may have been carried out`, details)
    : errorFor("UNAVAILABLE", `${cause.message}; nothing was done`, details);
}

/** Which session a command is about. */
function where(command: Command): { readonly sessionId?: string } {
  return "sessionId" in command ? { sessionId: command.sessionId } : {};
}
