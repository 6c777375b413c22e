/** Live reads under random histories for long: 10,000, unless told otherwise. */
import { FAULTS } from "./faults.js";
import { playMany } from "./histories.js";

/** Played at a time; in between it says how far it is. */
const PART = 500;

const [histories = 10_000, seed = Date.now() % 2 ** 31] = process.argv.slice(2).map(Number);
if (![histories, seed].every(Number.isSafeInteger))
  throw new Error("usage: npm run torture:live -- [HISTORIES [SEED]]");

const seen = new Map<string, number>();
let played = 0;
let failure: string | undefined;
while (played < histories && failure === undefined) {
  const report = await playMany({ histories: Math.min(PART, histories - played), seed: seed + played });
  played += report.histories;
  failure = report.failure;
  for (const [what, times] of report.seen) seen.set(what, (seen.get(what) ?? 0) + times);
  console.log(`${played} histories, ${seen.get("read from the replica") ?? 0} reads from replicas`);
}
console.log([...seen].map(([what, times]) => `${what}: ${times}`).join("; "));
if (failure !== undefined) console.error(failure);
let missed = 0;
for (const [fault, tampering] of Object.entries(FAULTS)) {
  const report = await playMany({ histories: 2_000, seed, tampering });
  if (report.failure === undefined) missed++;
  console.log(`${fault}: ${report.failure === undefined ? "NOT found" : "found"}`);
}
process.exitCode = failure === undefined && missed === 0 ? 0 : 1;
