/** The SQLite store, with its thread. The thread is a compiled file, so this is the compiled store (`npm run build`). */
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { localClient } from "../../client/local-client.js";
import { OutcomeUnknownError, UnavailableError } from "../../core/errors.js";
import { command, openBench } from "../../testing/bench.contract.js";
import { History } from "../../testing/commits.contract.js";
import type { CommitRecord } from "../record.js";
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

describe("a store that has failed", () => {
  /** Takes the table away that commits go to. */
  async function sabotage(path: string): Promise<void> {
    const db = await openDatabase(path, { timeout: 5_000 });
    db.exec("DROP TABLE tail");
    db.close();
  }

  test("says why, to all who wait and to all who ask later, and can be closed", async () => {
    const path = temporaryFile();
    const store = await SqliteStore.open(path);
    const history = new History("s");
    await store.append(history.records);
    await sabotage(path);
    const first = [store.append([history.set("a", "float", 1)]), store.load("s")];
    const second = store.append([history.set("a", "float", 2)]);
    const reason = await store.failure;
    expect(reason.message).toContain(`${path}: no such table`);
    store.keepRests([], 0);
    const later = [store.append([history.set("a", "float", 3)]), store.load("s"), store.commitsAfter("s", 0)];
    for (const outcome of [...first, second, ...later]) await expect(outcome).rejects.toBe(reason);
    await store.close();
  });

  test("because of damage that a load has found rejects that load with it", async () => {
    const path = temporaryFile();
    const history = new History("s");
    const store = await SqliteStore.open(path);
    await store.append(history.records);
    await store.close();
    const again = await SqliteStore.open(path);
    const db = await openDatabase(path, { timeout: 5_000 });
    db.exec("DELETE FROM log");
    db.close();
    const loaded = again.load("s");
    await expect(loaded).rejects.toThrow(`${path} is damaged`);
    await expect(loaded).rejects.toBe(await again.failure);
    await again.close();
  });

  /** Begins to open a store. Tells its thread too, which can then end without a word, as one does that the system ends. */
  async function opening(path: string): Promise<{ opened: Promise<Store>; thread: Worker }> {
    const begun = once(process, "worker");
    const opened = SqliteStore.open(path);
    const [thread] = (await begun) as [Worker];
    return { opened, thread };
  }

  test("because its thread has ended without a word says so to who waits and who asks later, while it is closed too", async () => {
    for (const isClosing of [false, true]) {
      const { opened, thread } = await opening(temporaryFile());
      const store = await opened;
      const end = thread.terminate();
      const asked = isClosing ? [store.close(), store.close()] : [store.heads(), store.load("s")];
      for (const each of asked) await expect(each).rejects.toThrow(/^the thread that writes .* has ended$/);
      expect((await store.failure).message).toMatch("has ended");
      await end;
      await expect(store.heads()).rejects.toBe(await store.failure);
    }
  });

  test("before it was open does not keep anybody waiting", async () => {
    const { opened, thread } = await opening(temporaryFile());
    const refused = expect(opened).rejects.toThrow(/^the thread that writes .* has ended$/);
    await thread.terminate();
    await refused;
  });

  test("does not keep the clients of an engine without a door waiting", async () => {
    const path = temporaryFile();
    const { engine, clock } = await openBench({ store: await SqliteStore.open(path) });
    const { sessions } = localClient({ engine, clock });
    await sessions.createSession("s");
    await sabotage(path);
    await expect(sessions.createSession("t")).rejects.toThrow(OutcomeUnknownError);
    await expect(sessions.getSession("s")).rejects.toThrow(UnavailableError);
    await engine.close();
  });
});

test("commits that gather beyond what one transaction should hold are written in several, in order", async () => {
  const path = temporaryFile();
  const store = await SqliteStore.open(path, "relaxed");
  const history = new History("s");
  for (let i = 0; i < 30; i++) history.set("a", "string", String(i % 10).repeat(1_048_576));
  await Promise.all(history.records.map((record) => store.append([record])));
  const db = await openDatabase(path, { readOnly: true });
  const { longest } = db.prepare("SELECT max(length(commits)) AS longest FROM tail").get() ?? {};
  db.close();
  // SQLite takes no more than 10^9 bytes in one place, and everybody waits for a long transaction.
  expect(Number(longest)).toBeLessThan(9 * 1_048_576);
  expect((await store.load("s"))?.check).toBe(history.check);
  await store.close();
});

test("of a session that shared a flush with others only its own commits are handed over", async () => {
  const store = await SqliteStore.open(temporaryFile(), "relaxed");
  const histories = Array.from({ length: 200 }, (_, i) => new History(`s${i}`));
  await store.append(
    histories
      .map((history) => history.set("a", "string", "x".repeat(10_000)))
      .flatMap((record, i) => [histories[i]?.records[0] as CommitRecord, record]),
  );
  const commits = await store.commitsAfter("s7", 0);
  if (commits === "compacted") throw new Error("nothing was let go of yet");
  expect(commits).toHaveLength(2);
  const memory = new Set(commits.map(({ bytes }) => bytes.buffer));
  expect([...memory].reduce((sum, { byteLength }) => sum + byteLength, 0)).toBeLessThan(20_000);
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

test("a file that is opened by a link is the file that the link leads to", async () => {
  const path = temporaryFile();
  const folder = join(dirname(path), "elsewhere");
  mkdirSync(folder);
  const real = join(folder, "real.db");
  await (await SqliteStore.open(real)).close();
  symlinkSync(real, path);
  const store = await SqliteStore.open(path, "relaxed");
  await store.append(new History("s").records);
  expect(existsSync(`${real}-lock`)).toBe(true);
  expect(existsSync(`${path}-lock`)).toBe(false);
  await store.close();
  const again = await SqliteStore.open(real);
  expect(await again.heads()).toHaveLength(1);
  await again.close();
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
  const message = `${path} is damaged: the history of a of session s is not what was written`;
  await expect(read).rejects.toThrow(message);
  expect((await store.failure).message).toBe(message);
  await expect(store.load("s")).rejects.toThrow(message);
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

  test("when another server has it by another name", async () => {
    const path = temporaryFile();
    const first = await SqliteStore.open(path);
    const link = `${path}-link`;
    symlinkSync(path, link);
    const folder = join(dirname(path), "elsewhere");
    symlinkSync(dirname(path), folder);
    for (const name of [link, join(folder, "bridge.db")])
      expect(await whyNot(name)).toBe(
        `${name} is in use by another server; stop that one, or choose another file`,
      );
    await first.close();
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
    const before = readFileSync(path);
    expect(await whyNot(path)).toBe(`${path} is a database, but not one of a bridge`);
    expect(readFileSync(path).equals(before)).toBe(true);
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

  const superuser = process.getuid?.() === 0;
  const reason = superuser ? " (skipped for the superuser, who may write any file)" : "";
  test.skipIf(superuser)(`when it may not be written${reason}`, async () => {
    const path = temporaryFile();
    await (await SqliteStore.open(path)).close();
    chmodSync(path, 0o444);
    expect(await whyNot(path)).toBe(`${path} is read-only`);
  });
});
