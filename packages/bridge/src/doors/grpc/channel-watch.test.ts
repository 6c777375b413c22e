/** Watches at the door: on a channel message by message, and as streams of their own. */
import { status } from "@grpc/grpc-js";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import type { Command, Reply, Revision } from "../../core/commands.js";
import type { Refusal } from "../../core/refusal.js";
import type { SessionEvent } from "../../core/session/event.js";
import { pointAfter } from "../../core/told-queue.js";
import type { Told, Watch } from "../../core/watch.js";
import { type Bridge, type BridgeOptions, startBridge } from "../../server.js";
import { witnessWatches } from "../../testing/watch-witness.contract.js";
import {
  CHANNEL_MESSAGE_BYTES,
  cancellation,
  commandBytes,
  commandMessages,
  watchBytes,
} from "../../wire/channel.js";
import { RawChannel } from "./raw-channel.contract.js";
import { RawWatch } from "./raw-watch.contract.js";

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

function rawWatch({ address }: Bridge, asked: Partial<Watch> | Uint8Array): RawWatch {
  const watch = new RawWatch(address, asked);
  open.push(watch);
  return watch;
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

function events(channel: RawChannel, id: number): SessionEvent[] {
  return (channel.told.get(id) ?? []).flatMap(({ told }) => (told.kind === "event" ? [told.event] : []));
}

/** Every reply is true at a revision that was told before, or in the same message. */
function checkOrder(channel: RawChannel, id: number): void {
  const toldBy = new Map<number, number>();
  for (const { told, message } of channel.told.get(id) ?? []) toldBy.set(pointAfter(told).number, message);
  let replies = 0;
  for (const [place, { response }] of channel.messages.entries()) {
    for (const frame of response.replies) {
      const reply = channel.replies.get(frame.id) as Reply & { revision: Revision };
      if (frame.more || reply.revision === undefined || reply.revision.number <= firstTold(channel, id))
        continue;
      replies++;
      expect(toldBy.get(reply.revision.number)).toBeLessThanOrEqual(place + 1);
    }
  }
  expect(replies).toBeGreaterThan(0);
}

function firstTold(channel: RawChannel, id: number): number {
  return pointAfter(channel.told.get(id)?.[0]?.told as Told).number;
}

describe("a watch on a channel", () => {
  test("begins in its turn among the commands [ORD-17 accepts]", async () => {
    const channel = channelTo(await start());
    channel.send(
      ...commandMessages(1, 60_000, commandBytes(set("a", "before"))),
      ...channel.watching(2, watchBytes({ sessionId: "s", names: [], passive: false })),
      ...commandMessages(3, 60_000, commandBytes(set("a", "after"))),
    );
    await channel.reply(3);
    expect(channel.told.get(2)?.map(({ told }) => pointAfter(told).number)).toEqual([1, 2]);
    expect(events(channel, 2)[0]?.changes).toMatchObject([
      { name: "a", before: { version: 1, value: "before" }, after: { version: 2, value: "after" } },
    ]);
  });

  test("is told every commit before, or with, a reply that is true at it [ORD-2 accepts]", async () => {
    const bridge = await start();
    const channel = channelTo(bridge);
    channel.watch(1, "s");
    channel.watch(2, "s", { names: ["b"] });
    for (let i = 0; i < 40; i++) {
      channel.ask(
        10 + 10 * i,
        ...["a", "b", "a"].map((name) => set(name, "x".repeat(i * 2_000))),
        get("a"),
        get("b"),
      );
      await channel.reply(14 + 10 * i);
    }
    expect(events(channel, 1)).toHaveLength(120);
    expect(events(channel, 2).filter(({ changes }) => changes.length > 0)).toHaveLength(40);
    checkOrder(channel, 1);
    checkOrder(channel, 2);
  });

  test("is told so of a commit that another client made [ORD-2 refuses]", async () => {
    const bridge = await start();
    const channel = channelTo(bridge);
    const other = channelTo(bridge);
    channel.watch(1, "s");
    for (let i = 0; i < 50; i++) {
      other.ask(1 + i, set("a", String(i)));
      channel.ask(10 + i, get("a"));
    }
    await channel.reply(59);
    await other.reply(50);
    channel.ask(100, get("a"));
    await channel.reply(100);
    checkOrder(channel, 1);
    expect(events(channel, 1)).toHaveLength(50);
  });

  test("is told so by a server that has to wait for its reader", async () => {
    const bridge = await start();
    const channel = channelTo(bridge);
    const other = channelTo(bridge);
    channel.watch(1, "s");
    channel.watch(2, "s");
    await channel.until(() => channel.told.size === 2);
    channel.stream.pause();
    const text = "x".repeat(8_192);
    for (let i = 0; i < 400; i++) {
      other.ask(1 + i, set("a", `${text}${i}`));
      if (i % 10 === 0) channel.ask(10 + i, get("b"), get("a"));
      await other.reply(1 + i);
    }
    channel.stream.resume();
    await channel.until(() => channel.replies.size === 80);
    channel.ask(5_000, get("a"));
    await channel.reply(5_000);
    for (const id of [1, 2]) {
      checkOrder(channel, id);
      expect(events(channel, id)).toHaveLength(400);
    }
  });

  test("is told long events in parts, and without values what is longer than a message may be", async () => {
    const channel = channelTo(await start({ limits: { maxMessageBytes: 1_500_000 } }));
    channel.watch(1, "s");
    for (const [i, length] of [700_000, 700_001, 1_000_000].entries())
      for (const part of commandMessages(2 + i, 60_000, commandBytes(set("a", "x".repeat(length)))))
        channel.send(part);
    await channel.reply(4);
    const sides = events(channel, 1).map(({ changes: [change] }) => [
      (change?.before?.value as string | undefined)?.length,
      (change?.after?.value as string | undefined)?.length,
    ]);
    expect(sides).toEqual([
      [undefined, 700_000],
      [700_000, 700_001],
      [undefined, 1_000_000],
    ]);
    expect(events(channel, 1)[2]?.changes[0]?.before).toEqual({ version: 2, type: "string" });
    expect(Math.max(...channel.messages.map(({ bytes }) => bytes))).toBeLessThanOrEqual(
      CHANNEL_MESSAGE_BYTES,
    );
  });

  test("ends when it is cancelled, also before it began, and its number is free then", async () => {
    const bridge = await start({ limits: { maxWatches: 1 } });
    const channel = channelTo(bridge);
    for (let i = 0; i < 5; i++) {
      channel.watch(1, "s");
      channel.send(cancellation(1));
    }
    // In one message, as a client sends what it does in one turn of its loop.
    const asked = watchBytes({ sessionId: "s", names: [], passive: false });
    channel.send(...channel.watching(9, asked), cancellation(9));
    channel.watch(1, "s");
    channel.ask(2, set("a", "x"));
    await channel.reply(2);
    expect([channel.replies.has(1), channel.replies.has(9)]).toEqual([false, false]);
    channel.send(cancellation(1));
    channel.ask(3, set("a", "y"));
    await channel.reply(3);
    expect(events(channel, 1).map(({ revision }) => revision.number)).toEqual([1]);
  });

  test("ends with its channel", async () => {
    const bridge = await start({ limits: { maxWatches: 1 } });
    const first = channelTo(bridge);
    first.watch(1, "s");
    await first.until(() => first.told.has(1));
    const second = channelTo(bridge);
    second.watch(1, "s");
    expect(await second.reply(1)).toMatchObject({ reason: "TOO_MANY_WATCHES" });
    first.close();
    let id = 2;
    while (!second.told.has(id)) {
      second.watch(++id, "s");
      await second.until(() => second.told.has(id) || second.replies.has(id));
    }
  });

  test("that makes no sense is refused, and nothing else is", async () => {
    const channel = channelTo(await start());
    channel.send(...channel.watching(1, Uint8Array.from([0xff, 0xff])));
    channel.watch(2, "s", { names: [""] });
    channel.watch(3, "s", { after: { incarnation: "0".repeat(32), number: 4, check: 1n } });
    channel.ask(4, set("a", "x"));
    await channel.reply(4);
    expect([1, 2, 3].map((id) => (channel.replies.get(id) as Refusal).reason)).toEqual([
      "INVALID_ARGUMENT",
      "INVALID_NAME",
      "WATCH_GAP",
    ]);
  });

  test("with a number that is under way ends the channel", async () => {
    const channel = channelTo(await start());
    channel.watch(1, "s");
    channel.ask(1, set("a", "x"));
    expect((await channel.ended).message).toContain("command 1 is under way");
  });

  test("of any bytes is answered, told of, or ends the channel with a documented code", async () => {
    const bridge = await start();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 3 }),
        async (asked) => {
          const channel = channelTo(bridge);
          for (const [i, bytes] of asked.entries()) channel.send(...channel.watching(i, bytes));
          channel.stream.end();
          const { code, message } = await channel.ended;
          expect([status.OK, status.INVALID_ARGUMENT], message).toContain(code);
          channel.close();
        },
      ),
      { numRuns: 100 },
    );
  });

  test("ends when the server does, which waits for no watcher", async () => {
    const bridge = await startBridge({ port: 0, logger: "silent", graceMs: 60_000 });
    const channel = channelTo(bridge);
    channel.watch(1, "s");
    channel.ask(2, set("a", "x"));
    await channel.reply(2);
    await bridge.close();
    expect(await channel.ended).toMatchObject({ code: status.OK });
    expect(channel.replies.get(1)).toMatchObject({ reason: "SHUTTING_DOWN" });
  });
});

describe("a client that does not read", () => {
  test("loses its watches and costs no more than their bounds, and others do not notice [P9]", async () => {
    const bridge = await start();
    const deaf = channelTo(bridge);
    await deaf.until(() => deaf.messages.length > 0);
    for (let id = 1; id <= 20; id++) deaf.watch(id, "s");
    await deaf.until(() => deaf.told.size === 20);
    deaf.stream.pause();
    const reader = channelTo(bridge);
    reader.watch(1, "s");
    await reader.until(() => reader.told.has(1));
    const before = process.memoryUsage().rss;
    // Before and after, to each of them: 20 × 1,000 × 64 KiB, which is 1.3 GB.
    const text = "x".repeat(32_768);
    for (let i = 0; i < 1_000; i += 50) {
      reader.ask(10 + i, ...Array.from({ length: 50 }, (_, k) => set("a", `${text}${i + k}`)));
      await reader.reply(10 + i + 49);
    }
    expect(events(reader, 1)).toHaveLength(1_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(400_000_000);
    deaf.stream.resume();
    await deaf.until(() => deaf.replies.size === 20);
    for (let id = 1; id <= 20; id++) {
      expect(deaf.replies.get(id)).toMatchObject({ reason: "WATCH_OVERFLOW" });
      const numbers = events(deaf, id).map(({ revision }) => revision.number);
      expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, i) => i + 1));
    }
  });
});

describe("the RPC Watch", () => {
  test("tells what a channel tells, to any client of gRPC [ORD-6 accepts]", async () => {
    const bridge = await start();
    const watch = rawWatch(bridge, { glob: "a*" });
    await watch.until(() => watch.told.length === 1);
    const session = await bridge.session("s");
    await session.set("ab", 1, { metadata: { why: "test" } });
    await session.set("b", 2);
    await watch.until(() => watch.told.length === 4);
    expect(watch.told.map((told) => told.kind)).toEqual(["bookmark", "event", "event", "bookmark"]);
    expect(watch.told[2]).toMatchObject({
      event: {
        kind: "changed",
        source: "typescript",
        metadata: new Map([["why", "test"]]),
        changes: [{ name: "ab", after: { version: 1, value: 1, type: "float" } }],
      },
    });
    const again = rawWatch(bridge, { after: pointAfter(watch.told[1] as Told) });
    await again.until(() => again.told.length === 3);
    expect(again.told.map((told) => pointAfter(told).number)).toEqual([1, 2, 3]);
  });

  test("says why it ends", async () => {
    const bridge = await start({ limits: { maxWatches: 1 } });
    expect(await rawWatch(bridge, { names: [""] }).ended).toMatchObject({
      code: status.INVALID_ARGUMENT,
      refusal: { reason: "INVALID_NAME" },
    });
    expect(await rawWatch(bridge, Uint8Array.from([0xff])).ended).toMatchObject({
      code: status.INVALID_ARGUMENT,
    });
    const gone = { incarnation: "0".repeat(32), number: 4, check: 1n };
    expect(await rawWatch(bridge, { after: gone }).ended).toMatchObject({
      code: status.OUT_OF_RANGE,
      refusal: { reason: "WATCH_GAP" },
    });
    const watch = rawWatch(bridge, {});
    await watch.until(() => watch.told.length === 1);
    expect(await rawWatch(bridge, {}).ended).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    await bridge.close();
    expect(await watch.ended).toMatchObject({
      code: status.UNAVAILABLE,
      refusal: { reason: "SHUTTING_DOWN" },
    });
  });

  test("is refused, or told of, for any bytes", async () => {
    const bridge = await start();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), async (bytes) => {
        const watch = rawWatch(bridge, bytes);
        const code = await Promise.race([
          watch.ended.then((ended) => ended.code),
          watch.until(() => watch.told.length > 0),
        ]);
        if (code !== undefined) expect(code).toBe(status.INVALID_ARGUMENT);
        watch.close();
      }),
      { numRuns: 100 },
    );
  });

  test("ends for a reader that is too slow, after a beginning without a gap [ORD-6 refuses]", async () => {
    const bridge = await start();
    const session = await bridge.session("s");
    const watch = rawWatch(bridge, {});
    await watch.until(() => watch.told.length === 1);
    watch.stream.pause();
    for (let i = 0; i < 3_000; i++) await session.set("a", "x".repeat(8_192));
    watch.stream.resume();
    expect(await watch.ended).toMatchObject({
      code: status.OUT_OF_RANGE,
      refusal: { reason: "WATCH_OVERFLOW" },
    });
    const numbers = watch.told.map((told) => pointAfter(told).number);
    expect(numbers).toEqual(numbers.map((_, i) => i + 1));
    expect(numbers.length).toBeLessThan(3_000);
  });
});
