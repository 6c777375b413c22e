/** The channel at the door, message by message. What clients make of it is in client/transport/. */
import { status } from "@grpc/grpc-js";
import fc from "fast-check";
import { pino } from "pino";
import { afterEach, describe, expect, test } from "vitest";
import type { Command, CommandOf, Reply } from "../../core/commands.js";
import { DEFAULT_LIMITS } from "../../core/limits.js";
import { Refusal } from "../../core/refusal.js";
import { type Bridge, type BridgeOptions, startBridge } from "../../server.js";
import { ManualClock } from "../../testing/manual-clock.js";
import { encode } from "../../wire/bytes.js";
import {
  CHANNEL_MESSAGE_BYTES,
  cancellation,
  clientHello,
  commandBytes,
  commandMessages,
  PROTOCOL,
} from "../../wire/channel.js";
import { ChannelRequestSchema } from "../../wire/gen/snakepit/bridge/v1/channel_pb.js";
import type { DoorContext } from "../answering.js";
import { type Doors, openDoors } from "../doors.js";
import { noWatch, RawChannel } from "./raw-channel.contract.js";

const open: { close(): unknown }[] = [];

afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
});

function channelTo(address: string): RawChannel {
  const channel = new RawChannel(address);
  open.push(channel);
  return channel;
}

async function bridgeAndChannel(
  options: BridgeOptions = {},
): Promise<{ bridge: Bridge; channel: RawChannel }> {
  const bridge = await startBridge({ port: 0, logger: "silent", graceMs: 0, ...options });
  open.push(bridge);
  return { bridge, channel: channelTo(bridge.address) };
}

/** A door to an engine that does what the test says. */
async function doorTo(
  dispatch: DoorContext["engine"]["dispatch"],
): Promise<{ door: Doors; channel: RawChannel }> {
  const door = await openDoors({
    engine: { dispatch, watch: noWatch, follow: noWatch, limits: DEFAULT_LIMITS },
    clock: new ManualClock({ now: 1_000 }),
    logger: pino({ level: "silent" }),
    host: "127.0.0.1",
    allowOrigins: [],
    version: "1.2.3",
    port: 0,
  });
  open.push({ close: () => door.close(0) });
  return { door, channel: channelTo(door.address) };
}

/** An engine that answers each ping when it is let. */
function held() {
  const waiting = new Map<string, () => void>();
  const arrived: string[] = [];
  const dispatch = async (_: unknown, command: Command): Promise<Reply> => {
    const { message } = command as CommandOf<"ping">;
    arrived.push(message);
    await new Promise<void>((resolve) => waiting.set(message, resolve));
    return { kind: "ping", message, serverTimeMs: 0, serverVersion: "0" };
  };
  return { dispatch, arrived, letGo: (message: string) => waiting.get(message)?.() };
}

const ping = (message: string): Command => ({ kind: "ping", message });
const set = (name: string, value: string, expectedVersion?: number): Command => ({
  kind: "setVariable",
  sessionId: "s",
  item: {
    identifier: name,
    value: { kind: "string", value },
    ...(expectedVersion === undefined ? {} : { expectedVersion }),
  },
  onMissing: "infer",
  metadata: [],
});
const get = (...identifiers: string[]): Command => ({ kind: "getVariables", sessionId: "s", identifiers });

/** A channel that has said hello and is still answered. */
async function isAlive(channel: RawChannel): Promise<void> {
  channel.ask(4_000_000_000, ping("alive"));
  expect(await channel.reply(4_000_000_000)).toMatchObject({ kind: "ping", message: "alive" });
}

describe("a channel", () => {
  test("answers hello with the version, and commands that came with it", async () => {
    const { channel } = await bridgeAndChannel();
    channel.send(clientHello("9.9.9"), ...commandMessages(7, 1_000, commandBytes(ping("héllo"))));
    expect(await channel.reply(7)).toMatchObject({ kind: "ping", message: "héllo" });
    const [{ response } = { response: undefined }] = channel.messages;
    expect(response?.hello).toMatchObject({ protocol: PROTOCOL, version: expect.stringMatching(/^\d/) });
    expect(channel.messages.filter((message) => message.response.hello)).toHaveLength(1);
  });

  test("decides the commands of a session in the order sent [ORD-17 accepts]", async () => {
    const { channel } = await bridgeAndChannel();
    channel.hello();
    const count = 2_000;
    // Each of them is refused unless all before it were carried out.
    for (let i = 0; i < count; i += 100)
      channel.ask(i + 1, ...Array.from({ length: 100 }, (_, k) => set("x", String(i + k), i + k)));
    await channel.until(() => channel.replies.size === count);
    for (const [id, reply] of channel.replies) expect(reply).toMatchObject({ item: { version: id } });
  });

  test("answers what is ready at once, and in one message what is ready together", async () => {
    const { dispatch, arrived, letGo } = held();
    const { channel } = await doorTo(dispatch);
    channel.hello();
    channel.ask(1, ...["a", "b", "c", "d"].map(ping));
    await channel.until(() => channel.messages.length > 0);
    while (arrived.length < 4) await new Promise(setImmediate);
    letGo("c");
    await channel.reply(3);
    expect([...channel.replies.keys()]).toEqual([3]);
    for (const message of ["a", "b", "d"]) letGo(message);
    await channel.until(() => channel.replies.size === 4);
    expect(channel.messages.at(-1)?.response.replies.map(({ id }) => id)).toEqual([1, 2, 4]);
  });

  test("tells the engine until when a command is waited for, on its own clock", async () => {
    const heard: (number | undefined)[] = [];
    const { channel } = await doorTo(async (_, __, deadline) => {
      heard.push(deadline);
      return new Refusal("INTERNAL", "heard");
    });
    channel.hello();
    channel.ask(1, ping("a"));
    const frame = { $typeName: "snakepit.bridge.v1.CommandFrame", id: 2, more: false } as const;
    const command = commandBytes(ping("b"));
    channel.send(
      encode(ChannelRequestSchema, {
        $typeName: "snakepit.bridge.v1.ChannelRequest",
        commands: [{ ...frame, command, watch: false, state: false }],
        cancelled: [],
      }),
    );
    await channel.reply(2);
    expect(heard).toEqual([61_000, undefined]);
  });

  test("says nothing about a command that was cancelled", async () => {
    const { dispatch, arrived, letGo } = held();
    const { channel } = await doorTo(dispatch);
    channel.hello();
    channel.ask(1, ping("a"), ping("b"));
    while (arrived.length < 2) await new Promise(setImmediate);
    channel.send(cancellation(1), cancellation(99));
    channel.ask(3, ping("c"));
    while (arrived.length < 3) await new Promise(setImmediate);
    for (const message of arrived) letGo(message);
    await channel.reply(3);
    expect([...channel.replies.keys()].sort()).toEqual([2, 3]);
  });
});

describe("what is long", () => {
  test("travels in parts, none longer than a message may be [ORD-18 accepts]", async () => {
    const { channel } = await bridgeAndChannel();
    channel.hello();
    const texts = ["a", "b", "c"].map((letter) => letter.repeat(1_000_000));
    for (const [i, text] of texts.entries()) {
      // As separate messages, as a client sends them.
      for (const part of commandMessages(i + 1, 60_000, commandBytes(set(`x${i}`, text)))) channel.send(part);
    }
    channel.ask(9, get("x0", "x1", "x2"));
    const reply = (await channel.reply(9)) as Reply & { kind: "getVariables" };
    expect(reply.found.map(({ variable }) => variable.value)).toEqual(texts);
    expect(channel.messages.length).toBeGreaterThan(12);
    expect(Math.max(...channel.messages.map(({ bytes }) => bytes))).toBeLessThanOrEqual(
      CHANNEL_MESSAGE_BYTES,
    );
  });

  test("is refused above the limit of a message, and nothing else is [ORD-18 refuses]", async () => {
    const { channel } = await bridgeAndChannel({ limits: { maxMessageBytes: 600_000 } });
    channel.hello();
    for (const part of commandMessages(1, 60_000, commandBytes(set("x", "y".repeat(700_000)))))
      channel.send(part);
    channel.ask(2, set("x", "short"));
    expect(await channel.reply(1)).toMatchObject({
      reason: "TOO_LARGE",
      details: { limit: { setting: "max-message-bytes", limit: 600_000 } },
    });
    expect(await channel.reply(2)).toMatchObject({ item: { version: 1 } });
    for (const [i, name] of ["a", "b"].entries())
      for (const part of commandMessages(3 + i, 60_000, commandBytes(set(name, "y".repeat(400_000)))))
        channel.send(part);
    channel.ask(5, get("a", "b"));
    expect(await channel.reply(5)).toMatchObject({ reason: "TOO_LARGE" });
    await isAlive(channel);
  });
});

describe("what makes no sense", () => {
  test("in one command is an error of that command only [DOOR-9 refuses]", async () => {
    const { channel } = await bridgeAndChannel();
    channel.hello();
    // An arm that only a later version knows, no arm, bytes that are no message, text that is not UTF-8.
    const commands = [[0xfa, 0x7f, 0], [], [0xff, 0xff], [0x0a, 0x03, 0x0a, 0x01, 0xff]];
    channel.send(...commands.flatMap((bytes, i) => commandMessages(i + 1, 60_000, Uint8Array.from(bytes))));
    for (let id = 1; id <= commands.length; id++)
      expect(await channel.reply(id)).toMatchObject({ reason: "INVALID_ARGUMENT" });
    await isAlive(channel);
  });

  test.each<[string, (channel: RawChannel) => void, RegExp]>([
    ["no hello", (channel) => channel.ask(1, ping("a")), /has to say hello/],
    [
      "another protocol",
      (channel) =>
        channel.send(
          encode(ChannelRequestSchema, {
            $typeName: "snakepit.bridge.v1.ChannelRequest",
            hello: { $typeName: "snakepit.bridge.v1.ClientHello", protocol: 7, version: "8.0.0" },
            commands: [],
            cancelled: [],
          }),
        ),
      /is of version .* speaks version 1 .* client of version "8\.0\.0" speaks 7: make both the same version/,
    ],
    ["no message", (channel) => channel.send(Uint8Array.from([0xff, 0xff])), /no ChannelRequest/],
    [
      "a part out of turn",
      (channel) => {
        channel.hello();
        const [first = new Uint8Array()] = commandMessages(1, 60_000, new Uint8Array(300_000));
        channel.send(first);
        channel.ask(2, ping("a"));
      },
      /a part of command 2 came before the last one of command 1/,
    ],
  ])("%s ends the channel and says why [ORD-17 refuses]", async (_, act, message) => {
    const { bridge, channel } = await bridgeAndChannel();
    act(channel);
    const ending = await channel.ended;
    expect(ending).toMatchObject({ code: status.INVALID_ARGUMENT, refusal: { reason: "INVALID_ARGUMENT" } });
    expect(ending.message).toMatch(message);
    const another = channelTo(bridge.address);
    another.hello();
    await isAlive(another);
  });

  test("a number that is under way ends the channel", async () => {
    const { dispatch, arrived } = held();
    const { channel } = await doorTo(dispatch);
    channel.hello();
    channel.ask(1, ping("a"));
    while (arrived.length < 1) await new Promise(setImmediate);
    channel.ask(1, ping("b"));
    expect((await channel.ended).message).toContain("command 1 is under way");
  });

  test("any bytes are answered or end the channel with a documented code", async () => {
    const { bridge } = await bridgeAndChannel();
    const message = fc.uint8Array({ maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.array(message, { minLength: 1, maxLength: 4 }),
        async (greet, messages) => {
          const channel = channelTo(bridge.address);
          if (greet) channel.hello();
          for (const bytes of messages) channel.send(bytes);
          channel.stream.end();
          const { code, message: text } = await channel.ended;
          expect([status.OK, status.INVALID_ARGUMENT], text).toContain(code);
          channel.close();
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe("an end", () => {
  test("of what the client says lets what is under way be answered", async () => {
    const { dispatch, arrived, letGo } = held();
    const { channel } = await doorTo(dispatch);
    channel.hello();
    channel.ask(1, ping("a"));
    channel.stream.end();
    while (arrived.length < 1) await new Promise(setImmediate);
    letGo("a");
    expect(await channel.ended).toMatchObject({ code: status.OK });
    expect(channel.replies.get(1)).toMatchObject({ message: "a" });
  });

  test("of the server is announced, and comes when all that was asked before is answered", async () => {
    const { dispatch, arrived, letGo } = held();
    const { door, channel } = await doorTo(dispatch);
    channel.hello();
    channel.ask(1, ping("a"));
    while (arrived.length < 1) await new Promise(setImmediate);
    const closed = door.close(60_000);
    await channel.until(() => channel.messages.some(({ response }) => response.goingAway));
    channel.ask(2, ping("b"));
    letGo("a");
    expect(await channel.ended).toMatchObject({ code: status.OK });
    expect([...channel.replies.keys()]).toEqual([1]);
    expect(arrived).toEqual(["a"]);
    await closed;
  });

  test("of a connection amid commands hurts nobody", async () => {
    const { dispatch, arrived, letGo } = held();
    const { door, channel } = await doorTo(dispatch);
    channel.hello();
    channel.ask(1, ping("a"), ping("b"));
    while (arrived.length < 2) await new Promise(setImmediate);
    channel.close();
    for (const message of arrived) letGo(message);
    const another = channelTo(door.address);
    another.hello();
    another.ask(1, ping("c"));
    while (arrived.length < 3) await new Promise(setImmediate);
    letGo("c");
    expect(await another.reply(1)).toMatchObject({ message: "c" });
  });
});

test("a client that does not read is not read from, and others do not notice [P9]", async () => {
  const text = "x".repeat(1_000_000);
  const { bridge, channel } = await bridgeAndChannel();
  channel.hello();
  for (const part of commandMessages(1, 60_000, commandBytes(set("x", text)))) channel.send(part);
  await channel.reply(1);
  const deaf = channelTo(bridge.address);
  deaf.stream.pause();
  deaf.hello();
  const before = process.memoryUsage().rss;
  // Asks for 2 GB.
  for (let i = 0; i < 200; i++) deaf.ask(1 + i * 10, ...Array.from({ length: 10 }, () => get("x")));
  channel.ask(2, ...Array.from({ length: 20 }, () => get("x")));
  await channel.until(() => channel.replies.size === 21);
  expect(process.memoryUsage().rss - before).toBeLessThan(500_000_000);
  deaf.stream.resume();
  await deaf.until(() => deaf.replies.size > 50);
});
