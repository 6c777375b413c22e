/**
 * Installs both packages as README tells a reader to: packs them, and runs the commands of the block that README marks with
 * `install`, in an empty folder. A second project has the npm package without what is optional.
 *
 * It happens once for all test files of this vitest project; `inject("packages")` gives them the result.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { snippetsOf } from "../docs/pages.js";
import { python, root, run } from "../e2e/processes.js";

/** What was installed, as paths. */
export interface Installed {
  /** The packages themselves. */
  readonly packed: { readonly npm: string; readonly wheel: string };
  /** A project with both packages, as README makes it. */
  readonly app: string;
  /** The Python of that project. */
  readonly python: string;
  /** A project with the npm package only, without optional dependencies. */
  readonly lean: string;
}

declare module "vitest" {
  export interface ProvidedContext {
    packages: Installed;
  }
}

/** No registry is asked for what is there already, and no script of a package runs. */
const SETTINGS = {
  npm_config_prefer_offline: "true",
  npm_config_ignore_scripts: "true",
  npm_config_audit: "false",
  npm_config_fund: "false",
  npm_config_update_notifier: "false",
  PIP_DISABLE_PIP_VERSION_CHECK: "1",
  PIP_QUIET: "1",
  // The versions that the set-up has fetched.
  PIP_CONSTRAINT: join(root, "python", "requirements-dev.txt"),
};

/** On a machine that has much else to do an installation takes long. */
const INSTALL_MS = 300_000;

export default async function setup(project: TestProject): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), "snakepit-packages-"));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    project.provide("packages", await install(folder));
  } catch (error) {
    remove();
    throw error;
  }
  return remove;
}

async function install(folder: string): Promise<Installed> {
  const to = join(folder, "clone", "packed");
  await perform([`node scripts/pack.mjs ${to}`], root);
  const find = (ending: string): string =>
    join(to, readdirSync(to).find((name) => name.endsWith(ending)) ?? "");
  const packed = { npm: find(".tgz"), wheel: find(".whl") };
  const app = join(folder, "app");
  const lean = join(folder, "lean");
  for (const path of [app, lean]) mkdirSync(path);
  // As a reader types them, but for where the clone and Python are.
  const lines = (snippetsOf("README.md").find(({ kind }) => kind === "install")?.text ?? "")
    .replaceAll("path/to/clone", join(folder, "clone"))
    .replaceAll("python3", python)
    .split("\n");
  const npm = lines.filter((line) => line.startsWith("npm "));
  const pip = lines.filter((line) => /python/.test(line) && !line.startsWith("npm "));
  if (npm.length < 2 || pip.length < 2) throw new Error("README does not say how to install");
  const installFromNpm = async (): Promise<void> => {
    await perform(npm, app);
    writeFileSync(join(lean, "package.json"), "{}");
    await perform([`npm install --omit=optional ${packed.npm}`], lean);
  };
  await Promise.all([installFromNpm(), perform([...pip, ".venv/bin/python -m pip install pytest"], app)]);
  return { packed, app, python: join(app, ".venv", "bin", "python"), lean };
}

async function perform(lines: readonly string[], cwd: string): Promise<void> {
  const { code, output } = await run("sh", ["-e", "-c", lines.join("\n")], SETTINGS, cwd, INSTALL_MS);
  if (code !== 0) throw new Error(`this failed:\n${lines.join("\n")}\n${output}`);
}
