/** A copy whose subscription is lost, refused and begun again, on a clock that stands still. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { beforeEach, expect, test } from "vitest";
import type { Revision } from "../core/commands.js";
import { type BridgeError, type ErrorReason, errorFor } from "../core/errors.js";
import type { Follow, StateUpdate } from "../core/state-update.js";
import { ManualClock } from "../testing/manual-clock.js";
import { Deadline } from "./deadline.js";
import { Following } from "./following.js";
import { LiveReads } from "./live-reads.js";
import type { Answer, Reads } from "./reads.js";
import { failure } from "./test-bridge.contract.js";
import { nodeOperator } from "./transport/node-operator.js";
import { type Lost, Resting } from "./transport/resting.js";
import type { FollowReader, Transport } from "./transport/transport.js";

const at = (number: number): Revision => ({ incarnation: "a".repeat(32), number, check: BigInt(number) });
const update = (base: number | undefined, number: number): StateUpdate => ({
  ...(base === undefined ? {} : { base: at(base) }),
  revision: at(number),
  changed: [{ name: "t", id: "var_t_1", version: number, type: "float", value: number }],
  deleted: [],
  more: false,
});
const error = (reason: ErrorReason): BridgeError => errorFor(reason, `it is ${reason}`);

let clock: ManualClock;
let asked: { readonly follow: Follow; readonly reader: FollowReader; stopped: boolean }[];
let following: Following;
let reads: LiveReads;
const last = () => asked.at(-1) as (typeof asked)[number];
const fromServer = { variable: { type: "float", value: -1, version: 99 } } as unknown as Answer;

beforeEach(() => {
  clock = new ManualClock();
  asked = [];
  const follow = (wanted: Follow, reader: FollowReader) => {
    const one = { follow: wanted, reader, stopped: false };
    asked.push(one);
    return () => {
      one.stopped = true;
    };
  };
  const resting = new Resting(clock, Math.random);
  const rest = (lost: Lost, then: () => void) => resting.rest(lost, then);
  following = new Following(
    { address: "here", clock, follow, rest, operator: nodeOperator } as unknown as Transport,
    "s",
  );
  reads = new LiveReads({
    sessionId: "s",
    following,
    server: { get: async () => fromServer, stats: () => ({ fetches: 0 }) } as unknown as Reads,
    maxStaleMs: 30_000,
    now: () => clock.now(),
    deadline: (options) => new Deadline({ timeoutMs: 5_000, ...options }, clock),
    release: () => following.end(),
  });
});
const read = async (options = {}) => {
  const { variable, source, stale, ageMs } = await reads.get("t", options);
  return { value: variable.value, source, stale, ageMs };
};

test("nothing is asked for before the first read", async () => {
  expect(asked).toHaveLength(0);
  await reads.get("t", {});
  expect(asked).toHaveLength(1);
  expect(last().follow).toEqual({ sessionId: "s", passive: false });
  await reads.get("t", {});
  expect(asked).toHaveLength(1);
});

test("it is begun again where it stood, after longer and longer pauses, and never in a tight loop", () => {
  following.begin();
  last().reader.updated(update(undefined, 3));
  last().reader.ended(error("UNAVAILABLE"));
  expect(asked).toHaveLength(1);
  let before = 0;
  for (let attempt = 1; attempt <= 12; attempt++) {
    const since = clock.now();
    while (asked.length === attempt) clock.advance(10);
    const pauseMs = clock.now() - since;
    expect(pauseMs).toBeGreaterThanOrEqual(Math.min(15_000, 50 * 2 ** (attempt - 1)));
    expect(pauseMs).toBeLessThanOrEqual(Math.min(30_000, 100 * 2 ** (attempt - 1)));
    before = Math.max(before, pauseMs);
    expect(last().follow.after).toEqual(at(3));
    last().reader.ended(error(attempt % 2 === 0 ? "SHUTTING_DOWN" : "TOO_MANY_WATCHES"));
  }
  expect(before).toBeGreaterThanOrEqual(15_000);
  // Told again, and it begins with a short pause; that it was only told what there is does not count.
  clock.advance(30_000);
  last().reader.updated(update(3, 3));
  last().reader.ended(error("UNAVAILABLE"));
  const asking = asked.length;
  clock.advance(14_000);
  expect(asked).toHaveLength(asking);
  clock.advance(16_000);
  last().reader.updated(update(3, 3));
  last().reader.updated(update(3, 4));
  last().reader.ended(error("UNAVAILABLE"));
  const count = asked.length;
  clock.advance(100);
  expect(asked).toHaveLength(count + 1);
  expect(last().follow.after).toEqual(at(4));
});

test("who reads has it rest no longer than a call would, and never asks in a tight loop", async () => {
  following.begin();
  last().reader.updated(update(undefined, 3));
  for (let i = 0; i < 12; i++) {
    last().reader.ended(error("UNAVAILABLE"));
    if (i < 11) clock.advance(30_000);
  }
  const count = asked.length;
  clock.advance(10_000);
  expect(asked).toHaveLength(count);
  // It has rested longer than a call does between two attempts.
  await failure(reads.get("t", {}));
  clock.advance(0);
  expect(asked).toHaveLength(count + 1);
  expect(last().follow.after).toEqual(at(3));
  last().reader.ended(error("UNAVAILABLE"));
  const begunAt = clock.now();
  while (clock.now() < begunAt + 60_000) {
    await failure(reads.get("t", {}));
    const known = asked.length;
    clock.advance(10);
    if (asked.length > known) last().reader.ended(error("UNAVAILABLE"));
  }
  expect(asked.length).toBeGreaterThanOrEqual(count + 30);
  expect(asked.length).toBeLessThanOrEqual(count + 61);
  last().reader.updated(update(3, 4));
});

test("after a gap all is asked for, and what has become of the old subscription is no matter [ORD-4 refuses]", () => {
  following.begin();
  const first = last();
  first.reader.updated(update(undefined, 3));
  first.reader.updated(update(4, 5));
  expect(first.stopped).toBe(true);
  expect(following.replica.state).toBe("STALE");
  clock.advance(100);
  expect(asked).toHaveLength(2);
  expect(last().follow).not.toHaveProperty("after");
  last().reader.updated(update(undefined, 5));
  expect(following.replica).toMatchObject({ state: "READY", isCurrent: true });
});

test.each<ErrorReason>(["UNAUTHENTICATED", "PERMISSION_DENIED", "VERSION_MISMATCH", "INVALID_NAME"])(
  "%s ends it for good, and the bridge is asked each time [ORD-13 refuses]",
  async (reason) => {
    following.begin();
    last().reader.updated(update(undefined, 3));
    last().reader.ended(error(reason));
    clock.advance(100_000);
    expect(asked).toHaveLength(1);
    expect(following.replica).toMatchObject({ state: "NOT_READY", reason: `it is ${reason}` });
    expect(await reads.get("t", {})).toBe(fromServer);
    expect(await failure(reads.ready({}))).toMatchObject({ reason });
  },
);

test("while it is lost, reads answer what they know, say so, and stop when that is too old [ORD-10]", async () => {
  following.begin();
  last().reader.updated(update(undefined, 3));
  clock.advance(1_000);
  expect(await read()).toEqual({ value: 3, source: "replica", stale: false, ageMs: 1_000 });
  last().reader.ended(error("UNAVAILABLE"));
  expect(await read()).toEqual({ value: 3, source: "replica", stale: true, ageMs: 1_000 });
  expect(() => reads.peek("t")).toThrow("it is UNAVAILABLE");
  expect(reads.stats()).toMatchObject({ state: "STALE", reason: "it is UNAVAILABLE", staleReads: 1 });
  const pass = (): void => {
    const known = asked.length;
    clock.advance(1);
    if (asked.length > known) last().reader.ended(error("UNAVAILABLE"));
  };
  while (clock.now() < 30_000) pass();
  expect(await read()).toMatchObject({ stale: true, ageMs: 30_000 });
  pass();
  const gone = await failure(reads.get("t", {}));
  expect(gone).toMatchObject({ reason: "UNAVAILABLE", sessionId: "s" });
  expect(gone.message).toContain("30001 ms ago");
  // When the bridge is being asked, a read may ask it too.
  clock.advance(30_000);
  expect(await reads.get("t", {})).toBe(fromServer);
  last().reader.updated(update(3, 4));
  expect(await read()).toEqual({ value: 4, source: "replica", stale: false, ageMs: 0 });
});

test("a read may want the bridge to have been heard of lately [ORD-3 accepts]", async () => {
  following.begin();
  last().reader.updated(update(undefined, 3));
  clock.advance(1_500);
  expect(await read({ maxAgeMs: 1_500 })).toMatchObject({ source: "replica" });
  expect(await reads.get("t", { maxAgeMs: 1_499 })).toBe(fromServer);
  last().reader.updated({ ...update(3, 3), changed: [] });
  expect(await read({ maxAgeMs: 0 })).toMatchObject({ source: "replica", ageMs: 0 });
});

test("who waits for a point is answered when it is told, or after a second by the bridge [ORD-3]", async () => {
  following.begin();
  last().reader.updated(update(undefined, 3));
  const after = `${"a".repeat(32)}-4-0000000000000004`;
  const waiting = read({ after });
  await Promise.resolve();
  last().reader.updated(update(3, 5));
  expect(await waiting).toMatchObject({ value: 5, source: "replica" });
  const later = `${"a".repeat(32)}-9-0000000000000009`;
  const inVain = reads.get("t", { after: later });
  await Promise.resolve();
  clock.advance(1_000);
  expect(await inVain).toBe(fromServer);
});

test("a copy that goes back amid a read is not read for a point that it had come to [ORD-3 refuses]", async () => {
  const after = `${"a".repeat(32)}-4-0000000000000004`;
  following.begin();
  const values = new Set<unknown>();
  for (let steps = 0; steps < 12; steps++) {
    last().reader.updated(update(undefined, 3));
    const waiting = read({ after });
    last().reader.updated(update(3, 4));
    for (let step = 0; step < steps; step++) await undefined;
    // As from a bridge that was restored.
    last().reader.updated(update(undefined, 3));
    for (let step = 0; step < 12; step++) await undefined;
    clock.advance(1_000);
    values.add((await waiting).value);
  }
  expect(values).toEqual(new Set([-1, 4]));
});

test("that it is ready, stale and given up is published once each, and that it was closed is not", () => {
  const published: unknown[] = [];
  const take = (notice: unknown): unknown => published.push(notice);
  subscribe("snakepit-bridge", take);
  following.begin();
  last().reader.updated(update(undefined, 3));
  last().reader.updated(update(3, 4));
  for (let i = 0; i < 3; i++) {
    last().reader.ended(error("UNAVAILABLE"));
    clock.advance(30_000);
  }
  last().reader.updated(update(4, 4));
  last().reader.ended(error("VERSION_MISMATCH"));
  following.end();
  unsubscribe("snakepit-bridge", take);
  const where = { address: "here", session: "s" };
  expect(published).toEqual([
    { event: "ready", ...where },
    { event: "stale", ...where, reason: "it is UNAVAILABLE" },
    { event: "ready", ...where },
    { event: "give up", ...where, reason: "it is VERSION_MISMATCH" },
  ]);
});

test("what comes after its end is told nobody", () => {
  following.begin();
  reads.close();
  expect(last().stopped).toBe(true);
  clock.advance(100_000);
  expect(asked).toHaveLength(1);
  expect(clock.pendingTimers).toBe(0);
});
