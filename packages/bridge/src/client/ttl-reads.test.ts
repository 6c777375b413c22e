/** What only a clock that stands still and a bridge that answers when it is told to can show of reads with a TTL cache. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { DeadlineError } from "../core/errors.js";
import type { Engine } from "../engine/engine.js";
import { createEngine } from "../server.js";
import { ManualClock } from "../testing/manual-clock.js";
import { witnessWatches } from "../testing/watch-witness.contract.js";
import type { Client } from "./client.js";
import { localClient } from "./local-client.js";
import type { Session } from "./session.js";
import { failure } from "./test-bridge.contract.js";

witnessWatches();

const clock = new ManualClock();
let engine: Engine;
let client: Client;
let other: Client;
let session: Session;
/** While it holds, reads are decided and their answers kept back. */
let holds = false;
let held: (() => void)[] = [];

beforeEach(async () => {
  holds = false;
  held = [];
  engine = await createEngine({ clock });
  const slow: Pick<Engine, "dispatch" | "watch" | "follow"> = {
    dispatch: async (who, command, deadline) => {
      const answer = await engine.dispatch(who, command, deadline);
      if (holds && command.kind.startsWith("getVariable"))
        await new Promise<void>((resolve) => held.push(resolve));
      return answer;
    },
    watch: (...watch) => engine.watch(...watch),
    follow: (...follow) => engine.follow(...follow),
  };
  client = localClient({ engine: slow, clock });
  other = localClient({ engine, clock });
  session = await client.session("s", undefined, { cache: "ttl", strict: false });
  await other.sessions.updateVariables("s", { x: 1, y: 1 }, { onMissing: "inferVariable" });
});
afterEach(async () => {
  release();
  await client.close();
  await other.close();
  await engine.close();
});

/** Begins reads whose answers are decided now and kept back. */
async function hold<T>(...begin: (() => Promise<T>)[]): Promise<Promise<T>[]> {
  holds = true;
  const before = held.length;
  const reads = begin.map((each) => each());
  await expect.poll(() => held.length).toBeGreaterThan(before);
  holds = false;
  return reads;
}

function release(): void {
  const released = held;
  held = [];
  for (const answer of released) answer();
}

const fetches = () => session.getCacheStats().fetches;

test("an answer is used until one tick before the TTL, and says how old it is", async () => {
  await session.get("x");
  await other.sessions.updateVariable("s", "x", 2);
  clock.advance(999);
  expect(await session.read("x")).toMatchObject({ value: 1, source: "cache", ageMs: 999 });
  expect(await session.read("x", { maxAgeMs: 999 })).toMatchObject({ value: 1, ageMs: 999 });
  clock.advance(1);
  expect(await session.read("x")).toMatchObject({ value: 2, source: "server", ageMs: 0 });
  clock.advance(500);
  expect(await session.read("x", { maxAgeMs: 499 })).toMatchObject({ source: "server" });
  expect(session.getCacheStats()).toMatchObject({ hits: 2, misses: 3, fetches: 3, evictions: 1 });
});

test("[ORD-21 refuses] a read that was overtaken by an own write is neither kept nor joined", async () => {
  const [slow] = await hold(() => session.get("x"));
  await session.set("x", 2);
  expect(await session.get("x")).toBe(2);
  release();
  expect(await slow).toBe(1);
  expect(await session.get("x")).toBe(2);
  expect(fetches()).toBe(2);
});

test("neither is one that began while the write was under way", async () => {
  const writing = session.set("x", 2);
  const [slow] = await hold(() => session.get("x"));
  await writing;
  release();
  expect(await slow).toBe(2);
  await session.get("x");
  expect(fetches()).toBe(2);
});

test("neither is one that was begun before what it is about was forgotten", async () => {
  for (const name of ["x", undefined]) {
    await other.sessions.updateVariable("s", "x", 1);
    session.invalidateCache();
    const [slow] = await hold(() => session.get("x"));
    await other.sessions.updateVariable("s", "x", 2);
    session.invalidateCache(name);
    const fresh = session.get("x");
    release();
    expect(await slow).toBe(1);
    expect(await fresh).toBe(2);
    expect(await session.get("x")).toBe(2);
  }
});

test("a late answer does not replace a newer one", async () => {
  const [slow] = await hold(() => session.get("x"));
  await other.sessions.updateVariable("s", "x", 2);
  expect(await session.get("x", { bypassCache: true })).toBe(2);
  release();
  expect(await slow).toBe(1);
  expect(await session.get("x")).toBe(2);
});

test("[ORD-21 refuses] a late answer of a former life of the session is not kept", async () => {
  const [slow] = await hold(() => session.get("x"));
  await other.sessions.deleteSession("s");
  await other.sessions.createSession("s");
  await other.sessions.updateVariables("s", { x: 7 }, { onMissing: "inferVariable" });
  expect(await session.get("x", { bypassCache: true })).toBe(7);
  release();
  expect(await slow).toBe(1);
  expect(await session.get("x")).toBe(7);
});

test("a call is joined while its answer would be young enough, and not for longer", async () => {
  const [first] = await hold(() => session.get("x"));
  clock.advance(500);
  const joins = session.get("x", { maxAgeMs: 500 });
  expect(fetches()).toBe(1);
  expect(await session.get("x", { maxAgeMs: 499 })).toBe(1);
  expect(fetches()).toBe(2);
  session.invalidateCache();
  release();
  expect(await Promise.all([first, joins])).toEqual([1, 1]);
  const [second] = await hold(() => session.get("y"));
  clock.advance(1_000);
  expect(await session.get("y")).toBe(1);
  expect(fetches()).toBe(4);
  release();
  expect(await second).toBe(1);
});

test("who has less time than the call that it joined waits no longer than that", async () => {
  const [patient] = await hold(() => session.get("x"));
  const impatient = failure(session.get("x", { timeoutMs: 100 }));
  clock.advance(100);
  expect(await impatient).toBeInstanceOf(DeadlineError);
  release();
  expect(await patient).toBe(1);
  expect(fetches()).toBe(1);
});

test("who has more time than the call that it joined asks by itself when that has failed", async () => {
  const [impatient] = await hold(() => failure(session.get("x", { timeoutMs: 100 })));
  const patient = [session.get("x"), session.getMany(["y", "x"])];
  clock.advance(100);
  const error = await impatient;
  expect(error).toBeInstanceOf(DeadlineError);
  // As without a cache: the error is that of the call.
  expect((error as Error).message).toBe("the read was not answered in time");
  expect(await Promise.all(patient)).toEqual([1, { y: 1, x: 1 }]);
});

test("a call that nobody waits for any more goes on, and may fail", async () => {
  const controller = new AbortController();
  const [left] = await hold(() => failure(session.get("x", { signal: controller.signal })));
  controller.abort(new Error("enough"));
  expect(await left).toMatchObject({ message: "enough" });
  release();
  await expect.poll(() => session.getCacheStats().size).toBe(1);
  expect(await session.get("x")).toBe(1);
  expect(fetches()).toBe(1);

  const again = new AbortController();
  const [gone] = await hold(() => failure(session.get("y", { signal: again.signal })));
  again.abort(new Error("enough"));
  expect(await gone).toMatchObject({ message: "enough" });
  clock.advance(5_000);
  expect(await session.get("y")).toBe(1);
});
