// `npm run torture:forks [-- FORKS]`: forks for long, with the Python of this repository or that of the variable PYTHON.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root } from "../../scripts/process.mjs";
import { venvProgram } from "../../scripts/python.mjs";

const python = process.env.PYTHON ?? venvProgram("python");
const program = join(root, "tests", "processes", "torture.py");
const { status } = spawnSync(python, [program, ...process.argv.slice(2)], { cwd: root, stdio: "inherit" });
process.exitCode = status ?? 1;
