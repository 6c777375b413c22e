/**
 * Callbacks: a function is called with what a watch tells, one event after the other (DOOR-10). It is called in a microtask of
 * its own, after the commit is whole and the copy of the session, if one is kept, has it too: over HTTP they come on two streams. What
 * it throws is the program's to know, and ends nothing.
 */
import { ClosedError } from "../core/errors.js";
import type { Operator } from "./operator.js";
import type { SessionWatch } from "./watching.js";

/** What a listener may be given. */
export interface ListenOptions {
  /**
   * Is told what the listener throws, and why it is called no more, such as a WatchGapError. Default: the process is warned,
   * but not of the ClosedError when the client was closed.
   */
  readonly onError?: (error: unknown) => void;
  /** Ends the listening. */
  readonly signal?: AbortSignal;
}

/** Refuses what cannot be called, at once and not at the first event. */
export function checkListener(listener: unknown): void {
  if (typeof listener !== "function")
    throw new TypeError(`the listener of onChange has to be a function, not ${typeof listener}`);
}

/**
 * Calls a function with every event. Returns how to end that; a call that is under way goes on to its end.
 *
 * @param catchUp what has to be waited for before the function looks around; undefined: nothing
 */
export function listen<E>(
  watch: SessionWatch<E>,
  listener: (event: E) => unknown,
  { onError, signal }: ListenOptions,
  operator: Operator,
  catchUp: () => Promise<void> | undefined,
): () => void {
  let isStopped = false;
  const report = (error: unknown, what: string): void => {
    // Who closes a client knows.
    if (onError === undefined) return error instanceof ClosedError ? undefined : warn(operator, error, what);
    try {
      onError(error);
    } catch (problem) {
      warn(operator, problem, "onError of onChange threw");
    }
  };
  void follow(watch, async (event) => {
    const comes = catchUp();
    if (comes !== undefined) await comes;
    if (isStopped || signal?.aborted === true) return;
    try {
      await listener(event);
    } catch (error) {
      report(error, "a listener of onChange threw");
    }
  }).catch((error: unknown) => {
    if (signal?.aborted !== true) report(error, "a listener of onChange has ended");
  });
  return () => {
    isStopped = true;
    void watch.return();
  };
}

async function follow<E>(watch: SessionWatch<E>, call: (event: E) => Promise<void>): Promise<void> {
  for await (const event of watch) await call(event);
}

function warn(operator: Operator, error: unknown, what: string): void {
  const warning = new Error(`${what}: ${error instanceof Error ? error.message : String(error)}`, {
    cause: error,
  });
  warning.name = "SnakepitBridgeWarning";
  operator.warn(warning);
}
