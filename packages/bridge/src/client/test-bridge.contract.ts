/** What the tests of clients share: a bridge to talk to, variables to talk about, and a look at failures. */
import type { ManualClock } from "../testing/manual-clock.js";
import type { Client } from "./client.js";
import { boolean, choice, defineVariables, float, integer, json, string } from "./definitions.js";

/** A bridge that runs for one test: a real one with a memory store. */
export interface TestBridge {
  /** A client of it. */
  connect(): Client;
  /** The clock that its sessions expire by. */
  readonly clock: ManualClock;
  /** How many watches a client may have; undefined: as many as the bridge takes. */
  readonly mostWatches?: number;
  /** Listens to what the programs of clients are warned of. Returns how to stop. Default: to the process. */
  onWarning?(see: (warning: Error) => void): () => void;
  close(): Promise<void>;
}

/** Variables of the types that are texts underneath. */
export const textual = defineVariables({
  phase: choice(["warm-up", "main", "done"], "warm-up"),
  plan: json<{ steps: string[]; rate?: number }>({ steps: ["a"] }),
  anything: json(null),
});

export const variables = defineVariables({
  temperature: float(0.7, { min: 0, max: 2 }, { description: "How bold" }),
  max_tokens: integer(256, { min: 1 }),
  huge: integer(10n),
  model: string("gpt", { pattern: "^[a-z]+", max_length: 8 }),
  paused: boolean(false),
});

/** What a call fails with. */
export async function failure(call: Promise<unknown>): Promise<Error> {
  try {
    await call;
  } catch (error) {
    return error as Error;
  }
  throw new Error("the call did not fail");
}

/** Begins two things, the second when the first has gone some steps, so that with each number of them they meet elsewhere. */
export async function stepsApart<F, S>(
  steps: number,
  first: () => Promise<F>,
  second: () => Promise<S>,
): Promise<[F, S]> {
  const begun = first();
  for (let step = 0; step < steps; step++) await undefined;
  return Promise.all([begun, second()]);
}

/**
 * Lets time pass on the bridge's clock until something is settled. A client in the same process waits by that clock, a
 * remote one by its own.
 */
export async function whileTimePasses<T>(bridge: TestBridge, work: Promise<T>): Promise<T> {
  let settled = false;
  const end = (): void => {
    settled = true;
  };
  work.then(end, end);
  while (!settled) {
    bridge.clock.advance(100);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return work;
}
