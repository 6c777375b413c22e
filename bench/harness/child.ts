/**
 * A process of the benchmark: started, spoken to in lines of JSON, ended by its id. Programs end by themselves when
 * their standard input closes, so none is left behind, however the benchmark ends.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

const ANSWER_TIMEOUT_MS = 30_000;
const END_TIMEOUT_MS = 5_000;
/** As much of what a process says on standard error as a failure shows. */
const KEPT_STDERR = 4_000;

export class Child {
  readonly label: string;
  readonly pid: number;
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: string[] = [];
  #awaiting: { resolve(line: string): void; reject(error: Error): void } | undefined;
  /** Until the process has ended. */
  #ending: Promise<unknown> | undefined;
  #asked = false;
  #death: string | undefined;
  #stderr = "";

  /** Starts a process. It is running when this returns, but may not have said anything yet. */
  static async start(label: string, command: string, args: readonly string[]): Promise<Child> {
    const process = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
    await once(process, "spawn");
    return new Child(label, process, process.pid as number);
  }

  private constructor(label: string, process: ChildProcessWithoutNullStreams, pid: number) {
    this.label = label;
    this.pid = pid;
    this.#process = process;
    this.#ending = once(process, "exit").then(([code, signal]) => {
      this.#ending = undefined;
      if (this.#asked) return;
      const failure = this.#failure(`ended with ${signal ?? `exit code ${code}`}`);
      this.#death = failure.message;
      this.#awaiting?.reject(failure);
    });
    createInterface({ input: process.stdout }).on("line", (line) => this.#receive(line));
    process.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-KEPT_STDERR);
    });
    // A write to a process that has just ended; its end is told to whoever waits for an answer.
    process.stdin.on("error", () => {});
  }

  /** How the process ended, if it ended and nobody asked it to. */
  get death(): string | undefined {
    return this.#death;
  }

  /** The next line that the process prints. */
  async line(timeoutMs = ANSWER_TIMEOUT_MS): Promise<string> {
    const line = this.#lines.shift();
    if (line !== undefined) return line;
    if (this.#ending === undefined) throw this.#failure("has ended");
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<string>((resolve, reject) => {
        this.#awaiting = { resolve, reject };
        timer = setTimeout(() => reject(this.#failure(`said nothing for ${timeoutMs} ms`)), timeoutMs);
      });
    } finally {
      this.#awaiting = undefined;
      clearTimeout(timer);
    }
  }

  /** Reads lines until one has this. */
  async until(pattern: RegExp): Promise<void> {
    while (!pattern.test(await this.line()));
  }

  /** Asks a program of ours something. The caller knows what it answers. */
  async ask<Answer>(question: object, timeoutMs?: number): Promise<Answer> {
    this.#process.stdin.write(`${JSON.stringify(question)}\n`);
    const answer = JSON.parse(await this.line(timeoutMs)) as Answer | { readonly error: string };
    if (typeof answer === "object" && answer !== null && "error" in answer) {
      throw this.#failure(`failed: ${answer.error}`);
    }
    return answer;
  }

  /** Sends a signal. */
  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** Ends the process and waits for that. */
  async end(): Promise<void> {
    if (this.#ending === undefined) return;
    this.#asked = true;
    this.#process.stdin.end();
    this.#process.kill("SIGTERM");
    const timer = setTimeout(() => void this.kill(), END_TIMEOUT_MS);
    await this.#ending;
    clearTimeout(timer);
  }

  /** Ends the process at once, without a word to it. */
  async kill(): Promise<void> {
    if (this.#ending === undefined) return;
    this.#asked = true;
    this.#process.kill("SIGKILL");
    await this.#ending;
  }

  #receive(line: string): void {
    const awaiting = this.#awaiting;
    // Taken off here, as the next line may come before whoever waits gets its turn.
    this.#awaiting = undefined;
    if (awaiting !== undefined) awaiting.resolve(line);
    else this.#lines.push(line);
  }

  #failure(problem: string): Error {
    return new Error(`${this.label} ${problem}${this.#stderr === "" ? "" : `:\n${this.#stderr.trimEnd()}`}`);
  }
}
