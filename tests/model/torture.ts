/** The model test on files for long: 2,000 sequences with restarts and crashes, unless told otherwise. */
import { HAS_TO_BE_SEEN, HAS_TO_BE_SEEN_ON_FILES, missingFrom, summaryOf } from "./coverage.js";
import { replayCommand, runModel } from "./run-model.js";
import { ON_FILES, sqliteEngine } from "./sqlite-engine.js";

/** Run at a time; in between it says how far it is. */
const PART = 50;
/** Fewer sequences need not see everything. */
const ENOUGH = 1_000;

const [sequences = 2_000, seed = Date.now() % 2 ** 31] = process.argv.slice(2).map(Number);
if (![sequences, seed].every(Number.isSafeInteger))
  throw new Error("usage: npm run torture:model -- [SEQUENCES [SEED]]");

const seen = new Map<string, number>();
const started = performance.now();
let runs = 0;
let failure: string | undefined;
while (runs < sequences && failure === undefined) {
  const report = await runModel({
    ...ON_FILES,
    makeEngine: sqliteEngine(),
    runs: Math.min(PART, sequences - runs),
    seed: seed + runs,
  });
  runs += report.runs;
  for (const [what, times] of report.seen) seen.set(what, (seen.get(what) ?? 0) + times);
  const seconds = Math.round((performance.now() - started) / 1_000);
  console.log(`${runs} sequences, ${seen.get("the engine crashed")} crashes, ${seconds} s`);
  if (report.failure !== undefined)
    failure = `${report.failure}\n\n${replayCommand(report, "sqlite.test.ts")}`;
}
console.log(summaryOf({ seen, runs, seed }));
if (failure !== undefined) console.error(failure);
const missing = missingFrom({ seen }, [...HAS_TO_BE_SEEN, ...HAS_TO_BE_SEEN_ON_FILES]);
if (missing.length > 0) console.error(`never happened: ${missing.join("; ")}`);
process.exitCode = failure === undefined && (missing.length === 0 || sequences < ENOUGH) ? 0 : 1;
