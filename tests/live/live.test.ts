/** Live reads under random histories, in virtual time; `npm run torture:live` plays many more. */
import { describe, expect, test } from "vitest";
import { FAULTS } from "./faults.js";
import { playMany } from "./histories.js";

const HISTORIES = 300;
/** More than it takes to find each fault. */
const MOST_HISTORIES = 2_000;

test("nothing that is promised of live reads is broken", { timeout: 120_000 }, async () => {
  const seed = Date.now() % 2 ** 31;
  const { failure, histories, seen } = await playMany({ histories: HISTORIES, seed });
  expect(failure).toBeUndefined();
  expect(histories).toBe(HISTORIES);
  for (const what of ["read from the replica", "read from the server", "read from the replica, stale"])
    expect(seen.get(what), what).toBeGreaterThan(0);
});

describe("what would break it is found [ORD-8 refuses]", () => {
  test.each(Object.entries(FAULTS))("%s", { timeout: 120_000 }, async (_, tampering) => {
    const { failure } = await playMany({ histories: MOST_HISTORIES, seed: 1, tampering });
    expect(failure).toMatch(/Violation/);
  });
});
