/**
 * `npm run torture [-- CYCLES [SEED]]`: kills a bridge under load, 300 times unless told otherwise. Told nothing, it then has
 * bridges meet every failpoint at every time that it is passed.
 */
import { endAll } from "../e2e/processes.js";
import { wholeGrid } from "./grid.js";
import { removeFolders } from "./server.js";
import { summary, torture } from "./torture.js";

const args = process.argv.slice(2);
const [cycles = 300, seed = Date.now() % 2 ** 31] = args.map(Number);
if (![cycles, seed].every(Number.isSafeInteger)) throw new Error("usage: npm run torture -- [CYCLES [SEED]]");
const say = (line: string): void => console.log(line);

say(`seed ${seed}`);
try {
  const kills = await torture({ cycles, seed, say });
  say(summary(kills));
  for (const failure of kills.failures) console.error(failure);
  const grid = args.length === 0 ? await wholeGrid(say) : undefined;
  if (grid !== undefined) say(`${grid.cells} failpoints met, ${grid.failures.length} failures`);
  process.exitCode = kills.failures.length + (grid?.failures.length ?? 0) === 0 ? 0 : 1;
} finally {
  await endAll();
  removeFolders();
}
