/** What is particular to a bridge in the same process; the rest is in `session-store.contract.ts` and `session.contract.ts`. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { DeadlineError, InternalError, OutcomeUnknownError, UnavailableError } from "../../core/errors.js";
import { DEFAULT_LIMITS } from "../../core/limits.js";
import { Engine } from "../../engine/engine.js";
import { MemoryStore } from "../../storage/memory/memory-store.js";
import { settle } from "../../testing/bench.contract.js";
import { FaultyStore } from "../../testing/faulty-store.contract.js";
import { ManualClock } from "../../testing/manual-clock.js";
import type { Client } from "../client.js";
import { localClient } from "../local-client.js";
import { failure } from "../test-bridge.contract.js";
import { LocalTransport } from "./local.js";

let clock: ManualClock;
let store: FaultyStore;
let engine: Engine;
let client: Client;

beforeEach(async () => {
  clock = new ManualClock();
  store = new FaultyStore(new MemoryStore());
  engine = new Engine({
    store,
    clock,
    limits: DEFAULT_LIMITS,
    defaultTtlMs: 0,
    newIncarnation: () => "0".repeat(32),
    version: "1.2.3",
  });
  client = localClient({ engine, clock });
  await client.sessions.createSession("s");
  await client.sessions.registerVariable("s", "x", "float", 1);
});
afterEach(() => engine.close());

const read = (): Promise<unknown> => client.sessions.getVariable("s", "x");

test("a write that is not answered in time has an unknown outcome [ORD-16 accepts]", async () => {
  store.holding = true;
  const outcome = failure(client.sessions.updateVariable("s", "x", 2));
  clock.advance(4_999);
  expect(clock.pendingTimers).toBe(1);
  clock.advance(1);
  expect(await outcome).toBeInstanceOf(OutcomeUnknownError);
  expect(await outcome).toMatchObject({ reason: "OUTCOME_UNKNOWN", sessionId: "s", retryable: false });
});

test("a read that is not answered in time is out of time [ORD-16 accepts]", async () => {
  store.holding = true;
  client.sessions.updateVariable("s", "x", 2).catch(() => {});
  const outcome = failure(client.sessions.getVariable("s", "x", { timeoutMs: 50 }));
  clock.advance(50);
  expect(await outcome).toBeInstanceOf(DeadlineError);
});

test("the default timeout is the client's", async () => {
  const hasty = localClient({ engine, clock, timeoutMs: 10 });
  store.holding = true;
  const outcome = failure(hasty.sessions.updateVariable("s", "x", 2));
  clock.advance(10);
  expect(await outcome).toBeInstanceOf(OutcomeUnknownError);
});

test("an abort ends the waiting with its reason, and the write is carried out all the same", async () => {
  store.holding = true;
  const controller = new AbortController();
  const reason = new Error("enough");
  const outcome = failure(client.sessions.updateVariable("s", "x", 2, { signal: controller.signal }));
  controller.abort(reason);
  expect(await outcome).toBe(reason);
  expect(clock.pendingTimers).toBe(0);
  store.release();
  expect((await client.sessions.getVariable("s", "x")).value).toBe(2);
});

test("a call that was answered leaves no timer behind", async () => {
  await client.sessions.getVariable("s", "x", { signal: new AbortController().signal });
  expect(clock.pendingTimers).toBe(0);
});

test("closing waits for the calls under way", async () => {
  store.holding = true;
  const order: string[] = [];
  const writing = client.sessions.updateVariable("s", "x", 2).then(() => order.push("written"));
  const closing = client.close().then(() => order.push("closed"));
  store.release();
  await Promise.all([writing, closing]);
  expect(order).toEqual(["written", "closed"]);
});

test("closing leaves the engine to its other clients", async () => {
  const other = localClient({ engine, clock });
  await client.close();
  expect((await other.sessions.getVariable("s", "x")).value).toBe(1);
});

test("an engine that is shutting down is unavailable", async () => {
  await engine.close();
  const error = await failure(client.sessions.updateVariable("s", "x", 2));
  expect(error).toBeInstanceOf(UnavailableError);
  expect(error).toMatchObject({ reason: "SHUTTING_DOWN", retryable: true });
});

test("a store that fails leaves the outcome of a write open; a read, and what comes later, finds no bridge", async () => {
  store.holding = true;
  const before = { write: failure(client.sessions.updateVariable("s", "x", 2)), read: failure(read()) };
  await settle();
  const reason = new Error("disk gone");
  store.fail(reason);
  expect(await before.write).toBeInstanceOf(OutcomeUnknownError);
  expect(await before.write).toMatchObject({ sessionId: "s", cause: { begun: true, cause: reason } });
  expect(await before.read).toBeInstanceOf(UnavailableError);
  const after = { write: failure(client.sessions.updateVariable("s", "x", 3)), read: failure(read()) };
  for (const error of [await after.write, await after.read]) {
    expect(error).toBeInstanceOf(UnavailableError);
    expect(error).toMatchObject({ sessionId: "s", cause: { begun: false, cause: reason } });
    expect(error.message).toBe("the store failed: disk gone; nothing was done");
  }
  expect(clock.pendingTimers).toBe(0);
});

test("an engine that breaks is a failure of its own for a read, and an unknown outcome for a write", async () => {
  const bug = new Error("a bug");
  const transport = new LocalTransport({
    engine: {
      dispatch: () => Promise.reject(bug),
      watch: () => Promise.reject(bug),
      follow: () => Promise.reject(bug),
    },
    clock,
  });
  const writing = await failure(transport.call({ kind: "deleteSession", sessionId: "s" }));
  expect(writing).toBeInstanceOf(OutcomeUnknownError);
  expect(writing).toMatchObject({ cause: bug });
  const reading = await failure(transport.call({ kind: "getSession", sessionId: "s" }));
  expect(reading).toBeInstanceOf(InternalError);
  expect(reading).toMatchObject({ reason: "INTERNAL", cause: bug });
  const ending = new Promise((ended) => {
    transport.follow({ sessionId: "s", passive: false }, { updated: () => {}, ended });
  });
  expect(await ending).toMatchObject({ reason: "INTERNAL", sessionId: "s", cause: bug });
});
