/** Nothing of a worker outlives its host, however the host ends; and nothing of it stays open in a host that goes on. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { endAll, exists, python, root, run, TestProcess } from "./processes.js";
import { endWorkers, testFolder, WAITING } from "./workers.js";

afterEach(async () => {
  await endAll();
  await endWorkers();
});

/** How to run a task of `worker-host.ts` with a program given by its text. */
function command(task: string, program: string): string[] {
  const script = join(testFolder(), "program.py");
  writeFileSync(script, program);
  return ["--import", import.meta.resolve("tsx"), join(root, "tests", "e2e", "worker-host.ts"), task, script];
}

const env = { TEST_PYTHON: python };

/** Prints the ids of its supervisor, itself, a child, a grandchild, and a child in a session of its own; then it waits. */
const FAMILY = `
import os, subprocess, sys
pause = "import os, signal; print(os.getpid(), flush=True); signal.pause()"
parent = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {pause!r}]).wait()"
def start(code, **options):
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, **options)
    return child.pid, child.stdout.readline().strip()
child, grandchild = start(parent)
loner, _ = start(pause, start_new_session=True)
print("family", os.getppid(), os.getpid(), child, grandchild, loner, flush=True)
`;

/** The processes of so many families, as they were printed. */
async function families(host: TestProcess, count: number): Promise<number[]> {
  const pids = await vi.waitFor(() => {
    const lines = host.stdout.match(/^family [\d ]+\n/gm) ?? [];
    expect(lines, host.output).toHaveLength(count);
    return lines.flatMap((line) => line.match(/\d+/g)?.map(Number) ?? []);
  }, 30_000);
  expect(pids).toHaveLength(5 * count);
  expect(pids.filter((pid) => !exists(pid))).toEqual([]);
  return pids;
}

async function areGone(pids: readonly number[]): Promise<void> {
  await vi.waitFor(() => expect(pids.filter(exists)).toEqual([]), 15_000);
}

describe("a host that ends leaves no process behind:", () => {
  test("killed with kill -9", async () => {
    const host = new TestProcess(process.execPath, command("hold", FAMILY + WAITING), env);
    const pids = await families(host, 3);
    await host.until(/all are ready/);
    host.signal("SIGKILL");
    await areGone(pids);
  });

  test("killed with kill -9, and nobody listens to SIGTERM", async () => {
    const stubborn = `import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n${FAMILY}${WAITING}`;
    const host = new TestProcess(process.execPath, command("hold", stubborn), env);
    const pids = await families(host, 3);
    await host.until(/all are ready/);
    host.signal("SIGKILL");
    await areGone(pids);
  });

  test("killed with kill -9 before its workers are ready", async () => {
    const host = new TestProcess(
      process.execPath,
      command("hold", `${FAMILY}\nimport signal\nsignal.pause()`),
      env,
    );
    const pids = await families(host, 3);
    host.signal("SIGKILL");
    await areGone(pids);
  });

  test.each([
    ["crashed", "crash", 1],
    ["gone by process.exit", "leave", 3],
  ])("%s", async (_, task, exitCode) => {
    const host = new TestProcess(process.execPath, command(task, FAMILY + WAITING), env);
    // It may be gone before one could look whether they run.
    await host.until(/family .*\n/);
    const pids = host.stdout.match(/\d+/g)?.map(Number) ?? [];
    expect(pids).toHaveLength(5);
    expect(await host.ended).toBe(exitCode);
    await areGone(pids);
  });

  test("interrupted in its terminal: the worker does not see Ctrl-C, but its own orderly end", async () => {
    const told = join(testFolder(), "told");
    const program = `
import os, signal
from snakepit_bridge import worker
print("family", os.getppid(), os.getpid(), flush=True)
try:
    worker.ready()
    signal.pause()
except BaseException as error:
    with open(${JSON.stringify(told)}, "a") as file:
        print(type(error).__name__, file=file)
    raise
`;
    // Ctrl-C reaches all of the group that is in the foreground.
    const inGroup = [
      "-c",
      "import os, sys; os.setpgid(0, 0); os.execv(sys.argv[1], sys.argv[1:])",
      process.execPath,
    ];
    const host = new TestProcess(python, [...inGroup, ...command("hold", program)], env);
    await host.until(/all are ready/);
    const pids = host.stdout.match(/\d+/g)?.map(Number) ?? [];
    process.kill(-host.pid, "SIGINT");
    await areGone(pids);
    expect(readFileSync(told, "utf8")).toBe("SystemExit\n".repeat(3));
  });
});

describe("a host that goes on", () => {
  test("has nothing left of twenty workers that it has started and closed", async () => {
    const program = `import os\nprint("family", os.getppid(), os.getpid(), flush=True)\n${WAITING}`;
    const { code, stdout, stderr } = await run(process.execPath, command("twenty", program), env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const { before, after } = JSON.parse(stdout.trimEnd().split("\n").at(-1) as string) as Record<
      string,
      object
    >;
    expect(after).toEqual(before);
    expect(after).toMatchObject({ listenersOfTheSignal: 0 });
    const pids = [...stdout.matchAll(/^family (\d+) (\d+)$/gm)].flatMap(([, a, b]) => [Number(a), Number(b)]);
    expect(pids).toHaveLength(80);
    expect(pids.filter(exists)).toEqual([]);
  });

  test("finds what its callbacks throw, and its worker goes on", async () => {
    const program = `print("hello", flush=True)\n${WAITING}`;
    const { code, stdout, stderr } = await run(process.execPath, command("throwing", program), env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const caught = JSON.parse(stdout) as string[];
    expect(caught.filter((text) => text.startsWith("state"))).toEqual(
      [
        ...["starting", "running", "ready", "pausing"],
        ...["starting", "running", "ready", "closing", "ended"],
      ].map((kind) => `state ${kind}`),
    );
    expect(caught.filter((text) => text.startsWith("log"))).toEqual(["log hello", "log hello"]);
  });

  test("sees what its worker prints, if it has said nothing else", async () => {
    const program = `
import sys
from snakepit_bridge import worker
worker.ready()
print("out")
print("err", file=sys.stderr)
`;
    const { code, stdout, stderr } = await run(process.execPath, command("printing", program), env);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    expect(stderr.split("\n").sort()).toEqual(["", "program.py: err", "program.py: out"]);
  });
});
