/** A Python worker from its start to its end: ready, logs, restarts, and every way in which it can fail. */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startWorker, WorkerError } from "snakepit-bridge/worker";
import { afterEach, describe, expect, test, vi } from "vitest";
import { exists, python } from "./processes.js";
import { endWorkers, startProgram, testFolder, WAITING, WorkerRecord } from "./workers.js";

afterEach(endWorkers);

/** The error of a worker that does not start. */
async function failure(starting: Promise<unknown>): Promise<WorkerError> {
  const error = await starting.then(
    () => new Error("it was started"),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(WorkerError);
  return error as WorkerError;
}

async function isGone(pid: number | undefined): Promise<void> {
  expect(pid).toBeGreaterThan(1);
  await vi.waitFor(() => expect(exists(pid as number)).toBe(false), 10_000);
}

const quickRestart = { firstDelayMs: 10, maxDelayMs: 100 };

describe("a worker", () => {
  test("goes from starting to ready, and by close() to its end", async () => {
    const { worker, record } = await startProgram(WAITING);
    expect(worker.state).toEqual({ kind: "ready", pid: worker.pid, address: undefined });
    const { pid } = worker;
    expect(exists(pid as number)).toBe(true);
    await worker.close();
    expect(await worker.ended).toEqual({ reason: "closed" });
    expect(worker.state).toEqual({ kind: "ended", reason: "closed" });
    expect(worker.pid).toBeUndefined();
    expect(record.kinds).toEqual(["starting", "running", "ready", "closing", "ended"]);
    expect(record.states[1]).toEqual({ kind: "running", pid });
    await isGone(pid);
    await worker.close();
  });

  test("is told where and what by its environment, arguments and folder", async () => {
    const program = `
import json, os, sys
from snakepit_bridge import worker
own = {name[16:]: value for name, value in os.environ.items() if name.startswith("SNAKEPIT_BRIDGE_")}
print(json.dumps([sys.argv[1:], os.getcwd(), os.environ["OWN"], own, sys.stdin.read()]))
worker.ready()
`;
    const { worker, record } = await startProgram(program, {
      args: ["-m", "two words", "ключ"],
      env: { OWN: "é" },
      bridge: { address: "127.0.0.1:7" },
      sessionId: "run 42",
      token: "secret",
    });
    await worker.ended;
    expect(JSON.parse(record.texts[0] ?? "")).toEqual([
      ["-m", "two words", "ключ"],
      testFolder(),
      "é",
      { ADDRESS: "127.0.0.1:7", SESSION: "run 42", TOKEN: "secret" },
      "",
    ]);
  });

  test("may be a module", async () => {
    const folder = testFolder();
    mkdirSync(join(folder, "package"));
    writeFileSync(
      join(folder, "package", "__main__.py"),
      "from snakepit_bridge import worker\nworker.ready()\n",
    );
    const record = new WorkerRecord();
    await using worker = await startWorker({ module: "package", cwd: folder, python, ...record });
    expect(await worker.ended).toEqual({ reason: "finished" });
  });

  test("tells its address when it is ready", async () => {
    const { worker } = await startProgram(
      'from snakepit_bridge import worker\nworker.ready(address="127.0.0.1:9")\nimport signal\nsignal.pause()',
    );
    expect(worker.address).toBe("127.0.0.1:9");
  });

  test("need not know of us: it is ready when it is started", async () => {
    const { worker, record } = await startProgram("print('plain')\nimport signal\nsignal.pause()", {
      ready: "started",
    });
    await record.line(/^plain$/);
    expect(worker.state.kind).toBe("ready");
    expect(record.kinds).toEqual(["starting", "running", "ready"]);
  });

  test("that ends with exit code 0 has finished, and is not started again", async () => {
    const { worker, record } = await startProgram("print('done')", { ready: "started" });
    expect(await worker.ended).toEqual({ reason: "finished" });
    expect(record.kinds).toEqual(["starting", "running", "ready", "ended"]);
    expect(record.texts).toEqual(["done"]);
    await worker.close();
  });

  test("cleans up when it is closed", async () => {
    const { worker, record } = await startProgram(`
import asyncio
from snakepit_bridge import worker
async def main():
    try:
        worker.ready()
        await asyncio.Event().wait()
    finally:
        print("cleaned up")
asyncio.run(main())
`);
    await worker.close();
    expect(record.texts).toEqual(["cleaned up"]);
  });

  test("is closed at the end of its block", async () => {
    let pid: number | undefined;
    {
      await using worker = (await startProgram(WAITING)).worker;
      pid = worker.pid;
    }
    await isGone(pid);
  });

  test("that ignores SIGTERM is killed after the grace", async () => {
    const stubborn = `import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n${WAITING}`;
    const { worker } = await startProgram(stubborn, { graceMs: 50 });
    const { pid } = worker;
    await worker.close();
    await isGone(pid);
    expect(worker.state).toEqual({ kind: "ended", reason: "closed" });
  });
});

describe("what a worker prints", () => {
  test("comes line by line, with levels", async () => {
    const { worker, record } = await startProgram(
      `
import logging, sys
print("out")
sys.stdout.flush()
logging.basicConfig(level=logging.DEBUG)
logging.debug("d")
logging.error("e\\nmore")
logging.getLogger("x").critical("c")
print("ünï\\r\\n\\nlast", end="", file=sys.stderr)
`,
      { ready: "started" },
    );
    await worker.ended;
    const lines = record.lines.map(({ stream, level, text }) => `${stream} ${level} ${text}`);
    expect(lines.filter((line) => line.startsWith("stdout"))).toEqual(["stdout info out"]);
    expect(lines.filter((line) => line.startsWith("stderr"))).toEqual([
      "stderr debug DEBUG:root:d",
      "stderr error ERROR:root:e",
      "stderr warn more",
      "stderr fatal CRITICAL:x:c",
      "stderr warn ünï",
      "stderr warn ",
      "stderr warn last",
    ]);
  });

  test("without an end is cut, and holds nothing up", async () => {
    const { worker, record } = await startProgram(
      `
import sys
for _ in range(160):
    sys.stdout.write("x" * 65_536)
print()
print("after")
`,
      { ready: "started" },
    );
    expect(await worker.ended).toEqual({ reason: "finished" });
    expect(record.lines).toEqual([
      { stream: "stdout", level: "info", text: "x".repeat(8_192), cut: true },
      { stream: "stdout", level: "info", text: "after", cut: false },
    ]);
  });
});

describe("a worker that ends by a fault", () => {
  test("is started again after its pause, with another process", async () => {
    const { worker, record } = await startProgram(WAITING, { restart: quickRestart });
    const first = worker.pid as number;
    process.kill(first, "SIGKILL");
    const { error, delayMs } = await record.state("pausing");
    expect(error).toMatchObject({
      name: "WorkerError",
      reason: "EXITED",
      exit: { code: undefined, signal: "SIGKILL" },
      message: "program.py ended with SIGKILL",
    });
    expect(delayMs).toBeGreaterThanOrEqual(5);
    expect(delayMs).toBeLessThanOrEqual(10);
    const { pid } = await record.state("ready", 2);
    expect(pid).not.toBe(first);
    expect(worker.pid).toBe(pid);
    expect(record.kinds).toEqual(["starting", "running", "ready", "pausing", "starting", "running", "ready"]);
    expect(record.states[4]).toEqual({ kind: "starting", restarts: 1 });
  });

  test("is given up at the limit, and tells why", async () => {
    const program = `
import sys
from snakepit_bridge import worker
worker.ready()
print("on my way", file=sys.stderr)
sys.exit("out of luck")
`;
    const { worker, record } = await startProgram(program, { restart: { ...quickRestart, limit: 2 } });
    const end = await worker.ended;
    expect(end).toMatchObject({
      reason: "failed",
      error: {
        reason: "EXITED",
        exit: { code: 1, signal: undefined },
        output: ["on my way", "out of luck"],
        message: "program.py ended with exit code 1:\non my way\nout of luck",
      },
    });
    expect(worker.state).toEqual({ kind: "ended", ...end });
    expect(record.kinds.filter((kind) => kind === "starting")).toHaveLength(3);
  });

  test("may fail as often as it likes if it runs well in between", async () => {
    const restart = { ...quickRestart, limit: 1, resetAfterMs: 1 };
    const { worker, record } = await startProgram(WAITING, { restart });
    for (let times = 1; times <= 3; times++) {
      const { pid } = await record.state("ready", times);
      process.kill(pid, "SIGKILL");
      await record.state("pausing", times);
    }
    await record.state("ready", 4);
    expect(worker.state.kind).toBe("ready");
  });

  test("is told by the usual name of its signal", async () => {
    const { worker } = await startProgram("import os\nos.abort()", { ready: "started", restart: false });
    expect(await worker.ended).toMatchObject({ error: { exit: { code: undefined, signal: "SIGABRT" } } });
  });

  test.each(["starting", "running", "ready", "pausing"] as const)(
    "can be closed by whoever is told that it is %s again",
    async (kind) => {
      const record = new WorkerRecord();
      const restart = { firstDelayMs: 1, maxDelayMs: 1_000_000 };
      const { worker } = await startProgram(WAITING, {
        restart,
        onState: (state) => {
          record.onState(state);
          if (record.kinds.includes("pausing") && state.kind === kind) void worker.close();
        },
      });
      process.kill(worker.pid as number, "SIGKILL");
      expect(await worker.ended).toEqual({ reason: "closed" });
      expect(record.kinds.slice(-3)).toEqual([kind, "closing", "ended"]);
    },
  );

  test("is not started again if nobody wants it", async () => {
    const { worker } = await startProgram(WAITING, { restart: false });
    process.kill(worker.pid as number, "SIGKILL");
    expect(await worker.ended).toMatchObject({ reason: "failed", error: { exit: { signal: "SIGKILL" } } });
  });

  test("can be closed while it pauses", async () => {
    const restart = { firstDelayMs: 1_000_000, maxDelayMs: 1_000_000 };
    const { worker, record } = await startProgram(WAITING, { restart });
    process.kill(worker.pid as number, "SIGKILL");
    await record.state("pausing");
    await worker.close();
    expect(record.kinds.slice(-3)).toEqual(["pausing", "closing", "ended"]);
    expect(await worker.ended).toEqual({ reason: "closed" });
  });

  test("is started again though its supervisor was killed, and nothing of it is left", async () => {
    const program = `
import os, subprocess, sys
from snakepit_bridge import worker
child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
print(os.getppid(), child.pid)
${WAITING}`;
    const { worker, record } = await startProgram(program, { restart: quickRestart });
    const { pid } = worker;
    const { text } = await record.line(/^\d+ \d+$/);
    const [supervisor, child] = text.split(" ").map(Number) as [number, number];
    process.kill(supervisor, "SIGKILL");
    await record.state("ready", 2);
    await isGone(pid);
    await isGone(child);
  });

  test("or only stands still, though it had promised to say that it is alive, is started again", async () => {
    const program = `
import threading, time
from snakepit_bridge import worker
started = time.monotonic()
worker.ready(alive_within=0.5)
while True:
    worker.alive()
    threading.Event().wait(0.01)
    if started is not None and time.monotonic() > started + 1.5:
        started = print("still at work")
`;
    const { worker, record } = await startProgram(program, { restart: quickRestart, graceMs: 50 });
    const { pid } = worker;
    await record.line(/^still at work$/);
    expect(record.kinds).toEqual(["starting", "running", "ready"]);
    process.kill(pid as number, "SIGSTOP");
    const { error } = await record.state("pausing");
    expect(error).toMatchObject({
      reason: "HUNG",
      message: "program.py hangs: it no longer says that it is alive, as it had promised",
    });
    await isGone(pid);
    await record.state("ready", 2);
  });
});

describe("a worker that cannot be started is a clear error:", () => {
  test("it crashes at once", async () => {
    const record = new WorkerRecord();
    const error = await failure(startProgram("import nowhere_to_be_found", {}, record));
    expect(error.reason).toBe("EXITED");
    expect(error.exit).toEqual({ code: 1, signal: undefined });
    expect(error.message).toMatch(
      /^program\.py ended with exit code 1:\nTraceback \(most recent call last\):\n {2}File ".*program\.py", line 1/,
    );
    expect(error.output.at(-1)).toBe("ModuleNotFoundError: No module named 'nowhere_to_be_found'");
    // What has never worked is not tried again.
    expect(record.kinds).toEqual(["starting", "running", "ended"]);
  });

  test("a syntax error", async () => {
    const error = await failure(startProgram("print('x'\n", { ready: "started" }));
    expect(error.message).toMatch(
      /^program\.py ended with exit code 1 before it began:\n {2}File ".*program\.py", line 1/,
    );
    expect(error.output.at(-1)).toBe("SyntaxError: '(' was never closed");
  });

  test("a script that is not there", async () => {
    const script = join(testFolder(), "missing.py");
    const error = await failure(startWorker({ script, python, onLog: () => {} }));
    expect(error.message).toBe(
      "missing.py ended with exit code 2 before it began:\n" +
        `error: the script ${script} cannot be read: No such file or directory`,
    );
  });

  test("a module that is not there", async () => {
    const error = await failure(startWorker({ module: "missing.module", python, onLog: () => {} }));
    expect(error.message).toBe(
      "missing.module ended with exit code 2 before it began:\n" +
        "error: there is no module missing.module that can be run",
    );
  });

  test("it ends before it says that it is ready", async () => {
    const error = await failure(startProgram("print('done')"));
    expect(error.reason).toBe("EXITED");
    expect(error.message).toBe(
      "program.py ended with exit code 0 before it said that it is ready; let it call " +
        'snakepit_bridge.worker.ready(), or start it with ready: "started"',
    );
  });

  test("an interpreter that is not there", async () => {
    const nowhere = join(testFolder(), "bin", "python");
    const error = await failure(startProgram(WAITING, { python: nowhere }));
    expect(error.reason).toBe("NO_PYTHON");
    expect(error.exit).toBeUndefined();
    expect(error.message).toBe(`there is no ${nowhere} to run the worker with`);
  });

  test("no interpreter anywhere", async () => {
    vi.stubEnv("PATH", testFolder());
    const script = join(testFolder(), "program.py");
    const error = await failure(startWorker({ script, cwd: testFolder() })).finally(() => vi.unstubAllEnvs());
    expect(error.reason).toBe("NO_PYTHON");
    expect(error.message).toContain("there is no Python to run the worker with: no .venv in ");
    expect(error.message).toContain("`python3 -m venv .venv`");
  });

  test("an interpreter that may not be run", async () => {
    const error = await failure(startProgram(WAITING, { python: testFolder() }));
    expect(error.reason).toBe("NO_PYTHON");
    expect(error.message).toMatch(/ cannot be run: spawn .* EACCES$/);
  });

  test("arguments that the system does not take", async () => {
    const error = await failure(startProgram(WAITING, { args: ["x".repeat(10_000_000)] }));
    expect(error.reason).toBe("NO_PYTHON");
    expect(error.message).toMatch(/ cannot be run: spawn E2BIG$/);
  });

  test("an interpreter without our package", async () => {
    const bare = join(testFolder(), "python");
    writeFileSync(bare, `#!/bin/sh\nexec "${python}" -I -S "$@"\n`);
    chmodSync(bare, 0o755);
    const error = await failure(startProgram(WAITING, { python: bare }));
    expect(error.reason).toBe("NO_PACKAGE");
    expect(error.message).toBe(
      `${bare} has no snakepit_bridge package: run \`${bare} -m pip install snakepit-bridge\``,
    );
  });
});

describe("a signal", () => {
  test("that is aborted already starts nothing", async () => {
    const record = new WorkerRecord();
    const signal = AbortSignal.abort(new Error("too late"));
    await expect(startProgram(WAITING, { signal }, record)).rejects.toThrow("too late");
    expect(record.states).toEqual([]);
  });

  test("ends a worker that is not ready, and nothing of it is left", async () => {
    const abort = new AbortController();
    const record = new WorkerRecord();
    const program = "import signal\nsignal.pause()";
    const starting = startProgram(program, { signal: abort.signal }, record);
    const { pid } = await record.state("running");
    abort.abort(new Error("changed my mind"));
    await expect(starting).rejects.toThrow("changed my mind");
    expect(record.kinds).toEqual(["starting", "running", "closing", "ended"]);
    await isGone(pid);
  });

  test("ends a worker that is ready, as close() does", async () => {
    const abort = new AbortController();
    const { worker } = await startProgram(WAITING, { signal: abort.signal });
    abort.abort();
    expect(await worker.ended).toEqual({ reason: "closed" });
  });
});
