/**
 * The words of the benchmark. A row file gives cases; a case is one line of the table: some work, done by so many
 * callers at a time, against one subject. The harness measures every case once in each round.
 */
import type { Stage } from "./stage.js";

/** What one measurement of one case gives. Times are per call. */
export interface Sample {
  readonly calls: number;
  readonly seconds: number;
  /** From the start of a call to its answer, as the caller sees it. */
  readonly p50Us: number;
  readonly p99Us: number;
  /** The processor time of all threads of the process under test; undefined where the system does not tell. */
  readonly cpuUs?: number;
  /** The memory of the process under test that is resident at the end; undefined where the system does not tell. */
  readonly rssMiB?: number;
  /** What the process under test has in use after a collection, where it was asked. */
  readonly inUseMiB?: number;
  /** What each of the things takes there that were made, where that is the question. */
  readonly bytesEach?: number;
}

/** What is asked of a case by. */
export type Metric = "callsPerSecond" | "p50Us" | "p99Us" | "cpuUs" | "inUseMiB" | "bytesEach";

/** How a figure is judged: its ratio to the other's, what it is beyond that, or by itself. */
export type Comparison = "ratio" | "excess" | "itself";

/** What is asked of a case, mostly compared with a subject that it is measured beside. */
export interface Floor {
  readonly metric: Metric;
  /** The subject; absent: the one that the case stands beside anyway. */
  readonly beside?: string;
  /** Absent: the ratio. */
  readonly as?: Comparison;
  /** The least that is accepted: at most this for a cost, at least this for `callsPerSecond`. Absent: there is a goal only. */
  readonly floor?: number;
  /** What it should come to. Absent: there is a floor only. */
  readonly goal?: number;
}

/** One line of the table. */
export interface Case {
  /** What is done, in words: `unary get`. */
  readonly work: string;
  /** How many calls are under way at a time. */
  readonly callers: number;
  /** Who does it, in words: `bridge`. */
  readonly subject: string;
  /** The subject that does the same work for as many callers, to compare with. */
  readonly beside?: string;
  readonly floors?: readonly Floor[];
  /** True if nothing disturbs the figure, and it takes long: it is measured in the first round only, and not in the warm-up. */
  readonly once?: boolean;
  /** True if it takes longer to begin than to measure: it is measured in every third round only, and three times as long. */
  readonly costly?: boolean;
  /** Does the work for about so long. Fails if any call fails. */
  measure(milliseconds: number): Promise<Sample>;
}

/** A file of `rows/`: one question, and the cases that answer it. */
export interface Row {
  /** As in `--only`. */
  readonly name: string;
  /** Starts what the cases need on the stage. Throws {@link NotHere} if this machine lacks something for it. */
  prepare(stage: Stage): Promise<readonly Case[]>;
}

/** A row cannot be measured on this machine; the report says so and goes on. */
export class NotHere extends Error {}
