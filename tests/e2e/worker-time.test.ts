/** What time does to a worker, with real processes and a clock that is moved by hand. */
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { WorkerSettings } from "snakepit-bridge/worker";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Attempt, type Outcome } from "../../packages/bridge/src/host/attempt.js";
import { resolveOptions } from "../../packages/bridge/src/host/options.js";
import { ManualClock } from "../../packages/bridge/src/testing/manual-clock.js";
import { exists, python } from "./processes.js";
import { endWorkers, testFolder } from "./workers.js";

let clock: ManualClock;
/** The process of the program, once it runs. */
let pid: number | undefined;

beforeEach(() => {
  clock = new ManualClock();
  pid = undefined;
});
afterEach(endWorkers);

/** Starts a program once. */
function attempt(program: string, settings: WorkerSettings = {}): Promise<Outcome> {
  const script = join(testFolder(), "program.py");
  writeFileSync(script, program);
  return new Attempt(resolveOptions({ script, python, cwd: testFolder(), ...settings }), clock, {
    onRunning: (id) => {
      pid = id;
    },
    onReady: () => {},
    onLog: () => {},
  }).run();
}

async function runs(): Promise<void> {
  await vi.waitFor(() => expect(pid).toBeDefined(), 10_000);
}

test("a program that never says that it is ready is ended when its time is up", async () => {
  const outcome = attempt("import signal, sys\nsignal.pause()");
  await runs();
  clock.advance(29_999);
  expect(exists(pid as number)).toBe(true);
  clock.advance(1);
  const { error, readyForMs } = await outcome;
  expect(error?.reason).toBe("NOT_READY");
  expect(error?.message).toBe(
    "program.py did not say within 30 s that it is ready; let it call snakepit_bridge.worker.ready(), " +
      'or start it with ready: "started"',
  );
  expect(readyForMs).toBe(0);
  expect(exists(pid as number)).toBe(false);
});

test("what is no Python, and never begins, is ended by force", async () => {
  const other = join(testFolder(), "python");
  writeFileSync(other, "#!/bin/sh\necho I am no Python >&2\nexec sleep 1000\n");
  chmodSync(other, 0o755);
  const outcome = attempt("", { python: other, readyTimeoutMs: 5_000, graceMs: 2_000 });
  clock.advance(5_000);
  // Its input is closed now, and it does not care.
  clock.advance(2_000 + 1_500);
  const { error } = await outcome;
  expect(error?.reason).toBe("NOT_READY");
  expect(error?.message).toContain("program.py did not begin within 5 s: Python was still starting");
});

test("how long it was ready is counted from when it said so", async () => {
  let ready = false;
  const script = join(testFolder(), "program.py");
  writeFileSync(script, "from snakepit_bridge import worker\nworker.ready()\nimport signal\nsignal.pause()");
  const one = new Attempt(resolveOptions({ script, python, cwd: testFolder() }), clock, {
    onRunning: () => {},
    onReady: () => {
      ready = true;
    },
    onLog: () => {},
  });
  clock.advance(1_000);
  const outcome = one.run();
  await vi.waitFor(() => expect(ready).toBe(true), 10_000);
  clock.advance(60_000);
  one.stop();
  expect(await outcome).toMatchObject({ readyForMs: 60_000, error: { exit: { signal: "SIGTERM" } } });
  expect(clock.pendingTimers).toBe(0);
});
