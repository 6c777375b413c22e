/** One start of a worker and what becomes of it: whether it gets ready in time, stays alive, and how it ends. */
import type { Clock } from "../core/clock.js";
import { WorkerError, type WorkerFault } from "./errors.js";
import { Liveness } from "./liveness.js";
import type { LogLine } from "./log.js";
import type { WorkerMessage } from "./messages.js";
import type { ResolvedOptions } from "./options.js";
import { WorkerProcess } from "./process.js";
import { withOtherPackage, withoutPython } from "./python.js";

/** Told how an attempt goes. */
export interface AttemptEvents {
  /** The program has begun. */
  readonly onRunning: (pid: number) => void;
  /** It is ready, or has said so again. */
  readonly onReady: (pid: number, address: string | undefined) => void;
  readonly onLog: (line: LogLine) => void;
}

/** How an attempt ended. */
export interface Outcome {
  /** Undefined if the program was ready, and ended with exit code 0. */
  readonly error: WorkerError | undefined;
  /** For how long it was ready. */
  readonly readyForMs: number;
}

export class Attempt {
  readonly #options: ResolvedOptions;
  readonly #clock: Clock;
  readonly #events: AttemptEvents;
  readonly #liveness: Liveness;
  #process: WorkerProcess | undefined;
  #pid = 0;
  #readySince: number | undefined;
  #fault: WorkerError | undefined;

  constructor(options: ResolvedOptions, clock: Clock, events: AttemptEvents) {
    this.#options = options;
    this.#clock = clock;
    this.#events = events;
    this.#liveness = new Liveness(clock, () => this.#giveUp("HUNG", silence(options.name)));
  }

  /** Starts the process, and settles when nothing of it is left. */
  async run(): Promise<Outcome> {
    const { name, readyTimeoutMs } = this.#options;
    const cancelTimeout = this.#clock.setTimer(readyTimeoutMs, () => {
      if (this.#readySince === undefined)
        this.#giveUp("NOT_READY", slowness(name, readyTimeoutMs, this.#pid > 0));
    });
    try {
      this.#process = new WorkerProcess(this.#options, this.#clock, {
        onLog: this.#events.onLog,
        onMessage: (message) => this.#take(message),
      });
      const error = await this.#process.ended;
      return { error: this.#fault ?? error ?? this.#unready(), readyForMs: this.#readyForMs() };
    } catch (cause) {
      // What the system refuses before it looks for the interpreter, such as arguments that are too long.
      const { python, cwd } = this.#options;
      const text = withoutPython(python, cwd, cause as Error);
      return { error: new WorkerError("NO_PYTHON", text, { cause }), readyForMs: 0 };
    } finally {
      cancelTimeout();
      this.#liveness.stop();
    }
  }

  /** Tells the process to end. */
  stop(): void {
    this.#liveness.stop();
    this.#process?.stop();
  }

  #take(message: WorkerMessage): void {
    switch (message.kind) {
      case "running": {
        const mismatch = withOtherPackage(this.#options.python, message.version);
        if (mismatch !== undefined) return this.#giveUp("VERSION_MISMATCH", mismatch);
        this.#pid = message.pid;
        this.#events.onRunning(message.pid);
        if (this.#options.ready === "started") this.#beReady(undefined);
        return;
      }
      case "ready":
        this.#liveness.expect(message.aliveWithinMs);
        return this.#beReady(message.address);
      case "alive":
        return this.#liveness.heard();
    }
  }

  #beReady(address: string | undefined): void {
    if (this.#fault !== undefined) return;
    this.#readySince ??= this.#clock.now();
    this.#events.onReady(this.#pid, address);
  }

  #giveUp(reason: WorkerFault, text: string): void {
    this.#fault ??= new WorkerError(reason, text, { output: this.#process?.lastLines ?? [] });
    this.stop();
  }

  /** The fault of a program that did nothing wrong but to end too early. */
  #unready(): WorkerError | undefined {
    if (this.#readySince !== undefined) return undefined;
    const text = `${this.#options.name} ended with exit code 0 before it said that it is ready; ${advice}`;
    return new WorkerError("EXITED", text, { exit: { code: 0, signal: undefined } });
  }

  #readyForMs(): number {
    return this.#readySince === undefined ? 0 : this.#clock.now() - this.#readySince;
  }
}

const advice = 'let it call snakepit_bridge.worker.ready(), or start it with ready: "started"';

function slowness(name: string, timeoutMs: number, running: boolean): string {
  const within = `within ${timeoutMs / 1_000} s`;
  return running
    ? `${name} did not say ${within} that it is ready; ${advice}`
    : `${name} did not begin ${within}: Python was still starting`;
}

function silence(name: string): string {
  return `${name} hangs: it no longer says that it is alive, as it had promised`;
}
