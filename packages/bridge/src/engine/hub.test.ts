import { expect, test } from "vitest";
import { Refusal } from "../core/refusal.js";
import type { SessionEvent } from "../core/session/event.js";
import { Hub } from "./hub.js";
import type { Subscription } from "./subscription.js";

function event(number: number): SessionEvent {
  const revision = { incarnation: "1".repeat(32), number, check: BigInt(number) };
  const told = { kind: "changed", source: "test", wallTimeMs: 0, metadata: new Map(), changes: [] } as const;
  return { sessionId: "s", revision, ...told };
}

function numbers(subscription: Subscription): number[] {
  const all: number[] = [];
  for (;;) {
    const told = subscription.take();
    if (told === undefined || !("kind" in told) || told.kind !== "event") return all;
    all.push(told.event.revision.number);
  }
}

const everything = { filter: { key: "", wants: () => true }, passive: false, notify: () => {} };

test("with a commit all those before it are durable, so they are told with it and in order", async () => {
  const hub = new Hub(() => {});
  const watcher = hub.subscribe("s", { ...everything, filter: { key: "x", wants: () => true } });
  watcher.open([]);
  let done = (): void => {};
  const durable = new Promise<void>((resolve) => {
    done = resolve;
  });
  const never = new Promise<void>(() => {});
  const kinds = [1, 2, 3, 4].map((number) => ({ ...event(number), kind: "created" as const }));
  hub.offer(kinds[0] as SessionEvent, never);
  hub.offer(kinds[1] as SessionEvent, never);
  hub.offer(kinds[2] as SessionEvent, durable);
  hub.offer(kinds[3] as SessionEvent, never);
  expect(numbers(watcher)).toEqual([]);
  done();
  await durable;
  expect(numbers(watcher)).toEqual([1, 2, 3]);
});

test("who watches alike is told the same thing, made once", () => {
  const hub = new Hub(() => {});
  let asked = 0;
  const wants = (): boolean => {
    asked++;
    return true;
  };
  const watchers = Array.from({ length: 100 }, () =>
    hub.subscribe("s", { ...everything, filter: { key: "a", wants } }),
  );
  for (const watcher of watchers) watcher.open([]);
  const changes = [{ name: "a", id: "var_a_1", after: { version: 1, type: "float", value: 1 } }] as const;
  hub.offer({ ...event(1), changes: [...changes, { name: "b" }] }, undefined);
  expect(asked).toBe(2);
  const told = watchers.map((watcher) => watcher.take());
  expect(new Set(told).size).toBe(1);
});

test("a session that nobody watches leaves nothing behind", () => {
  const unused: string[] = [];
  const hub = new Hub((sessionId) => unused.push(sessionId));
  const passive = hub.subscribe("s", { ...everything, passive: true });
  const watcher = hub.subscribe("s", everything);
  expect([hub.count, hub.isWatched("s"), hub.isUsed("s")]).toEqual([2, true, true]);
  watcher.close();
  expect([hub.count, hub.isWatched("s"), hub.isUsed("s"), unused]).toEqual([1, true, false, ["s"]]);
  passive.close();
  expect([hub.count, hub.isWatched("s"), unused]).toEqual([0, false, ["s"]]);
});

test.each([
  ["at once", undefined],
  ["when it is durable", Promise.resolve()],
])(
  "a listener that fails is told so and let go; the commit, told %s, and the others do not notice",
  async (_, durable) => {
    const hub = new Hub(() => {});
    const failing = hub.subscribe("s", {
      ...everything,
      notify: () => {
        throw new Error("a bug");
      },
    });
    const watcher = hub.subscribe("s", { ...everything, filter: { key: "x", wants: () => true } });
    expect(() => failing.open([])).toThrow("a bug");
    watcher.open([]);
    for (const number of [1, 2]) hub.offer({ ...event(number), kind: "created" as const }, durable);
    await durable;
    expect(numbers(watcher)).toEqual([1, 2]);
    expect(failing.take()).toMatchObject({ kind: "event" });
    const end = failing.take();
    expect(end).toBeInstanceOf(Refusal);
    expect(end).toMatchObject({ reason: "INTERNAL", message: "the watch has failed: a bug" });
    expect(hub.count).toBe(1);
    hub.end(new Refusal("SHUTTING_DOWN", "it ends"));
    expect(watcher.take()).toMatchObject({ reason: "SHUTTING_DOWN" });
  },
);
