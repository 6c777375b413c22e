/** Load in a closed loop: each caller starts its next call when the last one is answered. */
import { percentile } from "../harness/statistics.js";

/** How much load, as programs are asked for it. */
export interface Load {
  /** What each call does; the program knows which there are. */
  readonly work: string;
  readonly callers: number;
  readonly milliseconds: number;
}

/** What the callers saw. */
export interface Outcome {
  readonly calls: number;
  readonly seconds: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

/** However fast the calls are, no measurement makes more of them. */
const MAX_CALLS = 2_000_000;
const latencies = new Float64Array(MAX_CALLS);

/**
 * Calls for so long. A call that fails ends it with that error.
 *
 * @param step how many calls one `call` makes, for work too short to be timed singly; its times are means over the step
 */
export async function closedLoop(call: () => Promise<void>, load: Load, step = 1): Promise<Outcome> {
  let steps = 0;
  const start = performance.now();
  const end = start + load.milliseconds;
  const caller = async () => {
    let before = performance.now();
    while (before < end && steps < MAX_CALLS) {
      await call();
      const after = performance.now();
      if (steps < MAX_CALLS) latencies[steps++] = after - before;
      before = after;
    }
  };
  await Promise.all(Array.from({ length: load.callers }, caller));
  const seconds = (performance.now() - start) / 1_000;
  const sorted = latencies.subarray(0, steps).sort();
  const toUs = 1_000 / step;
  return {
    calls: steps * step,
    seconds,
    p50Us: percentile(sorted, 0.5) * toUs,
    p99Us: percentile(sorted, 0.99) * toUs,
  };
}
