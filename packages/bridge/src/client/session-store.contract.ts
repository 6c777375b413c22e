/** What a SessionStore does, whatever its transport. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  AlreadyExistsError,
  BatchError,
  ConflictError,
  ConstraintError,
  DeadlineError,
  DefinitionConflictError,
  InvalidInputError,
  LimitError,
  SessionNotFoundError,
  TypeMismatchError,
  VariableNotFoundError,
} from "../core/errors.js";
import type { Client } from "./client.js";
import { float, integer } from "./definitions.js";
import type { SessionStore } from "./session-store.js";
import { failure, type TestBridge, variables, whileTimePasses } from "./test-bridge.contract.js";
import type { VariableValue } from "./values.js";

/** Runs the contract on the stores of clients of a transport. */
export function sessionStoreContract(transport: string, start: () => Promise<TestBridge>): void {
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

  describe(`${transport}: sessions`, () => {
    test("are created once and keep what they were created with [VAL-17]", async () => {
      const first = await sessions.createSession("s", { ttlMs: 60_000, metadata: { owner: "ops" } });
      expect(first.created).toBe(true);
      expect(first.session).toMatchObject({ id: "s", revision: 1, ttlMs: 60_000, variableCount: 0 });
      expect(first.session.createdAt).toEqual(new Date(bridge.clock.wallTime()));
      const second = await sessions.createSession("s", { ttlMs: 5, metadata: { owner: "me" } });
      expect(second.created).toBe(false);
      expect(second.session.ttlMs).toBe(60_000);
      expect(second.session.metadata).toEqual(new Map([["owner", "ops"]]));
    });

    test("are found, or not found with their id", async () => {
      await sessions.createSession("s");
      expect(await sessions.sessionExists("s")).toBe(true);
      expect(await sessions.sessionExists("t")).toBe(false);
      expect((await sessions.getSession("s")).id).toBe("s");
      const error = await failure(sessions.getSession("t"));
      expect(error).toBeInstanceOf(SessionNotFoundError);
      expect(error).toMatchObject({
        reason: "SESSION_NOT_FOUND",
        sessionId: "t",
        retryable: false,
        message: "Session not found: t",
      });
    });

    test("are listed by id and by glob", async () => {
      for (const id of ["b-2", "a", "b-1", "ä"]) await sessions.createSession(id);
      const ids = async (glob?: string) =>
        (await sessions.listSessions(glob === undefined ? {} : { glob })).map(({ id }) => id);
      expect(await ids()).toEqual(["a", "b-1", "b-2", "ä"]);
      expect(await ids("b-*")).toEqual(["b-1", "b-2"]);
      expect(await ids("?")).toEqual(["a", "ä"]);
      expect(await failure(ids("\\"))).toMatchObject({ reason: "INVALID_ARGUMENT", field: "glob" });
    });

    test("end with all they hold", async () => {
      await sessions.createSession("s");
      expect(await sessions.deleteSession("s")).toBe(2);
      expect(await sessions.sessionExists("s")).toBe(false);
      expect(await failure(sessions.deleteSession("s"))).toBeInstanceOf(SessionNotFoundError);
    });

    test("live on with each use and end when they are not used for their TTL [ORD-12]", async () => {
      await sessions.createSession("s", { ttlMs: 1_000 });
      bridge.clock.advance(999);
      expect(await sessions.heartbeat("s")).toBe(1);
      bridge.clock.advance(999);
      expect((await sessions.getSession("s")).id).toBe("s");
      bridge.clock.advance(1_000);
      expect(await failure(sessions.heartbeat("s"))).toBeInstanceOf(SessionNotFoundError);
    });

    test("with a TTL that means nothing are refused, whoever sees it first", async () => {
      for (const ttlMs of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
        expect(await failure(sessions.createSession("s", { ttlMs }))).toMatchObject({
          reason: "INVALID_ARGUMENT",
          field: "ttl",
        });
      }
    });
  });

  describe(`${transport}: variables`, () => {
    beforeEach(async () => {
      await sessions.createSession("s");
    });

    test("are registered with what limits them, and read by name and id", async () => {
      const registered = await sessions.registerVariable("s", "temperature", "float", 0.5, {
        constraints: { min: 0, max: 1 },
        metadata: { unit: "K" },
      });
      expect(registered).toEqual({
        id: "var_temperature_2",
        name: "temperature",
        type: "float",
        value: 0.5,
        version: 1,
        constraints: new Map([
          ["max", 1],
          ["min", 0],
        ]),
        metadata: new Map([["unit", "K"]]),
        source: "typescript",
        createdAt: new Date(bridge.clock.wallTime()),
        updatedAt: new Date(bridge.clock.wallTime()),
        provisional: false,
      });
      expect(Object.isFrozen(registered)).toBe(true);
      expect(await sessions.getVariable("s", "temperature")).toEqual(registered);
      expect(await sessions.getVariable("s", registered.id)).toEqual(registered);
    });

    test("are registered once", async () => {
      await sessions.registerVariable("s", "x", "float", 1);
      const error = await failure(sessions.registerVariable("s", "x", "float", 2));
      expect(error).toBeInstanceOf(AlreadyExistsError);
      expect(error).toMatchObject({ sessionId: "s", identifier: "x" });
    });

    test("that are not there are not found by their name", async () => {
      const error = await failure(sessions.getVariable("s", "nope"));
      expect(error).toBeInstanceOf(VariableNotFoundError);
      expect(error).toMatchObject({
        sessionId: "s",
        identifier: "nope",
        message: "Variable not found: nope",
      });
    });

    test("are read together at one revision, and what is missing is listed [ORD-11]", async () => {
      const { id } = await sessions.registerVariable("s", "a", "float", 1);
      await sessions.registerVariable("s", "b", "string", "two");
      const { found, missing, revision } = await sessions.getVariables("s", ["b", "nope", id, "a", "gone"]);
      expect([...found].map(([identifier, { value }]) => [identifier, value])).toEqual([
        ["b", "two"],
        [id, 1],
        ["a", 1],
      ]);
      expect(missing).toEqual(["nope", "gone"]);
      expect(revision).toBe(3);
    });

    test("are set, each set a version and a revision", async () => {
      await sessions.registerVariable("s", "x", "float", 1);
      bridge.clock.advance(5_000);
      expect(await sessions.updateVariable("s", "x", 2, { metadata: { why: "test" } })).toEqual({
        version: 2,
        revision: 3,
        point: expect.stringMatching(/^[0-9a-f]{32}-3-[0-9a-f]{16}$/),
        value: 2,
      });
      const view = await sessions.getVariable("s", "x");
      expect(view).toMatchObject({ value: 2, version: 2, metadata: new Map([["why", "test"]]) });
      expect(view.updatedAt.getTime() - view.createdAt.getTime()).toBe(5_000);
    });

    test("have a history, of which the newest values are kept [VAL-20]", async () => {
      await sessions.registerVariable("s", "x", "integer", 0, { metadata: { unit: "K" } });
      const registeredAt = new Date(bridge.clock.wallTime());
      bridge.clock.advance(5_000);
      await sessions.updateVariable("s", "x", 2, { metadata: { why: "test" } });
      expect(await sessions.getVariableHistory("s", "x")).toEqual({
        id: "var_x_2",
        entries: [
          {
            version: 2,
            type: "integer",
            value: 2,
            revision: 3,
            setAt: new Date(registeredAt.getTime() + 5_000),
            source: "typescript",
            metadata: new Map([["why", "test"]]),
          },
          {
            version: 1,
            type: "integer",
            value: 0,
            revision: 2,
            setAt: registeredAt,
            source: "typescript",
            metadata: new Map(),
          },
        ],
        compacted: false,
        revision: 3,
      });
      for (let i = 0; i < 60; i++) await sessions.incrementVariable("s", "x");
      const { entries, compacted } = await sessions.getVariableHistory("s", "var_x_2");
      expect(entries.map(({ value }) => value)).toEqual(Array.from({ length: 50 }, (_, i) => 62 - i));
      expect(compacted).toBe(true);
      const newest = await sessions.getVariableHistory("s", "x", { limit: 2 });
      expect(newest.entries.map(({ version }) => version)).toEqual([62, 61]);
    });

    test("that are not there have none, and a limit has to mean something", async () => {
      const error = await failure(sessions.getVariableHistory("s", "x"));
      expect(error).toBeInstanceOf(VariableNotFoundError);
      expect(error).toMatchObject({ identifier: "x", sessionId: "s" });
      expect(await failure(sessions.getVariableHistory("t", "x"))).toBeInstanceOf(SessionNotFoundError);
      await sessions.registerVariable("s", "x", "float", 1);
      for (const limit of [0, -1, 1.5, 2 ** 32, Number.NaN])
        expect(await failure(sessions.getVariableHistory("s", "x", { limit }))).toMatchObject({
          reason: "INVALID_ARGUMENT",
          field: "limit",
        });
    });

    test("take no value that breaks a constraint, and say which [VAL-1]", async () => {
      await sessions.registerVariable("s", "x", "integer", 50, { constraints: { max: 100 } });
      const error = await failure(sessions.updateVariable("s", "x", 150));
      expect(error).toBeInstanceOf(ConstraintError);
      expect(error).toMatchObject({
        message: "value 150 is above maximum 100",
        constraint: "max",
        identifier: "x",
        sessionId: "s",
      });
      expect((await sessions.getVariable("s", "x")).version).toBe(1);
    });

    test("take no value of another type, and say which [VAL-3]", async () => {
      await sessions.registerVariable("s", "x", "integer", 50);
      const error = await failure(sessions.updateVariable("s", "x", "50"));
      expect(error).toBeInstanceOf(TypeMismatchError);
      expect(error).toMatchObject({ message: "must be an integer", expected: "integer", actual: "string" });
      expect(await failure(sessions.updateVariable("s", "x", 1.5))).toMatchObject({ actual: "number" });
    });

    test("are set only at the version expected [VAL-11]", async () => {
      await sessions.registerVariable("s", "x", "float", 1);
      expect(await sessions.updateVariable("s", "x", 2, { expectedVersion: 1 })).toMatchObject({
        version: 2,
      });
      const error = await failure(sessions.updateVariable("s", "x", 3, { expectedVersion: 1 }));
      expect(error).toBeInstanceOf(ConflictError);
      expect(error).toMatchObject({ expected: 1, current: 2, retryable: true });
      expect(await sessions.updateVariable("s", "new", 3, { expectedVersion: 0 })).toMatchObject({
        version: 1,
      });
      expect(await failure(sessions.updateVariable("s", "x", 3, { expectedVersion: 1.5 }))).toMatchObject({
        reason: "INVALID_ARGUMENT",
        field: "expected_version",
      });
    });

    test("are created by a set only if asked for [VAL-12]", async () => {
      expect(await failure(sessions.updateVariable("s", "x", 1))).toBeInstanceOf(VariableNotFoundError);
      await sessions.updateVariable("s", "x", 1, { onMissing: "inferVariable" });
      await sessions.updateVariable("s", "y", 1n, { onMissing: "inferVariable" });
      expect(await sessions.getVariable("s", "x")).toMatchObject({ type: "float", provisional: true });
      expect(await sessions.getVariable("s", "y")).toMatchObject({ type: "integer", value: 1 });
      const elsewhere = sessions.updateVariable("t", "x", 1, { onMissing: "inferVariable" });
      expect(await failure(elsewhere)).toBeInstanceOf(SessionNotFoundError);
      expect(await sessions.updateVariable("t", "x", 1, { onMissing: "infer" })).toMatchObject({
        revision: 1,
      });
    });

    test("are set together or not at all, and every item at fault is named [VAL-15]", async () => {
      await sessions.ensureVariables("s", variables);
      const { revision } = await sessions.getSession("s");
      const committed = await sessions.updateVariables("s", { temperature: 1, model: "claude" });
      expect(committed).toEqual({
        revision: revision + 1,
        point: expect.stringContaining(`-${revision + 1}-`),
        versions: new Map([
          ["temperature", 2],
          ["model", 2],
        ]),
      });
      const error = await failure(
        sessions.updateVariables("s", { temperature: 9, paused: true, nope: 1, model: "UPPER" }),
      );
      expect(error).toBeInstanceOf(BatchError);
      const { errors } = error as BatchError;
      expect([...errors.keys()]).toEqual(["temperature", "nope", "model"]);
      expect(errors.get("temperature")).toBeInstanceOf(ConstraintError);
      expect(errors.get("nope")).toBeInstanceOf(VariableNotFoundError);
      expect(errors.get("model")).toMatchObject({ constraint: "pattern", identifier: "model" });
      expect((await sessions.getVariable("s", "paused")).value).toBe(false);
    });

    test("are set as far as they can be, and the outcome of each is told [VAL-15]", async () => {
      await sessions.ensureVariables("s", variables);
      const updates: [string, VariableValue][] = [
        ["temperature", 9],
        ["paused", true],
        ["max_tokens", 5],
        ["paused", false],
      ];
      const results = await sessions.updateVariables("s", updates, { atomic: false, metadata: { by: "me" } });
      expect([...results.keys()]).toEqual(["temperature", "paused", "max_tokens"]);
      expect(results.get("temperature")).toBeInstanceOf(ConstraintError);
      expect(results.get("paused")).toMatchObject({ reason: "DUPLICATE_ITEM", identifier: "paused" });
      expect(results.get("max_tokens")).toMatchObject({ version: 2, revision: 3, value: 5 });
      expect((await sessions.getVariable("s", "paused")).value).toBe(true);
    });

    test("are not set by an empty batch, which asks nobody [VAL-14]", async () => {
      expect(await sessions.updateVariables("s", {})).toEqual({
        revision: undefined,
        point: undefined,
        versions: new Map(),
      });
      expect(await sessions.updateVariables("s", [], { atomic: false })).toEqual(new Map());
      expect((await sessions.getSession("s")).revision).toBe(1);
    });

    test("are counted with, and no increment is lost", async () => {
      await sessions.registerVariable("s", "n", "integer", 0, { constraints: { max: 50 } });
      await sessions.registerVariable("s", "f", "float", 0.5);
      await Promise.all(Array.from({ length: 40 }, () => sessions.incrementVariable("s", "n")));
      expect(await sessions.incrementVariable("s", "n", -2n)).toMatchObject({ value: 38 });
      expect(await sessions.incrementVariable("s", "f", 0.25)).toMatchObject({ value: 0.75, version: 2 });
      expect(await failure(sessions.incrementVariable("s", "n", 100))).toBeInstanceOf(ConstraintError);
      expect(await failure(sessions.incrementVariable("s", "n", 0.5))).toBeInstanceOf(TypeMismatchError);
    });

    test("are deleted, and continue at the next version if they come again [VAL-10]", async () => {
      await sessions.registerVariable("s", "x", "float", 1);
      expect(await sessions.deleteVariable("s", "x")).toBe(3);
      expect(await failure(sessions.deleteVariable("s", "x"))).toBeInstanceOf(VariableNotFoundError);
      expect(await sessions.registerVariable("s", "x", "string", "a")).toMatchObject({
        id: "var_x_4",
        version: 2,
      });
    });

    test("are listed by name, type, source and glob, page after page [VAL-9]", async () => {
      await sessions.ensureVariables("s", variables);
      const names = async (filter = {}) =>
        (await sessions.listVariables("s", filter)).map(({ name }) => name);
      expect(await names()).toEqual(["huge", "max_tokens", "model", "paused", "temperature"]);
      expect(await names({ type: "integer" })).toEqual(["huge", "max_tokens"]);
      expect(await names({ glob: "m*" })).toEqual(["max_tokens", "model"]);
      expect(await names({ source: "python" })).toEqual([]);
      expect(await names({ source: "typescript", type: "boolean" })).toEqual(["paused"]);
      expect(await failure(names({ type: "double" }))).toMatchObject({ reason: "UNKNOWN_TYPE" });
      const long = "x".repeat(700_000);
      for (const name of ["p1", "p2", "p3"]) await sessions.registerVariable("s", name, "string", long);
      const listed = await sessions.listVariables("s", { glob: "p?" });
      expect(listed.map(({ value }) => value === long)).toEqual([true, true, true]);
    });

    test("stand as defined, again and again, and keep their values [VAL-5]", async () => {
      const first = await sessions.ensureVariables("s", variables);
      expect(first.map(({ name, value }) => [name, value])).toEqual([
        ["temperature", 0.7],
        ["max_tokens", 256],
        ["huge", 10],
        ["model", "gpt"],
        ["paused", false],
      ]);
      expect(first[0]?.metadata.get("description")).toBe("How bold");
      await sessions.updateVariable("s", "temperature", 1.5);
      const again = await sessions.ensureVariables("s", variables);
      expect(again[0]).toMatchObject({ value: 1.5, version: 2 });
      const error = await failure(
        sessions.ensureVariables("s", { temperature: float(0.5, { max: 1 }), model: integer(1) }),
      );
      expect(error).toBeInstanceOf(BatchError);
      expect([...(error as BatchError).errors]).toMatchObject([
        ["temperature", { reason: "DEFINITION_CONFLICT" }],
        ["model", { reason: "DEFINITION_CONFLICT" }],
      ]);
    });

    test("stand as defined one by one, too, and say what is wrong with the one [VAL-5]", async () => {
      const options = { constraints: { max: 10 }, metadata: { unit: "K" } };
      const first = await sessions.ensureVariable("s", "x", "integer", 5, options);
      expect(first).toMatchObject({ name: "x", value: 5, version: 1, metadata: new Map([["unit", "K"]]) });
      await sessions.updateVariable("s", "x", 7n);
      expect(await sessions.ensureVariable("s", "x", "integer", 5, options)).toMatchObject({
        id: first.id,
        value: 7,
      });
      const error = await failure(
        sessions.ensureVariable("s", "x", "integer", 5, { constraints: { max: 6 } }),
      );
      expect(error).toBeInstanceOf(DefinitionConflictError);
      expect(error).toMatchObject({ identifier: "x", sessionId: "s" });
      expect(await failure(sessions.ensureVariable("t", "x", "float", 1))).toBeInstanceOf(
        SessionNotFoundError,
      );
    });

    test("are waited for where not even the session exists [ORD-13]", async () => {
      const absent = sessions.waitForVariable("s", "x", undefined, { timeoutMs: 1 });
      expect(await failure(whileTimePasses(bridge, absent))).toBeInstanceOf(DeadlineError);
      await sessions.registerVariable("s", "x", "float", 1);
      expect(await sessions.waitForVariable("s", "x")).toMatchObject({ value: 1, version: 1 });
      expect(await sessions.waitForVariable("s", "x", ({ value }) => value === 1)).toMatchObject({
        value: 1,
      });
      const waiting = sessions.waitForVariable("t", "y", ({ version }) => version === 2, {
        timeoutMs: 60_000,
      });
      await sessions.createSession("t", { ttlMs: 0 });
      await sessions.registerVariable("t", "y", "boolean", false);
      await sessions.updateVariable("t", "y", true);
      expect(await whileTimePasses(bridge, waiting)).toMatchObject({ id: "var_y_2", value: true });
    });

    test("with a wrong definition are refused by what is wrong", async () => {
      const register = (constraints: object, type = "float") =>
        failure(
          sessions.registerVariable("s", "x", type as "float", 1, { constraints: constraints as { min: 1 } }),
        );
      expect(await register({ min: 2, max: 1 })).toMatchObject({
        reason: "INVALID_CONSTRAINT",
        field: "min",
      });
      expect(await register({ step: 1 })).toMatchObject({ reason: "INVALID_CONSTRAINT", field: "step" });
      expect(await register({}, "double")).toMatchObject({ reason: "UNKNOWN_TYPE" });
      expect(await register({ min: 2 })).toBeInstanceOf(ConstraintError);
    });

    test("of one request are at most 1,000", async () => {
      const names = Array.from({ length: 1_001 }, (_, i) => `x${i}`);
      const error = await failure(sessions.getVariables("s", names));
      expect(error).toBeInstanceOf(LimitError);
      expect(error).toMatchObject({
        reason: "TOO_MANY_ITEMS",
        setting: "max-items",
        limit: 1_000,
        actual: 1_001,
      });
    });
  });

  describe(`${transport}: values`, () => {
    beforeEach(async () => {
      await sessions.createSession("s");
    });

    test.each([
      ["float", [0, -0, 0.1, -1.5e308, 5e-324, Number.NaN, Number.POSITIVE_INFINITY, -(2 ** 60)]],
      ["integer", [0, -1, 2 ** 53 - 1, 2n ** 53n, -(2n ** 63n), 2n ** 63n - 1n]],
      ["string", ["", "ä", "\u0000", "\ufeffmark", "\u{1f600}", "a\r\nb", "__proto__", "x".repeat(70_000)]],
      ["boolean", [true, false]],
    ] as const)("of type %s arrive as they were sent", async (type, values) => {
      for (const [place, value] of (values as readonly VariableValue[]).entries()) {
        const registered = await sessions.registerVariable("s", `x${place}`, type, value as never);
        expect(registered.value).toBe(value);
        expect((await sessions.updateVariable("s", `x${place}`, value)).value).toBe(value);
        expect((await sessions.getVariable("s", `x${place}`)).value).toBe(value);
      }
    });

    test("of type json are what was set, by whatever says what it is [VAL-18]", async () => {
      await sessions.registerVariable("s", "x", "json", { a: 1 });
      const values = [null, [], {}, { a: [0.5, "b", { c: null }] }, "text", '{"a":1}', 7, -0.5, true];
      for (const value of values) {
        expect((await sessions.updateVariable("s", "x", value)).value).toEqual(value);
        expect((await sessions.getVariable("s", "x")).value).toEqual(value);
      }
      expect((await sessions.updateVariable("s", "x", 7n)).value).toBe(7);
      expect(await failure(sessions.updateVariable("s", "x", 2n ** 53n))).toMatchObject({
        reason: "INVALID_VALUE",
        identifier: "x",
      });
      const { value } = await sessions.getVariable("s", "x");
      expect(value).toBe(7);
    });

    test("of type choice are of their list, which is a list however short it is", async () => {
      const only = { constraints: { choices: ["red"] } };
      const { constraints } = await sessions.registerVariable("s", "x", "choice", "red", only);
      expect(constraints).toEqual(new Map([["choices", ["red"]]]));
      expect(await failure(sessions.updateVariable("s", "x", "blue"))).toMatchObject({
        reason: "CONSTRAINT_VIOLATED",
        message: 'value "blue" is not one of "red"',
      });
      expect(await failure(sessions.registerVariable("s", "y", "choice", "red"))).toMatchObject({
        reason: "INVALID_CONSTRAINT",
        field: "choices",
      });
    });

    test("of JSON fit json variables only, and null no other at all", async () => {
      await sessions.registerVariable("s", "x", "float", 1);
      expect(await failure(sessions.updateVariable("s", "x", [1]))).toMatchObject({
        reason: "TYPE_MISMATCH",
        message: "must be a number",
        actual: "json",
      });
      for (const call of [
        sessions.updateVariable("s", "x", null),
        sessions.updateVariable("s", "new", null, { onMissing: "inferVariable" }),
        sessions.updateVariable("s", "new", {}, { onMissing: "inferVariable" }),
      ]) {
        expect(await failure(call)).toMatchObject({ name: "InvalidInputError", reason: "INVALID_VALUE" });
      }
      expect((await sessions.getSession("s")).revision).toBe(2);
    });

    test.each([
      ["undefined", undefined],
      ["an object of a class", new Date(0)],
      ["an object with undefined in it", { a: undefined }],
      ["a symbol", Symbol("s")],
      ["a lone surrogate", "\udc00"],
      ["an integer of 65 bit", 2n ** 63n],
    ])("that are none are refused by name before anything is sent: %s", async (_, value) => {
      const sent = value as VariableValue;
      await sessions.registerVariable("s", "x", "float", 1);
      const faults = [
        await failure(sessions.updateVariable("s", "x", sent)),
        await failure(sessions.updateVariables("s", { y: 1, x: sent })),
        await failure(sessions.updateVariables("s", { y: 1, x: sent }, { atomic: false })),
        // Without a number an increment is one of 1.
        await failure(sessions.incrementVariable("s", "x", (sent ?? null) as number)),
        await failure(sessions.registerVariable("s", "x", "float", sent as number)),
      ];
      for (const fault of faults) {
        expect(fault).toBeInstanceOf(InvalidInputError);
        expect(fault).toMatchObject({ reason: "INVALID_VALUE", identifier: "x" });
      }
      expect((await sessions.getSession("s")).revision).toBe(2);
    });

    test("names, ids and metadata that a message cannot carry are refused alike [VAL-8]", async () => {
      const lone = "a\ud800";
      const faults = [
        [failure(sessions.createSession(lone)), "INVALID_NAME"],
        [failure(sessions.getVariable("s", lone)), "INVALID_NAME"],
        [failure(sessions.getVariables("s", ["x", lone])), "INVALID_NAME"],
        [failure(sessions.updateVariables("s", { [lone]: 1 })), "INVALID_NAME"],
        [failure(sessions.createSession("t", { metadata: { a: lone } })), "INVALID_METADATA"],
        [failure(sessions.createSession("t", { metadata: { [lone]: "a" } })), "INVALID_METADATA"],
        [failure(sessions.listVariables("s", { glob: lone })), "INVALID_ARGUMENT"],
        [failure(sessions.getSession(undefined as unknown as string)), "INVALID_NAME"],
      ] as const;
      for (const [fault, reason] of faults) {
        expect(await fault).toBeInstanceOf(InvalidInputError);
        expect(await fault).toMatchObject({ reason });
      }
    });

    test("under names that objects have of their own are like any other", async () => {
      const names = ["constructor", "toString", "hasOwnProperty", "2", "1"];
      await sessions.ensureVariables(
        "s",
        Object.fromEntries(names.map((name, place) => [name, integer(place)])),
      );
      const session = await client.session("s");
      const values = await session.getMany(names);
      expect(Object.entries(values)).toHaveLength(5);
      expect(values.constructor).toBe(0);
      expect(await failure(sessions.updateVariables("s", [["__proto__", 1]]))).toMatchObject({
        errors: new Map([["__proto__", expect.objectContaining({ reason: "INVALID_NAME" })]]),
      });
      expect(
        await failure(sessions.createSession("t", { metadata: new Map([["__proto__", "x"]]) })),
      ).toMatchObject({ reason: "INVALID_METADATA" });
    });
  });
}
