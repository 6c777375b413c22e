import { expect, test } from "vitest";
import { CommandIds } from "./command-ids.js";

test("numbers begin again where the field ends, and none is given that is in use [ORD-17 accepts]", () => {
  const ids = new CommandIds(2 ** 32 - 2);
  const inUse = new Set([0, 1]);
  expect([ids.next(inUse), ids.next(inUse), ids.next(new Set())]).toEqual([2 ** 32 - 1, 2, 3]);
  expect(ids.last).toBe(3);
});
