/** Followers under random writes, ends, expiry and held disks: a replica that applies what it is told is the durable session. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Revision } from "../core/commands.js";
import { Refusal } from "../core/refusal.js";
import { SessionState } from "../core/session/state.js";
import type { StateUpdate } from "../core/state-update.js";
import { MemoryStore } from "../storage/memory/memory-store.js";
import type { CommitRecord } from "../storage/record.js";
import { Bench, command, settle } from "../testing/bench.contract.js";
import { FaultyStore } from "../testing/faulty-store.contract.js";
import { ManualClock } from "../testing/manual-clock.js";
import { ModelReplica } from "../testing/model-replica.contract.js";
import { ANYONE } from "./principal.js";
import type { Subscription } from "./subscription.js";

const TTL_MS = 1_000;
/** Three of these need more than one message. */
const LONG = "x".repeat(40_000);

type Step =
  | { readonly do: "set"; readonly name: string; readonly value: string }
  | { readonly do: "setAll"; readonly value: string }
  | { readonly do: "drop"; readonly name: string }
  | { readonly do: "create" | "end" | "release" | "hold" | "wait" | "settle" }
  | { readonly do: "follow"; readonly passive: boolean }
  | { readonly do: "resume" | "close"; readonly which: number }
  | { readonly do: "take"; readonly which: number; readonly count: number };

const name = fc.constantFrom("a", "b", "c", "d");
const value = fc.tuple(fc.nat({ max: 99 }), fc.boolean()).map(([n, long]) => `${n}${long ? LONG : ""}`);
const which = fc.nat({ max: 5 });
const constant = <T extends string>(...all: T[]): fc.Arbitrary<T> => fc.constantFrom(...all);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: constant("set"), name, value }) },
  { weight: 2, arbitrary: fc.record({ do: constant("setAll"), value }) },
  { weight: 2, arbitrary: fc.record({ do: constant("drop"), name }) },
  { weight: 3, arbitrary: fc.record({ do: constant("create", "end", "release", "hold") }) },
  { weight: 4, arbitrary: fc.record({ do: constant("settle") }) },
  { weight: 1, arbitrary: fc.record({ do: constant("wait") }) },
  { weight: 3, arbitrary: fc.record({ do: constant("follow"), passive: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: constant("close"), which }) },
  { weight: 2, arbitrary: fc.record({ do: constant("resume"), which }) },
  { weight: 9, arbitrary: fc.record({ do: constant("take"), which, count: fc.nat({ max: 4 }) }) },
);

/** One who follows, and what it has made of it. */
class Reader {
  readonly replica = new ModelReplica();
  /** Where the commit stands that it was taken to last; so many were made before. */
  place = 0;
  steps = 0;
  subscription: Subscription<StateUpdate> | undefined;
  closed = false;
}

class Run {
  readonly clock = new ManualClock();
  readonly store: FaultyStore | RecordingStore;
  readonly bench: Bench;
  readonly readers: Reader[] = [];
  readonly asked: Promise<unknown>[] = [];

  constructor(store: FaultyStore | RecordingStore) {
    this.store = store;
    this.bench = new Bench({ store, clock: this.clock, defaultTtlMs: TTL_MS });
  }

  async do(step: Step): Promise<void> {
    switch (step.do) {
      case "set":
        return this.ask(command.set("s", step.name, step.value));
      case "setAll":
        return this.ask({
          kind: "setVariables",
          sessionId: "s",
          items: ["a", "b", "c", "e"].map((identifier) => ({
            identifier,
            value: { kind: "string", value: step.value } as const,
          })),
          atomic: true,
          onMissing: "infer",
          metadata: [],
        });
      case "drop":
        return this.ask(command.drop("s", step.name));
      case "create":
        return this.ask(command.create("s"));
      case "end":
        return this.ask(command.end("s"));
      case "hold":
        if (this.store instanceof FaultyStore) this.store.holding = true;
        return;
      case "release":
        return this.release();
      case "settle":
        return settle();
      case "wait":
        return this.clock.advance(TTL_MS / 2 + 1);
      case "follow":
        return this.follow(new Reader(), step.passive);
      case "resume": {
        const reader = this.readers[step.which % this.readers.length];
        if (reader?.replica.revision === undefined) return;
        this.close(reader);
        const next = new Reader();
        // It goes on with what it has, or is told all of it.
        next.replica.revision = reader.replica.revision;
        next.replica.entries = new Map(reader.replica.entries);
        next.place = reader.place;
        return this.follow(next, false, next.replica.revision);
      }
      case "close": {
        const reader = this.readers[step.which % this.readers.length];
        if (reader !== undefined) this.close(reader);
        return;
      }
      case "take": {
        const reader = this.readers[step.which % this.readers.length];
        if (reader !== undefined) this.take(reader, step.count);
      }
    }
  }

  ask(asked: Parameters<Bench["ask"]>[0]): void {
    this.asked.push(this.bench.ask(asked).catch(() => {}));
  }

  release(): void {
    if (!(this.store instanceof FaultyStore)) return;
    this.store.holding = false;
    this.store.release();
  }

  close(reader: Reader): void {
    reader.closed = true;
    reader.subscription?.close();
  }

  follow(reader: Reader, passive: boolean, after?: Revision): void {
    this.readers.push(reader);
    const asked = { sessionId: "s", passive, ...(after === undefined ? {} : { after }) };
    this.asked.push(
      this.bench.engine
        .follow(ANYONE, asked, (subscription) => {
          reader.subscription = subscription;
        })
        .then((begun) => {
          if (begun instanceof Refusal) throw new Error(begun.message);
          if (reader.closed) begun.close();
        }),
    );
  }

  take(reader: Reader, count: number): void {
    const { subscription } = reader;
    if (reader.closed || subscription === undefined) return;
    for (let i = 0; i < count; i++) {
      const mayTake = subscription.waiting > 0;
      const told = subscription.take();
      expect(told !== undefined).toBe(mayTake);
      if (told === undefined) return;
      if (told instanceof Refusal) throw new Error(told.message);
      if (reader.replica.apply(told)) this.check(reader);
    }
  }

  /** It stands at a revision that is durable and not before the last one, and has what the session had there. */
  check(reader: Reader): void {
    const { revision, entries } = reader.replica;
    reader.steps++;
    const durable = this.store.records.slice(0, this.store.kept);
    let place = durable.findIndex(({ check }, i) => i + 1 >= reader.place && check === revision?.check);
    if (revision?.number === 0)
      place = durable.findIndex(({ commit }, i) => i + 1 >= reader.place && isEnd(commit));
    // Before the first commit there was no session either.
    if (place < 0) expect([revision?.number, reader.place]).toEqual([0, 0]);
    reader.place = Math.max(reader.place, place + 1);
    expect([...entries.values()].sort(byName)).toEqual(stateAt(durable, revision as Revision).sort(byName));
  }

  /** Lets everything come to its end. */
  async finish(): Promise<void> {
    this.release();
    await Promise.all(this.asked);
    await settle();
    const last = this.store.records.at(-1);
    for (const reader of this.readers) {
      this.take(reader, Number.POSITIVE_INFINITY);
      if (reader.closed) continue;
      const isGone = last === undefined || isEnd(last.commit);
      expect(reader.replica.revision?.check).toBe(isGone ? 0n : last.check);
    }
  }
}

/** A store in memory whose appends are durable at once, and that remembers them. */
class RecordingStore extends MemoryStore {
  readonly records: CommitRecord[] = [];

  get kept(): number {
    return this.records.length;
  }

  override append(records: readonly CommitRecord[]): undefined {
    this.records.push(...records);
    super.append(records);
  }
}

function isEnd({ kind }: CommitRecord["commit"]): boolean {
  return kind === "deleteSession" || kind === "expireSession";
}

/** What the variables were at a revision, by the commits alone. */
function stateAt(records: readonly CommitRecord[], { incarnation, number }: Revision) {
  if (number === 0) return [];
  const [first, ...rest] = records.filter(
    ({ commit }) => commit.incarnation === incarnation && commit.revision <= number,
  );
  const state = SessionState.create((first as CommitRecord).commit);
  for (const { commit } of rest) state.apply(commit);
  return [...state.variables.values()].map(({ name, id, version, type, value }) => ({
    name,
    id,
    version,
    type,
    value,
  }));
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}

describe.each([
  ["durable at once", () => new RecordingStore()],
  ["that lags behind", () => new FaultyStore(new MemoryStore())],
] as const)("with a store %s", (_, makeStore) => {
  test("a replica that is told a state is the durable session at each step, and never goes back [ORD-6 accepts] [ORD-5 accepts]", async () => {
    let moved = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 80, size: "max" }), async (all) => {
        const run = new Run(makeStore());
        for (const each of all) await run.do(each);
        await run.finish();
        for (const { steps } of run.readers) moved += Math.max(0, steps - 1);
      }),
      { numRuns: 200 },
    );
    expect(moved).toBeGreaterThan(200);
  });
});
