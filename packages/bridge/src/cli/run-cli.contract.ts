/** Runs the command line: as its users do, as a process; or, which is faster, here. For tests only. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { vi } from "vitest";
import { runCommandLine } from "./program.js";

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));

/** What a process that has ended left behind. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process, and what it will leave behind. */
export interface Running {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<Ended>;
}

export function start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
  const child = spawn(process.execPath, ["--import", "tsx", MAIN, ...args], {
    env: { ...process.env, NO_COLOR: "1", ...env },
  });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text) => {
      output[name] += text;
    });
  }
  const ended = once(child, "close").then(([code, signal]) => ({ code, signal, ...output }));
  return { child, ended };
}

/** Runs a command in this process. One at a time: it listens to what the process writes. */
export async function run(...args: string[]): Promise<Pick<Ended, "code" | "stdout" | "stderr">> {
  const written = { stdout: "", stderr: "" };
  const spies = (["stdout", "stderr"] as const).map((name) =>
    vi.spyOn(process[name], "write").mockImplementation((text) => {
      written[name] += String(text);
      return true;
    }),
  );
  try {
    const code = await runCommandLine(["node", "snakepit-bridge", ...args]);
    return { code, ...written };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

/** A bridge on memory that listens on a free port, its first line and its address. */
export async function serve(...args: string[]): Promise<Running & { line: string; address: string }> {
  const running = start(["serve", "--port", "0", "--store", "memory", ...args]);
  const line = await firstLine(running);
  return { ...running, line, address: line.split(" ")[3] ?? "" };
}

async function firstLine({ child, ended }: Running): Promise<string> {
  const first = once(createInterface(child.stdout), "line").then(([line]) => String(line));
  const early = ended.then(({ stderr }) => {
    throw new Error(`it ended before it listened: ${stderr}`);
  });
  early.catch(() => {});
  return Promise.race([first, early]);
}
