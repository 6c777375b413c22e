/** The SQLite store, with its thread. The thread is a compiled file, so this is the compiled store (`npm run build`). */
import { chmodSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { command, isPending, openBench } from "../../testing/bench.contract.js";
import { History } from "../../testing/commits.contract.js";
import { persistentStoreContract, storeContract } from "../store.contract.js";
import type { Store } from "../store.js";
import { historyContract } from "../variable-history.contract.js";
import { openDatabase } from "./driver.js";
import { temporaryFile } from "./ledger-file.contract.js";

const compiled = new URL("../../../dist/storage/sqlite/sqlite-store.js", import.meta.url).href;
const { SqliteStore } = (await import(compiled)) as typeof import("./sqlite-store.js");

const open = async () => {
  const path = temporaryFile();
  const reopen = (): Promise<Store> => SqliteStore.open(path, "relaxed");
  return { store: await reopen(), reopen };
};
storeContract(open);
historyContract(open);

persistentStoreContract(async () => {
  const path = temporaryFile();
  return () => SqliteStore.open(path, "relaxed");
});

test("an acknowledged commit is in the file, which another connection reads", async () => {
  const path = temporaryFile();
  const store = await SqliteStore.open(path);
  await store.append(new History("s").records);
  const db = await openDatabase(path, { readOnly: true });
  expect(db.prepare("SELECT count(*) AS rows FROM tail").get()).toEqual({ rows: 1 });
  db.close();
  await store.close();
});

test("commits that gather while one is on its way to the disk share a transaction", async () => {
  const path = temporaryFile();
  const store = await SqliteStore.open(path);
  const histories = Array.from({ length: 200 }, (_, i) => new History(`s${i}`));
  await Promise.all(histories.map(({ records }) => store.append(records)));
  const db = await openDatabase(path, { readOnly: true });
  expect(Number(db.prepare("SELECT count(*) AS rows FROM tail").get()?.rows)).toBeLessThan(10);
  db.close();
  await store.close();
});

describe("an engine on a file", () => {
  const requestId = { clientId: "c".repeat(32), sequence: 7 };

  test("answers a retry as it did before it was stopped, and counts on where it was", async () => {
    const path = temporaryFile();
    const first = await openBench({ store: await SqliteStore.open(path) });
    await first.do(command.create("s"));
    const write = { ...command.increment("s", "n", 5), requestId };
    const answer = await first.do(write);
    await first.do(command.set("s", "gone", 1));
    await first.do(command.drop("s", "gone"));
    await first.engine.close();
    const second = await openBench({ store: await SqliteStore.open(path) });
    expect(await second.do(write)).toEqual(answer);
    expect(await second.do(command.set("s", "gone", 2))).toMatchObject({
      item: { version: 2 },
      revision: { number: 5 },
    });
    expect((await second.do(command.sessions())).sessions.map(({ id }) => id)).toEqual(["s"]);
    await second.engine.close();
  });

  test("knows what its variables were, whatever was let go of since, and before a session is awake", async () => {
    const path = temporaryFile();
    const first = await openBench({ store: await SqliteStore.open(path, "relaxed") });
    for (let i = 0; i < 3; i++) await first.do({ ...command.set("s", "rare", i), source: "python" });
    await Promise.all(
      Array.from({ length: 3_000 }, (_, i) => first.do(command.set("s", "busy", `${i} ${"x".repeat(100)}`))),
    );
    const before = await first.do(command.history("s", "rare"));
    expect(before.entries.map(({ value, source }) => [value, source])).toEqual([
      [2, "python"],
      [1, "python"],
      [0, "python"],
    ]);
    const busy = await first.do(command.history("s", "busy"));
    expect(busy).toMatchObject({ compacted: true, entries: { length: 50 } });
    await first.engine.close();
    const second = await openBench({ store: await SqliteStore.open(path, "relaxed") });
    expect(await second.do(command.history("s", "rare"))).toEqual(before);
    expect(await second.do(command.history("s", "busy"))).toEqual(busy);
    await second.engine.close();
  });

  test("answers with what it decided on, however many writes and reads of histories are on their way", async () => {
    const path = temporaryFile();
    const bench = await openBench({ store: await SqliteStore.open(path, "relaxed") });
    await bench.do(command.create("s"));
    const asked = Array.from({ length: 500 }, async (_, i) => {
      void bench.do(command.increment("s", "n", 1n));
      if (i % 50 === 49) void bench.do(command.drop("s", "n"));
      if (i % 50 === 49) void bench.do(command.increment("s", "n", 1n));
      const { entries, revision } = await bench.do(command.history("s", "n"));
      const [newest] = entries;
      expect(newest?.revision).toBe(revision.number);
      expect(entries.map(({ value }) => value)).toEqual(
        entries.map((_, place) => (newest?.value as bigint) - BigInt(place)),
      );
      return revision.number;
    });
    const revisions = await Promise.all(asked);
    expect(revisions).toEqual(revisions.toSorted((a, b) => a - b));
    await bench.engine.close();
  });

  test("does not bring back what was deleted or has expired", async () => {
    const path = temporaryFile();
    const first = await openBench({ store: await SqliteStore.open(path) });
    for (const id of ["stays", "deleted", "expires"]) await first.do(command.create(id, 1_000));
    await first.do(command.end("deleted"));
    first.clock.advance(999);
    await first.do(command.heartbeat("stays"));
    first.clock.advance(1);
    expect(await first.refused(command.session("expires"))).toMatchObject({ reason: "SESSION_NOT_FOUND" });
    await first.engine.close();
    const second = await openBench({ store: await SqliteStore.open(path) });
    expect((await second.do(command.sessions())).sessions.map(({ id }) => id)).toEqual(["stays"]);
    await second.engine.close();
  });
});

test("a history that is not what was written stops the store, which says so and answers nothing more", async () => {
  const path = temporaryFile();
  const first = await SqliteStore.open(path, "relaxed");
  const history = new History("s");
  history.set("a", "float", 1);
  for (let i = 0; i < 3; i++) history.set("b", "string", "x".repeat(100_000));
  await first.append(history.records);
  await first.close();
  const db = await openDatabase(path);
  db.exec("UPDATE history SET entries = zeroblob(length(entries)) WHERE name = 'a'");
  db.close();
  const store = await SqliteStore.open(path, "relaxed");
  const read = store.history("s", { id: "var_a_2", name: "a", version: 1 });
  expect((await store.failure).message).toBe(
    `${path} is damaged: the history of a of session s is not what was written`,
  );
  expect(await isPending(read)).toBe(true);
  expect(await isPending(store.load("s"))).toBe(true);
  await store.close();
});

describe("one clear line says why a file cannot be used", () => {
  async function whyNot(path: string): Promise<string> {
    const error = await SqliteStore.open(path).then(
      () => undefined,
      (error: Error) => error,
    );
    expect(error?.message).not.toContain("\n");
    return error?.message ?? "it was opened";
  }

  test("when another server has it, and it is free again when that one has closed it", async () => {
    const path = temporaryFile();
    const first = await SqliteStore.open(path);
    expect(await whyNot(path)).toBe(
      `${path} is in use by another server; stop that one, or choose another file`,
    );
    await first.append(new History("s").records);
    await first.close();
    const second = await SqliteStore.open(path);
    expect(await second.heads()).toHaveLength(1);
    await second.close();
  });

  test("when its format is newer", async () => {
    const path = temporaryFile();
    await (await SqliteStore.open(path)).close();
    const db = await openDatabase(path);
    db.exec("UPDATE bridge SET value = 2 WHERE key = 'format'");
    db.close();
    expect(await whyNot(path)).toBe(
      `${path} has format 2, this version reads up to 1; upgrade with npm install snakepit-bridge@latest`,
    );
  });

  test("when it is a database of something else", async () => {
    const path = temporaryFile();
    const db = await openDatabase(path);
    db.exec("CREATE TABLE cakes (name TEXT)");
    db.close();
    expect(await whyNot(path)).toBe(`${path} is a database, but not one of a bridge`);
  });

  test("when it is no database", async () => {
    const path = temporaryFile();
    writeFileSync(path, "a letter to my aunt\n".repeat(100));
    expect(await whyNot(path)).toBe(`${path} is not an SQLite database`);
  });

  test("when its folder is not there", async () => {
    const path = temporaryFile("no/such/folder.db");
    expect(await whyNot(path)).toBe(
      `${path} cannot be opened; does the folder exist, and may this user write there?`,
    );
  });

  // The superuser may write any file.
  test.skipIf(process.getuid?.() === 0)("when it may not be written", async () => {
    const path = temporaryFile();
    await (await SqliteStore.open(path)).close();
    chmodSync(path, 0o444);
    expect(await whyNot(path)).toBe(`${path} is read-only`);
  });
});
