/**
 * A host in a process of its own, for what a test cannot do in its own: be killed, count what is open, and see what goes to
 * standard error. `node --import tsx worker-host.ts TASK SCRIPT`
 */
import { getEventListeners } from "node:events";
import { readdirSync } from "node:fs";
import { type PythonWorker, startWorker } from "snakepit-bridge/worker";

const [task = "", script = ""] = process.argv.slice(2);
const python = process.env["TEST_PYTHON"] as string;

const tasks: Readonly<Record<string, () => Promise<void>>> = {
  /** Starts three workers, and says so. */
  async hold() {
    await Promise.all([1, 2, 3].map(() => startWorker({ script, python, onLog: say })));
    console.log("all are ready");
  },

  /** Fails though a worker runs. */
  async crash() {
    await startWorker({ script, python, onLog: say });
    throw new Error("the host has a bug");
  },

  /** Ends though a worker runs. */
  async leave() {
    await startWorker({ script, python, onLog: say });
    process.exit(3);
  },

  /** Starts and closes twenty workers at once, twice, and tells what was open before and after. */
  async twenty() {
    const abort = new AbortController();
    const { signal } = abort;
    const round = async (): Promise<void> => {
      const workers: PythonWorker[] = await Promise.all(
        Array.from({ length: 20 }, () => startWorker({ script, python, signal, onLog: say })),
      );
      if (new Set(workers.map(({ pid }) => pid)).size !== 20)
        throw new Error("they are not twenty processes");
      await Promise.all(workers.map((worker) => worker.close()));
      // Node lets go of a process in the turn after it has told its end. If it does not, this does not end.
      while (process.getActiveResourcesInfo().includes("ProcessWrap")) await new Promise(setImmediate);
    };
    await round(); // what Node opens once and keeps is open now
    const before = open(signal);
    await round();
    console.log(JSON.stringify({ before, after: open(signal) }));
  },

  /** Callbacks that throw. */
  async throwing() {
    const caught: string[] = [];
    process.on("uncaughtException", (error) => caught.push(error.message));
    const restart = { firstDelayMs: 1, limit: 1 };
    const worker = await startWorker({
      script,
      python,
      restart,
      onLog: ({ text }) => {
        throw new Error(`log ${text}`);
      },
      onState: ({ kind }) => {
        throw new Error(`state ${kind}`);
      },
    });
    process.kill(worker.pid as number, "SIGKILL");
    const { pid } = worker;
    while (worker.pid === pid || worker.state.kind !== "ready") await new Promise(setImmediate);
    await worker.close();
    await new Promise(setImmediate);
    console.log(JSON.stringify(caught));
  },

  /** Leaves it to the default where lines go. */
  async printing() {
    await using worker = await startWorker({ script, python });
    await worker.ended;
  },
};

function say({ text }: { readonly text: string }): void {
  console.log(text);
}

/** What this process has open. */
function open(signal: AbortSignal): object {
  const resources: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1;
  return {
    files: process.platform === "linux" ? readdirSync("/proc/self/fd").length : 0,
    resources,
    listenersOfTheSignal: getEventListeners(signal, "abort").length,
    listenersOfTheProcess: process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0),
  };
}

await tasks[task]?.();
