/** Signs of life of watches that are told nothing, on a clock that a test moves. */
import { afterEach, describe, expect, test } from "vitest";
import type { Command } from "../../core/commands.js";
import { pointAfter } from "../../core/told-queue.js";
import { type Bridge, startBridge } from "../../server.js";
import { settle } from "../../testing/bench.contract.js";
import { ManualClock } from "../../testing/manual-clock.js";
import { witnessWatches } from "../../testing/watch-witness.contract.js";
import { cancellation } from "../../wire/channel.js";
import { RawChannel } from "./raw-channel.contract.js";
import { RawWatch } from "./raw-watch.contract.js";

witnessWatches();

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
});

const set = (value: string): Command => ({
  kind: "setVariable",
  sessionId: "s",
  item: { identifier: "a", value: { kind: "string", value } },
  onMissing: "infer",
  metadata: [],
});
const get: Command = { kind: "getVariable", sessionId: "s", identifier: "a" };

async function start(): Promise<{ bridge: Bridge; clock: ManualClock; channel: RawChannel }> {
  const clock = new ManualClock();
  const bridge = await startBridge({ port: 0, logger: "silent", graceMs: 0, clock });
  open.push(bridge);
  const channel = new RawChannel(bridge.address);
  open.push(channel);
  channel.hello();
  return { bridge, clock, channel };
}

/** Lets time pass, and what comes of it arrive: the reply to a command that is sent then comes after it. */
let lastId = 1_000;
async function pass(clock: ManualClock, ms: number, channel: RawChannel): Promise<void> {
  for (let passed = 0; passed < ms; passed += 500) {
    clock.advance(500);
    await settle();
  }
  channel.ask(++lastId, get);
  await channel.reply(lastId);
}

describe("a watch that is told nothing", () => {
  test("is told every 2 s where it stands, by kinds [ORD-6 accepts]", async () => {
    const { clock, channel } = await start();
    channel.ask(1, set("x"));
    channel.watch(2, "s");
    channel.watch(3, "s", { names: ["other"] });
    channel.follow(4, "s");
    await channel.until(() => channel.told.size === 2 && channel.updates.size === 1);
    await pass(clock, 10_000, channel);
    for (const id of [2, 3]) {
      const told = channel.told.get(id) ?? [];
      expect(told.map((each) => each.told.kind)).toEqual(Array.from({ length: 6 }, () => "bookmark"));
      expect(new Set(told.map((each) => pointAfter(each.told).number))).toEqual(new Set([1]));
    }
    const [first, ...rest] = (channel.updates.get(4) ?? []).map(({ update }) => update);
    const revision = first?.revision;
    expect(rest).toEqual(
      Array.from({ length: 5 }, () => ({ base: revision, revision, changed: [], deleted: [], more: false })),
    );
  });

  test("is told so only if it was told nothing, and never more than it was told", async () => {
    const { clock, channel } = await start();
    channel.ask(1, set("x"));
    channel.watch(2, "s");
    channel.follow(3, "s");
    await channel.reply(1);
    for (let i = 0; i < 10; i++) {
      channel.ask(10 + i, set(`${i}`));
      await channel.reply(10 + i);
      await pass(clock, 1_000, channel);
    }
    expect(channel.told.get(2)?.map(({ told }) => told.kind)).toEqual([
      "bookmark",
      ...Array(10).fill("event"),
    ]);
    expect(channel.updates.get(3)).toHaveLength(11);
    let number = 0;
    for (const { update } of channel.updates.get(3) ?? []) {
      if (number > 0) expect(update.base?.number).toBe(number);
      number = update.revision.number;
    }
  });

  test("costs one timer for a channel, as long as there is one", async () => {
    const { clock, channel } = await start();
    channel.ask(1, set("x"));
    await channel.reply(1);
    const without = clock.pendingTimers;
    for (let id = 2; id < 20; id++) id % 2 === 0 ? channel.watch(id, "s") : channel.follow(id, "s");
    channel.ask(20, get);
    await channel.reply(20);
    expect(clock.pendingTimers).toBe(without + 1);
    for (let id = 2; id < 20; id++) channel.send(cancellation(id));
    channel.ask(21, get);
    await channel.reply(21);
    expect(clock.pendingTimers).toBe(without);
    channel.follow(22, "s");
    await channel.until(() => channel.updates.has(22));
    channel.close();
    while (clock.pendingTimers > without) await settle();
  });

  test("is told so as a stream of its own as well", async () => {
    const { bridge, clock } = await start();
    const session = await bridge.session("s");
    const watch = new RawWatch(bridge.address, {});
    open.push(watch);
    await watch.until(() => watch.told.length === 1);
    for (let i = 2; i < 6; i++) {
      clock.advance(1_000);
      clock.advance(1_000);
      await watch.until(() => watch.told.length === i);
    }
    await session.set("a", 1);
    clock.advance(1_000);
    await watch.until(() => watch.told.length === 6);
    expect(watch.told.map(({ kind }) => kind)).toEqual([...Array(5).fill("bookmark"), "event"]);
    expect(watch.told.map((told) => pointAfter(told).number)).toEqual([1, 1, 1, 1, 1, 2]);
  });

  test("does not fill the memory of the server if its reader does not read", async () => {
    const { bridge, clock, channel } = await start();
    const session = await bridge.session("s");
    const text = "x".repeat(60_000);
    for (let i = 0; i < 40; i++) await session.set(`v${i}`, text);
    await channel.until(() => channel.messages.length > 0);
    channel.stream.pause();
    const without = clock.pendingTimers;
    channel.follow(2, "s");
    channel.watch(3, "s");
    channel.ask(4, get);
    while (clock.pendingTimers === without) await settle();
    for (let i = 0; i < 100; i++) {
      clock.advance(1_000);
      await settle();
    }
    channel.stream.resume();
    await channel.until(() => channel.replies.has(4));
    await pass(clock, 0, channel);
    // None comes between two parts, so the session is told as ever.
    const updates = (channel.updates.get(2) ?? []).map(({ update }) => update);
    const last = updates.findIndex(({ more }) => !more);
    expect(updates.slice(0, last + 1).flatMap(({ changed }) => changed)).toHaveLength(40);
    expect(updates.slice(last + 1).every(({ base, revision }) => base?.number === revision.number)).toBe(
      true,
    );
    expect(updates.length - last).toBeLessThan(60);
  });
});
