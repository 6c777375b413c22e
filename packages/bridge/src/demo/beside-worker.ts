/** Work that is done beside a worker: the one in Python, which `startWorker` keeps running, or else one in TypeScript. */
import {
  startWorker,
  WorkerError,
  type WorkerFault,
  type WorkerSettings,
  type WorkerState,
} from "../host/index.js";
import type { Bridge } from "../server.js";
import type { Terminal } from "./terminal.js";
import { runWorker } from "./worker.js";

/** Beside the sources, also once compiled: the compiler leaves Python alone. */
const script = new URL("../../src/demo/worker.py", import.meta.url);

/** What the worker is written in. */
export type Language = "python" | "typescript";

/** Faults of the machine, not of the worker: the demo can do without Python. */
const WITHOUT_PYTHON: ReadonlySet<WorkerFault> = new Set<WorkerFault>([
  "NO_PYTHON",
  "NO_PACKAGE",
  "VERSION_MISMATCH",
]);

/**
 * Does something while a worker runs, and ends the worker, with whatever it has started. Fails if the worker ends for good
 * by itself. Where there is no Python that has our package, the terminal says what to do, and the worker is the one in
 * TypeScript.
 */
export async function besideWorker<T>(
  { address }: Bridge,
  sessionId: string,
  terminal: Terminal,
  settings: Pick<WorkerSettings, "args" | "restart">,
  work: (language: Language) => Promise<T>,
): Promise<T> {
  const end = new AbortController();
  // What is printed before it begins is told only if it does: else the error says it better.
  const unheard: string[] = [];
  let hasBegun = false;
  let begin = (): void => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const python = startWorker({
    ...settings,
    script,
    bridge: address,
    sessionId,
    signal: end.signal,
    onLog: ({ text }) => {
      if (hasBegun) terminal.line(`worker.py: ${text}`);
      else unheard.push(text);
    },
    onState: (state) => {
      tell(terminal, address, sessionId, state);
      if (state.kind !== "running") return;
      hasBegun = true;
      for (const text of unheard.splice(0)) terminal.line(`worker.py: ${text}`);
      begin();
    },
  }).then(({ ended }) => ended);
  const language = await Promise.race([begun, python]).then(
    (): Language => "python",
    (error: unknown): Language => {
      if (!(error instanceof WorkerError && WITHOUT_PYTHON.has(error.reason))) throw error;
      terminal.line(`${firstLine(error)}. Until then a worker in TypeScript takes its place.`);
      terminal.line(joining(address, sessionId));
      return "typescript";
    },
  );
  const ended =
    language === "typescript"
      ? runWorker(address, sessionId, end.signal)
      : python.then((ending) => {
          if (ending.reason === "failed") throw ending.error;
        });
  const failure = ended.then(() => {
    throw new Error("the worker has ended");
  });
  try {
    return await Promise.race([failure, work(language)]);
  } finally {
    terminal.block([]);
    end.abort();
    await failure.catch(() => {});
  }
}

function tell(terminal: Terminal, address: string, sessionId: string, state: WorkerState): void {
  if (state.kind === "running") {
    terminal.line(`Bridge at ${address}, session "${sessionId}", Python worker is process ${state.pid}.`);
    terminal.line(joining(address, sessionId));
  } else if (state.kind === "pausing") {
    terminal.line(`${firstLine(state.error)}; it is started again.\n`);
  }
}

/** What an error says, without what the worker printed. */
function firstLine({ message }: Error): string {
  return (message.split("\n")[0] ?? "").replace(/:$/, "");
}

/** How to join in from another terminal. */
function joining(address: string, sessionId: string): string {
  return `To join in from another terminal: ${command("set", address, sessionId, "learning_rate=0.2")}\n`;
}

/** A command line for another terminal. */
export function command(name: string, address: string, sessionId: string, ...rest: string[]): string {
  return ["npx snakepit-bridge", name, sessionId, ...rest, "--address", address].join(" ");
}
