/** Watches over connections that break, and of a bridge that comes back without its sessions. Files: `tests/crash/watch.test.ts`. */
import { connect as connectTcp, createServer, type Server, type Socket } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { DeadlineError, UnavailableError, WatchGapError } from "../core/errors.js";
import { type Bridge, startBridge } from "../server.js";
import { ManualClock } from "../testing/manual-clock.js";
import { witnessWatches } from "../testing/watch-witness.contract.js";
import { Client } from "./client.js";
import { connect } from "./connect.js";
import { Following } from "./following.js";
import { STATUS } from "./outcome.js";
import { failure } from "./test-bridge.contract.js";
import { AccidentServer, status } from "./transport/accidents.contract.js";
import { GrpcTransport } from "./transport/grpc.js";
import type { Lost } from "./transport/resting.js";
import { short, take } from "./watching.contract.js";

witnessWatches();

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function start(port = 0): Promise<Bridge> {
  const bridge = await startBridge({ port, logger: "silent", graceMs: 1_000 });
  stops.push(() => bridge.close());
  return bridge;
}

function clientOf(address: string) {
  const client = connect(address);
  stops.push(() => client.close());
  return client;
}

test("a watch of a bridge that lost its sessions says so [ORD-4 refuses]", async () => {
  const bridge = await start();
  const client = clientOf(bridge.address);
  const session = await client.session("run");
  const watch = session.watch();
  await session.set("a", 1);
  await take(watch, 1);
  await bridge.close();
  const another = await start(bridge.port);
  await another.session("run");
  const error = await failure(watch.next());
  expect(error).toBeInstanceOf(WatchGapError);
  expect(error).toMatchObject({ reason: "WATCH_GAP" });
});

test("a watch waits for a bridge that is not there yet, and can be ended meanwhile", async () => {
  const bridge = await start();
  await bridge.close();
  const client = clientOf(bridge.address);
  const ended = client.sessions.watch("run");
  const reading = ended.next();
  await ended.return();
  expect(await reading).toEqual({ done: true, value: undefined });
  const watch = client.sessions.watch("run");
  const another = await start(bridge.port);
  await watch.ready();
  await another.session("run");
  expect(short(await take(watch, 1))).toEqual(["1 created"]);
});

test("a watch that rests for long is back as soon as a call finds the bridge, and ends with its client", async () => {
  const bridge = await start();
  await bridge.close();
  const clock = new ManualClock();
  const transport = new GrpcTransport(bridge.address, { clock, random: () => 0 });
  const client = new Client(transport);
  stops.push(() => client.close());
  const rest = vi.spyOn(transport, "rest");
  const watches = [client.sessions.watch("run"), client.sessions.watch("run", { names: ["a"] })];
  const rested = (times: number) => vi.waitFor(() => expect(rest).toHaveBeenCalledTimes(times * 2));
  for (const [times, restMs] of [100, 200, 400, 800, 1_600].entries()) {
    await rested(times + 1);
    clock.advance(restMs);
  }
  await rested(6);
  // They would rest for 3.2 s, and have as long as a call would at most.
  clock.advance(2_000);
  await start(bridge.port);
  await vi.waitFor(() => client.ping(), { timeout: 20_000 });
  clock.advance(0);
  for (const watch of watches) await watch.ready();
  const away = new Client(new GrpcTransport("127.0.0.1:1", { clock: new ManualClock() }));
  const waiting = away.sessions.watch("run").next();
  await away.close();
  expect(await failure(waiting)).toMatchObject({ reason: "CLOSED" });
});

test.each(["watch", "copy"])(
  "a %s that is taken and ended in peace, again and again, is begun more and more seldom",
  async (what) => {
    const server = await AccidentServer.start(status(STATUS.OK));
    stops.push(() => server.close());
    const transport = new GrpcTransport(server.address, { clock: new ManualClock() });
    const client = new Client(transport);
    stops.push(() => client.close());
    const rests: Lost[] = [];
    // No time passes: a rest is over at once, and is noted down.
    vi.spyOn(transport, "rest").mockImplementation((lost, then) => {
      rests.push(lost);
      const timer = setImmediate(then);
      return { stop: () => clearImmediate(timer), hurry: () => {} };
    });
    const following = new Following(transport, "run");
    if (what === "copy") following.begin();
    else client.sessions.watch("run");
    await vi.waitFor(() => expect(rests.length).toBeGreaterThanOrEqual(12), { timeout: 20_000 });
    following.end();
    for (const [i, { failures }] of rests.slice(0, 12).entries()) expect(failures).toBe(i + 1);
  },
);

/** A way to a bridge that can be cut. */
async function cuttable(port: number): Promise<{ address: string; cut(): void }> {
  const sockets = new Set<Socket>();
  const front: Server = createServer((near) => {
    const far = connectTcp(port, "127.0.0.1");
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  stops.push(() => {
    front.close();
    cut();
  });
  const bound = front.address();
  return { address: `127.0.0.1:${typeof bound === "object" ? bound?.port : 0}`, cut };
}

test("a watch is told everything once over a connection that breaks again and again", async () => {
  const bridge = await start();
  const way = await cuttable(bridge.port);
  const writer = await bridge.session("run");
  const watch = clientOf(way.address).sessions.watch("run");
  await watch.ready();
  const revisions: number[] = [];
  let written = 0;
  for (let cut = 0; cut < 6; cut++) {
    for (let i = 0; i < 60; i++) await writer.set("a", ++written);
    way.cut();
    for (let i = 0; i < 60; i++) await writer.set("a", ++written);
    while (revisions.length < written)
      revisions.push(...(await take(watch, 1)).map(({ revision }) => revision));
  }
  expect(revisions).toEqual(Array.from({ length: written }, (_, i) => i + 2));
});

test("a stream with a watch on it is not let go while nothing happens", async () => {
  const bridge = await start();
  const clock = new ManualClock();
  const transport = new GrpcTransport(bridge.address, { clock });
  stops.push(() => transport.close());
  const watch = new Client(transport).sessions.watch("run");
  await watch.ready();
  // Any longer, and it would be taken for dead: the bridge goes by a clock of its own.
  for (let i = 0; i < 4; i++) {
    clock.advance(1_000);
    await new Promise(setImmediate);
  }
  await bridge.session("run");
  expect(short(await take(watch, 1))).toEqual(["1 created"]);
});

test("a wait goes on where the bridge is not there yet, or has lost its sessions", async () => {
  const bridge = await start();
  await bridge.close();
  const client = clientOf(bridge.address);
  const options = { timeoutMs: 30_000 };
  const looked: unknown[] = [];
  const waiting = client.sessions.waitForVariable(
    "run",
    "x",
    ({ value }) => looked.push(value) > 0 && value === 2,
    options,
  );
  const first = await start(bridge.port);
  await (await first.session("run")).set("x", 1);
  while (looked.length === 0) await new Promise(setImmediate);
  await first.close();
  const second = await start(bridge.port);
  await (await second.session("run")).set("x", 2);
  expect(await waiting).toMatchObject({ value: 2, version: 1 });
  expect(looked[0]).toBe(1);
});

test("a wait that nobody answers says so at its end", async () => {
  const client = clientOf("127.0.0.1:1");
  const error = await failure(client.sessions.waitForVariable("run", "x", undefined, { timeoutMs: 500 }));
  expect(error).toBeInstanceOf(DeadlineError);
  expect(error.message).toContain("no bridge answers at 127.0.0.1:1");
  expect(error.cause).toBeInstanceOf(UnavailableError);
});

test("a listener is told of a gap, and called no more", async () => {
  const bridge = await start();
  const session = await clientOf(bridge.address).session("run");
  const revisions: number[] = [];
  const gap = new Promise<unknown>((resolve) => {
    session.onChange(undefined, ({ revision }) => revisions.push(revision), { onError: resolve });
  });
  await session.set("a", 1);
  await bridge.close();
  const another = await start(bridge.port);
  await another.session("run");
  expect(await gap).toBeInstanceOf(WatchGapError);
  expect(revisions).toEqual([2]);
});
