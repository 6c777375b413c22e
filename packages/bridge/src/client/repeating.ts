/**
 * What takes several calls: read-modify-write, and waiting for a value. Both are loops of ordinary calls under one
 * deadline, and do the same as in the Python client.
 */
import {
  type BridgeError,
  ConflictError,
  DeadlineError,
  errorFor,
  SessionNotFoundError,
  UnavailableError,
  VariableNotFoundError,
} from "../core/errors.js";
import { quoteName } from "../core/names.js";
import type { Deadline } from "./deadline.js";
import { conflictPauseMs } from "./outcome.js";
import type { CallOptions } from "./transport/transport.js";

/** How long a wait leaves the bridge alone before it asks again, in milliseconds. */
export const POLL_INTERVAL_MS = 100;

/** A variable that is to be set to what is made of its value. */
export interface Update<V, R> {
  read(options: CallOptions): Promise<{ readonly value: V; readonly version: number }>;
  compute(value: V): V | Promise<V>;
  /** Sets the variable if it is still at the version. */
  set(value: V, expectedVersion: number, options: CallOptions): Promise<R>;
}

/** Reads, computes and sets until no other write comes in between. */
export async function compareAndSet<V, R>(
  { read, compute, set }: Update<V, R>,
  deadline: Deadline,
  random: () => number = Math.random,
): Promise<R> {
  for (let attempt = 1; ; attempt++) {
    const { value, version } = await read(deadline.options());
    const wanted = await compute(value);
    try {
      return await set(wanted, version, deadline.options());
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      const afterMs = conflictPauseMs(attempt, deadline.leftMs, random());
      if (afterMs === undefined) throw error;
      await deadline.pause(afterMs);
    }
  }
}

/** A value that is waited for. */
export interface Wait<V> {
  /** Which variable, for people. */
  readonly identifier: string;
  readonly sessionId: string;
  read(options: CallOptions): Promise<V>;
  isWanted(value: V): boolean | Promise<boolean>;
}

/** Asks again and again until the value is the one that is wanted. */
export async function untilWanted<V>(wait: Wait<V>, deadline: Deadline): Promise<V> {
  for (;;) {
    const answer = await wait.read(deadline.options()).then(found, waitedOut);
    if ("value" in answer && (await wait.isWanted(answer.value))) return answer.value;
    await deadline.pause(POLL_INTERVAL_MS);
    if (deadline.leftMs > 0) continue;
    const why = "value" in answer ? "its value was not the one waited for" : answer.problem.message;
    const { identifier, sessionId } = wait;
    throw errorFor(
      "DEADLINE_EXCEEDED",
      `the wait for ${quoteName(identifier)} ended after ${deadline.timeoutMs} ms: ${why}`,
      { identifier, sessionId, ...("problem" in answer ? { cause: answer.problem } : {}) },
    );
  }
}

function found<V>(value: V): { readonly value: V } {
  return { value };
}

/** What may be otherwise at the next look. */
function waitedOut(problem: unknown): { readonly problem: BridgeError } {
  if (
    problem instanceof VariableNotFoundError ||
    problem instanceof SessionNotFoundError ||
    problem instanceof UnavailableError ||
    problem instanceof DeadlineError
  )
    return { problem };
  throw problem;
}
