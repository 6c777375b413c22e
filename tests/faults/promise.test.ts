/** What is promised holds while the way to the bridge is bad and the bridge is killed. `npm run torture:promise` does it for long. */
import { afterEach, expect, test } from "vitest";
import { removeFolders } from "../crash/server.js";
import { endAll } from "../e2e/processes.js";
import { playPromise, summary } from "./promise.js";

afterEach(async () => {
  await endAll();
  removeFolders();
});

test("8 kills on a bad way break no promise [ORD-4 accepts] [ORD-6 accepts] [ORD-15 accepts] [ORD-16 accepts]", {
  timeout: 180_000,
}, async () => {
  const seed = Number(process.env["SNAKEPIT_BRIDGE_SEED"] ?? Date.now() % 2 ** 31);
  const report = await playPromise({ kills: 8, seed }).catch((cause: unknown) => {
    throw new Error(`seed ${seed}: ${cause}`, { cause });
  });
  console.log(summary(report));
  expect(report.faults, `seed ${seed}`).toEqual([]);
});
