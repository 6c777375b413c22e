/** Runs the model test, prints what it saw, and fails with the command that replays what went wrong. */
import { expect } from "vitest";
import { missingFrom, summaryOf } from "./coverage.js";
import { type ModelRun, replayCommand, runModel } from "./run-model.js";

const { MODEL_SEED, MODEL_PATH, MODEL_RUNS } = process.env;

export const TIMEOUT_MS = MODEL_RUNS === undefined ? 240_000 : 3_600_000;

/** The same sequences each time, so that a run says something about the change at hand; longer runs take other seeds. */
export const SEED = 20_261_123;

/** `file` is the test's; `seen` is what it has to have seen. */
export async function check(file: string, run: ModelRun, seen: readonly string[]): Promise<void> {
  const report = await runModel({
    ...run,
    runs: Number(MODEL_RUNS ?? run.runs),
    seed: Number(MODEL_SEED ?? SEED),
    path: MODEL_PATH,
  });
  console.info(summaryOf(report));
  if (report.failure !== undefined) expect.fail(`${report.failure}\n\n${replayCommand(report, file)}`);
  // A single sequence that is replayed shows itself and nothing else.
  if (MODEL_PATH === undefined)
    expect(missingFrom(report, seen), "never happened, so nothing was shown").toEqual([]);
}
