/** Requests that are sent on one connection before those before them are answered. */
import type { Socket } from "node:net";
import { pino } from "pino";
import { afterEach, expect, test } from "vitest";
import type { Command, Reply } from "../../core/commands.js";
import { DEFAULT_LIMITS } from "../../core/limits.js";
import { Refusal } from "../../core/refusal.js";
import { ANYONE } from "../../engine/principal.js";
import { startBridge } from "../../server.js";
import { ManualClock } from "../../testing/manual-clock.js";
import { witnessWatches } from "../../testing/watch-witness.contract.js";
import { enveloped } from "../../wire/connect.js";
import { noWatch } from "../grpc/raw-channel.contract.js";
import { Port } from "../port.js";
import { RawSocket } from "../raw-socket.contract.js";
import { ConnectDoor } from "./door.js";

witnessWatches();

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

function request(rpc: string, type: string, body: Uint8Array): Buffer {
  const head = `POST /snakepit.bridge.v1.${rpc} HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

const ping = (message: string): Buffer =>
  request("SessionService/Ping", "application/json", Buffer.from(JSON.stringify({ message })));
const WATCH = request(
  "VariableService/Watch",
  "application/connect+json",
  enveloped(0, Buffer.from('{"session_id":"s"}')),
);

function raw(port: number): RawSocket {
  const socket = new RawSocket(port);
  stops.push(() => socket.close());
  return socket;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(setImmediate);
}

/** A door to an engine that answers pings, those named "held" when they are let go. */
async function heldDoor() {
  let letGo = (): void => {};
  const free = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const asked: string[] = [];
  const dispatch = async (_: unknown, command: Command): Promise<Reply> => {
    const { message } = command as Extract<Command, { kind: "ping" }>;
    asked.push(message);
    if (message === "held") await free;
    return { kind: "ping", message, serverTimeMs: 0, serverVersion: "0" };
  };
  const context = {
    engine: { dispatch, watch: noWatch, follow: noWatch, limits: DEFAULT_LIMITS },
    clock: new ManualClock(),
    logger: pino({ level: "silent" }),
  };
  const door = new ConnectDoor(context, { host: "127.0.0.1", allowOrigins: [] });
  /** The connections as the door has them. */
  const taken: Socket[] = [];
  const port = await Port.open({
    host: "127.0.0.1",
    port: 0,
    grpc: () => {},
    http: (socket) => {
      taken.push(socket);
      door.take(socket);
    },
  });
  stops.push(async () => {
    port.stop();
    const drained = door.drain();
    door.cutOff();
    await drained;
    port.end();
  });
  return { port: port.port, asked, letGo, taken };
}

test("each is begun when the one before is answered, and the answers come in order", async () => {
  const { port, asked, letGo } = await heldDoor();
  const [socket, other] = [raw(port), raw(port)];
  await socket.say(Buffer.concat([ping("held"), ping("second"), ping("third")]));
  await until(() => asked.length > 0);
  // Whoever uses another connection does not wait for it.
  await other.say(ping("other"));
  await other.until((received) => received.includes('"other"'));
  expect(asked).toEqual(["held", "other"]);
  letGo();
  await socket.until((received) => received.includes('"third"'));
  expect(socket.text.match(/"message":"\w+"/g)).toEqual(
    ["held", "second", "third"].map((message) => `"message":"${message}"`),
  );
});

test("when too many wait nothing more is read, until there is room; and all are answered", async () => {
  const { port, asked, letGo, taken } = await heldDoor();
  const [socket, other] = [raw(port), raw(port)];
  const messages = Array.from({ length: 5_000 }, (_, i) => `m${i}`);
  const said = socket.say(Buffer.concat(["held", ...messages].map(ping)));
  await until(() => taken[0]?.isPaused() === true);
  const read = taken[0]?.bytesRead ?? 0;
  expect(read).toBeLessThan(300_000);
  for (let i = 0; i < 20; i++) {
    await other.say(ping(`other ${i}`));
    await other.until((received) => received.includes(`"other ${i}"`));
  }
  expect(taken[0]?.bytesRead).toBe(read);
  expect(asked).toHaveLength(21);
  letGo();
  await socket.until((received) => received.includes('"m4999"'));
  await said;
  expect(socket.text.match(/(?<="message":")\w+/g)).toEqual(["held", ...messages]);
});

test("those that wait when the connection ends are not begun", async () => {
  const { port, asked, letGo, taken } = await heldDoor();
  const socket = raw(port);
  await socket.say(Buffer.concat([ping("held"), ping("second")]));
  await until(() => asked.length > 0);
  const gone = new Promise((resolve) => taken[0]?.once("close", resolve));
  socket.close();
  await gone;
  letGo();
  const other = raw(port);
  await other.say(ping("other"));
  await other.until((received) => received.includes('"other"'));
  expect(asked).toEqual(["held", "other"]);
});

test("what is no request is told so, but not in the place of the answer to one that is carried out", async () => {
  const { port, asked } = await heldDoor();
  const busy = raw(port);
  await busy.say(ping("held"));
  await until(() => asked.includes("held"));
  await busy.say("nonsense\r\n\r\n");
  await busy.closed;
  expect(busy.text).toBe("");
  const other = raw(port);
  await other.say("nonsense\r\n\r\n");
  await other.closed;
  expect(other.text).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
});

test("a watch that waits behind another one does not outlive the connection", async () => {
  const bridge = await startBridge({ port: 0, logger: "silent", graceMs: 60_000, limits: { maxWatches: 2 } });
  stops.push(() => bridge.close());
  const begin = () => bridge.engine.watch(ANYONE, { sessionId: "s", names: [], passive: true }, () => {});
  const socket = raw(bridge.port);
  await socket.say(Buffer.concat([WATCH, WATCH]));
  await socket.until((received) => received.includes("bookmark"));
  socket.close();
  const mine = [];
  while (mine.length < 2) {
    const begun = await begin();
    if (begun instanceof Refusal) await new Promise(setImmediate);
    else mine.push(begun);
  }
  for (const watch of mine) watch.close();
});
