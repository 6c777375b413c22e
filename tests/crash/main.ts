/** `npm run torture [-- CYCLES [SEED]]`: kills a bridge under load, 300 times unless told otherwise. */
import { endAll } from "../e2e/processes.js";
import { removeFolders } from "./server.js";
import { summary, torture } from "./torture.js";

const [cycles = 300, seed = Date.now() % 2 ** 31] = process.argv.slice(2).map(Number);
if (![cycles, seed].every(Number.isSafeInteger)) throw new Error("usage: npm run torture -- [CYCLES [SEED]]");

console.log(`seed ${seed}`);
try {
  const report = await torture({ cycles, seed, say: (line) => console.log(line) });
  console.log(summary(report));
  for (const failure of report.failures) console.error(failure);
  process.exitCode = report.failures.length === 0 ? 0 : 1;
} finally {
  await endAll();
  removeFolders();
}
