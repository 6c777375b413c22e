/**
 * Runs sequences of commands against an engine and the model, and compares every answer, every session and, at the end,
 * what the store kept.
 */
import fc from "fast-check";
import { type Step, sequence } from "./arbitraries.js";
import { Difference, show } from "./compare.js";
import { Run } from "./run.js";
import type { MakeEngine } from "./subject.js";

export interface ModelRun {
  readonly makeEngine: MakeEngine;
  readonly runs: number;
  /** The longest sequence. */
  readonly maxSteps?: number;
  /** One sequence in so many has a flood of writes in it. */
  readonly floodEvery?: number;
  /** With crashes, restarts and sleep among the steps. */
  readonly crashes?: boolean;
  /** From a failed run's report: the same sequences again, or with `path` the failed one alone. */
  readonly seed?: number | undefined;
  readonly path?: string | undefined;
  /** Report the first failure as it is. */
  readonly withoutShrinking?: boolean;
}

/** What a run came to. */
export interface ModelReport {
  /** What differed, and the sequence; undefined if nothing did. */
  readonly failure: string | undefined;
  readonly seed: number;
  readonly path: string | undefined;
  readonly runs: number;
  /** How often each thing happened, by its name. */
  readonly seen: ReadonlyMap<string, number>;
}

const SHRINKING_MS = 20_000;

/** Runs sequences until one fails or all have passed. */
export async function runModel(options: ModelRun): Promise<ModelReport> {
  const { makeEngine, runs, maxSteps = 60, floodEvery = 10, crashes = false } = options;
  const { seed, path, withoutShrinking = false } = options;
  const seen = new Map<string, number>();
  const sequences = sequence({ maxSteps, floodEvery, crashes });
  const first = await fc.check(
    fc.asyncProperty(sequences, (steps) => runSequence(makeEngine, steps, seen)),
    {
      numRuns: runs,
      endOnFailure: true,
      ...(seed === undefined ? {} : { seed }),
      ...(path === undefined || path === "" ? {} : { path }),
    },
  );
  if (!first.failed || withoutShrinking) return reportOf(first, seen);
  // What failed, made as short as a while allows; of a sequence with a flood in it every try takes long.
  const shorter = await fc.check(
    fc.asyncProperty(sequences, (steps) => runSequence(makeEngine, steps, new Map())),
    { seed: first.seed, path: first.counterexamplePath ?? "", interruptAfterTimeLimit: SHRINKING_MS },
  );
  return { ...reportOf(shorter.failed ? shorter : first, seen), runs: first.numRuns };
}

function reportOf(details: fc.RunDetails<[readonly Step[]]>, seen: ReadonlyMap<string, number>): ModelReport {
  const steps = details.counterexample?.[0] ?? [];
  const { errorInstance: error } = details;
  const why = error instanceof Error && !(error instanceof Difference) ? error.stack : String(error);
  return {
    failure: details.failed ? [...steps.map((step, i) => `${i}: ${show(step)}`), why].join("\n") : undefined,
    seed: details.seed,
    path: details.counterexamplePath ?? undefined,
    runs: details.numRuns,
    seen,
  };
}

/** The command that runs the failed sequence again. */
export function replayCommand({ seed, path }: ModelReport, file: string): string {
  return `replay with: MODEL_SEED=${seed} MODEL_PATH=${path} npx vitest run --project e2e tests/model/${file}`;
}

async function runSequence(
  makeEngine: MakeEngine,
  steps: readonly Step[],
  seen: Map<string, number>,
): Promise<void> {
  const run = new Run();
  await run.start(makeEngine);
  try {
    for (const step of steps) await run.step(step);
    await run.finish();
  } finally {
    for (const [what, times] of run.model.seen) seen.set(what, (seen.get(what) ?? 0) + times);
    await run.close();
  }
}
