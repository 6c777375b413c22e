// What `npm test` runs, as a table. A check is one result; a suite (vitest, pytest) writes a report that
// reports.mjs counts. Every command is run from the root of the repository.
import { join } from "node:path";
import { root } from "./process.mjs";
import { venvProgram } from "./python.mjs";

const node = process.execPath;
const bin = (name) => join(root, "node_modules", ".bin", name);
const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
const python = venvProgram("python");
// The tools write into a pipe, so they are told about the terminal; by flags, as variables would reach the tests.
const colours = Boolean(process.stdout.isTTY) && !process.env.NO_COLOR;
const biomeColours = colours ? "--colors=force" : "--colors=off";
const vitestColours = colours ? "--color" : "--no-color";
const pytestColours = colours ? "--color=yes" : "--color=no";
const pyproject = "python/pyproject.toml";
const pytest = [python, "-m", "pytest", "-c", pyproject, pytestColours];
const pythonEndToEnd = "python/tests/e2e";

export const steps = [
  { name: "build", kind: "check", command: [node, tsc, "-b", "packages/bridge"] },
  {
    name: "format and lint",
    kind: "check",
    command: [bin("biome"), "ci", "--error-on-warnings", biomeColours, "."],
  },
  { name: "house", kind: "check", command: [node, "scripts/check-house.mjs"] },
  { name: "generated code", kind: "check", command: [node, "scripts/gen.mjs", "--check"] },
  { name: "protos", kind: "check", command: [node, "scripts/check-proto.mjs"] },
  { name: "types", kind: "check", command: [node, tsc, "--project", "."] },
  { name: "ruff lint", kind: "check", command: [venvProgram("ruff"), "check", "--config", pyproject, "."] },
  {
    name: "ruff format",
    kind: "check",
    command: [venvProgram("ruff"), "format", "--check", "--config", pyproject, "."],
  },
  { name: "mypy", kind: "check", command: [python, "-m", "mypy", "--config-file", pyproject] },
  { name: "pyright", kind: "check", beside: "mypy", command: [bin("pyright"), "--project", pyproject] },
  {
    name: "typescript",
    kind: "vitest",
    command: [bin("vitest"), "run", "--project", "unit", "--project", "scripts", vitestColours],
  },
  {
    name: "python",
    kind: "pytest",
    // It keeps one core busy and no more, as those below do.
    beside: "typescript",
    command: [...pytest, "python/tests", "tests", `--ignore=${pythonEndToEnd}`],
  },
  {
    name: "python, lowest versions",
    kind: "pytest",
    beside: "typescript",
    command: [node, "scripts/python-range.mjs", pytestColours],
  },
  {
    name: "end to end",
    kind: "vitest",
    command: [bin("vitest"), "run", "--project", "e2e", "--project", "packages", vitestColours],
  },
  {
    name: "python, end to end",
    kind: "pytest",
    // It waits more than it computes.
    beside: "end to end",
    command: [...pytest, pythonEndToEnd],
  },
];
