/** The Python worker as a process: how it is started, how it ends, and what it said if it ended by itself. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const script = fileURLToPath(new URL("worker.py", import.meta.url));
const python = join(
  root,
  ".venv",
  ...(process.platform === "win32" ? ["Scripts", "python.exe"] : ["bin", "python"]),
);

/** How long it may take to end when it is asked to. */
const GRACE_MS = 3_000;

export class Worker {
  /** Told when the process has ended: how, and what it wrote to its standard error. */
  readonly ended: Promise<string>;
  readonly #child: ChildProcessByStdio<Writable, null, Readable>;

  /** Starts the worker; address and session reach it in environment variables. */
  constructor(address: string, sessionId: string, args: readonly string[]) {
    if (!existsSync(python)) throw new Error(`${python} does not exist: run \`npm run setup\` first`);
    this.#child = spawn(python, [script, ...args], {
      env: { ...process.env, SNAKEPIT_BRIDGE_ADDRESS: address, SNAKEPIT_BRIDGE_SESSION: sessionId },
      stdio: ["pipe", "ignore", "pipe"],
      // In a group of its own, so that Ctrl-C in the terminal reaches the host only, which then ends the worker.
      detached: process.platform !== "win32",
    });
    let errors = "";
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => {
      errors += text;
    });
    this.#child.stdin.on("error", () => {}); // it may be gone already
    this.ended = once(this.#child, "close").then(
      ([code, signal]) =>
        `the Python worker ended with ${signal ?? `exit code ${code}`}\n${errors}`.trimEnd(),
      (error: Error) => `the Python worker could not be started: ${error.message}`,
    );
  }

  /** The process id. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Ends the process: by closing its input, which also happens if this process dies, and if need be by force. */
  async stop(): Promise<void> {
    this.#child.stdin.end();
    const patience = new AbortController();
    const tooLong = delay(GRACE_MS, "too long", { signal: patience.signal }).catch(() => "ended");
    if ((await Promise.race([this.ended, tooLong])) === "too long") this.kill();
    patience.abort();
    await this.ended;
  }

  /** Ends the process at once. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }
}
