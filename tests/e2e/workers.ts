/** Python workers for tests: programs given by their text, all that they do recorded, and none left behind. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type PythonWorker,
  startWorker,
  type WorkerSettings,
  type WorkerState,
} from "snakepit-bridge/worker";
import { python } from "./processes.js";

/** How long something may take before the test says what happened so far. */
const TIMEOUT_MS = 30_000;

type State<K extends WorkerState["kind"]> = Extract<WorkerState, { kind: K }>;
export type LogLine = Parameters<NonNullable<WorkerSettings["onLog"]>>[0];

/** Says that it is ready, and waits to be ended. */
export const WAITING = `
import signal
from snakepit_bridge import worker
worker.ready()
while True:
    signal.pause()
`;

const running = new Set<PythonWorker>();
let folder: string | undefined;

/** A folder for the files of a test. */
export function testFolder(): string {
  folder ??= mkdtempSync(join(tmpdir(), "snakepit-worker-test-"));
  return folder;
}

/** Ends what a test has left running, and removes its files; for `afterEach`. */
export async function endWorkers(): Promise<void> {
  await Promise.all([...running].map((worker) => worker.close()));
  running.clear();
  if (folder !== undefined) rmSync(folder, { recursive: true });
  folder = undefined;
}

/** What a worker does. */
export class WorkerRecord {
  readonly states: WorkerState[] = [];
  readonly lines: LogLine[] = [];
  readonly #watchers = new Set<() => void>();

  readonly onState = (state: WorkerState): void => this.#add(this.states, state);
  readonly onLog = (line: LogLine): void => this.#add(this.lines, line);

  /** The kinds of the states it came to. */
  get kinds(): string[] {
    return this.states.map(({ kind }) => kind);
  }

  /** What it printed. */
  get texts(): string[] {
    return this.lines.map(({ text }) => text);
  }

  /** Waits until it has come to this kind of state so many times. */
  state<K extends WorkerState["kind"]>(kind: K, times = 1): Promise<State<K>> {
    const found = (): State<K> | undefined =>
      this.states.filter((state): state is State<K> => state.kind === kind)[times - 1];
    return this.#until(`${kind} (${times})`, found);
  }

  /** Waits until it has printed a line like this. */
  line(pattern: RegExp): Promise<LogLine> {
    return this.#until(String(pattern), () => this.lines.find(({ text }) => pattern.test(text)));
  }

  #add<T>(list: T[], item: T): void {
    list.push(item);
    for (const look of this.#watchers) look();
  }

  async #until<T>(what: string, find: () => T | undefined): Promise<T> {
    let look = (): void => {};
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<T>((resolve, reject) => {
        look = () => {
          const found = find();
          if (found !== undefined) resolve(found);
        };
        timer = setTimeout(() => {
          const states = this.states.map((state) => JSON.stringify(state)).join("\n");
          reject(
            new Error(`${what} did not come within ${TIMEOUT_MS} ms:\n${states}\n${this.texts.join("\n")}`),
          );
        }, TIMEOUT_MS);
        this.#watchers.add(look);
        look();
      });
    } finally {
      clearTimeout(timer);
      this.#watchers.delete(look);
    }
  }
}

/** A worker with the record of what it does. */
export interface Recorded {
  readonly worker: PythonWorker;
  readonly record: WorkerRecord;
}

/** Starts a program given by its text. */
export async function startProgram(
  program: string,
  settings: WorkerSettings = {},
  record = new WorkerRecord(),
): Promise<Recorded> {
  const script = join(testFolder(), "program.py");
  writeFileSync(script, program);
  const { onState, onLog } = record;
  const worker = await startWorker({ script, cwd: testFolder(), python, onState, onLog, ...settings });
  running.add(worker);
  return { worker, record };
}
