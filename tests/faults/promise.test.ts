/** What is promised holds while the way to the bridge is bad and the bridge is killed. `npm run torture:promise` does it for long. */
import { afterEach, expect, test } from "vitest";
import { removeFolders } from "../crash/server.js";
import { endAll } from "../e2e/processes.js";
import { playFlood } from "./promise/flood.js";
import { playFrozen } from "./promise/frozen.js";
import { playGap } from "./promise/gap.js";
import { playPromise, summary } from "./promise.js";

afterEach(async () => {
  await endAll();
  removeFolders();
});

const { SNAKEPIT_BRIDGE_KILLS, SNAKEPIT_BRIDGE_SEED } = process.env;
const kills = Number(SNAKEPIT_BRIDGE_KILLS ?? 8);
const seed = Number(SNAKEPIT_BRIDGE_SEED ?? Date.now() % 2 ** 31);

test(`${kills} kills on a bad way break no promise [ORD-4 accepts] [ORD-6 accepts] [ORD-15 accepts] [ORD-16 accepts]`, {
  timeout: 120_000 + 30_000 * kills,
}, async () => {
  const report = await playPromise({ kills, seed, say: console.log }).catch((cause: unknown) => {
    throw new Error(`seed ${seed}: ${cause}`, { cause });
  });
  console.log(summary(report));
  expect(report.faults, `seed ${seed}`).toEqual([]);
  // It says something only if all of it came to pass.
  expect(report.kills).toBeGreaterThanOrEqual(kills);
  expect(report.outcomes.ok).toBeGreaterThan(5 * kills);
  expect(report.outcomes.unavailable + report.outcomes.unknown).toBeGreaterThan(0);
  expect(report.reads).toBeGreaterThan(0);
  expect(report.resumed).toBe(report.weathers.length);
});

test("whoever misses more than is kept is told so once, reads what is there, and goes on [ORD-4 refuses] [ORD-6 accepts]", {
  timeout: 180_000,
}, async () => {
  const { missed, gaps, faults } = await playGap();
  console.log(`${missed} commits were missed`);
  expect(faults).toEqual([]);
  expect(missed).toBeGreaterThan(1_000);
  expect(gaps).toEqual(
    ["typescript", "aio", "sync"].flatMap((name) =>
      ["all", "pairs"].map((watch) => `${name} ${watch} HISTORY_COMPACTED`),
    ),
  );
});

test("12,000 calls that are never answered all end, and each was made once or not at all [ORD-15 accepts] [ORD-16 refuses]", {
  timeout: 120_000,
}, async () => {
  const { outcomes, foundDone, faults } = await playFlood();
  console.log(`${outcomes.get("unknown")} calls unknown, ${foundDone} of them done`);
  expect(faults).toEqual([]);
  expect(outcomes.get("ok")).toBe(1);
  expect(outcomes.get("unknown")).toBeGreaterThan(10_000);
  expect(foundDone).toBeGreaterThan(0);
});

// Elsewhere nothing says how much memory another process had.
test.runIf(process.platform === "linux")(
  "watches that stand still cost the bridge no more than what may wait for them, as /proc says [ORD-6 refuses]",
  { timeout: 180_000 },
  async () => {
    const { controlMiB, frozenMiB, allowedMiB, committedMiB, gaps } = await playFrozen();
    console.log(`${committedMiB} MiB committed: ${controlMiB} MiB before, ${frozenMiB} MiB after`);
    expect(committedMiB).toBeGreaterThan(allowedMiB);
    expect(frozenMiB - controlMiB).toBeLessThan(allowedMiB);
    expect(gaps).toEqual(["HISTORY_COMPACTED"]);
  },
);
