/** The settings that a promise rests on, as the connection that writes has them. */
import { expect, test } from "vitest";
import { closeFile, openForWriting } from "./format.js";
import { temporaryFile } from "./ledger-file.contract.js";

test.for([
  ["full", 2],
  ["relaxed", 1],
] as const)("a file is open with the settings of durability %s", async ([durability, synchronous]) => {
  const path = temporaryFile();
  // The second time the file is there, and settings of the connection are those of a build if nobody sets them.
  for (let i = 0; i < 2; i++) {
    const file = await openForWriting(path, durability);
    const found = ["journal_mode", "synchronous", "fullfsync", "checkpoint_fullfsync", "trusted_schema"].map(
      (name) => Object.values(file.db.prepare(`PRAGMA ${name}`).get() ?? {})[0],
    );
    expect(found).toEqual(["wal", synchronous, 1, 1, 0]);
    closeFile(file);
  }
});
