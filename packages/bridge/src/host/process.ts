/**
 * One process of a worker, from its start to its end.
 *
 * What is started is a supervisor in Python (`python -m snakepit_bridge.worker`), which runs the program and ends it, with
 * all that it has started, when its standard input ends. So closing that pipe is how a worker is stopped, and the same
 * happens when this process dies.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import type { Readable } from "node:stream";
import type { Clock } from "../core/clock.js";
import { told, WorkerError, type WorkerExit } from "./errors.js";
import { type Line, LineCutter } from "./lines.js";
import { type LogLine, logLine } from "./log.js";
import { parseMessage, type WorkerMessage } from "./messages.js";
import { PIPE, type ResolvedOptions } from "./options.js";
import { saysNoPackage, withoutPackage, withoutPython } from "./python.js";

/** How many lines of standard error an error tells. */
const LAST_LINES = 20;
/** How much longer than the grace the supervisor may take before it is killed too. */
const SUPERVISOR_MS = 1_500;
/** How long after the end of the process its output is waited for, which something that escaped may hold open. */
const OUTPUT_MS = 1_000;

/** Told what happens to a process. */
export interface ProcessEvents {
  readonly onMessage: (message: WorkerMessage) => void;
  readonly onLog: (line: LogLine) => void;
}

export class WorkerProcess {
  /** Settles when nothing of the process is left: with undefined if it ended with exit code 0, else with the fault. */
  readonly ended: Promise<WorkerError | undefined>;
  readonly #options: ResolvedOptions;
  readonly #clock: Clock;
  readonly #child: ChildProcess;
  readonly #lastLines: string[] = [];
  #pid: number | undefined;
  #cancelKill: (() => void) | undefined;

  constructor(options: ResolvedOptions, clock: Clock, events: ProcessEvents) {
    this.#options = options;
    this.#clock = clock;
    this.#child = spawn(options.python, options.args, {
      cwd: options.cwd,
      env: options.env,
      stdio: ["pipe", "pipe", "pipe", "pipe"],
      // In a session of its own, so that Ctrl-C in the terminal reaches this process only, which then ends the worker.
      detached: process.platform !== "win32",
      windowsHide: true,
    });
    // It may be gone when its input is closed.
    this.#child.stdin?.on("error", () => {});
    this.#read(this.#child.stdout, (line) => events.onLog(logLine("stdout", line)));
    this.#read(this.#child.stderr, (line) => {
      this.#lastLines.push(line.text);
      if (this.#lastLines.length > LAST_LINES) this.#lastLines.shift();
      events.onLog(logLine("stderr", line));
    });
    this.#read(this.#child.stdio[PIPE] as Readable | null | undefined, ({ text }) => {
      const message = parseMessage(text);
      if (message?.kind === "running") this.#pid = message.pid;
      if (message !== undefined) events.onMessage(message);
    });
    this.ended = this.#end();
  }

  /** The last lines of its standard error so far. */
  get lastLines(): readonly string[] {
    return Object.freeze([...this.#lastLines]);
  }

  /** Tells the process to end. If it does not within the grace, it is killed. */
  stop(): void {
    this.#child.stdin?.end();
    this.#cancelKill ??= this.#clock.setTimer(this.#options.graceMs + SUPERVISOR_MS, () => this.#kill());
  }

  async #end(): Promise<WorkerError | undefined> {
    const { python, cwd } = this.#options;
    try {
      const exit = await this.#exit();
      return exit.code === 0 ? undefined : this.#fault(exit);
    } catch (cause) {
      return new WorkerError("NO_PYTHON", withoutPython(python, cwd, cause as Error), { cause });
    } finally {
      this.#cancelKill?.();
    }
  }

  /** How the process ended, once its output has ended too. Rejects if it could not be started. */
  #exit(): Promise<WorkerExit> {
    return new Promise((resolve, reject) => {
      let cancelTimer = (): void => {};
      this.#child.once("error", reject);
      this.#child.once("exit", (_code, signal) => {
        // The supervisor never ends by a signal, so it was killed, and could not clean up.
        if (signal !== null) this.#kill();
        cancelTimer = this.#clock.setTimer(OUTPUT_MS, () => {
          for (const stream of this.#child.stdio) stream?.destroy();
        });
      });
      this.#child.once("close", (code, signal) => {
        cancelTimer();
        resolve(exitOf(code, signal));
      });
    });
  }

  #fault(exit: WorkerExit): WorkerError {
    const { name, python } = this.#options;
    const output = this.lastLines;
    if (this.#pid === undefined && saysNoPackage(output)) {
      return new WorkerError("NO_PACKAGE", withoutPackage(python), { exit });
    }
    const when = this.#pid === undefined ? " before it began" : "";
    return new WorkerError("EXITED", `${name} ended with ${told(exit)}${when}`, { exit, output });
  }

  #read(stream: Readable | null | undefined, tell: (line: Line) => void): void {
    const lines = new LineCutter(tell);
    stream
      ?.setEncoding("utf8")
      .on("data", (piece: string) => lines.push(piece))
      .on("end", () => lines.end())
      // A reset connection: the end, as far as there is anything to read.
      .on("error", () => lines.end());
  }

  #kill(): void {
    for (const pid of [this.#pid, this.#child.pid]) {
      try {
        // A negative id is that of a group.
        if (pid !== undefined && process.platform !== "win32") process.kill(-pid, "SIGKILL");
      } catch {
        // It is gone already.
      }
    }
    this.#child.kill("SIGKILL");
  }
}

/** Of two names for one number the first: SIGABRT, not SIGIOT. */
const SIGNALS: ReadonlyMap<number, NodeJS.Signals> = new Map(
  Object.entries(constants.signals)
    .map(([name, number]) => [number, name as NodeJS.Signals] as const)
    .reverse(),
);

/** The supervisor tells of a signal as shells do: by 128 and its number. */
function exitOf(code: number | null, signal: NodeJS.Signals | null): WorkerExit {
  const named = signal ?? SIGNALS.get((code ?? 0) - 128);
  return Object.freeze(
    named === undefined ? { code: code ?? 0, signal: undefined } : { code: undefined, signal: named },
  );
}
