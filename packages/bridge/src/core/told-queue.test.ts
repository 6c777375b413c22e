import { expect, test } from "vitest";
import type { SessionEvent } from "./session/event.js";
import { MOST_WAITING, ToldQueue } from "./told-queue.js";
import type { Told } from "./watch.js";

const at = (number: number) => ({ incarnation: "1".repeat(32), number, check: BigInt(number) });
const bookmark = (number: number): Told => ({ kind: "bookmark", revision: at(number) });
const commit = (number: number): Told => {
  const rest = { kind: "changed", source: "test", wallTimeMs: 0, metadata: new Map(), changes: [] } as const;
  return { kind: "event", event: { sessionId: "s", revision: at(number), ...rest } satisfies SessionEvent };
};

test("a bookmark that says where the reader comes to anyway takes no room, and ends nobody", () => {
  const queue = new ToldQueue();
  for (let i = 1; i <= MOST_WAITING; i++) expect(queue.add(commit(i))).toBe(true);
  for (let i = 0; i < 3; i++) expect(queue.add(bookmark(MOST_WAITING))).toBe(false);
  expect([queue.waiting, queue.isEnded]).toEqual([MOST_WAITING, false]);
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
