/** What a file holds of idle times at any moment. */
import { expect, test } from "vitest";
import { History } from "../../testing/commits.contract.js";
import { openDatabase } from "./driver.js";
import { copyAsIfCrashed, LedgerFile, temporaryFile } from "./ledger-file.contract.js";

/** What is left to each session, by id. */
function rests({ idleTimes }: LedgerFile): Record<string, number> {
  return Object.fromEntries(idleTimes.heads().map(({ sessionId, restMs }) => [sessionId, restMs]));
}

/** The same in what a crash leaves. */
async function restsAfterCrash(path: string): Promise<Record<string, number>> {
  const copy = `${path}-copy`;
  copyAsIfCrashed(path, copy);
  const file = await LedgerFile.open(copy);
  const found = rests(file);
  file.close();
  return found;
}

test("idle times go on by the age of the file, and a session that is only in the tail gets a row for it", async () => {
  const path = temporaryFile();
  const file = await LedgerFile.open(path);
  const [used, idle, eternal] = [10_000, 10_000, 0].map((ttlMs, i) => new History(`s${i}`, { ttlMs }));
  if (!used || !idle || !eternal) throw new Error("three were made");
  file.append(used.last, idle.last, eternal.last);
  expect(file.folding.due).toBe(false);
  file.idleTimes.keep([{ sessionId: "s0", incarnation: used.incarnation, restMs: 9_500.25 }], 1_000);
  expect(rests(file)).toMatchObject({ s0: 9_500.25, s1: 9_000 });
  // A little later it is in rows; a crash before that gives back the whole time, and no less.
  expect(await restsAfterCrash(path)).toMatchObject({ s0: 10_000, s1: 10_000 });
  expect(file.folding.due).toBe(true);
  while (file.folding.due) file.folding.slice();
  expect(await restsAfterCrash(path)).toMatchObject({ s0: 9_500.25, s1: 9_000 });
  file.idleTimes.keep([], 9_250);
  expect(file.folding.due).toBe(false);
  expect(await restsAfterCrash(path)).toMatchObject({ s0: 250.25, s1: -250 });
  // One that is created now has all of its time.
  const young = new History("s3", { ttlMs: 500 });
  file.append(young.last);
  expect(await restsAfterCrash(path)).toMatchObject({ s0: 250.25, s3: 500 });
  file.close();
});

test("a session that begins again has the whole time of its new life", async () => {
  const path = temporaryFile();
  const file = await LedgerFile.open(path);
  const first = new History("s", { ttlMs: 10_000 });
  file.append(first.last);
  file.idleTimes.keep([], 6_000);
  file.folding.all();
  const second = new History("s", { ttlMs: 10_000 });
  file.append(first.end("deleteSession"), second.last);
  const stale = { sessionId: "s", incarnation: first.incarnation, restMs: 1 };
  file.idleTimes.keep([stale], 1_000);
  file.folding.all();
  expect(rests(file)).toEqual({ s: 9_000 });
  expect(await restsAfterCrash(path)).toEqual({ s: 9_000 });
  file.close();
});

test("an age that is not what was written is damage", async () => {
  const path = temporaryFile();
  (await LedgerFile.open(path)).close();
  const db = await openDatabase(path);
  db.exec("UPDATE bridge SET value = replace(value, '0 ', '8 ') WHERE key = 'age'");
  db.close();
  await expect(LedgerFile.open(path)).rejects.toThrow("its age is not what was written");
});
