// Which Python this repository uses: the one that makes .venv, and the tools inside it.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Failure, root } from "./process.mjs";

export const venv = join(root, ".venv");
const oldest = 10; // Python 3.10
const windows = process.platform === "win32";

const probe = `
import importlib.util as u, json, sys
print(json.dumps({"version": list(sys.version_info[:3]), "path": sys.executable,
                  "venv": bool(u.find_spec("venv") and u.find_spec("ensurepip"))}))`;

/** The path of a program inside a virtual environment, by default the one of this repository. */
export function venvProgram(name, folder = venv) {
  return windows ? join(folder, "Scripts", `${name}.exe`) : join(folder, "bin", name);
}

/** The Python version that .venv was made with, such as "3.11.7"; undefined when it cannot be used. */
export function venvVersion() {
  const config = join(venv, "pyvenv.cfg");
  if (!existsSync(config) || !existsSync(venvProgram("python"))) return undefined;
  return /^version\s*=\s*(\S+)/m.exec(readFileSync(config, "utf8"))?.[1];
}

/** The first Python that can make a virtual environment; throws a Failure that says what to install. */
export function findPython() {
  const chosen = process.env.PYTHON;
  const names = chosen
    ? [chosen]
    : ["python3", "python", ...[14, 13, 12, 11, 10].map((minor) => `python3.${minor}`)];
  const found = names.map(examine).filter((python) => python !== undefined);
  const recent = found.filter(({ version: [major, minor] }) => major === 3 && minor >= oldest);
  const usable = recent.find((python) => python.venv);
  if (usable) return { path: usable.path, version: usable.version.join(".") };
  if (recent[0]) {
    throw new Failure(
      `Python ${recent[0].version.join(".")} (${recent[0].path}) lacks the venv module: ` +
        `install it (on Debian and Ubuntu \`sudo apt install python3-venv\`) and run this again.`,
    );
  }
  const seen = found[0] ? `only Python ${found[0].version.join(".")} was found` : "no Python was found";
  throw new Failure(
    chosen
      ? `The variable PYTHON is ${chosen}, which is not a Python 3.${oldest} or newer: change or unset it.`
      : `Python 3.${oldest} or newer is needed and ${seen}: ` +
          "install it from python.org or your system's packages, or set PYTHON to its path.",
  );
}

function examine(name) {
  const { status, stdout } = spawnSync(name, ["-c", probe], { encoding: "utf8" });
  if (status !== 0) return undefined;
  try {
    return JSON.parse(stdout);
  } catch {
    return undefined;
  }
}
