/** One port for gRPC and HTTP: whose a connection is, and what becomes of those that never say. */
import { createServer, type Socket } from "node:net";
import fc from "fast-check";
import { pino } from "pino";
import { afterEach, describe, expect, test } from "vitest";
import { type Bridge, type BridgeOptions, createEngine, startBridge } from "../server.js";
import { ManualClock } from "../testing/manual-clock.js";
import { witnessWatches } from "../testing/watch-witness.contract.js";
import { VERSION } from "../version.js";
import { SessionService } from "../wire/gen/snakepit/bridge/v1/sessions_pb.js";
import { ConnectDoor } from "./connect/door.js";
import { RawChannel } from "./grpc/raw-channel.contract.js";
import { RawClient } from "./grpc/raw-client.contract.js";
import { Port } from "./port.js";
import { RawSocket } from "./raw-socket.contract.js";

witnessWatches();

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS = "\x00\x00\x00\x04\x00\x00\x00\x00\x00";
const PING = "\x00\x00\x08\x06\x00\x00\x00\x00\x00hello-02";
const PONG = "\x00\x00\x08\x06\x01\x00\x00\x00\x00hello-02";
const REQUEST =
  "POST /snakepit.bridge.v1.SessionService/Ping HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n" +
  '{"message":"a"}';

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function start(options: BridgeOptions = {}): Promise<Bridge> {
  const bridge = await startBridge({ port: 0, logger: "silent", graceMs: 60_000, ...options });
  stops.push(() => bridge.close());
  return bridge;
}

function raw(port: number): RawSocket {
  const socket = new RawSocket(port);
  stops.push(() => socket.close());
  return socket;
}

/** A port whose doors only note what they were given. */
async function notingPort(firstBytesMs?: number) {
  const taken: [door: string, socket: Socket][] = [];
  const note = (door: string) => (socket: Socket) => {
    taken.push([door, socket]);
  };
  const port = await Port.open({
    host: "127.0.0.1",
    port: 0,
    grpc: note("grpc"),
    http: note("http"),
    ...(firstBytesMs === undefined ? {} : { firstBytesMs }),
  });
  stops.push(() => {
    port.stop();
    port.end();
  });
  return { port, taken };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(setImmediate);
}

describe("one port", () => {
  test("answers gRPC and HTTP", async () => {
    const bridge = await start();
    const client = new RawClient(bridge.address);
    stops.push(() => client.close());
    expect(await client.ok(SessionService.method.ping, {})).toMatchObject({ serverVersion: VERSION });
    const response = await fetch(`http://${bridge.address}/snakepit.bridge.v1.SessionService/Ping`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    expect(await response.json()).toMatchObject({ serverVersion: VERSION });
  });

  test("answers HTTP/2 whose preface comes byte by byte", async () => {
    const bridge = await start();
    const socket = raw(bridge.port);
    await socket.spell(PREFACE);
    await socket.say(Buffer.from(SETTINGS + PING, "latin1"));
    await socket.until((received) => received.includes(PONG, 0, "latin1"));
  });

  test("answers HTTP/1.1 that comes byte by byte, also where it begins as the preface does", async () => {
    const bridge = await start();
    const socket = raw(bridge.port);
    await socket.spell(REQUEST);
    await socket.until((received) => received.includes('"message":"a"'));
    expect(socket.text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  test("knows whose a connection is as soon as the bytes tell, and not before", async () => {
    const { port, taken } = await notingPort();
    const [get, post, pri, whole] = [raw(port.port), raw(port.port), raw(port.port), raw(port.port)];
    await pri.say(PREFACE.slice(0, -1));
    await whole.say(PREFACE);
    await until(() => taken.length === 1);
    await get.say("G");
    await until(() => taken.length === 2);
    await post.say("P");
    await post.say("O");
    await until(() => taken.length === 3);
    expect(taken.map(([door]) => door)).toEqual(["grpc", "http", "http"]);
    const [, [, socket] = []] = taken;
    // What was read to find out is there to be read.
    await until(() => (socket?.readableLength ?? 0) > 0);
    expect(String(socket?.read())).toBe("G");
  });

  test("closes a connection that says nothing, or not enough, in time", async () => {
    const { port, taken } = await notingPort(50);
    const [silent, half] = [raw(port.port), raw(port.port)];
    await half.say(PREFACE.slice(0, 10));
    await Promise.all([silent.closed, half.closed]);
    expect(taken).toEqual([]);
  });

  test("closes a connection that its client has closed amid the preface", async () => {
    const { port, taken } = await notingPort();
    const socket = raw(port.port);
    socket.socket.end(PREFACE.slice(0, 10));
    await socket.closed;
    expect(taken).toEqual([]);
  });

  test("answers a client of HTTP/1.1 that has closed its half of the connection", async () => {
    const bridge = await start();
    const socket = raw(bridge.port);
    socket.socket.end(REQUEST);
    await socket.closed;
    expect(socket.text).toMatch(/^HTTP\/1\.1 200 OK\r\n.*"message":"a"/s);
  });

  test("closes a connection of HTTP/2 whose client has closed its half", async () => {
    const bridge = await start();
    const socket = raw(bridge.port);
    await socket.say(Buffer.from(PREFACE + SETTINGS, "latin1"));
    await socket.until((received) => received.length > 0);
    socket.socket.end();
    await socket.closed;
  });

  test("answers as HTTP/1.1 whoever offers to go on in HTTP/2", async () => {
    const bridge = await start();
    const socket = raw(bridge.port);
    const upgrade = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n";
    await socket.say(REQUEST.replace("Content-Type", `${upgrade}Content-Type`));
    await socket.until((received) => received.includes('"message":"a"'));
    expect(socket.text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  test("is hurt by no bytes", { timeout: 60_000 }, async () => {
    const bridge = await start();
    const beginning = fc.constantFrom("", PREFACE, "POST / HTTP/1.1\r\n", "P", REQUEST);
    await fc.assert(
      fc.asyncProperty(beginning, fc.uint8Array({ maxLength: 200 }), async (begun, bytes) => {
        const socket = raw(bridge.port);
        socket.socket.end(Buffer.concat([Buffer.from(begun, "latin1"), bytes]));
        await socket.closed;
      }),
      { numRuns: 300 },
    );
    const client = new RawClient(bridge.address);
    stops.push(() => client.close());
    expect(await client.ok(SessionService.method.ping, {})).toMatchObject({ serverVersion: VERSION });
  });

  test("of a name that stands for several addresses is open at each of them", async () => {
    const bridge = await start({ host: "localhost" });
    const { lookup } = await import("node:dns/promises");
    const addresses = await lookup("localhost", { all: true });
    const open = await Promise.all(
      addresses.map(async ({ address }) => {
        // IPv6 may be switched off where the tests run.
        const isHere = await new Promise<boolean>((resolve) => {
          const server = createServer().once("error", () => resolve(false));
          server.listen(0, address, () => server.close(() => resolve(true)));
        });
        if (!isHere) return true;
        const url = `http://${address.includes(":") ? `[${address}]` : address}:${bridge.port}/`;
        return (await fetch(url)).status === 404;
      }),
    );
    expect(open).not.toContain(false);
  });
});

describe("slow requests", () => {
  async function slowDoor(): Promise<Port> {
    const clock = new ManualClock();
    const engine = await createEngine({ clock });
    const times = { headersTimeout: 100, requestTimeout: 200, connectionsCheckingInterval: 20 };
    const context = { engine, clock, logger: pino({ level: "silent" }) };
    const door = new ConnectDoor(context, { host: "127.0.0.1", allowOrigins: [] }, times);
    const taken = { grpc: () => {}, http: (socket: Socket) => door.take(socket) };
    const port = await Port.open({ host: "127.0.0.1", port: 0, ...taken });
    stops.push(async () => {
      port.stop();
      const drained = door.drain();
      door.cutOff();
      await drained;
      port.end();
      await engine.close();
    });
    return port;
  }

  test.each([
    ["the head", REQUEST.slice(0, 40)],
    ["the body", REQUEST.slice(0, -5)],
  ])("are closed: %s does not end", async (_, begun) => {
    const { port } = await slowDoor();
    const socket = raw(port);
    await socket.say(begun);
    await socket.closed;
    expect(socket.text).toMatch(/^(HTTP\/1\.1 408 |$)/);
  });
});

describe("closing", () => {
  test("ends connections that have not said what they are, and idle ones", async () => {
    const bridge = await start();
    const [silent, idle] = [raw(bridge.port), raw(bridge.port)];
    await idle.say(REQUEST);
    await idle.until((received) => received.includes('"message":"a"'));
    await bridge.close();
    await Promise.all([silent.closed, idle.closed]);
  });

  test("says to each channel that the bridge goes away before its connection ends", async () => {
    const bridge = await start();
    const channel = new RawChannel(bridge.address);
    stops.push(() => channel.close());
    channel.hello();
    channel.watch(1, "s");
    await channel.until(() => channel.told.has(1));
    await bridge.close();
    expect(channel.messages.some(({ response }) => response.goingAway)).toBe(true);
    expect(await channel.reply(1)).toMatchObject({ reason: "SHUTTING_DOWN" });
    expect(await channel.ended).toMatchObject({ code: 0 });
  });
});
