import { expect, test } from "vitest";
import { ManualClock } from "../../testing/manual-clock.js";
import { AbortWatch } from "./abort.js";
import { happensWithin, pause } from "./waiting.js";

const aborts = new AbortWatch();
const NEVER = aborts.of(undefined);

test("an event that comes in time is told, and one that comes late is not waited for", async () => {
  const clock = new ManualClock();
  expect(await happensWithin(Promise.resolve(), 10, clock, NEVER)).toBe(true);
  const never = happensWithin(new Promise(() => {}), 10, clock, NEVER);
  clock.advance(10);
  expect(await never).toBe(false);
  expect(clock.pendingTimers).toBe(0);
});

test("an event that fails ends the waiting with its failure", async () => {
  const failing = happensWithin(Promise.reject(new Error("broken")), 10, new ManualClock(), NEVER);
  await expect(failing).rejects.toThrow("broken");
});

test("an abort before or during the waiting ends it with its reason", async () => {
  const clock = new ManualClock();
  await expect(pause(10, clock, aborts.of(AbortSignal.abort("before")))).rejects.toBe("before");
  const controller = new AbortController();
  const waiting = pause(10, clock, aborts.of(controller.signal));
  controller.abort("during");
  await expect(waiting).rejects.toBe("during");
  expect(clock.pendingTimers).toBe(0);
});

test("a pause lasts as long as it is told to", async () => {
  const clock = new ManualClock();
  let over = false;
  const waiting = pause(10, clock, NEVER).then(() => {
    over = true;
  });
  clock.advance(9);
  await Promise.resolve();
  expect(over).toBe(false);
  clock.advance(1);
  await waiting;
  expect(over).toBe(true);
});
