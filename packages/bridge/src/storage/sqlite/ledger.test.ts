/** The ledger on a disk that fails. */
import { expect, test } from "vitest";
import { History } from "../../testing/commits.contract.js";
import { packRecords } from "./batch.js";
import { Folding } from "./folding.js";
import { explained, openForWriting } from "./format.js";
import { Ledger } from "./ledger.js";
import { LedgerFile, temporaryFile } from "./ledger-file.contract.js";

test("a disk that is full in the middle of a transaction is told as that", async () => {
  const path = temporaryFile();
  const { db, lock } = await openForWriting(path, "relaxed");
  const ledger = new Ledger(db);
  const folding = new Folding(db, ledger);
  const history = new History("s");
  history.set("a", "string", "x".repeat(200_000));
  ledger.append(packRecords(history.records));
  db.exec("PRAGMA max_page_count = 60");
  let error: unknown;
  try {
    folding.all();
  } catch (thrown) {
    error = thrown;
  }
  expect(explained(error, path).message).toBe(`${path} cannot grow: the disk is full`);
  db.close();
  lock.close();
});

test("a record that does not follow is not kept, so the file still opens", async () => {
  const path = temporaryFile();
  const history = new History("s");
  const file = await LedgerFile.open(path);
  file.append(...history.records);
  const stranger = new History("t");
  const lost = history.set("a", "float", 1);
  const next = history.set("a", "float", 2);
  expect(() => file.append(stranger.last, next)).toThrow("commit 3 of session s does not follow");
  file.close();
  const again = await LedgerFile.open(path);
  expect([...again.contents().keys()]).toEqual(["s"]);
  again.append(lost, next);
  again.close();
});
