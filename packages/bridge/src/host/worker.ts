/** A Python worker: a process that is started, watched, started again when it ends by a fault, and ended. */
import { AbortWatch } from "../client/transport/abort.js";
import { systemClock } from "../client/transport/system-clock.js";
import type { Clock } from "../core/clock.js";
import { Attempt, type Outcome } from "./attempt.js";
import { type ResolvedOptions, resolveOptions, type WorkerOptions } from "./options.js";
import { Restarts } from "./restarts.js";
import type { WorkerEnd, WorkerState } from "./state.js";

/** A worker that was started. */
export interface PythonWorker extends AsyncDisposable {
  /** What it is doing now. */
  readonly state: WorkerState;
  /** The process id of its program; undefined while there is none. */
  readonly pid: number | undefined;
  /** Where it serves something of its own; undefined while it does not, or has not said so. */
  readonly address: string | undefined;
  /** Settles when it has ended for good, with the reason. */
  readonly ended: Promise<WorkerEnd>;
  /** Ends it, with all that it has started, and waits until nothing is left. The second call waits for the first. */
  close(): Promise<void>;
}

/**
 * Starts a Python program and waits until it is ready.
 *
 *     await using worker = await startWorker({ script: "worker.py", bridge, sessionId: "run-42" });
 *
 * It ends when this process does, however that happens. If it ends by itself, otherwise than with exit code 0, it is started
 * again after a pause.
 *
 * @throws RangeError if an option has no meaning; WorkerError if the worker does not become ready, or the reason of the signal:
 * then nothing of it is left
 */
export async function startWorker(options: WorkerOptions): Promise<PythonWorker> {
  const resolved = resolveOptions(options);
  resolved.signal?.throwIfAborted();
  const worker = new Worker(resolved, systemClock, Math.random);
  await worker.started;
  return worker;
}

/** One for all workers, since many of them may be given the same signal. It holds nothing but the signals in use. */
const aborts = new AbortWatch();

class Worker implements PythonWorker {
  /** Settles when it is ready for the first time; rejects if it ends before. */
  readonly started: Promise<void>;
  readonly ended: Promise<WorkerEnd>;
  readonly #options: ResolvedOptions;
  readonly #clock: Clock;
  readonly #restarts: Restarts | undefined;
  #state: WorkerState = { kind: "starting", restarts: 0 };
  #attempt: Attempt | undefined;
  #wasReady = false;
  #closing = false;
  #tellReady: () => void = () => {};
  #endPause: () => void = () => {};

  constructor(options: ResolvedOptions, clock: Clock, random: () => number) {
    this.#options = options;
    this.#clock = clock;
    this.#restarts = options.restart && new Restarts(options.restart, random);
    const ready = new Promise<void>((resolve) => {
      this.#tellReady = resolve;
    });
    this.ended = this.#run();
    this.started = Promise.race([ready, this.ended.then((end) => this.#failStart(end))]);
  }

  get state(): WorkerState {
    return this.#state;
  }

  get pid(): number | undefined {
    return "pid" in this.#state ? this.#state.pid : undefined;
  }

  get address(): string | undefined {
    return this.#state.kind === "ready" ? this.#state.address : undefined;
  }

  async close(): Promise<void> {
    if (!this.#closing && this.#state.kind !== "ended") {
      this.#closing = true;
      this.#become({ kind: "closing" });
      this.#attempt?.stop();
      this.#endPause();
    }
    await this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #run(): Promise<WorkerEnd> {
    const stopListening = aborts.of(this.#options.signal)(() => void this.close());
    const end = await this.#untilItEnds();
    stopListening();
    this.#become({ kind: "ended", ...end });
    return end;
  }

  async #untilItEnds(): Promise<WorkerEnd> {
    for (;;) {
      // Whoever is told a state may close the worker before this goes on.
      this.#become({ kind: "starting", restarts: this.#restarts?.inARow ?? 0 });
      if (this.#closing) return { reason: "closed" };
      const { error, readyForMs } = await this.#start();
      if (this.#closing) return { reason: "closed" };
      if (error === undefined) return { reason: "finished" };
      // What has never worked would not work the next time either.
      const delayMs = this.#wasReady ? this.#restarts?.next(readyForMs) : undefined;
      if (delayMs === undefined) return { reason: "failed", error };
      this.#become({ kind: "pausing", error, delayMs });
      await this.#pause(delayMs);
    }
  }

  #start(): Promise<Outcome> {
    this.#attempt = new Attempt(this.#options, this.#clock, {
      onRunning: (pid) => this.#become({ kind: "running", pid }),
      onReady: (pid, address) => {
        if (this.#closing) return;
        this.#become({ kind: "ready", pid, address });
        this.#wasReady = true;
        this.#tellReady();
      },
      onLog: (line) => tell(this.#options.onLog, line),
    });
    return this.#attempt.run();
  }

  async #pause(ms: number): Promise<void> {
    if (this.#closing) return;
    await new Promise<void>((resolve) => {
      const cancelTimer = this.#clock.setTimer(ms, resolve);
      this.#endPause = () => {
        cancelTimer();
        resolve();
      };
    });
  }

  /** Once it is being closed, nothing else is told of it but that it has ended. */
  #become(state: WorkerState): void {
    if (this.#closing && state.kind !== "closing" && state.kind !== "ended") return;
    this.#state = Object.freeze(state);
    tell(this.#options.onState, state);
  }

  #failStart(end: WorkerEnd): never {
    throw end.reason === "failed" ? end.error : this.#options.signal?.reason;
  }
}

/** Calls what the user gave. What it throws is the user's to find: it must not keep a worker from being watched. */
function tell<T>(callback: (about: T) => void, about: T): void {
  try {
    callback(about);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
