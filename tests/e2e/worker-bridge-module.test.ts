/**
 * `python -m snakepit_bridge.grpc_bridge` as a worker, and the client of this package over its address: what a program
 * gets that looks for the variables in its Python process. The client passes its whole contract there.
 */
import { type Bridge, type Client, connect, startBridge } from "snakepit-bridge";
import { type PythonWorker, startWorker } from "snakepit-bridge/worker";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { connect as connectFromSource } from "../../packages/bridge/src/client/connect.js";
import { sessionContract } from "../../packages/bridge/src/client/session.contract.js";
import { sessionStoreContract } from "../../packages/bridge/src/client/session-store.contract.js";
import type { TestBridge } from "../../packages/bridge/src/client/test-bridge.contract.js";
import { startBridge as startFromSource } from "../../packages/bridge/src/server.js";
import { ManualClock } from "../../packages/bridge/src/testing/manual-clock.js";
import { exists, python } from "./processes.js";

const module = "snakepit_bridge.grpc_bridge";
const quiet = { python, onLog: () => {} };
const quick = { firstDelayMs: 10 };

describe("the contract of the client, through Python", () => {
  // One Python process for all tests. It finds the bridge of each at the same port.
  let worker: PythonWorker | undefined;
  let port = 0;

  afterAll(() => worker?.close());

  const start = async (): Promise<TestBridge> => {
    const clock = new ManualClock();
    const bridge = await startFromSource({ port, clock, logger: "silent" });
    port = bridge.port;
    worker ??= await startWorker({ module, bridge, ...quiet });
    const { address } = worker;
    await vi.waitFor(async () => {
      const client = connectFromSource(address);
      await client.ping().finally(() => client.close());
    }, 10_000);
    return { connect: () => connectFromSource(address), clock, close: () => bridge.close() };
  };
  // Each in a block of its own, so that one test has one bridge: both start one before each test around them.
  describe("of sessions and variables", () => sessionStoreContract("through Python", start));
  describe("of a session", () => sessionContract("through Python", start));
});

describe("a bridge module in Python", () => {
  let bridge: Bridge;
  let worker: PythonWorker;
  let client: Client;

  beforeEach(async () => {
    bridge = await startBridge({ port: 0, logger: "silent" });
    worker = await startWorker({ module, bridge, restart: quick, ...quiet });
    client = connect(worker.address);
  });

  afterEach(async () => {
    await client.close();
    await worker.close();
    await bridge.close();
  });

  test("serves at an address of its own what the bridge has, and the bridge has what it was told", async () => {
    expect(worker.address).not.toBe(bridge.address);
    const near = await bridge.session("run");
    const far = await client.session("run");
    await near.register("temperature", "float", 0.7, { constraints: { min: 0, max: 2 } });
    expect(await far.get("temperature")).toBe(0.7);
    await far.set("temperature", 1.5);
    expect(await near.read("temperature")).toMatchObject({ value: 1.5, version: 2 });
    await expect(far.set("temperature", 3)).rejects.toMatchObject({
      name: "ConstraintError",
      message: "value 3 is above maximum 2",
    });
    expect(await near.get("temperature")).toBe(1.5);
  });

  test("does not repeat a write that is sent again, since it passes request ids on", async () => {
    const port = Number(worker.address?.split(":")[1]);
    await worker.close();
    // It comes back where it was.
    worker = await startWorker({ module, args: ["--port", String(port)], bridge, restart: quick, ...quiet });
    const patient = connect(worker.address, { timeoutMs: 50_000 });
    const session = await patient.session("run");
    await session.register("hits", "integer", 0);
    const writes = Promise.all(Array.from({ length: 200 }, () => session.increment("hits")));
    await vi.waitFor(async () => expect(await (await bridge.session("run")).get("hits")).toBeGreaterThan(20));
    process.kill(worker.pid as number, "SIGKILL");
    await writes;
    expect(await (await bridge.session("run")).get("hits")).toBe(200);
    await patient.close();
  });

  test("says that nothing was done while the bridge is away, and goes on when it is back", async () => {
    const session = await client.session("run");
    await bridge.close();
    await expect(session.set("x", 1)).rejects.toMatchObject({
      reason: "SHUTTING_DOWN",
      name: "UnavailableError",
    });
    expect(worker.state.kind).toBe("ready");
    bridge = await startBridge({ port: bridge.port, logger: "silent" });
    await vi.waitFor(() => client.ping(), 10_000);
    const again = await client.session("run");
    await again.set("x", 1);
    expect(await (await bridge.session("run")).get("x")).toBe(1);
  });

  test("is started again when it was killed, or stands still, at another address", async () => {
    for (const signal of ["SIGKILL", "SIGSTOP"] as const) {
      const { pid, address } = worker;
      process.kill(pid as number, signal);
      await vi.waitFor(() => {
        expect(worker.state.kind).toBe("ready");
        expect(worker.pid).not.toBe(pid);
      }, 50_000);
      expect(worker.address).not.toBe(address);
      const client = connect(worker.address);
      await client.ping();
      await client.close();
      expect(exists(pid as number)).toBe(false);
    }
  });

  test("ends when it is closed", async () => {
    const { pid } = worker;
    await worker.close();
    expect(exists(pid as number)).toBe(false);
    await expect(client.ping()).rejects.toMatchObject({ name: "UnavailableError" });
  });
});
