/** Read-modify-write: a loop of ordinary calls under one deadline. It does the same as in the Python client. */
import { ConflictError } from "../core/errors.js";
import type { Deadline } from "./deadline.js";
import { conflictPauseMs } from "./outcome.js";
import type { CallOptions } from "./transport/transport.js";

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
