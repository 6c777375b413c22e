/** The store with accidents: without one it is the store inside it, and each accident is what its name says. */
import { describe, expect, test } from "vitest";
import { MemoryStore } from "../storage/memory/memory-store.js";
import { temporaryFile } from "../storage/sqlite/ledger-file.contract.js";
import { persistentStoreContract, storeContract } from "../storage/store.contract.js";
import { isPending } from "./bench.contract.js";
import { History } from "./commits.contract.js";
import { FaultyStore } from "./faulty-store.contract.js";

// The thread of the SQLite store is a compiled file, so this is the compiled store (`npm run build`).
const compiled = new URL("../../dist/storage/sqlite/sqlite-store.js", import.meta.url).href;
const { SqliteStore } = (await import(compiled)) as typeof import("../storage/sqlite/sqlite-store.js");

describe("without an accident, over memory,", () => {
  storeContract(async () => ({ store: new FaultyStore(new MemoryStore()) }));
});

describe("without an accident, over SQLite,", () => {
  const openOn = (path: string) => async () => new FaultyStore(await SqliteStore.open(path, "relaxed"));
  storeContract(async () => {
    const reopen = openOn(temporaryFile());
    return { store: await reopen(), reopen };
  });
  persistentStoreContract(async () => openOn(temporaryFile()));
});

describe("an append that", () => {
  function arranged(): { store: FaultyStore; inside: MemoryStore; history: History } {
    const inside = new MemoryStore();
    return { store: new FaultyStore(inside), inside, history: new History("s") };
  }

  /** The last revision that the store inside has. */
  async function revisionIn(inside: MemoryStore): Promise<number> {
    return (await inside.load("s"))?.state.revision ?? 0;
  }

  test("is refused throws, once, and is not kept", async () => {
    const { store, inside, history } = arranged();
    store.arrange("is refused");
    expect(() => store.append(history.records)).toThrow("the disk is full");
    expect(await revisionIn(inside)).toBe(0);
    await store.append(history.records);
    expect(await revisionIn(inside)).toBe(1);
  });

  test("is lost fails and is not kept", async () => {
    const { store, inside, history } = arranged();
    store.arrange("is lost");
    await expect(store.append(history.records)).rejects.toThrow("the disk is gone");
    expect(await revisionIn(inside)).toBe(0);
  });

  test("is kept and fails is kept", async () => {
    const { store, inside, history } = arranged();
    store.arrange("is kept and fails");
    await expect(store.append(history.records)).rejects.toThrow("the disk is gone");
    expect(await revisionIn(inside)).toBe(1);
  });

  test("ends the store is not kept, and fails with everything that waits or comes later", async () => {
    const { store, inside, history } = arranged();
    store.holding = true;
    const waiting = store.append(history.records);
    store.arrange("ends the store", 1);
    const second = store.append([history.set("a", "float", 1)]);
    const third = store.append([history.set("a", "float", 2)]);
    for (const late of [waiting, second, third, store.load("s"), store.append(history.records)])
      await expect(late).rejects.toThrow("the disk is gone");
    expect((await store.failure).message).toBe("the disk is gone");
    store.release();
    expect(await revisionIn(inside)).toBe(0);
  });

  test("ends the process is not kept, nor anything after it, and nobody is told anything", async () => {
    const { store, inside, history } = arranged();
    store.arrange("ends the process", 1);
    const before = store.append(history.records);
    const rest = [store.append([history.set("a", "float", 1)]), store.append([history.set("a", "float", 2)])];
    for (const append of [before, ...rest, store.load("s"), store.commitsAfter("s", 0)])
      expect(await isPending(append)).toBe(true);
    await store.quiet();
    expect([store.dead, store.kept, await revisionIn(inside)]).toEqual([true, 1, 1]);
  });
});

test("appends that are held reach the store when they are released, and what is asked after them waits with them", async () => {
  const inside = new MemoryStore();
  const store = new FaultyStore(inside);
  store.holding = true;
  const history = new History("s");
  const appended = store.append(history.records);
  const loaded = store.load("s");
  expect([await isPending(appended), await isPending(loaded)]).toEqual([true, true]);
  expect(await inside.load("s")).toBeUndefined();
  store.release();
  await appended;
  expect((await loaded)?.state.revision).toBe(1);
  const next = store.append([history.set("a", "float", 1)]);
  expect(await isPending(next)).toBe(true);
  await store.close();
  await next;
});

test("a load that fails fails once", async () => {
  const store = new FaultyStore(new MemoryStore());
  await store.append(new History("s").records);
  store.failNextLoad();
  await expect(store.load("s")).rejects.toThrow("the disk is slow");
  expect((await store.load("s"))?.state.revision).toBe(1);
  expect(store.loads).toBe(2);
});

test("a store that fails inside fails", async () => {
  const inside = new FaultyStore(new MemoryStore());
  const store = new FaultyStore(inside);
  inside.fail(new Error("worn out"));
  expect((await store.failure).message).toBe("worn out");
  await expect(store.load("s")).rejects.toThrow("worn out");
});
