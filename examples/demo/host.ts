/**
 * The demo: a TypeScript host and a Python worker share the variables of one session.
 *
 * The host starts a bridge, defines the variables, starts the worker and changes its settings while it runs; the worker
 * optimises and writes its results. `--once` tests both sides and ends.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Bridge, startBridge } from "snakepit-bridge";
import { besideWorker, command } from "./beside-worker.js";
import { type Check, runChecks } from "./checks.js";
import { look, observe, until, variable } from "./observer.js";
import { checkRestarts } from "./restart.js";
import { Screen } from "./screen.js";
import { tellStory } from "./story.js";
import { Terminal } from "./terminal.js";
import { ALL_NAMES, testVariables, variables } from "./variables.js";

const SESSION_ID = "demo";
/** What was set is still there when the demo is started again. `--once` has a file of its own. */
const FILE = "snakepit-demo.db";
const LOOK_EVERY_MS = 20;
const SCENE_EVERY_MS = 3_000;
const START_TIMEOUT_MS = 10_000;

const HELP = `Usage: npm start [-- --once]

A TypeScript host and a Python worker share typed variables. The host changes learning_rate, target and paused; the
worker reads them before each step of an optimisation and writes step, loss, x and y. Ctrl-C ends both; started again,
they go on where they were, from the file ./${FILE}. A worker that is killed is started again.

  --once   test both directions and a restart, print a table, end with exit code 0, or with 1 if a check failed
  --help   print this

While it runs you can look and join in from another terminal, with the address that it prints:
  npx snakepit-bridge list ${SESSION_ID} --address HOST:PORT
  npx snakepit-bridge set ${SESSION_ID} learning_rate=0.2 --address HOST:PORT`;

const terminal = new Terminal(process.stdout);

/** How a run ended, and what there is to say about it. */
interface Ending {
  readonly exitCode: number;
  readonly text: string;
}

async function main(): Promise<Ending> {
  const { once, help } = readArguments();
  if (help) return { exitCode: 0, text: HELP };
  const stop = stopOnSignal();
  return once ? inFolder((folder) => test(join(folder, FILE), stop)) : watch(stop);
}

/** Does something with a bridge on a file. */
async function withBridge<T>(file: string, work: (bridge: Bridge) => Promise<T>): Promise<T> {
  const bridge = await startBridge({ host: "127.0.0.1", port: 0, store: `sqlite:${file}` });
  try {
    return await work(bridge);
  } finally {
    await bridge.close();
  }
}

/** Does something in a folder that is removed afterwards. */
async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "snakepit-demo-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function readArguments(): { once?: boolean; help?: boolean } {
  const options = { once: { type: "boolean" }, help: { type: "boolean", short: "h" } } as const;
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    throw new Error(`${(error as Error).message}\n\n${HELP}`);
  }
}

/** Shows both sides at work until Ctrl-C. */
function watch(stop: AbortController): Promise<Ending> {
  const { signal } = stop;
  return withBridge(FILE, async (bridge) => {
    const { sessions } = bridge;
    const session = await bridge.session(SESSION_ID, variables);
    // It may have been ended while the worker paused.
    if (await session.get("paused")) await session.set("paused", false);
    const before = await look(sessions, SESSION_ID, ALL_NAMES);
    const steps = variable(before, "step");
    if (steps.version > 1) terminal.line(`Going on at step ${steps.value}, revision ${before.revision}.`);
    const screen = new Screen(
      terminal,
      `Ctrl-C ends. To look in: ${command("list", bridge.address, SESSION_ID)}`,
    );
    const work = async (): Promise<Ending> => {
      await until("the Python worker to make its first step", START_TIMEOUT_MS, async () =>
        signal.aborted ||
        variable(await look(sessions, SESSION_ID, ALL_NAMES), "step").version > steps.version
          ? true
          : undefined,
      );
      const story = tellStory(session, SCENE_EVERY_MS, signal, (text) => screen.remark(text));
      const looks = observe(sessions, SESSION_ID, ALL_NAMES, LOOK_EVERY_MS, signal);
      for await (const { view, sightings } of looks) screen.show(view, sightings);
      await story;
      const kept = `Everything is kept in ${FILE}: start again, and it goes on. Remove the file to begin anew.`;
      return { exitCode: 0, text: `${screen.summary()}\n${kept}` };
    };
    // The story ends too if the worker does for good.
    return besideWorker(bridge, SESSION_ID, terminal, {}, work).finally(() => stop.abort());
  });
}

/** Runs the checks of both sides, then those of a restart, and prints their table. */
async function test(file: string, { signal }: AbortController): Promise<Ending> {
  const started = performance.now();
  const { checks, last } = await withBridge(file, async (bridge) => {
    const session = await bridge.session(SESSION_ID, testVariables);
    const work = (): Promise<Check[]> => unlessInterrupted(signal, runChecks(bridge.sessions, session));
    // A worker that crashes has failed the test, so it is not started again.
    const settings = { args: ["--checks"], restart: false } as const;
    const checks = await besideWorker(bridge, SESSION_ID, terminal, settings, work);
    return { checks, last: await look(bridge.sessions, SESSION_ID, Object.keys(testVariables)) };
  });
  checks.push(...(await unlessInterrupted(signal, checkRestarts(file, SESSION_ID, last, signal))));
  for (const check of checks) terminal.line(row(check));
  const passed = checks.filter((check) => check.passed).length;
  const duration = ((performance.now() - started) / 1_000).toFixed(1);
  const text = `\n${passed} of ${checks.length} checks passed in ${duration} s.`;
  return { exitCode: passed === checks.length ? 0 : 1, text };
}

/** Ctrl-C, the end of the terminal, and the end of whoever reads our output. A second signal ends us at once. */
function stopOnSignal(): AbortController {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(name, () => stop.abort());
  process.stdout.on("error", () => stop.abort());
  return stop;
}

/** The outcome of some work; fails when the signal comes first. */
function unlessInterrupted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const interrupted = new Promise<never>((_, reject) => {
    const fail = (): void => reject(new Error("interrupted before all checks were made"));
    signal.addEventListener("abort", fail);
    if (signal.aborted) fail();
  });
  return Promise.race([work, interrupted]);
}

function row({ name, passed, detail, ms }: Check): string {
  const mark = passed ? terminal.style("green", "✓") : terminal.style("red", "✗");
  const time = typeof ms === "number" ? `${Math.round(ms)} ms` : "";
  return `${mark} ${name.padEnd(38)} ${time.padStart(6)}  ${detail}`;
}

try {
  const { exitCode, text } = await main();
  terminal.line(text);
  process.exitCode = exitCode;
} catch (error) {
  console.error(`error: ${(error as Error).message}`);
  process.exitCode = 1;
}
