/** Work that is done while the Python worker runs. `startWorker` keeps it running; here is what the terminal says of it. */
import { fileURLToPath } from "node:url";
import type { Bridge } from "snakepit-bridge";
import { startWorker, type WorkerSettings, type WorkerState } from "snakepit-bridge/worker";
import type { Terminal } from "./terminal.js";

const script = new URL("worker.py", import.meta.url);

/**
 * Does something while the worker runs, and ends the worker, with whatever it has started. Fails if the worker ends for good
 * by itself.
 */
export async function besideWorker<T>(
  { address }: Bridge,
  sessionId: string,
  terminal: Terminal,
  settings: Pick<WorkerSettings, "args" | "restart">,
  work: () => Promise<T>,
): Promise<T> {
  const end = new AbortController();
  const worker = startWorker({
    ...settings,
    script,
    // Its Python is the one of the repository, wherever the demo was started.
    cwd: fileURLToPath(new URL(".", script)),
    bridge: address,
    sessionId,
    signal: end.signal,
    onLog: ({ text }) => terminal.line(`worker.py: ${text}`),
    onState: (state) => tell(terminal, address, sessionId, state),
  });
  const failure = worker
    .then(({ ended }) => ended)
    .then((ending) => {
      throw ending.reason === "failed" ? ending.error : new Error("the Python worker has ended");
    });
  try {
    return await Promise.race([failure, work()]);
  } finally {
    terminal.block([]);
    end.abort();
    await failure.catch(() => {});
  }
}

function tell(terminal: Terminal, address: string, sessionId: string, state: WorkerState): void {
  if (state.kind === "running") {
    terminal.line(`Bridge at ${address}, session "${sessionId}", Python worker is process ${state.pid}.`);
    terminal.line(`To look in from another terminal: ${command("list", address, sessionId)}\n`);
  } else if (state.kind === "pausing") {
    const [reason] = state.error.message.split("\n");
    terminal.line(`${reason?.replace(/:$/, "")}; it is started again.\n`);
  }
}

/** How to join in from another terminal. */
export function command(name: string, address: string, sessionId: string): string {
  return `npx snakepit-bridge ${name} ${sessionId} --address ${address}`;
}
