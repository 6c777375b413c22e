/** The test of the model test: each fault, laid into a right bridge, has to be found by fewer sequences than a run has. */
import { expect, test } from "vitest";
import { FAULTS, STORE_FAULTS } from "./faults.js";
import { memoryEngine } from "./memory-engine.js";
import { runModel } from "./run-model.js";
import type { MakeEngine } from "./subject.js";

const BUDGET = 1_000;

async function catches(makeEngine: MakeEngine): Promise<void> {
  const report = await runModel({ makeEngine, runs: BUDGET, floodEvery: 1_000, withoutShrinking: true });
  expect(report.failure, `passed ${report.runs} sequences, seed ${report.seed}`).toBeDefined();
}

test.for(FAULTS.map((fault) => [fault.name, fault] as const))(
  "a bridge that %s is caught",
  async ([, fault]) => catches(fault.in(memoryEngine())),
);

test.for(STORE_FAULTS.map((fault) => [fault.name, fault] as const))(
  "a store that %s is caught",
  async ([, { wrap }]) => catches(memoryEngine(wrap)),
);
