/** What sessions that read live do, whatever their transport. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  ClosedError,
  DeadlineError,
  InvalidInputError,
  NotReadyError,
  SessionNotFoundError,
  VariableNotFoundError,
} from "../core/errors.js";
import type { Client } from "./client.js";
import type { Session } from "./session.js";
import {
  failure,
  stepsApart,
  type TestBridge,
  textual,
  variables,
  whileTimePasses,
} from "./test-bridge.contract.js";

/** More than a copy is told of a value. */
const LONG = "x".repeat(65_537);

/** Runs the contract on clients of a transport. */
export function liveReadsContract(transport: string, start: () => Promise<TestBridge>): void {
  let bridge: TestBridge;
  let client: Client;
  let other: Client;
  let session: Session;
  beforeEach(async () => {
    bridge = await start();
    client = bridge.connect();
    other = bridge.connect();
    session = await client.session("s", undefined, { ttlMs: 60_000 });
    await otherSets({ x: 1, y: 1 });
  });
  afterEach(async () => {
    await client.close();
    await other.close();
    await bridge.close();
  });
  const otherSets = async (updates: Record<string, number | string>): Promise<string> =>
    (await other.sessions.updateVariables("s", updates, { onMissing: "inferVariable" })).point as string;

  describe(`${transport}: a session that reads live`, () => {
    test("asks until its copy is there, and then nobody [ORD-2 accepts]", async () => {
      expect(await session.read("x")).toMatchObject({ value: 1, source: "server", stale: false });
      await session.ready();
      const { fetches } = session.getCacheStats();
      expect(await session.read("x")).toMatchObject({ value: 1, source: "replica", stale: false });
      expect(await session.get("x")).toBe(1);
      expect(session.peek("x")).toBe(1);
      expect(session.getCacheStats()).toMatchObject({ mode: "live", state: "READY", fetches, variables: 2 });
    });

    test("has its own writes at once, whoever of the client made them [ORD-1 accepts]", async () => {
      await session.ready();
      for (let value = 2; value < 30; value++) {
        if (value % 2 === 0) await session.set("x", value);
        else await client.sessions.updateVariable("s", "x", value);
        expect(session.peek("x")).toBe(value);
      }
    });

    test("has what others wrote as soon as it is told, and waits for it where it has to [ORD-3 accepts]", async () => {
      await session.ready();
      for (let value = 2; value < 30; value++) {
        const after = await otherSets({ x: value });
        expect(await session.read("x", { after })).toMatchObject({ value, source: "replica" });
        expect(session.peek("x")).toBe(value);
      }
    });

    test.each<[string, () => Promise<unknown>]>([
      ["get", () => session.get("x")],
      ["read", async () => (await session.read("x")).value],
      ["getMany", async () => (await session.getMany(["x"])).x],
    ])(
      "lets a loop that awaits nothing but %s be told what others write [ORD-9 accepts]",
      async (_, read) => {
        await session.ready();
        const written = otherSets({ x: 2 });
        let reads = 0;
        while ((await read()) !== 2 && reads < 200_000) reads++;
        expect(reads).toBeLessThan(200_000);
        await written;
      },
    );

    test("asks where it waited in vain for a point, or is told to [ORD-3 refuses]", async () => {
      await session.ready();
      // Of another life of the session, which this one never comes to.
      const after = `${"f".repeat(32)}-7-${"0".repeat(16)}`;
      const waits = session.read("x", { after, timeoutMs: 5_000 });
      expect(await whileTimePasses(bridge, waits)).toMatchObject({ source: "server" });
      // The time is that of all of it.
      const gives = failure(session.get("x", { after, timeoutMs: 100, default: 7 }));
      expect(await whileTimePasses(bridge, gives)).toBeInstanceOf(DeadlineError);
      expect(await session.read("x", { bypassCache: true })).toMatchObject({ source: "server" });
      expect(await failure(session.read("x", { after: "yesterday" }))).toBeInstanceOf(InvalidInputError);
    });

    test("knows what is absent without asking [ORD-7 accepts]", async () => {
      await session.ready();
      const { fetches } = session.getCacheStats();
      expect(await session.get("nope", { default: undefined })).toBeUndefined();
      expect(await failure(session.get("nope"))).toMatchObject({
        reason: "VARIABLE_NOT_FOUND",
        message: "Variable not found: nope",
        sessionId: "s",
        identifier: "nope",
      });
      expect(() => session.peek("nope")).toThrow(VariableNotFoundError);
      expect(await failure(session.getMany(["x", "nope", "gone"]))).toMatchObject({ identifier: "nope" });
      expect(await failure(session.get(" x"))).toBeInstanceOf(InvalidInputError);
      expect(() => session.peek("")).toThrow(InvalidInputError);
      expect(session.getCacheStats()).toMatchObject({ fetches });
    });

    test("asks for what is too long for a copy [ORD-7 refuses]", async () => {
      await session.ready();
      const after = await otherSets({ text: LONG });
      expect(await session.read("text", { after })).toMatchObject({ value: LONG, source: "server" });
      expect(await session.getMany(["x", "text"])).toEqual({ x: 1, text: LONG });
      expect(() => session.peek("text")).toThrow(NotReadyError);
      expect(session.getCacheStats()).toMatchObject({ variables: 3, size: 2 });
    });

    test("reads several at one revision, as many as there are [ORD-8 accepts]", async () => {
      await session.ready();
      for (let first = 0; first < 1_500; first += 500) {
        const updates = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`n${first + i}`, i]));
        await session.setMany(updates);
      }
      const names = Array.from({ length: 1_500 }, (_, i) => `n${i}`);
      const { fetches } = session.getCacheStats();
      expect(Object.keys(await session.getMany(names))).toEqual(names);
      expect(session.getCacheStats()).toMatchObject({ fetches });
    });

    test("gives what was true at the revision that it names, whatever is told meanwhile [ORD-11 accepts]", async () => {
      await session.ready();
      let value = 1;
      const read = () => session.read("x");
      const write = () => other.sessions.updateVariable("s", "x", ++value);
      for (let steps = 0; steps < 20; steps++) {
        const [first, written] = await stepsApart(steps, read, write);
        expect(first.value).toBe(first.revision < (written.revision as number) ? value - 1 : value);
        await session.read("x", { after: written.point });
        const [next, second] = await stepsApart(steps, write, read);
        expect(second.value).toBe(second.revision < (next.revision as number) ? value - 1 : value);
        await session.read("x", { after: next.point });
      }
    });

    test("finds variables by their ids, and not by those of a life that is over", async () => {
      await session.ready();
      const { id } = await other.sessions.getVariable("s", "x");
      expect(await session.read(id)).toMatchObject({ value: 1, source: "replica" });
      await session.delete("x");
      await session.set("x", 5);
      expect(await failure(session.get(id))).toBeInstanceOf(VariableNotFoundError);
      expect(session.peek("x")).toBe(5);
    });

    test("knows that its session is gone, and that it is there again [ORD-13 accepts]", async () => {
      await session.ready();
      await client.sessions.deleteSession("s");
      expect(() => session.peek("x")).toThrow(SessionNotFoundError);
      expect(await session.get("x", { default: 7 })).toBe(7);
      expect(await failure(session.getMany(["x"]))).toBeInstanceOf(SessionNotFoundError);
      await client.sessions.createSession("s");
      await session.set("x", 9);
      expect(session.peek("x")).toBe(9);
      expect(session.getCacheStats()).toMatchObject({ variables: 1 });
    });

    test("gives values as its definitions have them, json frozen and shared [VAL-18]", async () => {
      const typed = await client.session("typed", { ...variables, ...textual });
      await typed.ready();
      expect(typed.peek("huge")).toBe(10n);
      expect(typed.peek("max_tokens")).toBe(256);
      expect(typed.peek("anything")).toBeNull();
      const plan = typed.peek("plan");
      expect(plan).toEqual({ steps: ["a"] });
      expect(Object.isFrozen(plan.steps)).toBe(true);
      expect(typed.peek("plan")).toBe(plan);
      expect((await typed.snapshot()).values).toMatchObject({ huge: 10n, phase: "warm-up" });
    });

    test("shares the copy with other sessions of the client, until the last is closed", async () => {
      const second = await client.session("s");
      await session.ready();
      expect(second.peek("x")).toBe(1);
      await session.close();
      expect(() => session.peek("x")).toThrow(ClosedError);
      expect(await failure(session.get("x"))).toBeInstanceOf(ClosedError);
      await second.set("x", 2);
      expect(second.peek("x")).toBe(2);
      await second.close();
      const third = await client.session("s");
      expect(() => third.peek("x")).toThrow(NotReadyError);
      await third.ready();
      expect(third.peek("x")).toBe(2);
    });

    test("answers what was read before it was closed, and takes nothing for absent that was there [VAL-13 refuses]", async () => {
      await session.ready();
      const reads = () => [
        session.get("x", { default: 7, maxAgeMs: 60_000 }),
        session.read("x").then(({ value }) => value),
        session.getMany(["x"]).then(({ x }) => x),
      ];
      const before = reads();
      await session.close();
      expect(await Promise.all(before)).toEqual([1, 1, 1]);
      session = await client.session("s");
      await session.ready();
      const last = reads();
      await client.close();
      expect(await Promise.all(last)).toEqual([1, 1, 1]);
    });

    test.each(["the last", "one"])("ends what waits when it is closed, as %s of its copy", async (which) => {
      const second = which === "one" ? await client.session("s") : undefined;
      // Begun before there is a copy, and for a point that is never reached.
      const ready = failure(session.ready());
      const after = `${"f".repeat(32)}-7-${"0".repeat(16)}`;
      const reading = failure(session.get("x", { default: 7, after }));
      await session.close();
      expect(await ready).toBeInstanceOf(ClosedError);
      expect(await reading).toBeInstanceOf(ClosedError);
      await second?.ready();
      expect(second?.peek("x")).toBe(second === undefined ? undefined : 1);
    });

    test("keeps its session in use until it is closed [ORD-12]", async () => {
      await session.ready();
      bridge.clock.advance(61_000);
      expect(await other.sessions.sessionExists("s")).toBe(true);
      await session.close();
      // The bridge learns of it a moment later, in the order of what the client says.
      await client.ping();
      bridge.clock.advance(61_000);
      expect(await other.sessions.sessionExists("s")).toBe(false);
    });

    test("is not read from once its client is closed", async () => {
      await session.ready();
      await client.close();
      expect(await failure(session.get("x"))).toBeInstanceOf(ClosedError);
      expect(() => session.peek("x")).toThrow(NotReadyError);
      expect(await failure(session.ready())).toBeInstanceOf(ClosedError);
    });

    test("has no copy where it is told to ask, or does not stop at once", async () => {
      const asking = await client.session("s", undefined, { cache: "off" });
      await asking.ready();
      expect(() => asking.peek("x")).toThrow(NotReadyError);
      expect(await asking.read("x")).toMatchObject({ source: "server" });
      await expect(client.session("s", undefined, { maxStaleMs: -1 })).rejects.toThrow(RangeError);
      const signal = AbortSignal.abort("enough");
      expect(await session.ready({ signal }).catch((reason: unknown) => reason)).toBe("enough");
    });
  });
}
