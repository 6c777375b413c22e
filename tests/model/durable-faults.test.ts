/** The test of the model test on files: each fault, laid into a right store, has to be found by as few sequences as it has. */
import { expect, test } from "vitest";
import { SEED, TIMEOUT_MS } from "./check.js";
import { DURABLE_FAULTS } from "./durable-faults.js";
import { runModel } from "./run-model.js";
import { ON_FILES, sqliteEngine } from "./sqlite-engine.js";

const cases = DURABLE_FAULTS.map((fault) => [fault.name, fault] as const);

test.for(cases)("a store that %s is caught", { timeout: TIMEOUT_MS }, async ([, { wrap, seed = SEED }]) => {
  const makeEngine = sqliteEngine(wrap);
  const report = await runModel({ ...ON_FILES, makeEngine, seed, withoutShrinking: true });
  expect(report.failure, `passed ${report.runs} sequences`).toBeDefined();
});
