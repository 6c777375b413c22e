// `npm run torture:cuts [-- CUTS [SEED]]`: watches over connections that are cut at random bytes, in each language, 1,000 times
// unless told otherwise. The tests of `npm test`, for as long as the environment says.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const [cuts = 1_000, seed = Date.now() % 2 ** 31] = process.argv.slice(2).map(Number);
if (![cuts, seed].every(Number.isSafeInteger))
  throw new Error("usage: npm run torture:cuts -- [CUTS [SEED]]");

const cwd = fileURLToPath(new URL("../..", import.meta.url));
const env = { ...process.env, SNAKEPIT_BRIDGE_CUTS: String(cuts), SNAKEPIT_BRIDGE_SEED: String(seed) };
const commands = [
  [
    process.execPath,
    "node_modules/vitest/vitest.mjs",
    "run",
    "--project",
    "e2e",
    "tests/faults/cuts.test.ts",
  ],
  [".venv/bin/python", "-m", "pytest", "-q", "-c", "python/pyproject.toml", "python/tests/e2e/test_cuts.py"],
];
console.log(`seed ${seed}`);
for (const [program, ...args] of commands) {
  const code = await new Promise((resolve) => {
    spawn(program, args, { cwd, env, stdio: "inherit" }).on("close", resolve);
  });
  if (code !== 0) process.exitCode = 1;
}
