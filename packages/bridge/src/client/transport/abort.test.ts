import { getEventListeners } from "node:events";
import { beforeEach, expect, test } from "vitest";
import { AbortWatch } from "./abort.js";

let controller: AbortController;
let aborts: AbortWatch;
let told: string[];
const tell = (who: string) => (reason: unknown) => told.push(`${who}: ${reason}`);
const listeners = () => getEventListeners(controller.signal, "abort").length;
beforeEach(() => {
  controller = new AbortController();
  aborts = new AbortWatch();
  told = [];
});

test("all who listen are told the reason, once", () => {
  const onAbort = aborts.of(controller.signal);
  onAbort(tell("a"));
  onAbort(tell("b"));
  controller.abort("enough");
  controller.abort("again");
  expect(told).toEqual(["a: enough", "b: enough"]);
});

test("a signal is listened to once, and not at all when nobody is left", () => {
  const stops = Array.from({ length: 50 }, () => aborts.of(controller.signal)(tell("x")));
  expect(listeners()).toBe(1);
  for (const stop of stops) stop();
  expect(listeners()).toBe(0);
  stops[0]?.();
  const stop = aborts.of(controller.signal)(tell("later"));
  stops[0]?.();
  expect(listeners()).toBe(1);
  stop();
  expect(listeners()).toBe(0);
});

test("who has stopped is not told", () => {
  const stop = aborts.of(controller.signal)(tell("a"));
  aborts.of(controller.signal)(tell("b"));
  stop();
  controller.abort("enough");
  expect(told).toEqual(["b: enough"]);
});

test("one who comes after the abort is told as soon as it waits", async () => {
  controller.abort("enough");
  const stopped = aborts.of(controller.signal)(tell("a"));
  stopped();
  aborts.of(controller.signal)(tell("b"));
  expect(told).toEqual([]);
  await Promise.resolve();
  expect(told).toEqual(["b: enough"]);
});

test("without a signal nothing ever happens", () => {
  aborts.of(undefined)(tell("a"))();
  expect(told).toEqual([]);
});
