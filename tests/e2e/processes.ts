/** Child processes for tests: what they print, how they end, and that none is left behind. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The root of the repository. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

export const python = join(
  root,
  ".venv",
  ...(process.platform === "win32" ? ["Scripts", "python.exe"] : ["bin", "python"]),
);

/** How long a process may take before the test says what it printed so far. */
const TIMEOUT_MS = 30_000;

const running = new Set<TestProcess>();

/** Ends whatever a test has left running; for `afterEach`. */
export async function endAll(): Promise<void> {
  await Promise.all([...running].map((process) => process.end("SIGKILL")));
}

/** A program that runs. */
export class TestProcess {
  /** All that it printed so far, both streams as they came. */
  output = "";
  stdout = "";
  stderr = "";
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
  readonly #child: ChildProcess;
  readonly #watchers = new Set<() => void>();
  #done = false;
  /** How much of the standard output was handed out as lines, and how much was searched for their ends. */
  #read = 0;
  #searched = 0;

  constructor(
    command: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    /** Where it runs. */
    cwd = root,
  ) {
    const { FORCE_COLOR: _, ...inherited } = process.env;
    this.#child = spawn(command, args, {
      cwd,
      env: { ...inherited, NO_COLOR: "1", PYTHONUNBUFFERED: "1", PYTHONUTF8: "1", ...env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    running.add(this);
    for (const name of ["stdout", "stderr"] as const) {
      this.#child[name]?.setEncoding("utf8").on("data", (text: string) => {
        this[name] += text;
        this.output += text;
        this.#look();
      });
    }
    this.#child.stdin?.on("error", () => {});
    this.ended = new Promise((resolve) => {
      const end = (how: number | string): void => {
        this.#done = true;
        running.delete(this);
        this.#look();
        resolve(how);
      };
      this.#child.on("error", (error) => end(error.message));
      this.#child.on("close", (code, signal) => end(code ?? signal ?? "unknown"));
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Waits until its output has this; fails with what it printed if it ends or takes too long. */
  until(pattern: RegExp, timeoutMs = TIMEOUT_MS): Promise<RegExpExecArray> {
    return this.#wait(String(pattern), timeoutMs, () => pattern.exec(this.output) ?? undefined);
  }

  /** Waits for the next whole line of its standard output. */
  line(timeoutMs = TIMEOUT_MS): Promise<string> {
    return this.#wait("a line", timeoutMs, () => {
      const end = this.stdout.indexOf("\n", Math.max(this.#read, this.#searched));
      this.#searched = this.stdout.length;
      if (end < 0) return undefined;
      const line = this.stdout.slice(this.#read, end);
      this.#read = end + 1;
      this.#searched = this.#read;
      return line;
    });
  }

  async #wait<T>(what: string, timeoutMs: number, find: () => T | undefined): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    let look = (): void => {};
    try {
      return await new Promise((resolve, reject) => {
        const fail = (why: string): void => reject(new Error(`${why} before ${what}:\n${this.output}`));
        let settled = false;
        look = () => {
          const found = settled ? undefined : find();
          settled ||= found !== undefined;
          if (found !== undefined) resolve(found);
          else if (this.#done && !settled) fail("the process ended");
        };
        timer = setTimeout(() => fail(`${timeoutMs} ms passed`), timeoutMs);
        this.#watchers.add(look);
        look();
      });
    } finally {
      clearTimeout(timer);
      this.#watchers.delete(look);
    }
  }

  /** Writes to its input. */
  write(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** Sends a signal. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends it and waits until it is gone. */
  async end(signal: NodeJS.Signals = "SIGTERM"): Promise<number | string> {
    this.signal(signal);
    return this.ended;
  }

  #look(): void {
    for (const look of this.#watchers) look();
  }
}

/** Runs a program to its end, or ends it when its time is up. Its input is closed at once. */
export async function run(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd = root,
  timeoutMs = TIMEOUT_MS,
): Promise<{ code: number | string; stdout: string; stderr: string; output: string }> {
  const child = new TestProcess(command, args, env, cwd);
  const timer = setTimeout(() => child.signal("SIGKILL"), timeoutMs);
  const code = await child.ended;
  clearTimeout(timer);
  return { code, stdout: child.stdout, stderr: child.stderr, output: child.output };
}

/** Runs a TypeScript program as the examples say. */
export function runTypeScript(path: string, args: readonly string[] = [], env: Record<string, string> = {}) {
  return run(process.execPath, ["--import", "tsx", path, ...args], env);
}

/** Runs a Python program in the repository's environment. */
export function runPython(path: string, args: readonly string[] = [], env: Record<string, string> = {}) {
  return run(python, [path, ...args], env);
}

/** True if a process of this id runs. One that has ended and that nobody has asked about yet does not. */
export function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return process.platform !== "linux";
  }
}
