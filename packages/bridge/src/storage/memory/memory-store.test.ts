import { expect, test } from "vitest";
import { History } from "../../testing/commits.contract.js";
import { storeContract } from "../store.contract.js";
import { MemoryStore } from "./memory-store.js";

storeContract(async () => ({ store: new MemoryStore() }));

test("a memory store does not grow with the number of commits of a session", async () => {
  const store = new MemoryStore();
  const history = new History("s");
  for (let i = 0; i < 5_000; i++) history.set("a", "integer", BigInt(i));
  for (const record of history.records) store.append([record]);
  expect(await store.commitsAfter("s", history.records.length - 1_500)).toBe("compacted");
  await store.close();
});

test("a memory store is done at once", () => {
  expect(new MemoryStore().append(new History("s").records)).toBeUndefined();
});
