/**
 * The demo: a TypeScript host and a Python worker share the variables of one session.
 *
 * The host starts a bridge, defines the variables, starts the worker and changes its settings while it runs; the worker
 * optimises and writes its results. Where there is no Python the worker is one in TypeScript, and where there is no SQLite
 * everything is in memory.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bridge, startBridge } from "../server.js";
import { hasSqlite } from "../storage/sqlite/driver.js";
import { besideWorker, command } from "./beside-worker.js";
import { type Check, runChecks } from "./checks.js";
import { look, observe, until, variable } from "./observer.js";
import { checkRestarts } from "./restart.js";
import { Screen } from "./screen.js";
import { tellStory } from "./story.js";
import { Terminal } from "./terminal.js";
import { ALL_NAMES, testVariables, variables } from "./variables.js";

export const SESSION_ID = "demo";
/** What was set is still there when the demo is started again. `testDemo` has a file of its own. */
export const FILE = "snakepit-demo.db";
const LOOK_EVERY_MS = 20;
const SCENE_EVERY_MS = 3_000;
const START_TIMEOUT_MS = 10_000;
const NO_FILE = "Nothing was kept: there is no SQLite. `npm install @photostructure/sqlite@1` adds it.";

const terminal = new Terminal(process.stdout);

/** Shows both sides at work until Ctrl-C. */
export async function runDemo(): Promise<void> {
  const stop = stopOnSignal();
  const file = (await hasSqlite()) ? FILE : undefined;
  terminal.line(await withBridge(file, (bridge) => watch(bridge, file, stop)));
}

/** Tests both directions and a restart, and prints the table. Throws if a check failed. */
export async function testDemo(): Promise<void> {
  const started = performance.now();
  const { signal } = stopOnSignal();
  const checks = (await hasSqlite())
    ? await inFolder((folder) => test(join(folder, FILE), signal))
    : await test(undefined, signal);
  for (const check of checks) terminal.line(row(check));
  const passed = checks.filter((check) => check.passed).length;
  const duration = ((performance.now() - started) / 1_000).toFixed(1);
  terminal.line(`\n${passed} of ${checks.length} checks passed in ${duration} s.`);
  if (passed < checks.length) throw new Error(`${checks.length - passed} of ${checks.length} checks failed`);
}

/** Does something with a bridge on a file, or in memory. */
async function withBridge<T>(file: string | undefined, work: (bridge: Bridge) => Promise<T>): Promise<T> {
  const store = file === undefined ? "memory" : `sqlite:${file}`;
  const bridge = await startBridge({ host: "127.0.0.1", port: 0, store });
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

/** What there is to say at the end. */
async function watch(bridge: Bridge, file: string | undefined, stop: AbortController): Promise<string> {
  const { signal } = stop;
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
  const work = async (): Promise<string> => {
    await until("the worker to make its first step", START_TIMEOUT_MS, async () =>
      signal.aborted || variable(await look(sessions, SESSION_ID, ALL_NAMES), "step").version > steps.version
        ? true
        : undefined,
    );
    const story = tellStory(session, SCENE_EVERY_MS, signal, (text) => screen.remark(text));
    const looks = observe(sessions, SESSION_ID, ALL_NAMES, LOOK_EVERY_MS, signal);
    for await (const { view, sightings } of looks) screen.show(view, sightings);
    await story;
    const kept = `Everything is kept in ${file}: start again, and it goes on. Remove the file to begin anew.`;
    return `${screen.summary()}\n${file === undefined ? NO_FILE : kept}`;
  };
  // The story ends too if the worker does for good.
  return besideWorker(bridge, SESSION_ID, terminal, {}, work).finally(() => stop.abort());
}

/** Runs the checks of both sides, then those of a restart. */
async function test(file: string | undefined, signal: AbortSignal): Promise<Check[]> {
  const { checks, last } = await withBridge(file, async (bridge) => {
    const session = await bridge.session(SESSION_ID, testVariables);
    // A worker that crashes has failed the test, so it is not started again.
    const settings = { args: ["--checks"], restart: false } as const;
    const checks = await besideWorker(bridge, SESSION_ID, terminal, settings, (language) =>
      unlessInterrupted(signal, runChecks(bridge.sessions, session, language)),
    );
    return { checks, last: await look(bridge.sessions, SESSION_ID, Object.keys(testVariables)) };
  });
  if (file === undefined) terminal.line(NO_FILE);
  else checks.push(...(await unlessInterrupted(signal, checkRestarts(file, SESSION_ID, last, signal))));
  return checks;
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
