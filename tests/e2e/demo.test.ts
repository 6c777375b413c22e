/** The demo as a user starts it: a host, a bridge in it, and a Python worker as its child, or one in TypeScript. */
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { endAll, exists, root, run, TestProcess } from "./processes.js";

const demo = [join(root, "packages", "bridge", "bin", "snakepit-bridge.js"), "demo"];
/** Where it is started, and keeps its file. */
let folder: string;

function start(...args: string[]): TestProcess {
  return new TestProcess(process.execPath, [...demo, ...args], {}, folder);
}

function runToEnd(...args: string[]) {
  return run(process.execPath, [...demo, ...args], {}, folder);
}

async function workerOf(host: TestProcess): Promise<number> {
  const [, pid] = await host.until(/Python worker is process (\d+)/);
  return Number(pid);
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "snakepit-demo-test-"));
  symlinkSync(join(root, ".venv"), join(folder, ".venv"), "junction");
});
afterEach(async () => {
  await endAll();
  rmSync(folder, { recursive: true });
});

describe("the demo", () => {
  test("--once checks every direction and ends with 0", async () => {
    const { code, output } = await runToEnd("--once");
    expect(output).not.toContain("✗");
    for (const name of [
      "python → typescript → python",
      "typescript → python → typescript",
      "python → typescript ",
      "batch from typescript",
      "batch from python",
      "atomic batch refused, from typescript",
      "atomic batch refused, from python",
      "constraint refused, from typescript",
      "constraint refused, from python",
      "everything is there after a restart",
      "kill -9 loses nothing acknowledged",
    ])
      expect(output).toContain(`✓ ${name}`);
    expect(output).toContain("learning_rate: value 5 is above maximum 1; target: must be a number");
    expect(output).toMatch(/\n11 of 11 checks passed in \d+\.\d s\.\n$/);
    expect(code).toBe(0);
  });

  test("tells who wrote what and when the other side saw it", async () => {
    const host = start();
    await host.until(
      /\d\d:\d\d:\d\d\.\d{3} {2}python {6}step = \d+, loss = \S+ \(v\d+\) {2}seen here after \d+ ms\n/,
    );
    await host.until(/typescript {2}learning_rate = 0\.1 \(v2\)\n/);
    await host.until(/python {6}saw learning_rate v2 after \d+ ms\n/);
  });

  test("Ctrl-C ends the host with 0, and the worker with it", async () => {
    const host = start();
    const worker = await workerOf(host);
    await host.until(/step = \d+/);
    host.signal("SIGINT");
    expect(await host.ended).toBe(0);
    expect(exists(worker)).toBe(false);
    expect(host.output).toMatch(/Ended after \d+ s; the worker and the bridge have ended too\./);
    expect(host.stderr).toBe("");
  });

  test("started again it goes on where it was, also after kill -9", async () => {
    let step = 0;
    for (const signal of ["SIGINT", "SIGKILL", "SIGINT"] as const) {
      const host = start();
      if (step > 0) {
        const [, from] = await host.until(/Going on at step (\d+), revision \d+\./);
        expect(Number(from)).toBeGreaterThanOrEqual(step);
        step = Number(from);
      }
      const [, seen] = await host.until(/step = (\d+)/);
      expect(Number(seen)).toBeGreaterThan(step);
      step = Number(seen);
      await host.end(signal);
    }
  });

  test("a second host in the same place is told so in one line, and the first goes on", async () => {
    const first = start();
    await first.until(/step = \d+/);
    const { code, stderr } = await runToEnd();
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: "error: snakepit-demo.db is in use by another server; stop that one, or choose another file\n",
    });
    first.signal("SIGINT");
    expect(await first.ended).toBe(0);
  });

  test("Ctrl-C before the worker is ready ends both as well", async () => {
    const host = start();
    const worker = await workerOf(host);
    host.signal("SIGINT");
    expect(await host.ended).toBe(0);
    expect(exists(worker)).toBe(false);
  });

  test("Ctrl-C during --once ends both, and counts as a failure", async () => {
    const host = start("--once");
    const worker = await workerOf(host);
    host.signal("SIGINT");
    expect(await host.ended).toBe(1);
    expect(host.stderr).toBe("error: interrupted before all checks were made\n");
    expect(exists(worker)).toBe(false);
  });

  test("a worker that is killed is told in one line, and is back", async () => {
    const host = start();
    const worker = await workerOf(host);
    await host.until(/step = \d+/);
    process.kill(worker, "SIGKILL");
    await host.until(/worker\.py ended with SIGKILL; it is started again\.\n/);
    const [, pid] = await host.until(/started again.*Python worker is process (\d+)/s);
    expect(Number(pid)).not.toBe(worker);
    await host.until(/started again.*process \d+.*step = \d+/s);
    host.signal("SIGINT");
    expect(await host.ended).toBe(0);
    expect(exists(Number(pid))).toBe(false);
  });

  test("a worker that is killed during --once is a failure", async () => {
    const host = start("--once");
    process.kill(await workerOf(host), "SIGKILL");
    expect(await host.ended).toBe(1);
    expect(host.stderr).toBe("error: worker.py ended with SIGKILL\n");
  });

  test("a host that is killed leaves no worker behind", async () => {
    const host = start();
    const worker = await workerOf(host);
    await host.until(/step = \d+/);
    host.signal("SIGKILL");
    await vi.waitFor(() => expect(exists(worker)).toBe(false), 10_000);
  });

  test("--help explains, and an unknown option is refused", async () => {
    const help = await runToEnd("--help");
    expect(help.code).toBe(0);
    expect(help.stdout).toContain("--once");
    const unknown = await runToEnd("--twice");
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain("--twice");
  });

  test("another terminal steers it with the command that it prints", async () => {
    const host = start();
    const [, line = ""] = await host.until(/from another terminal: npx snakepit-bridge (set demo .*)\n/);
    await host.until(/step = \d+/);
    const program = demo[0] as string;
    const set = await run(process.execPath, [program, ...line.split(" ")], {}, folder);
    expect(set).toMatchObject({ code: 0, stdout: expect.stringMatching(/^learning_rate = 0\.2 \(float/) });
    const [, version] = await host.until(/ cli {9}learning_rate = 0\.2 \(v(\d+)\)\n/);
    await host.until(new RegExp(`python {6}saw learning_rate v${version} after`));
  });

  describe("without the Python package", () => {
    beforeEach(() => rmSync(join(folder, ".venv")));
    // An interpreter without any packages.
    const alone = {
      PYTHONPATH: "",
      PYTHONNOUSERSITE: "1",
      PATH: `/usr/bin:/bin:${dirname(process.execPath)}`,
    };

    test("says in one line what to do, and has a worker in TypeScript", async () => {
      const host = new TestProcess(process.execPath, demo, alone, folder);
      await host.until(/^there is no Python .*\n|has no snakepit_bridge package: run `.*\n/m);
      await host.until(/typescript {2}step = \d+, loss = \S+ \(v\d+\)/);
      await host.until(/typescript {2}saw learning_rate v\d+ after \d+ ms\n/);
      host.signal("SIGINT");
      expect(await host.ended).toBe(0);
      expect(host.stderr).toBe("");
    });
  });
});
