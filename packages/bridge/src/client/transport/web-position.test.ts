import { expect, test } from "vitest";
import type { Revision } from "../../core/commands.js";
import { Position } from "./web-position.js";

const at = (life: string, number: number): Revision => ({ incarnation: life, number, check: 0n });
const ABSENT = at("", 0);

test("what is not newer than what was told is reached", () => {
  const position = new Position();
  expect(position.hasReached(at("a", 1))).toBe(false);
  position.moved(at("a", 2));
  expect([1, 2, 3].map((number) => position.hasReached(at("a", number)))).toEqual([true, true, false]);
  expect([at("b", 1), ABSENT].map((revision) => position.hasReached(revision))).toEqual([false, false]);
});

test("a life that is over is reached, also when the session was absent since", () => {
  const position = new Position();
  const lives = (): boolean[] => [at("a", 9), ABSENT, at("b", 1)].map((each) => position.hasReached(each));
  position.moved(at("a", 2));
  position.moved(ABSENT);
  expect(lives()).toEqual([true, true, false]);
  position.moved(at("b", 1));
  // It may be absent again, and that is not told yet.
  expect(lives()).toEqual([true, false, true]);
});

test("whoever waits is told of each move, and of the end, which reaches everything", () => {
  const position = new Position();
  const moves: number[] = [];
  const stop = position.onMove(() => moves.push(position.timesMoved));
  position.moved(at("a", 1));
  position.moved(at("a", 2));
  position.ended();
  expect(position.hasReached(at("c", 9))).toBe(true);
  stop();
  position.ended();
  expect(moves).toEqual([1, 2, 2]);
});
