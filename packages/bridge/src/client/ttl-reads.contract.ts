/** What sessions with `cache: "ttl"` do, whatever their transport, and what the cache tells of itself in every mode. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  ClosedError,
  ConflictError,
  InvalidInputError,
  NotReadyError,
  SessionNotFoundError,
  VariableNotFoundError,
} from "../core/errors.js";
import type { Client, SessionOptions } from "./client.js";
import type { Session } from "./session.js";
import { failure, type TestBridge, textual, variables, whileTimePasses } from "./test-bridge.contract.js";

/** Longer than any test: what is cached leaves only for another reason. */
const LONG: SessionOptions = { cache: "ttl", cacheTtlMs: 3_600_000, strict: false };

/** Runs the contract on clients of a transport. */
export function ttlReadsContract(transport: string, start: () => Promise<TestBridge>): void {
  let bridge: TestBridge;
  let client: Client;
  let other: Client;
  let session: Session;
  beforeEach(async () => {
    bridge = await start();
    client = bridge.connect();
    other = bridge.connect();
    session = await client.session("s", undefined, LONG);
    await otherSets({ x: 1, y: 1 });
  });
  afterEach(async () => {
    await client.close();
    await other.close();
    await bridge.close();
  });
  const otherSets = (updates: Record<string, number>) =>
    other.sessions.updateVariables("s", updates, { onMissing: "inferVariable" });
  /** Hits, misses and fetches. */
  const counts = () => {
    const { hits, misses, fetches } = session.getCacheStats();
    return [hits, misses, fetches];
  };

  describe(`${transport}: a session with a TTL cache`, () => {
    test("uses an answer again, and says so [ORD-21 accepts]", async () => {
      const first = await session.read("x");
      expect(first).toMatchObject({ value: 1, version: 1, source: "server", ageMs: 0, stale: false });
      await otherSets({ x: 2 });
      expect(await session.get("x")).toBe(1);
      const { ageMs, ...again } = await session.read("x");
      expect(again).toEqual({ ...first, source: "cache", ageMs: undefined });
      expect(ageMs).toBeGreaterThanOrEqual(0);
      expect(counts()).toEqual([2, 1, 1]);
    });

    test("asks when what it has is too old [ORD-21 refuses]", async () => {
      await session.get("x");
      await otherSets({ x: 2 });
      session.setCacheTtl(0);
      expect(await session.get("x")).toBe(2);
      expect(await session.get("x")).toBe(2);
      expect(session.getCacheStats()).toEqual({
        mode: "ttl",
        hits: 0,
        misses: 3,
        fetches: 3,
        evictions: 1,
        size: 0,
      });
    });

    test("asks when it is told to, and takes the answer for what comes after", async () => {
      await session.get("x");
      const { point } = await other.session("s").then((theirs) => theirs.set("x", 2));
      expect(await session.get("x")).toBe(1);
      expect(await session.get("x", { after: point })).toBe(2);
      expect(await session.get("x")).toBe(2);
      await otherSets({ x: 3 });
      expect(await session.get("x", { bypassCache: true })).toBe(3);
      expect(await session.get("x", { maxAgeMs: 3_600_000 })).toBe(3);
      await otherSets({ x: 4 });
      expect(await session.get("x", { maxAgeMs: -1 })).toBe(4);
      expect(counts()).toEqual([3, 2, 4]);
      expect(await failure(session.get("x", { after: "then" }))).toBeInstanceOf(InvalidInputError);
    });

    test("sees what its client writes at once, however and through whichever session", async () => {
      const twin = await client.session("s", undefined, LONG);
      const both = async () => [await session.get("x"), await twin.get("x")];
      expect(await both()).toEqual([1, 1]);
      await session.set("x", 2);
      expect(await both()).toEqual([2, 2]);
      await twin.increment("x");
      expect(await both()).toEqual([3, 3]);
      await session.setMany({ x: 4 });
      expect(await both()).toEqual([4, 4]);
      await client.sessions.updateVariable("s", "x", 5);
      expect(await both()).toEqual([5, 5]);
      await session.update("x", (value) => Number(value) + 1);
      expect(await both()).toEqual([6, 6]);
      await session.delete("x");
      expect(await session.get("x", { default: "gone" })).toBe("gone");
      await session.register("x", "string", "anew");
      expect(await both()).toEqual(["anew", "anew"]);
    });

    test("forgets what a refused write shows to be outdated", async () => {
      await session.get("x");
      await otherSets({ x: 2 });
      expect(await failure(session.set("x", 3, { expectedVersion: 1 }))).toBeInstanceOf(ConflictError);
      expect(await session.get("x")).toBe(2);
    });

    test("forgets one variable, or all", async () => {
      await session.getMany(["x", "y"]);
      await otherSets({ x: 2, y: 2 });
      session.invalidateCache("");
      expect(await session.getMany(["x", "y"])).toEqual({ x: 1, y: 1 });
      session.invalidateCache("x");
      expect(await session.getMany(["x", "y"])).toEqual({ x: 2, y: 1 });
      session.invalidateCache();
      expect(await session.getMany(["x", "y"])).toEqual({ x: 2, y: 2 });
      expect(counts()).toEqual([3, 5, 3]);
    });

    test("has one entry for the name and the id", async () => {
      const { id } = await client.sessions.getVariable("s", "x");
      expect(await session.get(id)).toBe(1);
      expect(await session.get("x")).toBe(1);
      expect(counts()).toEqual([1, 1, 1]);
      session.invalidateCache(id);
      await otherSets({ x: 2 });
      expect(await session.get("x")).toBe(2);
    });

    test("asks once for all who miss a variable at the same time", async () => {
      const reads = Array.from({ length: 20 }, () => session.get("x"));
      const many = session.getMany(["y", "x"]);
      const one = session.get("y");
      expect(await Promise.all(reads)).toEqual(Array(20).fill(1));
      expect(await many).toEqual({ y: 1, x: 1 });
      expect(await one).toBe(1);
      // One for x, one for y.
      expect(counts()).toEqual([0, 23, 2]);
    });

    test("leaves a call to the others when one waits no longer", async () => {
      const controller = new AbortController();
      const impatient = session.get("x", { signal: controller.signal });
      const patient = session.get("x");
      controller.abort(new Error("enough"));
      expect((await failure(impatient)).message).toBe("enough");
      expect(await patient).toBe(1);
      expect(counts()[2]).toBe(1);
      expect((await failure(session.get("y", { signal: controller.signal }))).message).toBe("enough");
    });

    test("takes what is cached from there and reads the rest at one revision, and a snapshot all of it", async () => {
      const defined = await client.session("run", variables, LONG);
      const theirs = await other.session("run", variables);
      await defined.get("temperature");
      await theirs.setMany({ temperature: 1.5, max_tokens: 9 });
      expect(await defined.getMany(["max_tokens", "temperature"])).toEqual({
        max_tokens: 9,
        temperature: 0.7,
      });
      const { values, revision } = await defined.snapshot();
      expect(values).toMatchObject({ max_tokens: 9, temperature: 1.5, huge: 10n });
      expect(revision).toBe(3);
      // What a snapshot was answered is kept.
      expect(await defined.read("temperature")).toMatchObject({ value: 1.5, source: "cache" });
      expect(await defined.getMany(["max_tokens"], { bypassCache: true })).toEqual({ max_tokens: 9 });
      expect(await defined.getMany([])).toEqual({});
    });

    test("names what does not exist, and does not keep that it does not", async () => {
      expect(await failure(session.get("z"))).toMatchObject({
        identifier: "z",
        message: "Variable not found: z",
      });
      const many = await failure(session.getMany(["x", "z", "w"]));
      expect(many).toBeInstanceOf(VariableNotFoundError);
      expect(many.message).toContain('"z", "w"');
      await otherSets({ z: 1 });
      expect(await session.get("z")).toBe(1);
      await session.get("x");
      await other.sessions.deleteVariable("s", "x");
      expect(await session.get("x")).toBe(1);
      expect(await failure(session.history("x"))).toBeInstanceOf(VariableNotFoundError);
      expect(await failure(session.get("x"))).toBeInstanceOf(VariableNotFoundError);
    });

    test("does not let a name that is refused be the fault of another [VAL-8]", async () => {
      const bad = session.getMany(["x", ""]);
      const good = session.get("x");
      expect(await failure(bad)).toMatchObject({ reason: "INVALID_NAME" });
      expect(await good).toBe(1);
    });

    test("is empty when the session is gone, or is another [ORD-4]", async () => {
      await session.getMany(["x", "y"]);
      await other.sessions.deleteSession("s");
      expect(await session.get("x")).toBe(1);
      expect(await failure(session.get("z"))).toBeInstanceOf(SessionNotFoundError);
      expect(await failure(session.get("x"))).toBeInstanceOf(SessionNotFoundError);
      await other.sessions.createSession("s");
      await otherSets({ x: 7, y: 7 });
      // The first answer tells of the other life, and is not kept itself.
      for (const fetches of [4, 5, 5]) {
        expect(await session.getMany(["x", "y"])).toEqual({ x: 7, y: 7 });
        expect(counts()[2]).toBe(fetches);
      }
      await other.sessions.deleteSession("s");
      await other.sessions.createSession("s");
      await otherSets({ x: 8, y: 8 });
      expect(await session.get("y")).toBe(7);
      expect(await session.get("x", { bypassCache: true })).toBe(8);
      expect(await session.get("y")).toBe(8);
    });

    test("waits for a value, and begins an update, at the bridge", async () => {
      await session.get("x");
      const waiting = session.waitFor("x", (value) => value === 2);
      await otherSets({ x: 2 });
      expect(await whileTimePasses(bridge, waiting)).toBe(2);
      await otherSets({ x: 10 });
      const seen: unknown[] = [];
      await session.update("x", (value) => {
        seen.push(value);
        return 11;
      });
      expect(seen).toEqual([10]);
    });

    test("gives each reader of json an object of its own [VAL-18]", async () => {
      const defined = await client.session("run", textual, LONG);
      const plan = await defined.get("plan");
      expect(await defined.get("plan")).toEqual(plan);
      expect(await defined.get("plan")).not.toBe(plan);
      expect(defined.getCacheStats().hits).toBe(2);
    });

    test("has nothing to peek into and nothing to wait for", async () => {
      await session.ready();
      await session.get("x");
      expect(() => session.peek("x")).toThrow(NotReadyError);
      expect(() => session.peek("x")).toThrow('cache: "ttl"');
    });

    test("is not used any more once it is closed", async () => {
      await session.get("x");
      await session.close();
      for (const use of [
        () => session.getCacheStats(),
        () => session.invalidateCache(),
        () => session.setCacheTtl(1),
      ])
        expect(use).toThrow(ClosedError);
      expect(await failure(session.get("x"))).toBeInstanceOf(ClosedError);
    });

    test("refuses what is no time and no mode, before anything is asked", async () => {
      for (const cacheTtlMs of [-1, Number.NaN])
        expect(await failure(client.session("none", undefined, { cache: "ttl", cacheTtlMs }))).toBeInstanceOf(
          RangeError,
        );
      expect(await failure(client.session("none", undefined, { cache: "on" as "off" }))).toBeInstanceOf(
        RangeError,
      );
      expect(await client.sessions.sessionExists("none")).toBe(false);
      expect(() => session.setCacheTtl(-1)).toThrow(RangeError);
    });
  });

  describe(`${transport}: what a cache tells of itself`, () => {
    test("is how often it was asked, and with a copy what that is like", async () => {
      const live = await client.session("s");
      expect(live.getCacheStats()).toEqual({
        mode: "live",
        hits: 0,
        misses: 0,
        fetches: 0,
        evictions: 0,
        size: 0,
        state: "NOT_READY",
        reason: undefined,
        ageMs: undefined,
        staleReads: 0,
        variables: 0,
        bytes: 0,
      });
      await other.sessions.registerVariable("s", "long", "string", "l".repeat(70_000));
      await live.ready();
      await live.get("x");
      live.peek("x");
      await live.read("x");
      await live.getMany(["x", "y", "y"]);
      await failure(live.getMany(["none"]));
      await live.get("long");
      await live.get("x", { bypassCache: true });
      expect(live.getCacheStats()).toMatchObject({
        hits: 6,
        misses: 1,
        fetches: 2,
        size: 2,
        state: "READY",
        reason: undefined,
        ageMs: expect.any(Number),
        staleReads: 0,
        variables: 3,
        bytes: 16,
      });
      // There is nothing to forget, and nothing that is too old.
      live.invalidateCache();
      live.setCacheTtl(0);
      expect(live.peek("x")).toBe(1);
      expect(() => live.setCacheTtl(-1)).toThrow(RangeError);
    });

    test("is only how often the bridge was asked, where there is no cache", async () => {
      const off = await client.session("s", undefined, { cache: "off" });
      await off.get("x");
      await off.getMany(["x", "y"]);
      off.invalidateCache();
      expect(off.getCacheStats()).toEqual({
        mode: "off",
        hits: 0,
        misses: 0,
        fetches: 2,
        evictions: 0,
        size: 0,
      });
      expect(() => off.setCacheTtl(1)).toThrow(TypeError);
      expect(await failure(off.get("x", { after: "then" }))).toBeInstanceOf(InvalidInputError);
    });
  });
}
