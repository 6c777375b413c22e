import { expect, test } from "vitest";
import { InternalError } from "../core/errors.js";
import { gather } from "./pages.js";

test("pages are read one after the other until the last, each where the one before ended", async () => {
  const pages = new Map([
    ["", { items: [1, 2], nextPageToken: "b" }],
    ["b", { items: [], nextPageToken: "c" }],
    ["c", { items: [3], nextPageToken: "" }],
  ]);
  const all = await gather(async (token) => pages.get(token)!);
  expect(all).toEqual([1, 2, 3]);
  expect(Object.isFrozen(all)).toBe(true);
});

test("a list that does not move on is given up", async () => {
  const reading = gather(async () => ({ items: [1], nextPageToken: "same" }));
  await expect(reading).rejects.toThrow(InternalError);
});
