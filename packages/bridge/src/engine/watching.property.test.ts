/** Watches under random writes, ends, expiry and held disks, held against what was really committed. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toText } from "../client/points.js";
import type { Revision } from "../core/commands.js";
import { Refusal } from "../core/refusal.js";
import { pointAfter } from "../core/told-queue.js";
import type { Told } from "../core/watch.js";
import { MemoryStore } from "../storage/memory/memory-store.js";
import { Bench, command, settle } from "../testing/bench.contract.js";
import { FaultyStore } from "../testing/faulty-store.contract.js";
import { ManualClock } from "../testing/manual-clock.js";
import { madeOf, stepOf } from "../testing/watch-forms.contract.js";
import { checkReading } from "../testing/watch-validators.contract.js";
import { ANYONE } from "./principal.js";
import type { Subscription } from "./subscription.js";

const NAMES = ["a", "b", "ab"];
const FILTERS: readonly { names: readonly string[]; glob?: string; wants: (name: string) => boolean }[] = [
  { names: [], wants: () => true },
  { names: ["a"], wants: (name) => name === "a" },
  { names: ["b"], glob: "a*", wants: () => true },
  { names: [], glob: "?", wants: (name) => name.length === 1 },
];
const TTL_MS = 1_000;

type Step =
  | { readonly do: "set"; readonly name: string; readonly value: number }
  | { readonly do: "setBoth"; readonly value: number }
  | { readonly do: "drop"; readonly name: string }
  | { readonly do: "create" | "end" | "release" | "hold" | "wait" | "settle" }
  | { readonly do: "watch"; readonly filter: number; readonly passive: boolean }
  | { readonly do: "resume" | "close"; readonly which: number }
  | { readonly do: "read"; readonly which: number; readonly count: number };

const name = fc.constantFrom(...NAMES);
const value = fc.integer({ min: 0, max: 9 });
const which = fc.nat({ max: 5 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("set" as const), name, value }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("setBoth" as const), value }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("drop" as const), name }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom("create" as const, "end" as const, "release" as const, "hold" as const),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("settle" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("wait" as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("watch" as const),
      filter: fc.nat({ max: 3 }),
      passive: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("resume" as const, "close" as const), which }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("read" as const), which, count: fc.nat({ max: 4 }) }) },
);

/** A reader, and all that it was told. */
interface Reader {
  readonly filter: (typeof FILTERS)[number];
  readonly after: Revision | undefined;
  /** How many commits had been made. */
  readonly begunAt: number;
  readonly told: Told[];
  subscription: Subscription | undefined;
  refused: Refusal | undefined;
  closed: boolean;
}

class Run {
  readonly clock = new ManualClock();
  readonly store = new FaultyStore(new MemoryStore());
  readonly bench = new Bench({ store: this.store, clock: this.clock, defaultTtlMs: TTL_MS });
  readonly readers: Reader[] = [];
  readonly asked: Promise<unknown>[] = [];

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case "set":
        return this.ask(command.set("s", step.name, step.value));
      case "setBoth":
        return this.ask({
          kind: "setVariables",
          sessionId: "s",
          items: ["a", "b"].map((identifier) => ({
            identifier,
            value: { kind: "number", value: step.value } as const,
          })),
          atomic: true,
          onMissing: "infer",
          metadata: [["why", String(step.value)]],
        });
      case "drop":
        return this.ask(command.drop("s", step.name));
      case "create":
        return this.ask(command.create("s"));
      case "end":
        return this.ask(command.end("s"));
      case "hold":
        this.store.holding = true;
        return;
      case "release":
        this.store.holding = false;
        return this.store.release();
      case "settle":
        return settle();
      case "wait":
        return this.clock.advance(TTL_MS / 2 + 1);
      case "watch":
        return this.watch(FILTERS[step.filter] as Reader["filter"], undefined, step.passive);
      case "resume": {
        const reader = this.reader(step.which);
        this.read(reader, 2);
        const last = reader?.told.at(-1);
        if (reader !== undefined && last !== undefined) this.watch(reader.filter, pointAfter(last), false);
        return;
      }
      case "close": {
        const reader = this.reader(step.which);
        if (reader === undefined) return;
        reader.closed = true;
        return reader.subscription?.close();
      }
      case "read":
        return this.read(this.reader(step.which), step.count);
    }
  }

  reader(which: number): Reader | undefined {
    return this.readers[which % this.readers.length];
  }

  ask(asked: Parameters<Bench["ask"]>[0]): void {
    this.asked.push(this.bench.ask(asked).catch(() => {}));
  }

  watch(filter: Reader["filter"], after: Revision | undefined, passive: boolean): void {
    const { names, glob } = filter;
    const asked = {
      sessionId: "s",
      names,
      passive,
      ...(glob === undefined ? {} : { glob }),
      ...(after === undefined ? {} : { after }),
    };
    // An expiry that is due is committed by the look of the watch itself, before it begins.
    const begins = this.bench.engine.watch(ANYONE, asked, (subscription) => {
      reader.subscription = subscription;
    });
    const reader: Reader = {
      filter,
      after,
      begunAt: this.store.records.length,
      told: [],
      subscription: undefined,
      refused: undefined,
      closed: false,
    };
    this.readers.push(reader);
    this.asked.push(
      begins.then((begun) => {
        if (begun instanceof Refusal) reader.refused = begun;
        else if (reader.closed) begun.close();
      }),
    );
  }

  read(reader: Reader | undefined, count: number): void {
    if (reader?.closed) return;
    for (let i = 0; reader !== undefined && i < count; i++) {
      const told = reader.subscription?.take();
      if (told === undefined) return;
      if (told instanceof Refusal) throw new Error(told.message);
      // Nothing is told before it is durable (ORD-5).
      const { revision } = told.kind === "event" ? told.event : told;
      const place = this.store.records.findIndex(({ check }) => check === revision.check);
      expect(place).toBeLessThan(this.store.kept);
      reader.told.push(told);
    }
  }

  /** Lets everything come to its end, and reads what there is. */
  async finish(): Promise<void> {
    this.store.holding = false;
    this.store.release();
    await Promise.all(this.asked);
    await settle();
    for (const reader of this.readers) if (!reader.closed) this.read(reader, Number.POSITIVE_INFINITY);
  }
}

describe("a watch", () => {
  test("is ordered, unique, reliable, atomic, resumable and bookmarked, with the value before [ORD-6 accepts] [ORD-5 accepts]", async () => {
    let resumed = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
        const run = new Run();
        for (const each of steps) await run.take(each);
        await run.finish();
        const { records } = run.store;
        const truth = records.map(madeOf);
        for (const { filter, after, begunAt, told, refused, closed } of run.readers) {
          checkReading(truth, {
            ...(after === undefined ? {} : { after: toText(after) }),
            begun: { from: begunAt, to: begunAt },
            steps: told.map(stepOf),
            wants: filter.wants,
            wasCut: false,
            maxBytes: Number.POSITIVE_INFINITY,
          });
          // Each takes its reader on.
          const points = told.map((each) => pointAfter(each).check);
          expect(points.filter((point, i) => i > 0 && point === points[i - 1])).toEqual([]);
          if (after !== undefined && after.number > 0) resumed += refused === undefined ? 1 : 0;
          // A point of the life that stands is always resumed from: there is room for all these commits.
          const last = records[begunAt - 1];
          const stands =
            last?.commit.incarnation === after?.incarnation && !last?.commit.kind.endsWith("Session");
          if (refused !== undefined) expect([refused.reason, stands]).toEqual(["WATCH_GAP", false]);
          else if (!closed) expect(told.length).toBeGreaterThan(0);
        }
        // Complete: whoever read to the end knows of the last commit.
        for (const { filter, told, refused, closed } of run.readers) {
          if (refused !== undefined || closed || filter !== FILTERS[0]) continue;
          const point = pointAfter(told.at(-1) as Told);
          const last = records.at(-1);
          const ended = last === undefined || /^(delete|expire)Session$/.test(last.commit.kind);
          expect(point.check).toBe(ended ? 0n : last.check);
        }
      }),
      { numRuns: 300 },
    );
    expect(resumed).toBeGreaterThan(20);
  });
});
