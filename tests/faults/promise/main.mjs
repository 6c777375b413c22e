// `npm run torture:promise [-- --kills KILLS --seed SEED]`: what is promised, on a bad way to a bridge that is killed 100 times unless
// told otherwise. The test of `npm test`, for as long as the environment says.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({ options: { kills: { type: "string" }, seed: { type: "string" } } });
const kills = Number(values.kills ?? 100);
const seed = Number(values.seed ?? Date.now() % 2 ** 31);
if (![kills, seed].every(Number.isSafeInteger))
  throw new Error("usage: npm run torture:promise -- [--kills KILLS] [--seed SEED]");

const cwd = fileURLToPath(new URL("../../..", import.meta.url));
const env = { ...process.env, SNAKEPIT_BRIDGE_KILLS: String(kills), SNAKEPIT_BRIDGE_SEED: String(seed) };
const vitest = ["node_modules/vitest/vitest.mjs", "run", "--project", "e2e", "--disableConsoleIntercept"];
console.log(`seed ${seed}`);
process.exitCode = await new Promise((resolve) => {
  const args = [...vitest, "tests/faults/promise.test.ts"];
  spawn(process.execPath, args, { cwd, env, stdio: "inherit" }).on("close", (code) => resolve(code ?? 1));
});
