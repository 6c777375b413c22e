/**
 * What a failed attempt means: which kind of error, or another attempt after how long (ORD-16).
 *
 * The question behind every branch is "can the command have been carried out?" For a read it does not matter. For a
 * write it does as soon as it was handed to the transport, and then only a definite answer helps: a refusal by the
 * bridge, or a status that says by itself that nothing was done. After anything else the write is sent again under the
 * same request id, which a bridge carries out once (ORD-15), until the time is up; then the outcome is unknown.
 *
 * Pure, and the same decisions as in the Python client.
 */
import type { Reason } from "../core/refusal.js";

/** The numbers of gRPC's status codes. */
export const STATUS = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

/** One failed attempt. */
export interface Failure {
  /** Whether the command changes something. */
  readonly isWrite: boolean;
  /** How many attempts were made, this one included. */
  readonly attempt: number;
  /** Until the caller's deadline. */
  readonly timeLeftMs: number;
  /** The gRPC status; undefined if there was no connection, so that nothing was handed over. */
  readonly status: number | undefined;
  /** The reason in the bridge's own detail; undefined if the status carried none. */
  readonly reason: Reason | undefined;
  /** Whether an earlier attempt was handed over and not definitely answered. */
  readonly lostBefore: boolean;
}

/** What to do now. */
export type Verdict =
  | { readonly kind: "retry"; readonly afterMs: number }
  /** Fail with what the status or the detail stands for. */
  | { readonly kind: "asAnswered" }
  | { readonly kind: "unavailable" }
  | { readonly kind: "deadline" }
  | { readonly kind: "unknown" };

/** Statuses that a lost connection can produce, so that they say nothing about the command. */
export const INDEFINITE: ReadonlySet<number | undefined> = new Set([
  STATUS.CANCELLED,
  STATUS.UNKNOWN,
  STATUS.INTERNAL,
  STATUS.UNAVAILABLE,
]);

/** Refusals that a bridge makes without having looked for the request id: they settle no earlier attempt. */
const SAID_OF_ONE_ATTEMPT: ReadonlySet<Reason | undefined> = new Set<Reason>([
  "SHUTTING_DOWN",
  "DEADLINE_EXCEEDED",
  "INTERNAL",
]);

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;
const LONGEST_REST_MS = 30_000;

/**
 * The pause after an attempt of a call: 100 ms, doubling up to 2 s, shortened by up to half so that clients that lost the same
 * server do not come back all at once.
 *
 * @param jitter drawn from [0, 1) by the caller
 */
export function backoffMs(attempt: number, jitter: number): number {
  return doubled(attempt, LONGEST_PAUSE_MS, jitter);
}

/** The same for what is subscribed to: up to 30 s, since nobody waits for it as for a call, and it goes on for ever. */
export function restMs(attempt: number, jitter: number): number {
  return doubled(attempt, LONGEST_REST_MS, jitter);
}

function doubled(attempt: number, longestMs: number, jitter: number): number {
  return Math.min(longestMs, FIRST_PAUSE_MS * 2 ** (attempt - 1)) * (1 - jitter / 2);
}

/** How often a read, a computation and a compare-and-set are made before others are said to be faster. */
export const MOST_CONFLICTS = 100;
const LONGEST_PAUSE_AFTER_CONFLICT_MS = 50;

/**
 * The pause before a compare-and-set is tried again with a new read; undefined: give up. At most 1 ms, doubling up to
 * 50 ms, so that those who lost the same race do not run the next one in step.
 *
 * @param jitter drawn from [0, 1) by the caller
 */
export function conflictPauseMs(attempt: number, timeLeftMs: number, jitter: number): number | undefined {
  const afterMs = jitter * Math.min(LONGEST_PAUSE_AFTER_CONFLICT_MS, 2 ** (attempt - 1));
  return attempt < MOST_CONFLICTS && afterMs < timeLeftMs ? afterMs : undefined;
}

/** Decides what a failed attempt means. */
export function afterFailure(failure: Failure, jitter: number): Verdict {
  return failure.isWrite ? afterWrite(failure, jitter) : afterRead(failure, jitter);
}

function afterRead(failure: Failure, jitter: number): Verdict {
  if (failure.reason !== undefined) return { kind: "asAnswered" };
  switch (failure.status) {
    case undefined:
      return { kind: failure.timeLeftMs > 0 ? "unavailable" : "deadline" };
    case STATUS.DEADLINE_EXCEEDED:
      return { kind: "deadline" };
    case STATUS.CANCELLED:
      return { kind: "unavailable" };
    // An accident of the transport: a bridge that says one of these says its own reason with it.
    case STATUS.UNAVAILABLE:
    case STATUS.INTERNAL:
    case STATUS.UNKNOWN:
      return retryOr("unavailable", failure, jitter);
    default:
      return { kind: "asAnswered" };
  }
}

function afterWrite(failure: Failure, jitter: number): Verdict {
  const { status, reason, lostBefore } = failure;
  if (reason !== undefined) {
    const settled = !lostBefore || !SAID_OF_ONE_ATTEMPT.has(reason);
    return settled ? { kind: "asAnswered" } : retryOr("unknown", failure, jitter);
  }
  if (status === undefined) return lostBefore ? retryOr("unknown", failure, jitter) : { kind: "unavailable" };
  if (INDEFINITE.has(status)) return retryOr("unknown", failure, jitter);
  if (status === STATUS.DEADLINE_EXCEEDED || lostBefore) return { kind: "unknown" };
  return { kind: "asAnswered" };
}

function retryOr(kind: "unavailable" | "unknown", failure: Failure, jitter: number): Verdict {
  const afterMs = backoffMs(failure.attempt, jitter);
  return afterMs < failure.timeLeftMs ? { kind: "retry", afterMs } : { kind };
}
