import { expect, test } from "vitest";
import { History } from "../../testing/commits.contract.js";
import { storeContract } from "../store.contract.js";
import { historyContract } from "../variable-history.contract.js";
import { MemoryStore } from "./memory-store.js";

const open = async () => ({ store: new MemoryStore() });
storeContract(open);
historyContract(open);

test("a memory store does not grow with the number of commits of a session", async () => {
  const store = new MemoryStore();
  const history = new History("s");
  for (let i = 0; i < 5_000; i++) history.set("a", "integer", BigInt(i));
  for (const record of history.records) store.append([record]);
  expect(await store.commitsAfter("s", history.records.length - 1_500)).toBe("compacted");
  await store.close();
});

test("a memory store has the last 1,000 commits at every moment, also right after it has let go of older ones", async () => {
  const store = new MemoryStore();
  const history = new History("s");
  store.append(history.records);
  for (let last = 2; last <= 1_600; last++) {
    store.append([history.set("a", "integer", BigInt(last))]);
    if (last > 1_200 && last < 1_280) expect(await store.commitsAfter("s", last - 1_000)).toHaveLength(1_000);
  }
  expect(await store.commitsAfter("s", 600)).toHaveLength(1_000);
  await store.close();
});

test("a memory store is done at once", () => {
  expect(new MemoryStore().append(new History("s").records)).toBeUndefined();
});
