/**
 * How a client reaches a bridge: one command in, one reply out (DOOR-2), and watches, which are told of until they end. What
 * is above it does not know whether the bridge is in this process or elsewhere.
 */
import type { Clock } from "../../core/clock.js";
import type { Command, CommandKind, ReplyTo } from "../../core/commands.js";
import type { BridgeError } from "../../core/errors.js";
import type { Follow, StateUpdate } from "../../core/state-update.js";
import type { Told, Watch } from "../../core/watch.js";
import type { Operator } from "../operator.js";
import type { Lost, Rest } from "./resting.js";

/** What every call may be given. */
export interface CallOptions {
  /** How long to wait for the answer, in milliseconds, attempts to reach the bridge included. Default: the client's. */
  readonly timeoutMs?: number;
  /** Stops the waiting. The call then rejects with the signal's reason; a write may be carried out all the same. */
  readonly signal?: AbortSignal;
}

/** Who is told what a watch tells. Neither function is called before `watch` or `follow` has returned, and neither must throw. */
export interface WatchReader {
  told(told: Told): void;
  /** The watch is over, and this is why. Nothing follows. */
  ended(error: BridgeError): void;
}

/** Who is told the state of a session, as with {@link WatchReader}. Updates are shared, and not to be changed. */
export interface FollowReader {
  /** Comes before the reply to any command that is true at its revision or a later one (ORD-2). */
  updated(update: StateUpdate): void;
  /** Nothing is told any more, and this is why. An update of which only parts have come is of no use. */
  ended(error: BridgeError): void;
}

export interface Transport {
  /** Where the bridge is, for people. */
  readonly address: string;
  /** How long a call waits that says nothing else, in milliseconds. */
  readonly timeoutMs: number;
  /** What calls, and the pauses between them, are measured by. */
  readonly clock: Clock;
  /** Who is told what programs need not know. */
  readonly operator: Operator;

  /**
   * Has a command carried out.
   *
   * Rejects with a BridgeError, or with the reason of the signal. A write that rejects with anything but
   * OutcomeUnknownError or the signal's reason was not carried out.
   */
  call<C extends Command>(command: C, options?: CallOptions): Promise<ReplyTo<C["kind"]>>;

  /**
   * Begins a watch, in its turn among the calls. It ends when the bridge or the connection does; to begin again where it was
   * is its reader's part. Returns how to stop it: then nothing is told any more.
   */
  watch(watch: Watch, reader: WatchReader): () => void;

  /** Begins to follow the state of a session, in its turn among the calls, as `watch` begins a watch. */
  follow(follow: Follow, reader: FollowReader): () => void;

  /** Lets a watch that was lost rest, and calls back when it is to be begun again (`resting.ts`). */
  rest(lost: Lost, then: () => void): Rest;

  /** Done when whatever else of the program was ready has had its turn. */
  turn(): Promise<void>;

  /** Refuses further calls, ends watches, lets those under way come to their end, and releases the connection. */
  close(): Promise<void>;
}

/** How long a call waits if nobody says otherwise (ORD-10). */
export const DEFAULT_TIMEOUT_MS = 5_000;

/** How long a stream is waited for that has not come to what is known otherwise, in milliseconds (ORD-2, ORD-3). */
export const CATCH_UP_MS = 1_000;

/** The longest message that is taken. How long it may be is the server's setting; this keeps a broken one from filling the memory. */
export const LONGEST_REPLY_BYTES = 64 * 1_048_576;

/** The longest time that a timer can be set to. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** Checks a timeout. A wrong one is a mistake in the calling program and no failure of the bridge. */
export function checkTimeout(timeoutMs: number): number {
  if (timeoutMs > 0 && timeoutMs <= MAX_TIMEOUT_MS) return timeoutMs;
  throw new RangeError(`timeoutMs has to be above 0 and at most ${MAX_TIMEOUT_MS}, not ${timeoutMs}`);
}

/** Commands that change nothing but the time of the last use, so that it does not matter whether one is repeated. */
const READS: ReadonlySet<CommandKind> = new Set<CommandKind>([
  "ping",
  "getSession",
  "listSessions",
  "heartbeat",
  "getVariable",
  "getVariables",
  "listVariables",
  "getVariableHistory",
]);

/** True if it matters whether the command was carried out. */
export function isWrite(kind: CommandKind): boolean {
  return !READS.has(kind);
}
