// `npm run fmt`: formats both languages and applies the safe fixes of their linters.
import { join } from "node:path";
import { CommandFailed, commandStep, Failure, main, root } from "./process.mjs";
import { venvProgram } from "./python.mjs";

const config = ["--config", "python/pyproject.toml"];
const commands = [
  ["biome", join(root, "node_modules", ".bin", "biome"), ["check", "--write", "."]],
  ["ruff lint", venvProgram("ruff"), ["check", "--fix", ...config, "."]],
  ["ruff format", venvProgram("ruff"), ["format", ...config, "."]],
];

await main(async () => {
  let faults = "";
  for (const [label, program, args] of commands) {
    try {
      await commandStep(label, program, args);
    } catch (error) {
      if (!(error instanceof CommandFailed)) throw error;
      faults += error.output;
    }
  }
  if (faults !== "") throw new Failure(`some faults need a person:\n${faults.trimEnd()}`);
});
