/** A bridge as its users run it: a process of the built program on a file. */
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root, TestProcess } from "../e2e/processes.js";

/** The program, as npm links it. */
export const program = join(root, "packages", "bridge", "bin", "snakepit-bridge.js");

const folders = new Set<string>();

/** A folder for this process, removed by `removeFolders`. */
export async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "snakepit-crash-"));
  folders.add(folder);
  return folder;
}

/** Removes all folders that were made. */
export function removeFolders(): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  folders.clear();
}

/** A new id of a client (ORD-15). */
export function newClientId(): string {
  return randomBytes(16).toString("hex");
}

/** Starts the program without waiting for anything. `before` is what it is run under, as strace; `cwd` is where. */
export function startProgram(
  args: readonly string[],
  before: readonly string[] = [],
  cwd = root,
): TestProcess {
  const [command, ...rest] = [...before, process.execPath, program, ...args];
  return new TestProcess(command as string, rest, {}, cwd);
}

/** Starts a bridge on a file without waiting for it. */
export function launch(
  file: string,
  before: readonly string[] = [],
  durability: "full" | "relaxed" = "full",
): TestProcess {
  const store = ["--store", `sqlite:${file}`, "--durability", durability];
  return startProgram(["serve", "--port", "0", ...store, "--log-level", "silent"], before);
}

/** A bridge that listens. */
export interface Server {
  readonly process: TestProcess;
  /** What it prints when it listens. */
  readonly line: string;
  readonly address: string;
}

/** Waits until a bridge listens. */
export async function listening(process: TestProcess): Promise<Server> {
  const line = await process.line();
  const address = /listening on (\S+)/.exec(line)?.[1];
  if (address === undefined) throw new Error(`no address in ${JSON.stringify(line)}`);
  return { process, line, address };
}
