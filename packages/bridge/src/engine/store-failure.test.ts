/** An engine whose store fails answers nothing more as if it were true, and lets nobody wait for it (ORD-5). */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Command, Reply, Revision } from "../core/commands.js";
import { Refusal } from "../core/refusal.js";
import { MemoryStore } from "../storage/memory/memory-store.js";
import type { CommitRecord } from "../storage/record.js";
import { Bench, command, isPending, OutlivingStore, openBench, settle } from "../testing/bench.contract.js";
import { APPEND_FAULTS, FaultyStore } from "../testing/faulty-store.contract.js";
import { StoreError } from "./store-error.js";

/** An engine over a store that has a session in it, awake. */
async function bench(): Promise<{ bench: Bench; store: FaultyStore; inside: MemoryStore }> {
  const inside = new MemoryStore();
  const store = new FaultyStore(inside);
  const bench = new Bench({ store });
  await bench.do(command.set("s", "a", 1));
  return { bench, store, inside };
}

/** Every kind of command, on the session "s". */
const COMMANDS: readonly Command[] = [
  { kind: "ping", message: "" },
  command.create("s"),
  command.create("t"),
  command.session("s"),
  command.sessions(),
  command.heartbeat("s"),
  command.end("s"),
  command.get("s", "a"),
  command.get("none", "a"),
  command.list("s"),
  command.set("s", "a", 2),
  command.set("s", "a", "text"),
  command.increment("s", "a", 1),
  command.drop("s", "a"),
];

const FAILING = APPEND_FAULTS.filter((fault) => fault !== "ends the process");

describe("an append that", () => {
  test.for(FAILING)("%s ends its write, and every command after it, with an error", async (fault) => {
    const { bench: it, store } = await bench();
    store.arrange(fault);
    await expect(it.ask(command.set("s", "a", 2))).rejects.toMatchObject({ begun: true });
    for (const later of COMMANDS) await expect(it.ask(later)).rejects.toMatchObject({ begun: false });
  });

  test.for(FAILING)("%s takes nothing to the store after it", async (fault) => {
    const { bench: it, store } = await bench();
    store.arrange(fault);
    await expect(it.ask(command.set("s", "a", 2))).rejects.toThrow(StoreError);
    const { length } = store.records;
    for (const later of COMMANDS) await expect(it.ask(later)).rejects.toThrow(StoreError);
    it.clock.advance(100_000_000);
    expect(store.records).toHaveLength(length);
  });
});

test("a failure ends at once all that waits for the store", async () => {
  const { bench: it, store } = await bench();
  store.holding = true;
  const waiting = [
    command.set("s", "a", 2),
    command.get("s", "a"),
    command.set("s", "a", "text"),
    command.create("s"),
    command.sessions(),
    command.end("s"),
    command.get("s", "a"),
    command.create("s"),
  ].map((ask) => it.ask(ask));
  for (const answer of waiting) expect(await isPending(answer)).toBe(true);
  store.fail(new Error("the disk is gone"));
  for (const answer of waiting) {
    expect(await isPending(answer)).toBe(false);
    await expect(answer).rejects.toThrow("the store failed: the disk is gone");
    await expect(answer).rejects.toMatchObject({ begun: true });
  }
});

test("a failure while nothing waits is known to the next command", async () => {
  for (const ask of COMMANDS) {
    const { bench: it, store } = await bench();
    store.fail();
    await settle();
    await expect(it.ask(ask)).rejects.toMatchObject({ begun: false });
    expect(store.records).toHaveLength(1);
  }
});

test("a failure while a session is read back ends those who want it, and nothing was done", async () => {
  const kept = new OutlivingStore();
  await new Bench({ store: kept }).do(command.set("s", "a", 1));
  const store = new FaultyStore(kept);
  const it = await openBench({ store });
  store.holding = true;
  const created = it.ask(command.create("t"));
  const waiting = [command.set("s", "a", 2), command.get("s", "a"), command.sessions()].map((ask) =>
    it.ask(ask),
  );
  await settle();
  store.fail();
  for (const answer of waiting.slice(0, 2)) await expect(answer).rejects.toMatchObject({ begun: false });
  await expect(waiting[2]).rejects.toThrow(StoreError);
  await expect(created).rejects.toMatchObject({ begun: true });
});

test("a failure is told to whoever runs the engine, whichever of the two has found it", async () => {
  for (const fault of FAILING) {
    const { bench: it, store } = await bench();
    expect(await isPending(it.engine.failure)).toBe(true);
    store.arrange(fault);
    await expect(it.ask(command.set("s", "a", 2))).rejects.toThrow(StoreError);
    expect(await it.engine.failure).toBeInstanceOf(Error);
  }
});

test("a store that has lost a session has failed", async () => {
  const store = new OutlivingStore();
  await new Bench({ store }).do(command.set("s", "a", 1));
  const it = await openBench({ store });
  store.load = async () => undefined;
  await expect(it.ask(command.get("s", "a"))).rejects.toMatchObject({ begun: false });
  expect((await it.engine.failure).message).toBe("the store has lost session s");
  for (const later of COMMANDS) await expect(it.ask(later)).rejects.toMatchObject({ begun: false });
});

test("a failure keeps neither the engine nor its timers from coming to an end", async () => {
  const { bench: it, store } = await bench();
  store.fail();
  it.clock.advance(100_000_000);
  await it.engine.close();
  expect(it.clock.pendingTimers).toBe(0);
  expect(await it.ask(command.get("s", "a"))).toMatchObject({ reason: "SHUTTING_DOWN" });
});

/** A store in memory that knows the checks of all commits that reached it, and the sessions that live by them. */
class CheckedStore extends MemoryStore {
  readonly checks = new Set<bigint>();
  /** Incarnations, by id. */
  readonly living = new Map<string, string>();

  override append(records: readonly CommitRecord[]): undefined {
    super.append(records);
    for (const { check, commit } of records) {
      this.checks.add(check);
      this.living.set(commit.sessionId, commit.incarnation);
      if (commit.kind === "deleteSession") this.living.delete(commit.sessionId);
    }
  }
}

/** Every revision that an answer tells. */
function revisionsOf(answer: Reply): Revision[] {
  if ("revision" in answer) return [answer.revision];
  if (answer.kind === "listSessions") return answer.sessions.map(({ revision }) => revision);
  return "session" in answer ? [answer.session.revision] : [];
}

test("whatever happens to whichever append, what is answered is kept, and nothing is answered after an error", async () => {
  const asks = fc.array(
    fc.constantFrom<Command>(
      command.increment("s", "n", 1),
      command.increment("t", "n", 1),
      command.get("s", "n"),
      command.end("s"),
      command.create("t"),
      command.sessions(),
    ),
    { minLength: 4, maxLength: 20 },
  );
  const accident = fc.record({
    what: fc.constantFrom(...APPEND_FAULTS),
    after: fc.nat(8),
    held: fc.boolean(),
  });
  const seen = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(asks, accident, async (commands, { what, after, held }) => {
      const inside = new CheckedStore();
      const store = new FaultyStore(inside);
      const it = new Bench({ store });
      store.arrange(what, after);
      store.holding = held;
      let failed = false;
      const wrong: string[] = [];
      const judge = (ask: Command, answer: Reply | Refusal, before: ReadonlyMap<string, string>): void => {
        for (const { number, check } of answer instanceof Refusal ? [] : revisionsOf(answer))
          if (number > 0 && !inside.checks.has(check)) wrong.push(`${ask.kind} was answered and not kept`);
        // A session that was there, and is still, may not be told to be gone.
        const stays = (id: string): boolean => before.has(id) && before.get(id) === inside.living.get(id);
        if (answer instanceof Refusal && "sessionId" in ask && stays(ask.sessionId))
          wrong.push(`${ask.sessionId} is gone, ${ask.kind} was told`);
        if (answer instanceof Refusal || answer.kind !== "listSessions") return;
        for (const id of before.keys())
          if (stays(id) && answer.sessions.every((session) => session.id !== id))
            wrong.push(`${id} is not listed`);
      };
      for (const [i, ask] of commands.entries()) {
        const before = new Map(inside.living);
        it.ask(ask).then(
          (answer) => {
            if (failed) wrong.push(`${ask.kind} was answered after an error`);
            judge(ask, answer, before);
          },
          (error: unknown) => {
            if (!(error instanceof StoreError)) wrong.push(`${ask.kind}: ${error}`);
            failed = true;
            seen.set(what, (seen.get(what) ?? 0) + 1);
          },
        );
        if (i % 3 === 2) store.release();
        if (i % 2 === 1) await settle();
      }
      store.release();
      await store.quiet();
      expect(wrong).toEqual([]);
    }),
    { numRuns: 300 },
  );
  expect([...seen.keys()].sort()).toEqual([...FAILING].sort());
});
