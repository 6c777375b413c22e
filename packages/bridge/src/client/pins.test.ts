/** What pins hold of each other and of what is pinned. What reads find is said for all transports (`bindings.contract.ts`). */
import { AsyncLocalStorage } from "node:async_hooks";
import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { type Pin, type Pinned, Pins } from "./pins.js";

const context = new AsyncLocalStorage<Pin | undefined>();

function someValues(): Pinned {
  const revision = { incarnation: "", number: 1, check: 0n };
  const freshness = { revision, source: "server", ageMs: 0, stale: false } as const;
  return { variables: new Map(), values: new Map(), freshness };
}

/** A pin whose function runs until it is told to end. */
function begin(pins: Pins, pinned: Pinned) {
  let end = (): void => {};
  const told = new Promise<void>((resolve) => {
    end = resolve;
  });
  /** Calls a function as if what is pinned had begun it. */
  let within = <R>(work: () => R): R => work();
  const ended = pins.run(pinned, () => {
    within = AsyncLocalStorage.snapshot();
    return told;
  });
  return {
    within: <R>(work: () => R): R => within(work),
    end: async (): Promise<void> => {
      end();
      await ended;
    },
  };
}

/** The pins around the code that asks, innermost first, also what is over. */
function around(): Pin[] {
  const found: Pin[] = [];
  for (let pin = context.getStore(); pin !== undefined; pin = pin.outer) found.push(pin);
  return found;
}

describe("pins", () => {
  test.each([1, 2, 5])(
    "that begin one within the other, %i at a time, hold no more of each other",
    async (most) => {
      const pins = new Pins(context, () => 0);
      const running = [begin(pins, someValues())];
      for (let count = 0; count < 50; count++) {
        const last = running.at(-1) as (typeof running)[number];
        running.push(last.within(() => begin(pins, someValues())));
        if (running.length > most) await running.shift()?.end();
        const held = running.at(-1)?.within(around) ?? [];
        expect(held.length).toBeLessThanOrEqual(most + 1);
        expect(held.filter(({ pinned }) => pinned !== undefined)).toHaveLength(running.length);
      }
      for (const pin of running) await pin.end();
    },
  );

  test("let go of what is pinned when their function has ended, for what it has left behind too", async () => {
    const pins = new Pins(context, () => 0);
    const [first, second] = [someValues(), someValues()];
    const outer = begin(pins, first);
    const inner = outer.within(() => begin(pins, second));
    const left = () => pins.current;
    expect(inner.within(left)).toBe(second);
    await inner.end();
    await setImmediate();
    // The one around it still runs.
    expect(inner.within(left)).toBe(first);
    await outer.end();
    const elsewhere = begin(pins, someValues());
    expect(inner.within(left)).toBeUndefined();
    expect(inner.within(around).filter(({ pinned }) => pinned !== undefined)).toEqual([]);
    await elsewhere.end();
  });
});
