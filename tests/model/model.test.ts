/**
 * The engine in memory against the model. To see the failed sequence again, run the command that the failure prints; for
 * a longer run set MODEL_RUNS.
 */
import { test } from "vitest";
import { check, TIMEOUT_MS } from "./check.js";
import { HAS_TO_BE_SEEN } from "./coverage.js";
import { memoryEngine, restartingEngine } from "./memory-engine.js";

const timeout = TIMEOUT_MS;

test("the engine with a memory store does what the model says", { timeout }, async () => {
  await check("model.test.ts", { makeEngine: memoryEngine(), runs: 800 }, HAS_TO_BE_SEEN);
});

test("the engine that is stopped and started does what the model says", { timeout }, async () => {
  const seen = [...HAS_TO_BE_SEEN, "the engine was restarted"];
  await check("model.test.ts", { makeEngine: restartingEngine(), runs: 500 }, seen);
});
