/** A bridge that is killed under load keeps what it acknowledged. `npm run torture` is the same for longer. */
import { afterEach, expect, test } from "vitest";
import { endAll } from "../e2e/processes.js";
import { removeFolders } from "./server.js";
import { summary, torture } from "./torture.js";

afterEach(async () => {
  await endAll();
  removeFolders();
});

test("[DOOR-8 accepts] 10 kills under load lose nothing and show no half of a batch", async () => {
  const report = await torture({ cycles: 10, seed: Date.now() % 2 ** 31 });
  console.log(summary(report));
  expect(report).toMatchObject({ failures: [], lost: 0, halfVisible: 0, cycles: 10 });
});
