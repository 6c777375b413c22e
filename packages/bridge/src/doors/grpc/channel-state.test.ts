/** The state of a session on a channel, message by message. */
import { status } from "@grpc/grpc-js";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import type { Command, Reply, Revision } from "../../core/commands.js";
import { type Bridge, type BridgeOptions, startBridge } from "../../server.js";
import { ModelReplica } from "../../testing/model-replica.contract.js";
import { witnessWatches } from "../../testing/watch-witness.contract.js";
import {
  CHANNEL_MESSAGE_BYTES,
  cancellation,
  commandBytes,
  commandMessages,
  followBytes,
  followMessages,
} from "../../wire/channel.js";
import { RawChannel } from "./raw-channel.contract.js";

witnessWatches();

const open: { close(): unknown }[] = [];

afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
});

async function start(options: BridgeOptions = {}): Promise<Bridge> {
  const bridge = await startBridge({ port: 0, logger: "silent", graceMs: 0, ...options });
  open.push(bridge);
  return bridge;
}

function channelTo({ address }: Bridge): RawChannel {
  const channel = new RawChannel(address);
  open.push(channel);
  channel.hello();
  return channel;
}

const set = (name: string, value: string): Command => ({
  kind: "setVariable",
  sessionId: "s",
  item: { identifier: name, value: { kind: "string", value } },
  onMissing: "infer",
  metadata: [],
});
const get = (identifier: string): Command => ({
  kind: "getVariables",
  sessionId: "s",
  identifiers: [identifier],
});

/** What a replica has become that was told all this. */
function replica(channel: RawChannel, id: number): ModelReplica {
  const made = new ModelReplica();
  for (const { update } of channel.updates.get(id) ?? []) made.apply(update);
  return made;
}

/** With each message that has replies, a replica that has read its updates stands where they are true, or later. */
function checkOrder(channel: RawChannel, id: number): void {
  const made = new ModelReplica();
  const updates = [...(channel.updates.get(id) ?? [])];
  let checked = 0;
  for (const [place, { response }] of channel.messages.entries()) {
    while (updates[0] !== undefined && updates[0].message <= place + 1)
      made.apply((updates.shift() as (typeof updates)[0]).update);
    for (const frame of response.replies) {
      const { revision } = channel.replies.get(frame.id) as Reply & { revision?: Revision };
      if (frame.more || revision === undefined || made.revision === undefined) continue;
      checked++;
      expect(made.revision.number).toBeGreaterThanOrEqual(revision.number);
    }
  }
  expect(checked).toBeGreaterThan(0);
}

function longestMessage(channel: RawChannel): number {
  return Math.max(...channel.messages.map(({ bytes }) => bytes));
}

describe("a follower on a channel", () => {
  test("begins in its turn among the commands, and is taken on [ORD-17 accepts]", async () => {
    const channel = channelTo(await start());
    channel.ask(1, set("a", "before"));
    await channel.reply(1);
    channel.follow(2, "s");
    channel.ask(3, set("a", "after"));
    await channel.reply(3);
    expect(replica(channel, 2).values).toEqual({ a: "after" });
    channel.ask(4, set("b", "x"));
    await channel.reply(4);
    const last = channel.updates.get(2)?.at(-1)?.update;
    expect(last).toMatchObject({ base: { number: 2 }, revision: { number: 3 }, changed: [{ name: "b" }] });
  });

  test("stands where a reply is true when that comes [ORD-2 accepts]", async () => {
    const channel = channelTo(await start());
    channel.follow(1, "s");
    for (let i = 0; i < 40; i++) {
      channel.ask(
        10 + 10 * i,
        ...["a", "b", "a"].map((name) => set(name, "x".repeat(i * 2_000))),
        get("a"),
        get("b"),
      );
      await channel.reply(14 + 10 * i);
    }
    checkOrder(channel, 1);
    // Longer ones are not told.
    expect(replica(channel, 1).entries.get("a")).toMatchObject({ version: 80 });
    expect(replica(channel, 1).entries.get("a")?.value).toBeUndefined();
  });

  test("stands there also if another client made the commit [ORD-2 refuses]", async () => {
    const bridge = await start();
    const channel = channelTo(bridge);
    const other = channelTo(bridge);
    channel.follow(1, "s");
    for (let i = 0; i < 50; i++) {
      other.ask(1 + i, set("a", String(i)));
      channel.ask(10 + i, get("a"));
    }
    await channel.reply(59);
    await other.reply(50);
    channel.ask(100, get("a"));
    await channel.reply(100);
    checkOrder(channel, 1);
    expect(replica(channel, 1).values).toEqual({ a: "49" });
  });

  test("stands there also if it reads slowly, and is told what has become, and not all that happened", async () => {
    const bridge = await start();
    const channel = channelTo(bridge);
    const other = channelTo(bridge);
    channel.follow(1, "s");
    channel.follow(2, "s");
    await channel.until(() => channel.updates.size === 2);
    channel.stream.pause();
    const text = "x".repeat(32_768);
    for (let i = 0; i < 1_000; i++) {
      // Five of them are more than a message has room for.
      other.ask(1 + i, set(`v${i % 5}`, `${text}${i}`));
      if (i % 10 === 0) channel.ask(10 + i, get("b"), get("v0"));
      await other.reply(1 + i);
    }
    channel.stream.resume();
    await channel.until(() => channel.replies.size === 200);
    channel.ask(5_000, get("v0"));
    await channel.reply(5_000);
    for (const id of [1, 2]) {
      checkOrder(channel, id);
      const made = replica(channel, id);
      expect(made.revision?.number).toBe(1_000);
      expect([...made.entries.keys()].sort()).toEqual(["v0", "v1", "v2", "v3", "v4"]);
      const updates = channel.updates.get(id) ?? [];
      expect(updates.length).toBeLessThan(500);
      expect(updates.some(({ update }) => update.more)).toBe(true);
    }
    expect(longestMessage(channel)).toBeLessThanOrEqual(CHANNEL_MESSAGE_BYTES);
  });

  test("is told a long session in messages of the length that they may have, and nothing in between [ORD-18 accepts]", async () => {
    const bridge = await start();
    const session = await bridge.session("s");
    const text = "\u{1f40d}".repeat(16_000);
    for (let i = 0; i < 30; i++) await session.set(`v${i}`, `${text}${i}`);
    const channel = channelTo(bridge);
    channel.follow(1, "s");
    for (let i = 0; i < 20; i++) {
      await session.set("v0", i.toString());
      channel.ask(10 + i, get("v0"));
      await channel.reply(10 + i);
    }
    checkOrder(channel, 1);
    const made = replica(channel, 1);
    expect([made.entries.size, made.entries.get("v0")?.value]).toEqual([30, "19"]);
    expect(longestMessage(channel)).toBeLessThanOrEqual(CHANNEL_MESSAGE_BYTES);
  });

  test("ends when it is cancelled, also before it began and in the middle of a session, and its number is free then", async () => {
    const bridge = await start({ limits: { maxWatches: 1 } });
    const session = await bridge.session("s");
    for (let i = 0; i < 30; i++) await session.set(`v${i}`, "x".repeat(60_000));
    const channel = channelTo(bridge);
    for (let i = 0; i < 5; i++) {
      channel.follow(1, "s");
      channel.send(cancellation(1));
    }
    const asked = followBytes({ sessionId: "s", passive: false });
    channel.send(...followMessages(9, asked), cancellation(9));
    channel.follow(1, "s");
    await channel.until(() => channel.updates.has(1));
    channel.send(cancellation(1));
    channel.follow(2, "s");
    await channel.until(() => channel.updates.get(2)?.at(-1)?.update.more === false);
    expect([channel.replies.has(1), channel.replies.has(9), channel.updates.has(9)]).toEqual([
      false,
      false,
      false,
    ]);
    expect(replica(channel, 2).entries.size).toBe(30);
  });

  test("is refused where it makes no sense or is one too many, and nothing else is", async () => {
    const channel = channelTo(await start({ limits: { maxWatches: 1 } }));
    channel.send(...followMessages(1, Uint8Array.from([0xff, 0xff])));
    channel.follow(2, "");
    channel.watch(3, "s");
    channel.follow(4, "s");
    channel.ask(5, set("a", "x"));
    await channel.reply(5);
    await channel.until(() => channel.replies.size === 4);
    expect([1, 2, 4].map((id) => (channel.replies.get(id) as { reason?: string }).reason)).toEqual([
      "INVALID_ARGUMENT",
      "INVALID_NAME",
      "TOO_MANY_WATCHES",
    ]);
  });

  test("of any bytes is answered, told of, or ends the channel with a documented code", async () => {
    const bridge = await start();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 3 }),
        async (asked) => {
          const channel = channelTo(bridge);
          for (const [i, bytes] of asked.entries()) channel.send(...followMessages(i, bytes));
          channel.stream.end();
          const { code, message } = await channel.ended;
          expect([status.OK, status.INVALID_ARGUMENT], message).toContain(code);
          channel.close();
        },
      ),
      { numRuns: 100 },
    );
  });

  test("ends when the server does, which waits for no follower", async () => {
    const bridge = await startBridge({ port: 0, logger: "silent", graceMs: 60_000 });
    const channel = channelTo(bridge);
    channel.follow(1, "s");
    channel.send(...commandMessages(2, 60_000, commandBytes(set("a", "x"))));
    await channel.reply(2);
    await bridge.close();
    expect(await channel.ended).toMatchObject({ code: status.OK });
    expect(channel.replies.get(1)).toMatchObject({ reason: "SHUTTING_DOWN" });
  });
});

describe("a client that does not read", () => {
  test("keeps its followers and costs next to nothing, and others do not notice [P9]", async () => {
    const bridge = await start();
    const deaf = channelTo(bridge);
    await deaf.until(() => deaf.messages.length > 0);
    for (let id = 1; id <= 20; id++) deaf.follow(id, "s");
    await deaf.until(() => deaf.updates.size === 20);
    deaf.stream.pause();
    const reader = channelTo(bridge);
    reader.follow(1, "s");
    const before = process.memoryUsage().rss;
    const text = "x".repeat(32_768);
    // To each of them: 20 × 2,000 × 32 KiB, which is 1.3 GB.
    for (let i = 0; i < 2_000; i += 50) {
      reader.ask(10 + i, ...Array.from({ length: 50 }, (_, k) => set("a", `${text}${i + k}`)));
      await reader.reply(10 + i + 49);
    }
    expect(replica(reader, 1).revision?.number).toBe(2_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(300_000_000);
    deaf.stream.resume();
    const isThere = (id: number) => deaf.updates.get(id)?.at(-1)?.update.revision.number === 2_000;
    await deaf.until(() => Array.from({ length: 20 }, (_, i) => isThere(i + 1)).every(Boolean));
    for (let id = 1; id <= 20; id++) {
      expect(replica(deaf, id).values).toEqual({ a: `${text}1999` });
      expect(deaf.updates.get(id)?.length).toBeLessThan(200);
    }
    expect(deaf.replies.size).toBe(0);
  });
});
