/** A server that is not heard any more, and one that is. */
import { connect as connectTcp, createServer, type Socket } from "node:net";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { CommandOf } from "../../core/commands.js";
import type { BridgeError } from "../../core/errors.js";
import type { StateUpdate } from "../../core/state-update.js";
import { startBridge } from "../../server.js";
import { ManualClock } from "../../testing/manual-clock.js";
import { replyBytes } from "../../wire/channel.js";
import { type Accident, AccidentServer, answer, keepSilent, WatchedClock } from "./accidents.contract.js";
import { GrpcTransport } from "./grpc.js";
import { Silence } from "./silence.js";
import type { FollowReader } from "./transport.js";

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const READ: CommandOf<"getSession"> = { kind: "getSession", sessionId: "s" };
const WRITE = {
  kind: "setVariable",
  sessionId: "s",
  item: { identifier: "x", value: { kind: "float", value: 2 } },
  onMissing: "infer",
  metadata: [],
  requestId: { clientId: "ab".repeat(16), sequence: 7 },
} as const satisfies CommandOf<"setVariable">;
const WRITTEN = replyBytes({
  kind: "setVariable",
  item: { id: "var_x_2", type: "float", version: 2, value: 2 },
  revision: { incarnation: "cd".repeat(16), number: 3, check: 1n },
});

/** A reader that can be waited for. */
class Follower implements FollowReader {
  readonly updates: StateUpdate[] = [];
  readonly error: Promise<BridgeError>;
  ended: (error: BridgeError) => void = () => {};
  readonly #waiting = new Set<() => void>();

  constructor() {
    this.error = new Promise((resolve) => {
      this.ended = resolve;
    });
  }

  updated(update: StateUpdate): void {
    this.updates.push(update);
    for (const look of this.#waiting) look();
  }

  has(count: number): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.updates.length >= count) resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }
}

function follow(transport: GrpcTransport): Follower {
  const follower = new Follower();
  transport.follow({ sessionId: "s", passive: true }, follower);
  return follower;
}

function connect(address: string, clock: ManualClock): GrpcTransport {
  const transport = new GrpcTransport(address, { clock, random: () => 0, timeoutMs: 60_000 });
  stops.push(() => transport.close());
  return transport;
}

async function serve(clock: ManualClock, ...script: Accident[]) {
  const server = await AccidentServer.start(...script);
  stops.push(() => server.close());
  return { server, transport: connect(server.address, clock) };
}

/** Lets seconds pass one by one, so that in each of them others may do something. */
async function seconds(clock: ManualClock, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    clock.advance(1_000);
    await new Promise(setImmediate);
  }
}

describe("a silence", () => {
  /** A clock whose one timer a test fires. */
  class LateClock extends ManualClock {
    fire = (): void => {};
    override setTimer(_ms: number, fire: () => void): () => void {
      this.fire = fire;
      return () => {
        this.fire = () => {};
      };
    }
  }

  test("of 5 s is the end, and not one of less", () => {
    const clock = new ManualClock();
    let ends = 0;
    const silence = new Silence(
      clock,
      () => true,
      () => ends++,
    );
    silence.start();
    for (let i = 0; i < 10; i++) {
      clock.advance(4_900);
      silence.heard();
    }
    expect(ends).toBe(0);
    clock.advance(4_999);
    expect(ends).toBe(0);
    clock.advance(1_001);
    expect([ends, clock.pendingTimers]).toEqual([1, 0]);
  });

  test("in which this process did nothing counts as one look, and what came meanwhile is read before the next", () => {
    const clock = new LateClock();
    let ends = 0;
    const silence = new Silence(
      clock,
      () => true,
      () => ends++,
    );
    silence.start();
    for (let i = 0; i < 20; i++) {
      // Late, whatever the clock says, and then the loop reads what has arrived.
      clock.fire();
      if (i % 3 === 0) silence.heard();
    }
    expect(ends).toBe(0);
  });

  test("is not looked for when nothing is to be heard", () => {
    const clock = new ManualClock();
    let wanted = true;
    const silence = new Silence(
      clock,
      () => wanted,
      () => expect.unreachable(),
    );
    silence.start();
    silence.start();
    expect(clock.pendingTimers).toBe(1);
    wanted = false;
    clock.advance(10_000);
    expect(clock.pendingTimers).toBe(0);
    silence.start();
    silence.stop();
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("a server that goes silent", () => {
  test("is gone for its followers, and is asked again, over another connection, for what it has not answered", async () => {
    const clock = new WatchedClock();
    const { server, transport } = await serve(clock, keepSilent, keepSilent, keepSilent, answer(WRITTEN));
    const follower = follow(transport);
    const writing = transport.call(WRITE);
    const reading = transport.call(READ).catch((error: unknown) => error);
    await server.received(3);
    expect(server.requests).toHaveLength(3);
    await seconds(clock, 6);
    expect(await follower.error).toMatchObject({ reason: "UNAVAILABLE" });
    expect((await follower.error).message).toContain("nothing was heard");
    await clock.pass(100);
    expect(await writing).toMatchObject({ item: { version: 2 } });
    expect(await reading).toMatchObject({ reason: "PROTOCOL" });
    expect([server.channels, server.connections]).toEqual([2, 2]);
    // In their old order.
    expect(server.requests[3]).toEqual(server.requests[1]);
    expect(server.requests[4]).toEqual(server.requests[2]);
  });

  test("after it went away does not fail those who wait for the next connection", async () => {
    const clock = new WatchedClock();
    const goesAway: Accident = (_, { reply, goAway }) => {
      goAway();
      reply(WRITTEN);
    };
    const { server, transport } = await serve(clock, (_, { goAway }) => goAway(), goesAway);
    const follower = follow(transport);
    await transport.call(WRITE);
    server.hang();
    const writing = transport.call(WRITE);
    // If it goes to the old connection once more, it is lost there, and pauses.
    const connects = () => {
      clock.advance(100);
      expect(server.connections).toBe(2);
    };
    await vi.waitFor(connects, { timeout: 20_000 });
    const fresh = transport.call({ ...WRITE, requestId: { ...WRITE.requestId, sequence: 8 } });
    server.recover();
    await seconds(clock, 6);
    expect((await follower.error).message).toContain("nothing was heard");
    for (const call of [writing, fresh]) expect(await call).toMatchObject({ item: { version: 2 } });
    expect(server.connections).toBe(3);
  });

  test("is waited for as long as ever by one who watches nothing, or nothing any more", async () => {
    const clock = new WatchedClock();
    const replies: (() => void)[] = [];
    const { server, transport } = await serve(clock, keepSilent, (_, { reply }) =>
      replies.push(() => reply(WRITTEN)),
    );
    const follower = new Follower();
    const stop = transport.follow({ sessionId: "s", passive: true }, follower);
    const writing = transport.call(WRITE);
    await server.received(2);
    stop();
    await seconds(clock, 20);
    for (const reply of replies) reply();
    expect(await writing).toMatchObject({ item: { version: 2 } });
    expect(server.channels).toBe(1);
  });
});

test("a server that says where its followers stand is heard, however long nothing happens", async () => {
  const clock = new ManualClock();
  const bridge = await startBridge({ port: 0, logger: "silent", clock });
  stops.push(() => bridge.close());
  const follower = follow(connect(bridge.address, clock));
  await follower.has(1);
  for (let i = 2; i < 12; i++) {
    await seconds(clock, 2);
    await follower.has(i);
  }
  const [first, ...rest] = follower.updates;
  for (const update of rest)
    expect(update).toMatchObject({ base: first?.revision, revision: first?.revision });
});

test("a connection that is dead without a word is left for another one", async () => {
  const bridge = await startBridge({ port: 0, logger: "silent" });
  stops.push(() => bridge.close());
  const way = await freezable(bridge.port);
  const clock = new ManualClock();
  const transport = connect(way.address, clock);
  const follower = follow(transport);
  await follower.has(1);
  way.freeze();
  const writing = transport.call(WRITE);
  await seconds(clock, 6);
  expect(await follower.error).toMatchObject({ reason: "UNAVAILABLE" });
  const again = follow(transport);
  clock.advance(100);
  expect(await writing).toMatchObject({ kind: "setVariable" });
  await again.has(1);
  expect(way.connections()).toBe(2);
});

/** A way to a bridge on which nothing comes through any more, though it stands. New connections are well. */
async function freezable(port: number) {
  const sockets = new Set<Socket>();
  let connections = 0;
  const front = createServer((near) => {
    connections++;
    const far = connectTcp(port, "127.0.0.1");
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
  stops.push(() => {
    front.close();
    for (const socket of sockets) socket.destroy();
  });
  const bound = front.address();
  return {
    address: `127.0.0.1:${typeof bound === "object" ? bound?.port : 0}`,
    connections: () => connections,
    freeze: () => {
      for (const socket of sockets) {
        socket.unpipe();
        socket.pause();
      }
    },
  };
}
