/**
 * The states of a worker.
 *
 *   starting ─▶ running ─▶ ready ─▶ pausing ─▶ starting …     it is started again whenever it ends by a fault
 *       any of them ─▶ closing ─▶ ended                       by close() or the signal
 *       any of them ─▶ ended                                  finished, or failed for good
 */
import type { WorkerError } from "./errors.js";

export type WorkerState =
  /** A process is being started; `restarts` counts those since it last ran well. */
  | { readonly kind: "starting"; readonly restarts: number }
  /** Its program has begun, and has yet to say that it is ready. */
  | { readonly kind: "running"; readonly pid: number }
  | {
      readonly kind: "ready";
      readonly pid: number;
      /** Where it serves something of its own, if it has said so. */
      readonly address: string | undefined;
    }
  /** It has ended as `error` tells, and is started again after `delayMs`. */
  | { readonly kind: "pausing"; readonly error: WorkerError; readonly delayMs: number }
  | { readonly kind: "closing" }
  | ({ readonly kind: "ended" } & WorkerEnd);

/** How a worker ended for good. */
export type WorkerEnd =
  /** It was closed. */
  | { readonly reason: "closed" }
  /** Its program ended by itself, with exit code 0. */
  | { readonly reason: "finished" }
  /** It ended as `error` tells, and is not started again. */
  | { readonly reason: "failed"; readonly error: WorkerError };
