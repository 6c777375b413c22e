import { expect, test } from "vitest";
import type { SessionEvent } from "./session/event.js";
import { MOST_WAITING, MOST_WAITING_BYTES, ToldQueue } from "./told-queue.js";
import type { Told } from "./watch.js";

const at = (number: number) => ({ incarnation: "1".repeat(32), number, check: BigInt(number) });
const bookmark = (number: number): Told => ({ kind: "bookmark", revision: at(number) });
const commit = (number: number, changes: SessionEvent["changes"] = []): Told => {
  const rest = { kind: "changed", source: "test", wallTimeMs: 0, metadata: new Map(), changes } as const;
  return { kind: "event", event: { sessionId: "s", revision: at(number), ...rest } satisfies SessionEvent };
};

test("a bookmark that says where the reader comes to anyway takes no room, and ends nobody", () => {
  const queue = new ToldQueue();
  for (let i = 1; i <= MOST_WAITING; i++) expect(queue.add(commit(i))).toBe(true);
  for (let i = 0; i < 3; i++) expect(queue.add(bookmark(MOST_WAITING))).toBe(false);
  expect([queue.waiting, queue.isEnded]).toEqual([MOST_WAITING, false]);
});

test("an event that is alone but for bookmarks waits, however long it is, and another one is too much", () => {
  const long = (number: number) =>
    commit(number, [
      { name: "x", after: { version: number, type: "string", value: "y".repeat(MOST_WAITING_BYTES) } },
    ]);
  const queue = new ToldQueue();
  queue.add(bookmark(1));
  expect([queue.add(long(2)), queue.add(bookmark(3)), queue.isEnded]).toEqual([true, true, false]);
  expect([queue.take(), queue.take(), queue.take()]).toEqual([bookmark(1), long(2), bookmark(3)]);
  queue.add(long(4));
  queue.add(commit(5));
  expect(queue.isEnded).toBe(true);
});

test("a bookmark that leads on is told, and takes the place of one that waits", () => {
  const queue = new ToldQueue();
  queue.add(commit(1));
  expect([queue.add(bookmark(2)), queue.add(bookmark(3)), queue.add(bookmark(3))]).toEqual([
    true,
    false,
    false,
  ]);
  expect([queue.take(), queue.take(), queue.take()]).toEqual([commit(1), bookmark(3), undefined]);
  expect(queue.add(bookmark(3))).toBe(true);
});
