/** What a Client and its Sessions do, whatever their transport. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  BatchError,
  BridgeError,
  ClosedError,
  ConstraintError,
  DefinitionConflictError,
  InvalidInputError,
  SessionNotFoundError,
  VariableNotFoundError,
} from "../core/errors.js";
import type { Client } from "./client.js";
import type { SessionStore } from "./session-store.js";
import { failure, type TestBridge, textual, variables, whileTimePasses } from "./test-bridge.contract.js";

/** Runs the contract on clients of a transport. */
export function sessionContract(transport: string, start: () => Promise<TestBridge>): void {
  let bridge: TestBridge;
  let client: Client;
  let sessions: SessionStore;
  beforeEach(async () => {
    bridge = await start();
    client = bridge.connect();
    sessions = client.sessions;
  });
  afterEach(async () => {
    await client.close();
    await bridge.close();
  });

  describe(`${transport}: a session with definitions`, () => {
    test("is created with its variables, and opened again as it stands", async () => {
      const session = await client.session("run", variables, { ttlMs: 60_000, metadata: { owner: "ops" } });
      await session.set("temperature", 1.1);
      const again = await client.session("run", variables, { ttlMs: 1 });
      expect(await again.get("temperature")).toBe(1.1);
      expect(await again.info()).toMatchObject({ ttlMs: 60_000, metadata: new Map([["owner", "ops"]]) });
    });

    test("reads values of the types defined", async () => {
      const session = await client.session("run", variables);
      expect(await session.get("temperature")).toBe(0.7);
      expect(await session.get("max_tokens")).toBe(256);
      expect(await session.get("huge")).toBe(10n);
      expect(await session.getMany(["model", "huge"])).toEqual({ model: "gpt", huge: 10n });
      expect(await session.read("max_tokens")).toEqual({
        value: 256,
        type: "integer",
        version: 1,
        revision: 2,
        point: expect.stringContaining("-2-"),
        source: expect.stringMatching(/server|replica/),
        ageMs: expect.any(Number),
        stale: false,
      });
      expect(await session.snapshot()).toEqual({
        revision: 2,
        point: expect.stringContaining("-2-"),
        values: { temperature: 0.7, max_tokens: 256, huge: 10n, model: "gpt", paused: false },
      });
    });

    test("writes values in the arms of the types defined [VAL-3]", async () => {
      const session = await client.session("run", variables);
      expect(await session.set("temperature", 1)).toMatchObject({ version: 2, revision: 3, value: 1 });
      expect(await session.set("huge", 2n ** 60n)).toMatchObject({ value: 2n ** 60n });
      expect(await session.setMany({ max_tokens: 5, paused: true })).toEqual({
        revision: 5,
        point: expect.stringContaining("-5-"),
        versions: new Map([
          ["max_tokens", 2],
          ["paused", 2],
        ]),
      });
      expect(await session.increment("max_tokens", -4)).toMatchObject({ value: 1 });
      expect(await session.increment("huge")).toMatchObject({ value: 2n ** 60n + 1n });
      expect(await session.increment("temperature", 0.5)).toMatchObject({ value: 1.5 });
      expect(await failure(session.set("max_tokens", 1.5))).toMatchObject({
        reason: "TYPE_MISMATCH",
        message: "must be an integer",
      });
      expect(await failure(session.set("max_tokens", 2 ** 53))).toMatchObject({ reason: "INVALID_VALUE" });
      expect(await session.setMany({ temperature: 9, paused: false }, { atomic: false })).toEqual(
        new Map<string, unknown>([
          ["temperature", expect.any(ConstraintError)],
          ["paused", expect.objectContaining({ version: 3, revision: 9, value: false })],
        ]),
      );
      expect(await failure(session.setMany({ temperature: 9 }))).toBeInstanceOf(BatchError);
    });

    test("holds choices and json values, as they are defined [VAL-18]", async () => {
      const session = await client.session("run", textual);
      expect(await session.get("phase")).toBe("warm-up");
      const plan = await session.get("plan");
      expect(plan).toEqual({ steps: ["a"] });
      expect(Object.isFrozen(plan.steps)).toBe(true);
      expect(await session.get("anything")).toBeNull();
      expect(await session.get("anything", { default: 5 })).toBeNull();
      expect(await session.set("phase", "main")).toMatchObject({ version: 2, value: "main" });
      expect(await session.set("plan", { steps: [], rate: 0.5 })).toMatchObject({
        value: { steps: [], rate: 0.5 },
      });
      for (const value of ["text", '{"a":1}', 5, true, null, [1, { a: null }]]) {
        expect(await session.set("anything", value)).toMatchObject({ value });
        expect(await session.read("anything")).toMatchObject({ type: "json", value });
      }
      expect(await failure(session.set("phase", "over" as "done"))).toMatchObject({
        reason: "CONSTRAINT_VIOLATED",
        constraint: "choices",
        message: 'value "over" is not one of "warm-up", "main", "done"',
      });
      const twice = session.set("anything", { a: [1n] as unknown as null[] });
      expect(await failure(twice)).toMatchObject({ reason: "INVALID_VALUE", identifier: "anything" });
    });

    test("sets variables to what is made of their values, and loses no write", async () => {
      const session = await client.session("run", variables);
      const updates = Array.from({ length: 8 }, () => session.update("max_tokens", (tokens) => tokens + 1));
      const values = (await whileTimePasses(bridge, Promise.all(updates))).map(({ value }) => value);
      expect(values.sort((a, b) => a - b)).toEqual([257, 258, 259, 260, 261, 262, 263, 264]);
      const written = await session.update("model", async (model) => `${model}-x`, {
        metadata: { by: "me" },
      });
      expect(written).toMatchObject({ value: "gpt-x", version: 2 });
      expect((await sessions.getVariable("run", "model")).metadata).toEqual(new Map([["by", "me"]]));
      expect(await failure(session.update("temperature", (bold) => bold + 9))).toBeInstanceOf(
        ConstraintError,
      );
      await session.delete("paused");
      expect(await failure(session.update("paused", (paused) => !paused))).toBeInstanceOf(
        VariableNotFoundError,
      );
    });

    test("waits for values, of variables that do not exist too", async () => {
      const session = await client.session("run", variables);
      expect(await session.waitFor("model")).toBe("gpt");
      await session.delete("paused");
      const looked: boolean[] = [];
      const look = (paused: boolean): boolean => looked.push(paused) > 0 && paused;
      const waiting = session.waitFor("paused", look, { timeoutMs: 60_000 });
      await session.register("paused", "boolean", false);
      const followed = session.waitFor("paused", async () => looked.length > 0, { timeoutMs: 60_000 });
      expect(await whileTimePasses(bridge, followed)).toBe(false);
      await session.set("paused", true);
      expect(await whileTimePasses(bridge, waiting)).toBe(true);
      expect([looked[0], looked.at(-1)]).toEqual([false, true]);
    });

    test("has further variables stand as given, again and again [VAL-5]", async () => {
      const session = await client.session("run", variables);
      const first = await session.ensure("note", "string", "hi", { constraints: { max_length: 5 } });
      await sessions.updateVariable("run", "note", "there");
      expect(await session.ensure("note", "string", "hi", { constraints: { max_length: 5 } })).toMatchObject({
        id: first.id,
        value: "there",
      });
      const error = await failure(session.ensure("note", "float", 1));
      expect(error).toBeInstanceOf(DefinitionConflictError);
      expect(error).toMatchObject({ identifier: "note", sessionId: "run" });
    });

    test("refuses to round what a number cannot hold, and says what to do", async () => {
      const session = await client.session("run", variables);
      await sessions.updateVariable("run", "max_tokens", 2n ** 53n + 1n);
      const text =
        '"max_tokens": its value 9007199254740993 is beyond 2^53 − 1 and no number holds it exactly: ' +
        "define it with a bigint, as integer(0n)";
      for (const reading of [
        session.get("max_tokens"),
        session.getMany(["max_tokens"]),
        session.snapshot(),
      ]) {
        const error = await failure(reading);
        expect(error).toBeInstanceOf(InvalidInputError);
        expect(error).toMatchObject({ message: text, identifier: "max_tokens" });
      }
    });

    test("tells when a variable is no longer what was defined", async () => {
      const session = await client.session("run", variables);
      await session.delete("model");
      expect(await failure(session.get("model"))).toBeInstanceOf(VariableNotFoundError);
      const missing = await failure(session.getMany(["temperature", "model"]));
      expect(missing).toBeInstanceOf(VariableNotFoundError);
      expect(missing).toMatchObject({ message: 'Variables not found: "model"', identifier: "model" });
      expect(await failure(session.set("model", "gpt"))).toBeInstanceOf(VariableNotFoundError);
      await session.register("model", "boolean", true);
      expect(await failure(session.get("model"))).toMatchObject({
        reason: "TYPE_MISMATCH",
        message: 'variable "model" is of type boolean now, and was defined as string',
        expected: "string",
        actual: "boolean",
      });
    });

    test("shows what its variables were, integers as they were declared [VAL-20]", async () => {
      const session = await client.session("run", variables);
      await session.set("temperature", 0.9, { metadata: { why: "bolder" } });
      await session.increment("huge", 2n ** 60n);
      const { id, entries, compacted, revision } = await session.history("temperature");
      expect({ id, compacted, revision }).toEqual({ id: "var_temperature_2", compacted: false, revision: 4 });
      expect(entries).toMatchObject([
        { version: 2, value: 0.9, revision: 3, metadata: new Map([["why", "bolder"]]) },
        { version: 1, value: 0.7, revision: 2, metadata: new Map() },
      ]);
      const values = async (name: "huge" | "max_tokens" | "model") =>
        (await session.history(name)).entries.map(({ value }) => value);
      expect(await values("huge")).toEqual([2n ** 60n + 10n, 10n]);
      expect(await values("max_tokens")).toEqual([256]);
      await sessions.updateVariable("run", "max_tokens", 2n ** 53n + 1n);
      expect(await values("max_tokens")).toEqual([2n ** 53n + 1n, 256]);
      expect((await session.history("temperature", { limit: 1 })).entries).toHaveLength(1);
      await session.delete("model");
      expect(await failure(values("model"))).toBeInstanceOf(VariableNotFoundError);
    });

    test("gives a default where there is nothing, and only there [VAL-13]", async () => {
      const session = await client.session("run", variables);
      expect(await session.get("temperature", { default: 5 })).toBe(0.7);
      await session.delete("temperature");
      expect(await session.get("temperature", { default: 5 })).toBe(5);
      expect(await session.get("temperature", { default: undefined })).toBeUndefined();
      await sessions.deleteSession("run");
      expect(await session.get("temperature", { default: null })).toBeNull();
      expect(await failure(session.get("temperature"))).toBeInstanceOf(SessionNotFoundError);
      await client.close();
      expect(await failure(session.get("temperature", { default: 5 }))).toBeInstanceOf(ClosedError);
    });

    test("is not revived by a write [ORD-14]", async () => {
      const session = await client.session("run", variables);
      await sessions.deleteSession("run");
      expect(await failure(session.set("temperature", 1))).toBeInstanceOf(SessionNotFoundError);
      const untyped = await client.session("free");
      await sessions.deleteSession("free");
      expect(await failure(untyped.set("x", 1))).toBeInstanceOf(SessionNotFoundError);
    });

    test("lists, keeps alive and tells about itself", async () => {
      const session = await client.session("run", variables);
      await session.register("note", "string", "hi", { constraints: { max_length: 5 } });
      expect((await session.list({ type: "string" })).map(({ name }) => name)).toEqual(["model", "note"]);
      expect(await session.heartbeat()).toBe(3);
      expect(await session.info()).toMatchObject({ id: "run", variableCount: 6 });
    });
  });

  describe(`${transport}: a session without definitions`, () => {
    test("creates variables with the types of their values [VAL-4]", async () => {
      const session = await client.session("free");
      await session.set("loss", 0.5);
      await session.setMany({ step: 3n, phase: "warm", done: false });
      expect(await session.getMany(["loss", "step", "phase", "done"])).toEqual({
        loss: 0.5,
        step: 3,
        phase: "warm",
        done: false,
      });
      expect(await session.increment("hits", 1n)).toMatchObject({ version: 1, revision: 4, value: 1 });
      expect(await failure(session.snapshot())).toBeInstanceOf(TypeError);
    });

    test("creates none if it is strict", async () => {
      const session = await client.session("free", undefined, { strict: true });
      expect(await failure(session.set("loss", 0.5))).toBeInstanceOf(VariableNotFoundError);
    });
  });

  describe(`${transport}: a client`, () => {
    test("sees what another one wrote", async () => {
      const other = bridge.connect();
      const mine = await client.session("run", variables);
      const theirs = await other.session("run", variables);
      await mine.set("model", "claude");
      expect(await theirs.get("model")).toBe("claude");
      await other.close();
    });

    test("knows which bridge answers", async () => {
      const { serverVersion, serverTime } = await client.ping();
      expect(serverVersion).toMatch(/^\d+\.\d+\.\d+/);
      expect(serverTime).toEqual(new Date(bridge.clock.wallTime()));
      expect(client.address).not.toBe("");
    });

    test("does nothing for a signal that is aborted already, and gives its reason", async () => {
      const session = await client.session("run", variables);
      const reason = new Error("changed my mind");
      const options = { signal: AbortSignal.abort(reason) };
      expect(await failure(session.set("temperature", 1, options))).toBe(reason);
      expect(await failure(session.get("temperature", options))).toBe(reason);
      expect(await failure(client.ping(options))).toBe(reason);
      expect(await session.get("temperature", { default: 5 })).toBe(0.7);
    });

    test("takes no timeout that means nothing", async () => {
      for (const timeoutMs of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
        expect(await failure(client.ping({ timeoutMs }))).toBeInstanceOf(RangeError);
      }
    });

    test("refuses everything once it is closed, and so do its sessions", async () => {
      const session = await client.session("run", variables);
      await client.close();
      await client.close();
      for (const call of [client.ping(), sessions.getSession("run"), session.get("model")]) {
        expect(await failure(call)).toBeInstanceOf(ClosedError);
      }
    });

    test("goes on when one of its sessions is closed", async () => {
      const session = await client.session("run", variables);
      await session.close();
      const calls = [
        session.get("model"),
        session.set("model", "a"),
        session.snapshot(),
        session.history("model"),
        session.increment("huge"),
        session.setMany({}),
        session.list(),
        session.heartbeat(),
        session.info(),
        session.delete("model"),
        session.register("x", "float", 1),
        session.ensure("x", "float", 1),
        session.update("model", (model) => model),
        session.waitFor("model"),
      ];
      for (const call of calls) {
        const error = await failure(call);
        expect(error).toBeInstanceOf(ClosedError);
        expect(error).toMatchObject({ reason: "CLOSED", sessionId: "run" });
      }
      expect(await sessions.sessionExists("run")).toBe(true);
    });

    test("fails with nothing but errors of the bridge", async () => {
      for (const call of [
        sessions.getSession(""),
        sessions.getSession(" a"),
        sessions.getVariable("s", ""),
      ]) {
        expect(await failure(call)).toBeInstanceOf(BridgeError);
      }
    });
  });
}
