/**
 * The engine against the model. To see the failed sequence again, run the command that the failure prints; for a longer
 * run set MODEL_RUNS.
 */
import { expect, test } from "vitest";
import { memoryEngine, restartingEngine } from "./memory-engine.js";
import { type MakeEngine, type ModelReport, missingFrom, runModel, summaryOf } from "./run-model.js";

const { MODEL_SEED, MODEL_PATH, MODEL_RUNS } = process.env;

const TIMEOUT_MS = MODEL_RUNS === undefined ? 120_000 : 3_600_000;

/** Runs the model test, prints what it saw, and fails with the command that replays what went wrong. */
async function check(name: string, makeEngine: MakeEngine, runs: number): Promise<ModelReport> {
  const report = await runModel({
    makeEngine,
    runs: Number(MODEL_RUNS ?? runs),
    // The same sequences each time, so that a run says something about the change at hand; longer runs take other seeds.
    seed: Number(MODEL_SEED ?? 20_261_123),
    path: MODEL_PATH,
  });
  console.info(summaryOf(report));
  if (report.failure !== undefined) {
    const which = `npx vitest run --project e2e tests/model/model.test.ts -t "${name}"`;
    expect.fail(
      `${report.failure}\n\nreplay with: MODEL_SEED=${report.seed} MODEL_PATH=${report.path} ${which}`,
    );
  }
  // A single sequence that is replayed shows itself and nothing else.
  if (MODEL_PATH === undefined)
    expect(missingFrom(report), "never happened, so nothing was shown").toEqual([]);
  return report;
}

test("the engine with a memory store does what the model says", { timeout: TIMEOUT_MS }, async ({ task }) => {
  await check(task.name, memoryEngine(), 800);
});

test("the engine that is stopped and started does what the model says", { timeout: TIMEOUT_MS }, async ({
  task,
}) => {
  const { seen } = await check(task.name, restartingEngine(), 500);
  if (MODEL_PATH === undefined) expect(seen.get("the engine was restarted")).toBeGreaterThan(0);
});
