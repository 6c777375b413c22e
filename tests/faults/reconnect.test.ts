/** What becomes of clients whose way to the bridge is bad, or whose bridge is killed: they are back soon, once, and in no storm. */
import { join } from "node:path";
import { type Bridge, type Client, connect, startBridge } from "snakepit-bridge";
import { afterEach, describe, expect, test, vi } from "vitest";
import { keptCommits } from "../crash/kept-commits.js";
import { listening, makeFolder, removeFolders, type Server, startProgram } from "../crash/server.js";
import { endAll, root, TestProcess } from "../e2e/processes.js";
import { witnessWatches } from "../witness.js";
import { Notices } from "./notices.js";
import { ToxicProxy } from "./toxic-proxy.js";
import type { Toxic } from "./toxics.js";

const witness = witnessWatches();

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
  await endAll();
  removeFolders();
});

const soon = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 30_000, interval: 20 });

async function start(): Promise<{ bridge: Bridge; proxy: ToxicProxy; client: Client; notices: Notices }> {
  const bridge = await startBridge({ port: 0, logger: "silent" });
  const proxy = await ToxicProxy.start(bridge.port);
  const notices = new Notices();
  const client = connect(proxy.address, { timeoutMs: 30_000 });
  stops.push(
    () => bridge.close(),
    () => proxy.close(),
    () => notices.close(),
    () => client.close(),
  );
  return { bridge, proxy, client, notices };
}

const bothWays = (proxy: ToxicProxy, toxic: Toxic): void => {
  for (const direction of ["up", "down"] as const) proxy.lay(direction, direction, toxic);
};

test("a copy on a half-open connection is stale, and ready again on a new one, and each is said once", async () => {
  const { bridge, proxy, client, notices } = await start();
  const { address } = proxy;
  const writer = await bridge.session("run");
  await writer.set("a", 1);
  const session = await client.session("run");
  await session.ready();
  expect(notices.all).toEqual([
    { event: "connect", address },
    { event: "ready", address, session: "run" },
  ]);
  bothWays(proxy, { kind: "silence", of: "standing" });
  await writer.set("a", 2);
  await soon(() => expect(notices.count("ready")).toBe(2));
  expect(await session.read("a")).toMatchObject({ value: 2, source: "replica", stale: false });
  expect(notices.events).toEqual(["connect", "ready", "stale", "connect", "ready"]);
  expect(notices.all[2]).toMatchObject({ address, session: "run", reason: expect.stringContaining("5 s") });
  expect(proxy.connections).toBe(2);
});

test("a copy whose bridge is in a black hole is stale, tries seldom, and is ready again when it heals", async () => {
  const { proxy, client, notices } = await start();
  const session = await client.session("run");
  await session.ready();
  bothWays(proxy, { kind: "silence", of: "all" });
  await soon(() => expect(notices.events.slice(2)).toEqual(["stale"]));
  proxy.lift("up");
  proxy.lift("down");
  // What was on the way is lost for good, and so are those connections.
  await soon(() => expect(notices.events.slice(2)).toEqual(["stale", "connect", "ready"]));
  expect(proxy.connections).toBeLessThan(10);
});

test.each<[string, Toxic]>([
  ["late and unsteady", { kind: "latency", ms: 20, jitterMs: 60 }],
  ["narrow", { kind: "bandwidth", bytesPerSecond: 20_000 }],
  ["in tiny pieces", { kind: "slices", bytes: 3 }],
])("a connection whose bytes come %s loses nothing and is not given up", async (_, toxic) => {
  const { bridge, proxy, client, notices } = await start();
  bothWays(proxy, toxic);
  const writer = await bridge.session("run");
  const session = await client.session("run");
  const watch = session.watch();
  await Promise.all([session.ready(), watch.ready()]);
  for (let step = 1; step <= 50; step++) await writer.set("step", step);
  for (let step = 1; step <= 50; step++)
    expect((await watch.next()).value?.changes).toMatchObject([{ name: "step", value: step }]);
  expect((await session.set("step", 51)).version).toBe(51);
  expect(notices.events).toEqual(["connect", "ready"]);
});

test("a call and its copy survive a bridge that is reset in their midst, and one that closes slowly", async () => {
  const { bridge, proxy, client } = await start();
  const session = await client.session("run");
  await session.ready();
  proxy.lay("slow", "down", { kind: "slowClose", ms: 200 });
  for (let step = 0; step < 10; step++) {
    const writing = Array.from({ length: 20 }, () => session.increment("count"));
    proxy.cut();
    await Promise.all(writing);
  }
  expect(await (await bridge.session("run")).get("count")).toBe(200);
});

describe("with a bridge on a file that is killed and started again", () => {
  let port = "0";
  async function serve(file: string): Promise<Server> {
    const store = ["--store", `sqlite:${file}`];
    const server = await listening(
      startProgram(["serve", "--port", port, ...store, "--log-level", "silent"]),
    );
    port = server.address.split(":")[1] as string;
    return server;
  }
  afterEach(() => {
    port = "0";
  });

  test("writes that were not answered are sent again in order, and each is carried out once [ORD-17 accepts]", async () => {
    const file = join(await makeFolder(), "bridge.db");
    const server = await serve(file);
    const client = connect(server.address, { timeoutMs: 60_000 });
    stops.push(() => client.close());
    const session = await client.session("run");
    const watch = session.watch();
    await watch.ready();
    let acknowledged = 0;
    const writes = Array.from({ length: 2_000 }, (_, step) =>
      session.set("step", step).then(() => {
        // The others are under way or wait.
        if (++acknowledged === 100) server.process.signal("SIGKILL");
      }),
    );
    const written = Promise.all(writes);
    await server.process.ended;
    expect(acknowledged).toBeLessThan(2_000);
    await serve(file);
    await written;
    const told: unknown[] = [];
    while (told.length < 2_000) told.push((await watch.next()).value?.changes[0]?.value);
    expect(told).toEqual(Array.from({ length: 2_000 }, (_, step) => step));
    expect((await session.info()).revision).toBe(2_001);
    witness.knows("run", await keptCommits(file, "run"));
  });

  test("a thousand clients are all back, each said once, and the bridge saw no storm", {
    timeout: 120_000,
  }, async () => {
    const file = join(await makeFolder(), "bridge.db");
    const server = await serve(file);
    const proxy = await ToxicProxy.start(Number(port));
    stops.push(() => proxy.close());
    const path = join(root, "tests/faults/many-clients.ts");
    const args = ["--import", "tsx", path, proxy.address, "250"];
    const processes = Array.from({ length: 4 }, () => new TestProcess(process.execPath, args));
    const counts = async (): Promise<unknown[]> =>
      Promise.all(processes.map(async (each) => JSON.parse(await each.line(100_000))));
    expect(await counts()).toEqual(processes.map(() => ({ connected: 250, ready: 250, stale: 0 })));
    await server.process.end("SIGKILL");
    expect(await counts()).toEqual(processes.map(() => ({ connected: 250, ready: 250, stale: 250 })));
    await serve(file);
    expect(await counts()).toEqual(processes.map(() => ({ connected: 500, ready: 500, stale: 250 })));
    // A process has one connection, which it tries to make no more than once in a while.
    expect(proxy.connections).toBeLessThan(200);
    console.log(`1,000 clients came back over ${proxy.connections} connections`);
  });
});
