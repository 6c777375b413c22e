/** Which Python a worker runs in. */
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { npmInstall, pipInstall, versionMismatch } from "../core/versions.js";
import { VERSION } from "../version.js";

const WINDOWS = process.platform === "win32";
const IN_VENV = WINDOWS ? ["Scripts", "python.exe"] : ["bin", "python"];
const ON_PATH = WINDOWS ? "python" : "python3";

/** The interpreter: the chosen one, else that of a `.venv` in the folder or above it, else the one on the PATH. */
export function findPython(chosen: string | undefined, folder: string): string {
  if (chosen !== undefined) return /[/\\]/.test(chosen) ? resolve(folder, chosen) : chosen;
  for (let at = resolve(folder); ; at = dirname(at)) {
    const python = join(at, ".venv", ...IN_VENV);
    if (existsSync(python)) return python;
    if (at === dirname(at)) return ON_PATH;
  }
}

/** What to do about an interpreter that could not be started. */
export function withoutPython(
  python: string,
  folder: string,
  { code, message }: NodeJS.ErrnoException,
): string {
  if (code !== "ENOENT") return `${python} cannot be run: ${message}`;
  if (python !== ON_PATH) return `there is no ${python} to run the worker with`;
  return (
    `there is no Python to run the worker with: no .venv in ${folder} or above it, and no ${python} on the PATH. ` +
    `Install Python 3.10 or newer, then ${makeVenv(python)}`
  );
}

function makeVenv(python: string): string {
  return `\`${python} -m venv .venv\` and \`${join(".venv", ...IN_VENV)} -m pip install snakepit-bridge\``;
}

/** What to do about an interpreter without our package. */
export function withoutPackage(python: string): string {
  // Into the Python of the system one should not, and often cannot, install anything.
  const run = python === ON_PATH ? makeVenv(python) : `\`${python} -m pip install snakepit-bridge\``;
  return `${python} has no snakepit_bridge package: run ${run}`;
}

/** What to do about an interpreter whose package does not work with this one (DOOR-9); undefined if it does. */
export function withOtherPackage(python: string, version: string): string | undefined {
  return versionMismatch(
    {
      name: "the snakepit_bridge of the worker",
      version,
      install: (generation) => pipInstall(generation, `${python} -m pip`),
    },
    { name: "the snakepit-bridge of the host", version: VERSION, install: npmInstall },
  );
}

/** Whether an interpreter has said that it has no such package, or not what the package needs. */
export function saysNoPackage(output: readonly string[]): boolean {
  return output.some((line) => /No module named '?(?:snakepit_bridge|grpc|google)\b/.test(line));
}
