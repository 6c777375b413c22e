import { expect, test } from "vitest";
import { ConflictError, DeadlineError, errorFor } from "../core/errors.js";
import { ManualClock } from "../testing/manual-clock.js";
import { Deadline } from "./deadline.js";
import { MOST_CONFLICTS } from "./outcome.js";
import { compareAndSet } from "./repeating.js";
import { failure } from "./test-bridge.contract.js";
import type { CallOptions } from "./transport/transport.js";

const clock = new ManualClock();

/** Lets the clock go on until something is settled. */
async function passing<T>(work: Promise<T>, stepMs = 100): Promise<T> {
  let settled = false;
  const end = (): void => {
    settled = true;
  };
  work.then(end, end);
  while (!settled) {
    await new Promise(setImmediate);
    if (clock.pendingTimers > 0) clock.advance(stepMs);
  }
  return work;
}

function conflict(): ConflictError {
  return errorFor("VERSION_CONFLICT", "others were faster") as ConflictError;
}

function within(timeoutMs: number, signal?: AbortSignal): Deadline {
  return new Deadline(signal === undefined ? { timeoutMs } : { timeoutMs, signal }, clock);
}

/** An update that meets so many conflicts, and what it did. */
function contested(conflicts: number) {
  const seen: number[] = [];
  const options: CallOptions[] = [];
  let value = 1;
  return {
    seen,
    options,
    update: {
      read: async (given: CallOptions) => {
        options.push(given);
        return { value, version: seen.length + 1 };
      },
      compute: (found: number) => {
        seen.push(found);
        return found * 2;
      },
      set: async (wanted: number, version: number, given: CallOptions) => {
        options.push(given);
        value += 10;
        if (version <= conflicts) throw conflict();
        return { wanted, version };
      },
    },
  };
}

test("an update begins anew with what others wrote", async () => {
  const { seen, options, update } = contested(3);
  expect(await passing(compareAndSet(update, within(5_000)))).toEqual({ wanted: 62, version: 4 });
  expect(seen).toEqual([1, 11, 21, 31]);
  expect(options.every(({ timeoutMs = 0 }) => timeoutMs > 0 && timeoutMs <= 5_000)).toBe(true);
});

test("an update gives up after so many conflicts", async () => {
  const { seen, update } = contested(1_000);
  const error = await failure(passing(compareAndSet(update, within(60_000), () => 0)));
  expect(error).toBeInstanceOf(ConflictError);
  expect(seen.length).toBe(MOST_CONFLICTS);
});

test("an update gives up when the time is up", async () => {
  const { seen, update } = contested(1_000);
  const error = await failure(
    passing(
      compareAndSet(update, within(100), () => 1),
      1,
    ),
  );
  expect(error).toBeInstanceOf(ConflictError);
  expect(seen.length).toBeGreaterThan(5);
  expect(seen.length).toBeLessThan(20);
  const compute = (value: number): number => {
    clock.advance(200);
    return value;
  };
  const slow = compareAndSet({ ...contested(0).update, compute }, within(100));
  expect(await failure(slow)).toBeInstanceOf(DeadlineError);
});

test("what the function throws is thrown, a conflict too", async () => {
  const mine = conflict();
  const compute = () => {
    throw mine;
  };
  expect(await failure(compareAndSet({ ...contested(0).update, compute }, within(100)))).toBe(mine);
});

test("a timeout that means nothing is refused", () => {
  for (const timeoutMs of [0, -1, Number.NaN]) expect(() => within(timeoutMs)).toThrow(RangeError);
});
