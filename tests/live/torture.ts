/**
 * Live reads under random histories for long: 10,000 in virtual time, unless told otherwise, as many of Python's, and a fiftieth on
 * real sockets.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { FAULTS } from "./faults.js";
import { playMany } from "./histories.js";
import { playOnSockets } from "./sockets.js";

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
console.log(`${histories} histories in Python`);
const python = spawnSync(
  fileURLToPath(new URL("../../.venv/bin/python", import.meta.url)),
  ["-m", "pytest", "-q", "-c", "python/pyproject.toml", "python/tests/model/test_live.py"],
  {
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    env: { ...process.env, SNAKEPIT_HISTORIES: String(histories) },
    stdio: "inherit",
  },
);
const onSockets = await playOnSockets({
  histories: Math.ceil(histories / 50),
  seed,
  python: ["aio", "sync"],
  progress: (history, entries) => {
    if (history % 20 === 0) console.log(`${history} histories on sockets, ${entries} answers`);
  },
});
const sources = [...onSockets.bySource].map(([source, times]) => `${source}: ${times}`).join("; ");
console.log(`${onSockets.entries} answers over ${onSockets.cuts} cuts; reads from ${sources}`);
for (const fault of onSockets.faults) console.error(fault);
let missed = 0;
for (const [fault, tampering] of Object.entries(FAULTS)) {
  const report = await playMany({ histories: 2_000, seed, tampering });
  if (report.failure === undefined) missed++;
  console.log(`${fault}: ${report.failure === undefined ? "NOT found" : "found"}`);
}
process.exitCode =
  failure === undefined && python.status === 0 && onSockets.faults.length === 0 && missed === 0 ? 0 : 1;
