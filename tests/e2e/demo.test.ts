/** The demo as a user starts it: a host, a bridge in it, and a Python worker as its child. */
import { afterEach, describe, expect, test, vi } from "vitest";
import { endAll, exists, run, TestProcess } from "./processes.js";

const demo = ["--import", "tsx", "examples/demo/host.ts"];

function start(...args: string[]): TestProcess {
  return new TestProcess(process.execPath, [...demo, ...args]);
}

async function workerOf(host: TestProcess): Promise<number> {
  const [, pid] = await host.until(/Python worker is process (\d+)/);
  return Number(pid);
}

afterEach(endAll);

describe("the demo", () => {
  test("--once checks every direction and ends with 0", async () => {
    const { code, output } = await run(process.execPath, [...demo, "--once"]);
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
    ])
      expect(output).toContain(`✓ ${name}`);
    expect(output).toContain("learning_rate: value 5 is above maximum 1; target: must be a number");
    expect(output).toMatch(/\n9 of 9 checks passed in \d+\.\d s\.\n$/);
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

  test("a worker that crashes is told in one line, and the host ends with 1", async () => {
    const host = start();
    const worker = await workerOf(host);
    await host.until(/step = \d+/);
    process.kill(worker, "SIGKILL");
    expect(await host.ended).toBe(1);
    expect(host.stderr).toBe("error: the Python worker ended with SIGKILL\n");
  });

  test("a host that is killed leaves no worker behind", async () => {
    const host = start();
    const worker = await workerOf(host);
    await host.until(/step = \d+/);
    host.signal("SIGKILL");
    await vi.waitFor(() => expect(exists(worker)).toBe(false), 10_000);
  });

  test("--help explains, and an unknown option is refused", async () => {
    const help = await run(process.execPath, [...demo, "--help"]);
    expect(help.code).toBe(0);
    expect(help.stdout).toContain("--once");
    const unknown = await run(process.execPath, [...demo, "--twice"]);
    expect(unknown.code).toBe(1);
    expect(unknown.stderr).toContain("--twice");
  });
});
