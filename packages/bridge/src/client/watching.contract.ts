/** What a watch does for a program, whatever the transport. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  ClosedError,
  InvalidInputError,
  LimitError,
  TypeMismatchError,
  WatchGapError,
} from "../core/errors.js";
import { MOST_WAITING } from "../core/told-queue.js";
import type { Client } from "./client.js";
import type { ChangeView, SessionEventView } from "./event-views.js";
import { failure, type TestBridge, variables, whileTimePasses } from "./test-bridge.contract.js";
import type { SessionWatch } from "./watching.js";

type AnyWatch = SessionWatch<SessionEventView<ChangeView>>;

/** The next so many events. */
export async function take<E>(watch: SessionWatch<E>, count: number): Promise<E[]> {
  const events: E[] = [];
  while (events.length < count) {
    const { done, value } = await watch.next();
    if (done === true) throw new Error(`the watch ended after ${events.length} events`);
    events.push(value);
  }
  return events;
}

/** What events tell, as short as it can be told apart. */
export function short(events: readonly SessionEventView<ChangeView>[]): string[] {
  return events.map(({ kind, revision, changes }) =>
    [
      `${revision} ${kind}`,
      ...changes.map(({ name, previous, value }) => `${name} ${String(previous)} → ${String(value)}`),
    ].join(", "),
  );
}

/** Runs the contract on clients of a transport. */
export function watchContract(transport: string, start: () => Promise<TestBridge>): void {
  let bridge: TestBridge;
  let client: Client;
  beforeEach(async () => {
    bridge = await start();
    client = bridge.connect();
  });
  afterEach(async () => {
    await client.close();
    await bridge.close();
  });

  describe(`${transport}: a watch`, () => {
    test("tells what is set after it began, with what it was before, who set it and why", async () => {
      const session = await client.session("run", variables);
      const watch = session.watch();
      await session.set("temperature", 0.9, { metadata: { why: "test" } });
      void session.setMany({ temperature: 1, huge: 2n ** 60n });
      const [first, second] = await take(watch, 2);
      expect(first).toEqual({
        kind: "changed",
        sessionId: "run",
        revision: 3,
        source: "typescript",
        at: expect.any(Date),
        metadata: new Map([["why", "test"]]),
        changes: [{ name: "temperature", value: 0.9, version: 2, previous: 0.7, previousVersion: 1 }],
      });
      expect(second?.changes).toEqual([
        { name: "temperature", value: 1, version: 3, previous: 0.9, previousVersion: 2 },
        { name: "huge", value: 2n ** 60n, version: 2, previous: 10n, previousVersion: 1 },
      ]);
      for (const part of [first, first?.changes, first?.changes[0]]) expect(Object.isFrozen(part)).toBe(true);
      await watch.return();
    });

    test("begins at once, and tells what others do from when it is ready", async () => {
      const session = await client.session("run");
      const other = bridge.connect();
      const watch = session.watch();
      await watch.ready();
      const same = await other.session("run");
      await same.set("a", 1);
      await same.delete("a");
      expect(short(await take(watch, 2))).toEqual([
        "2 changed, a undefined → 1",
        "3 changed, a 1 → undefined",
      ]);
      await other.close();
    });

    test("is told only of the names asked for, by default of those that are defined", async () => {
      const session = await client.session("run", variables);
      const some = session.watch(["max_tokens"]);
      const defined = session.watch();
      const matching = client.sessions.watch("run", { glob: "extra*" });
      await session.register("extra 1", "integer", 1);
      await session.set("temperature", 1);
      await session.set("max_tokens", 2);
      expect(short(await take(some, 1))).toEqual(["5 changed, max_tokens 256 → 2"]);
      expect(short(await take(defined, 2))).toEqual([
        "4 changed, temperature 0.7 → 1",
        "5 changed, max_tokens 256 → 2",
      ]);
      expect(short(await take(matching, 1))).toEqual(["3 changed, extra 1 undefined → 1"]);
    });

    test("goes on beyond the end of a session, and is told of its creation [ORD-13 accepts]", async () => {
      const watch = client.sessions.watch("later");
      await client.session("later", undefined, { ttlMs: 1_000 });
      await client.sessions.deleteSession("later");
      await client.session("later", undefined);
      expect(short(await take(watch, 3))).toEqual(["1 created", "2 deleted", "1 created"]);
    });

    test("keeps its session alive, unless it is passive [ORD-12 accepts]", async () => {
      await client.session("kept", undefined, { ttlMs: 1_000 });
      await client.session("left", undefined, { ttlMs: 1_000 });
      const keeps = client.sessions.watch("kept");
      const looks = client.sessions.watch("left", { passive: true });
      await Promise.all([keeps.ready(), looks.ready()]);
      bridge.clock.advance(1_000);
      expect(await take(looks, 1)).toMatchObject([{ kind: "expired", source: "expiry" }]);
      bridge.clock.advance(5_000);
      const kept = (await client.sessions.listSessions()).find(({ id }) => id === "kept");
      expect(kept?.lastAccessedAt).toEqual(new Date(bridge.clock.wallTime()));
      await keeps.return();
    });

    test("resumes from a point, also in another program", async () => {
      const session = await client.session("run");
      const watch = session.watch();
      expect(watch.point).toBeUndefined();
      await watch.ready();
      for (const value of [1, 2, 3, 4]) await session.set("a", value);
      await take(watch, 2);
      const point = watch.point as string;
      await watch.return();
      const other = bridge.connect();
      const again = other.sessions.watch("run", { after: point });
      expect(short(await take(again, 2))).toEqual(["4 changed, a undefined → 3", "5 changed, a 3 → 4"]);
      await other.close();
    });

    test("has a point that goes on with what a filter leaves out", async () => {
      const session = await client.session("run");
      const watch = session.watch(["a"]);
      await watch.ready();
      await session.set("b", 1);
      await session.set("b", 2);
      await session.set("a", 1);
      const reading = take(watch, 1);
      expect(await reading).toMatchObject([{ revision: 4 }]);
      expect(watch.point).toMatch(/^[0-9a-f]{32}-4-[0-9a-f]{16}$/);
    });

    test("throws WatchGapError from a point that is none of the session, and then has ended", async () => {
      const session = await client.session("run");
      const watch = session.watch();
      await watch.ready();
      await client.sessions.deleteSession("run");
      await client.session("run");
      const wrong = (watch.point as string).replace(/^./, (digit) => (digit === "0" ? "1" : "0"));
      const gone = session.watch(undefined, { after: wrong });
      const error = await failure(gone.next());
      expect(error).toBeInstanceOf(WatchGapError);
      expect(error).toMatchObject({ reason: "WATCH_GAP", sessionId: "run" });
      expect(await gone.next()).toEqual({ done: true, value: undefined });
      const unread = session.watch(undefined, { after: wrong });
      expect(await failure(unread.ready())).toBeInstanceOf(WatchGapError);
      await unread.return();
      expect(await unread.next()).toEqual({ done: true, value: undefined });
      expect(() => session.watch(undefined, { after: "7" })).toThrow(InvalidInputError);
    });

    test("that nobody reads is bounded, and told the rest when it is read", async () => {
      const session = await client.session("run", variables);
      const watch = session.watch(["max_tokens"]);
      await watch.ready();
      const count = MOST_WAITING + 200;
      const patient = { timeoutMs: 60_000 };
      for (let i = 1; i <= count; i++) void session.set("max_tokens", i, patient);
      await session.set("paused", true, patient);
      const values = (await take(watch, count)).map(({ changes }) => changes[0]?.value);
      expect(values).toEqual(Array.from({ length: count }, (_, i) => i + 1));
      await session.set("max_tokens", 7);
      expect(short(await take(watch, 1))).toEqual([`${count + 4} changed, max_tokens ${count} → 7`]);
    });

    test("ends with the loop, and lets go of the bridge", async () => {
      const session = await client.session("run");
      for (let i = 0; i < 30; i++) {
        const watch = session.watch();
        void session.set("a", i);
        for await (const { changes } of watch) {
          expect(changes[0]?.value).toBe(i);
          break;
        }
        expect(await watch.next()).toEqual({ done: true, value: undefined });
        await failure(watch.ready());
      }
    });

    test("ends with its signal, whether it is read or not", async () => {
      const session = await client.session("run");
      const stop = new AbortController();
      const options = { signal: stop.signal };
      const read = session.watch(undefined, options);
      const unread = session.watch(undefined, options);
      const reading = read.next();
      await read.ready();
      const why = new Error("enough");
      stop.abort(why);
      expect(await failure(reading)).toBe(why);
      expect(await failure(unread.next())).toBe(why);
      expect(() => session.watch(undefined, options)).toThrow(why);
    });

    test("may share its signal with many others", async () => {
      const session = await client.session("run");
      const stop = new AbortController();
      const warnings: Error[] = [];
      const warned = (warning: Error): unknown => warnings.push(warning);
      process.on("warning", warned);
      const watches = Array.from({ length: bridge.mostWatches ?? 30 }, () =>
        session.watch(undefined, { signal: stop.signal }),
      );
      await Promise.all(watches.map((watch) => watch.ready()));
      stop.abort(new Error("enough"));
      for (const watch of watches) await expect(watch.next()).rejects.toThrow("enough");
      await new Promise(setImmediate);
      process.off("warning", warned);
      expect(warnings).toEqual([]);
    });

    test("ends when its client is closed, after what has come is read", async () => {
      const other = bridge.connect();
      const session = await other.session("run");
      const watch = session.watch();
      await watch.ready();
      await session.set("a", 1);
      await other.close();
      expect(short(await take(watch, 1))).toEqual(["2 changed, a undefined → 1"]);
      expect(await failure(watch.next())).toBeInstanceOf(ClosedError);
      expect(await failure(other.sessions.watch("run").next())).toBeInstanceOf(ClosedError);
    });

    test("that cannot be is refused", async () => {
      const session = await client.session("run");
      expect(await failure(client.sessions.watch("run", { glob: "\\" }).next())).toBeInstanceOf(
        InvalidInputError,
      );
      const many = Array.from({ length: 1_001 }, (_, i) => `n${i}`);
      expect(await failure(session.watch(many).next())).toBeInstanceOf(LimitError);
      expect(() => session.watch(["\ud800"])).toThrow(InvalidInputError);
    });

    test("throws where a variable is no longer what was defined, and has ended then", async () => {
      const session = await client.session("run", variables);
      const watch = session.watch(["temperature"]);
      await watch.ready();
      await session.delete("temperature");
      await client.sessions.registerVariable("run", "temperature", "string", "hot");
      expect(short(await take(watch, 1))).toEqual(["3 changed, temperature 0.7 → undefined"]);
      expect(await failure(watch.next())).toBeInstanceOf(TypeMismatchError);
      expect(await watch.next()).toEqual({ done: true, value: undefined });
    });

    test("wakes every reader, and gives each event to one", async () => {
      const session = await client.session("run");
      const watch: AnyWatch = session.watch();
      const reading = Array.from({ length: 5 }, () => watch.next());
      for (let i = 0; i < 5; i++) void session.set("a", i);
      const revisions = (await whileTimePasses(bridge, Promise.all(reading))).map(
        ({ value }) => (value as SessionEventView).revision,
      );
      expect([...revisions].sort()).toEqual([2, 3, 4, 5, 6]);
    });
  });
}
