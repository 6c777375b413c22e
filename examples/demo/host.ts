/**
 * The demo: a TypeScript host and a Python worker share the variables of one session.
 *
 * The host starts a bridge, defines the variables, starts the worker and changes its settings while it runs; the worker
 * optimises and writes its results. `--once` tests both sides and ends.
 */
import { parseArgs } from "node:util";
import { type Bridge, startBridge } from "snakepit-bridge";
import { type Check, runChecks } from "./checks.js";
import { look, observe, until, variable } from "./observer.js";
import { Screen } from "./screen.js";
import { tellStory } from "./story.js";
import { Terminal } from "./terminal.js";
import { ALL_NAMES, testVariables, variables } from "./variables.js";
import { Worker } from "./worker-process.js";

const SESSION_ID = "demo";
const LOOK_EVERY_MS = 20;
const SCENE_EVERY_MS = 3_000;
const START_TIMEOUT_MS = 10_000;

const HELP = `Usage: npm start [-- --once]

A TypeScript host and a Python worker share typed variables. The host changes learning_rate, target and paused; the
worker reads them before each step of an optimisation and writes step, loss, x and y. Ctrl-C ends both.

  --once   test both directions, print a table, end with exit code 0, or with 1 if a check failed
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
  const bridge = await startBridge({ host: "127.0.0.1", port: 0 });
  try {
    return await (once ? test(bridge, stop) : watch(bridge, stop));
  } finally {
    await bridge.close();
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
async function watch(bridge: Bridge, stop: AbortController): Promise<Ending> {
  const { sessions } = bridge;
  const { signal } = stop;
  const session = await bridge.session(SESSION_ID, variables);
  const screen = new Screen(terminal, `Ctrl-C ends. To look in: ${command("list", bridge)}`);
  return besideWorker(bridge, stop, [], async () => {
    await until("the Python worker to make its first step", START_TIMEOUT_MS, async () =>
      signal.aborted || variable(await look(sessions, SESSION_ID, ALL_NAMES), "step").version > 1
        ? true
        : undefined,
    );
    const story = tellStory(session, SCENE_EVERY_MS, signal, (text) => screen.remark(text));
    const looks = observe(sessions, SESSION_ID, ALL_NAMES, LOOK_EVERY_MS, signal);
    for await (const { view, sightings } of looks) screen.show(view, sightings);
    await story;
    return { exitCode: 0, text: screen.summary() };
  });
}

/** Runs the checks of both sides and prints their table. */
async function test(bridge: Bridge, stop: AbortController): Promise<Ending> {
  const started = performance.now();
  const session = await bridge.session(SESSION_ID, testVariables);
  return besideWorker(bridge, stop, ["--checks"], async () => {
    const checks = await Promise.race([runChecks(bridge.sessions, session), interrupted(stop.signal)]);
    for (const check of checks) terminal.line(row(check));
    const passed = checks.filter((check) => check.passed).length;
    const duration = ((performance.now() - started) / 1_000).toFixed(1);
    const text = `\n${passed} of ${checks.length} checks passed in ${duration} s.`;
    return { exitCode: passed === checks.length ? 0 : 1, text };
  });
}

/** Does something while the worker runs, and ends the worker. Fails if the worker ends by itself. */
async function besideWorker(
  bridge: Bridge,
  stop: AbortController,
  args: readonly string[],
  work: () => Promise<Ending>,
): Promise<Ending> {
  const worker = new Worker(bridge.address, SESSION_ID, args);
  try {
    terminal.line(
      `Bridge at ${bridge.address}, session "${SESSION_ID}", Python worker is process ${worker.pid}.`,
    );
    terminal.line(`To look in from another terminal: ${command("list", bridge)}\n`);
    const crash = worker.ended.then((text) => {
      throw new Error(text);
    });
    return await Promise.race([crash, work()]);
  } finally {
    stop.abort();
    terminal.block([]);
    await worker.stop();
  }
}

/** Ctrl-C, the end of the terminal, and the end of whoever reads our output. A second signal ends us at once. */
function stopOnSignal(): AbortController {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(name, () => stop.abort());
  process.stdout.on("error", () => stop.abort());
  return stop;
}

/** Fails when the signal comes. */
function interrupted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (): void => reject(new Error("interrupted before all checks were made"));
    signal.addEventListener("abort", fail);
    if (signal.aborted) fail();
  });
}

function command(name: string, { address }: Bridge): string {
  return `npx snakepit-bridge ${name} ${SESSION_ID} --address ${address}`;
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
