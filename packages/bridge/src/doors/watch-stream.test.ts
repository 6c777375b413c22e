/** Watches as streams of their own: how they end, over HTTP and over gRPC. */
import { once } from "node:events";
import { connect } from "node:http2";
import { pino } from "pino";
import { afterEach, describe, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../core/limits.js";
import { type Refusal, sessionNotFound } from "../core/refusal.js";
import type { Told } from "../core/watch.js";
import type { Subscription } from "../engine/subscription.js";
import { type Bridge, type BridgeOptions, startBridge } from "../server.js";
import { ManualClock } from "../testing/manual-clock.js";
import { witnessWatches } from "../testing/watch-witness.contract.js";
import { enveloped } from "../wire/connect.js";
import type { DoorContext } from "./answering.js";
import { openDoors } from "./doors.js";
import { RawChannel } from "./grpc/raw-channel.contract.js";
import { RawSocket } from "./raw-socket.contract.js";

witnessWatches();

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const GRACE_MS = 3_600_000;

async function start(options: BridgeOptions = {}): Promise<Bridge> {
  const bridge = await startBridge({ port: 0, logger: "silent", graceMs: GRACE_MS, ...options });
  stops.push(() => bridge.close());
  await bridge.session("s");
  return bridge;
}

function raw(port: number): RawSocket {
  const socket = new RawSocket(port);
  stops.push(() => socket.close());
  return socket;
}

const ASKED = enveloped(0, Buffer.from('{"session_id":"s"}'));

function head(...more: string[]): string {
  return [
    "POST /snakepit.bridge.v1.VariableService/Watch HTTP/1.1",
    "Host: localhost",
    "Content-Type: application/connect+json",
    `Content-Length: ${ASKED.length}`,
    ...more,
    "\r\n",
  ].join("\r\n");
}

/** What the last envelope says. */
const LAST_WORD = /\{"error":\{"code":"(\w+)".*?"reason":"ERROR_REASON_(\w+)"/;

describe("one that is asked for in time, and in full while the bridge closes,", () => {
  test("is told so over HTTP, and is not waited for", async () => {
    const bridge = await start();
    const socket = raw(bridge.port);
    await socket.say(head("Expect: 100-continue"));
    await socket.until((received) => received.includes("100 Continue"));
    const closing = bridge.close();
    await socket.say(ASKED);
    await closing;
    await socket.closed;
    expect(LAST_WORD.exec(socket.text)?.slice(1)).toEqual(["unavailable", "SHUTTING_DOWN"]);
  });

  test("is told so over gRPC, and is not waited for", async () => {
    const bridge = await start();
    const session = connect(`http://${bridge.address}`);
    session.on("error", () => {});
    stops.push(() => session.destroy());
    await once(session, "remoteSettings");
    const stream = session.request({
      ":method": "POST",
      ":path": "/snakepit.bridge.v1.VariableService/Watch",
      "content-type": "application/grpc",
      te: "trailers",
    });
    stream.resume();
    // Nothing was told before, so the status comes with the head.
    const answer = once(stream, "response");
    // What comes in order has come when this is answered.
    await new Promise<void>((resolve) => session.ping(() => resolve()));
    const closing = bridge.close();
    stream.end(enveloped(0, Uint8Array.of(10, 1, 0x73)));
    const [told] = await answer;
    expect(told).toMatchObject({ "grpc-status": "14" });
    expect(decodeURIComponent(String(told["grpc-message"]))).toContain("shutting down");
    await closing;
  });
});

test("one whose reader does not read is not waited for when the bridge closes", async () => {
  const clock = new ManualClock();
  const bridge = await start({ clock });
  const session = await bridge.session("s");
  const socket = raw(bridge.port);
  await socket.say(Buffer.concat([Buffer.from(head()), ASKED]));
  await socket.until((received) => received.includes("bookmark"));
  socket.socket.pause();
  // More than the system keeps for it on its way.
  for (let i = 0; i < 300; i++) {
    await session.set("x", String(i).padEnd(100_000, "x"));
    await new Promise(setImmediate);
  }
  const closing = bridge.close();
  clock.advance(2_000);
  await closing;
});

test("one with a deadline ends when it has passed, and says so", async () => {
  const clock = new ManualClock();
  const bridge = await start({ clock });
  const socket = raw(bridge.port);
  await socket.say(Buffer.concat([Buffer.from(head("Connect-Timeout-Ms: 1500")), ASKED]));
  await socket.until((received) => received.includes("bookmark"));
  clock.advance(1_499);
  await (await bridge.session("s")).set("x", 1);
  await socket.until((received) => received.includes('"x"'));
  clock.advance(1);
  await socket.until((received) => LAST_WORD.test(received.toString()));
  expect(LAST_WORD.exec(socket.text)?.slice(1)).toEqual(["deadline_exceeded", "DEADLINE_EXCEEDED"]);
  const without = clock.pendingTimers;
  const other = raw(bridge.port);
  await other.say(Buffer.concat([Buffer.from(head("Connect-Timeout-Ms: 1500")), ASKED]));
  await other.until((received) => received.includes("bookmark"));
  other.close();
  while (clock.pendingTimers > without) await new Promise(setImmediate);
});

test.each([
  ["Watch", "application/connect+json", '{"session_id":"s"}', "\0\0\0\0\x02{}"],
  ["Follow", "application/connect+json", '{"session_id":"s"}', "\0\0\0\0\x02{}"],
  ["Watch", "application/connect+proto", "\n\x01s", "\0\0\0\0\0"],
])("one that has not begun after 2 s gives a sign of life, %s in %s", async (rpc, type, asked, sign) => {
  const clock = new ManualClock();
  let ask = (): void => {};
  const isAsked = new Promise<void>((resolve) => {
    ask = resolve;
  });
  const loading = (): Promise<never> => {
    ask();
    return new Promise(() => {});
  };
  const doors = await openDoors({
    engine: { dispatch: loading, watch: loading, follow: loading, limits: DEFAULT_LIMITS },
    clock,
    logger: pino({ level: "silent" }),
    host: "127.0.0.1",
    allowOrigins: [],
    version: "1.2.3",
    port: 0,
  });
  stops.push(() => doors.close(0));
  const socket = raw(doors.port);
  const body = enveloped(0, Buffer.from(asked));
  await socket.say(
    `POST /snakepit.bridge.v1.VariableService/${rpc} HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  await socket.say(body);
  await isAsked;
  for (let i = 1; i <= 3; i++) {
    clock.advance(1_000);
    clock.advance(1_000);
    await socket.until(() => socket.text.split(`${sign}\r\n`).length === i + 1);
  }
});

/** Doors to an engine whose watches are told nonsense when `tell` of one that has begun is called. */
async function doorsToNonsense(lines: string[]) {
  const broken: Subscription<Told> = {
    waiting: 1,
    take: () => ({ kind: "nonsense" }) as never,
    close: () => {},
  };
  let begun = (_: () => void): void => {};
  const tell = new Promise<() => void>((resolve) => {
    begun = resolve;
  });
  const watch: DoorContext["engine"]["watch"] = async (_, __, notify) => {
    begun(() => notify(broken));
    return broken;
  };
  const doors = await openDoors({
    engine: {
      dispatch: async (_, command) => sessionNotFound("sessionId" in command ? command.sessionId : ""),
      watch,
      follow: watch as never,
      limits: DEFAULT_LIMITS,
    },
    clock: new ManualClock(),
    logger: pino({ level: "error" }, { write: (line) => void lines.push(line) }),
    host: "127.0.0.1",
    allowOrigins: [],
    version: "1.2.3",
    port: 0,
  });
  stops.push(() => doors.close(0));
  return { doors, tell };
}

describe("one in which something breaks ends with an id that the log has, and with it nothing else", () => {
  const LINE = { command: "watch", msg: "a bug in the bridge" };

  test("over HTTP", async () => {
    const lines: string[] = [];
    const { doors, tell } = await doorsToNonsense(lines);
    const socket = raw(doors.port);
    await socket.say(Buffer.concat([Buffer.from(head()), ASKED]));
    // It is a commit that tells.
    expect(await tell).not.toThrow();
    await socket.until((received) => LAST_WORD.test(received.toString()));
    expect(LAST_WORD.exec(socket.text)?.slice(1)).toEqual(["internal", "INTERNAL"]);
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([LINE]);
    expect(socket.text).toContain(JSON.parse(lines[0] ?? "").id);
  });

  test("on a channel", async () => {
    const lines: string[] = [];
    const { doors, tell } = await doorsToNonsense(lines);
    const channel = new RawChannel(doors.address);
    stops.push(() => channel.close());
    channel.hello();
    channel.watch(1, "s");
    expect(await tell).not.toThrow();
    const refusal = await channel.reply(1);
    expect(refusal).toMatchObject({ reason: "INTERNAL" });
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([LINE]);
    expect((refusal as Refusal).message).toContain(JSON.parse(lines[0] ?? "").id);
    // The channel goes on.
    channel.ask(2, { kind: "heartbeat", sessionId: "s" });
    expect(await channel.reply(2)).toMatchObject({ reason: "SESSION_NOT_FOUND" });
  });
});
