/** Opens a file beside the server that may be writing it. */
import { existsSync } from "node:fs";
import { type Database, openDatabase } from "./driver.js";
import { StoreFileError } from "./format.js";

/** Opens a file that is there, for reading only. */
export async function openForReading(path: string): Promise<Database> {
  if (!existsSync(path)) throw new StoreFileError(`${path} cannot be opened; is it there?`);
  const db = await openDatabase(path, { readOnly: true, timeout: 5_000 });
  db.exec("PRAGMA trusted_schema = OFF");
  return db;
}
