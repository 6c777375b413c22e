/** Which Python a worker runs in. */
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

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
  const make = `\`${python} -m venv .venv\` and \`${join(".venv", ...IN_VENV)} -m pip install snakepit-bridge\``;
  return (
    `there is no Python to run the worker with: no .venv in ${folder} or above it, and no ${python} on the PATH. ` +
    `Install Python 3.10 or newer, then ${make}`
  );
}

/** What to do about an interpreter without our package. */
export function withoutPackage(python: string): string {
  return `${python} has no snakepit_bridge package: run \`${python} -m pip install snakepit-bridge\``;
}

/** Whether an interpreter has said that it has no such package, or not what the package needs. */
export function saysNoPackage(output: readonly string[]): boolean {
  return output.some((line) => /No module named '?(?:snakepit_bridge|grpc|google)\b/.test(line));
}
