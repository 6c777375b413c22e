/**
 * The file: its schema, its format number, the settings that make a commit durable, and the lock that keeps a second
 * server out. Everything that a promise rests on is set and then read back, because SQLite keeps some of it per
 * connection, and a build may have other defaults.
 */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DamageError } from "../history.js";
import { type Database, openDatabase } from "./driver.js";

/** The format of the file. A newer one is refused, an older one would be migrated in one transaction. */
export const FILE_FORMAT = 1;

/** Before this version two connections could corrupt the log of a file in rare cases. */
const OLDEST_SQLITE = [3, 51, 3];
/** Writing over a short log costs less than growing a long one, and the pause of a checkpoint grows with its pages. */
const CHECKPOINT_PAGES = 400;

const SCHEMA = `
  CREATE TABLE bridge (key TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE tail (seq INTEGER PRIMARY KEY, commits BLOB NOT NULL) STRICT;
  CREATE TABLE session (
    id TEXT PRIMARY KEY,
    incarnation TEXT NOT NULL,
    revision INTEGER NOT NULL,
    commit_check TEXT NOT NULL,
    ttl_ms REAL NOT NULL,
    rest_ms REAL NOT NULL,
    log_bytes INTEGER NOT NULL,
    snapshot_revision INTEGER NOT NULL,
    snapshot_check TEXT NOT NULL,
    snapshot_sum TEXT NOT NULL,
    history_bytes INTEGER NOT NULL,
    row_sum TEXT NOT NULL,
    snapshot BLOB
  ) STRICT;
  CREATE TABLE log (
    session_id TEXT NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    commits BLOB NOT NULL,
    PRIMARY KEY (session_id, first)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE history (
    session_id TEXT NOT NULL,
    name TEXT NOT NULL,
    entries BLOB NOT NULL,
    sum TEXT NOT NULL,
    PRIMARY KEY (session_id, name)
  ) STRICT;
`;

/** The tables as SQLite repeats them. */
const TABLES = SCHEMA.split(";")
  .map((sql) => sql.trim())
  .filter((sql) => sql !== "");

/** What an acknowledged write may rely on. */
export type Durability = "full" | "relaxed";

/** Says why a file cannot be used, in one line for people. */
export class StoreFileError extends Error {}

/** A file that is open for writing. */
export interface OpenFile {
  readonly db: Database;
  readonly lock: Database;
}

/** Opens the file for the one server that writes it, and makes it if it is not there. */
export async function openForWriting(path: string, durability: Durability): Promise<OpenFile> {
  const lock = await takeLock(path);
  try {
    await makeFile(path);
    const db = await openDatabase(path, { timeout: 5_000 });
    try {
      prepareFile(db, path, durability);
      return { db, lock };
    } catch (error) {
      db.close();
      throw error;
    }
  } catch (error) {
    lock.close();
    throw explained(error, path);
  }
}

/** Closes a file; all of it is then in the database and nothing in its log, unless somebody reads it just now. */
export function closeFile({ db, lock }: OpenFile): void {
  // Closing alone does not do this while a statement waits to be collected.
  db.exec("PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(TRUNCATE)");
  db.close();
  lock.close();
}

/**
 * Makes the file if there is none, beside its place and then moved there. So it is never seen half made or empty, and one
 * that is empty has lost what was in it.
 */
async function makeFile(path: string): Promise<void> {
  const size = sizeOf(path);
  if (size === 0)
    throw new StoreFileError(`${path} is empty; put the lost file back, or delete this one to begin anew`);
  if (size !== undefined) return;
  if (sizeOf(`${path}-wal`)) {
    throw new StoreFileError(
      `${path} is gone, but not its ${path}-wal; put the file back, or delete that one too`,
    );
  }
  const unfinished = `${path}-new`;
  for (const left of [unfinished, `${unfinished}-journal`]) rmSync(left, { force: true });
  const db = await openDatabase(unfinished);
  try {
    db.exec(`PRAGMA synchronous = FULL;
      BEGIN; ${SCHEMA} INSERT INTO bridge VALUES ('format', ${FILE_FORMAT}); COMMIT`);
  } finally {
    db.close();
  }
  renameSync(unfinished, path);
  syncFolder(dirname(path));
}

function sizeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size;
}

/** A file that was moved stays moved when the power goes only once its folder is on disk. */
function syncFolder(path: string): void {
  if (process.platform === "win32") return;
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/**
 * The lock is an exclusive transaction on a file beside the database. The system lets go of it when the process ends,
 * however it ends; and readers, as a backup, are not kept out of the database itself.
 */
async function takeLock(path: string): Promise<Database> {
  let lock: Database | undefined;
  try {
    lock = await openDatabase(`${path}-lock`, { timeout: 0 });
    lock.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    return lock;
  } catch (error) {
    lock?.close();
    if (codeOf(error) === SQLITE_BUSY) {
      throw new StoreFileError(`${path} is in use by another server; stop that one, or choose another file`);
    }
    throw explained(error, path);
  }
}

function prepareFile(db: Database, path: string, durability: Durability): void {
  const version = String(pragma(db, "SELECT sqlite_version()"));
  if (isOlder(version.split(".").map(Number), OLDEST_SQLITE)) {
    throw new StoreFileError(`SQLite ${version} is too old; ${OLDEST_SQLITE.join(".")} is needed`);
  }
  const synchronous = durability === "full" ? 2 : 1;
  db.exec(`
    PRAGMA trusted_schema = OFF;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = ${synchronous};
    PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
    PRAGMA foreign_keys = ON;
  `);
  expectSetting(path, "journal_mode", pragma(db, "PRAGMA journal_mode"), "wal");
  expectSetting(path, "synchronous", pragma(db, "PRAGMA synchronous"), synchronous);
  checkFormat(db, path);
  const tables = db.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid").all();
  if (tables.map(({ sql }) => sql).join() !== TABLES.join())
    throw new DamageError("its tables are not as they were made");
  // Rows can vanish from a damaged page without a trace in those that are left.
  checkPages(db, "quick_check");
  // A file that may only be read opens all the same, and would fail with the first write.
  db.exec("BEGIN IMMEDIATE; UPDATE bridge SET value = value WHERE key = 'format'; ROLLBACK");
}

/** Refuses a file that is of a newer format, or not ours. */
export function checkFormat(db: Database, path: string): void {
  const ours = pragma(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'bridge'");
  const format = ours === 1 ? pragma(db, "SELECT value FROM bridge WHERE key = 'format'") : undefined;
  if (typeof format !== "number") throw new StoreFileError(`${path} is a database, but not one of a bridge`);
  if (format > FILE_FORMAT) {
    throw new StoreFileError(
      `${path} has format ${format}, this version reads up to ${FILE_FORMAT}; upgrade with npm install snakepit-bridge@latest`,
    );
  }
}

/** Has SQLite look at every page; the full check also compares indexes with tables. */
export function checkPages(db: Database, check: "quick_check" | "integrity_check"): void {
  const found = String(pragma(db, `PRAGMA ${check}(1)`));
  // The line before the last names the database, as if there were several.
  if (found !== "ok") throw new DamageError(`SQLite says: ${found.split("\n").at(-1)}`);
}

function expectSetting(path: string, name: string, found: unknown, wanted: unknown): void {
  if (found === wanted) return;
  throw new StoreFileError(`${path}: SQLite did not accept ${name} = ${wanted} (it stays ${found})`);
}

function pragma(db: Database, sql: string): unknown {
  return Object.values(db.prepare(sql).get() ?? {})[0];
}

function isOlder(version: readonly number[], than: readonly number[]): boolean {
  const at = version.findIndex((part, i) => part !== than[i]);
  return at >= 0 && (version[at] as number) < (than[at] as number);
}

const SQLITE_BUSY = 5;
const CAUSES: Readonly<Record<number, string>> = {
  8: "is read-only",
  10: "cannot be read or written (input/output error)",
  11: "is damaged",
  13: "cannot grow: the disk is full",
  14: "cannot be opened; does the folder exist, and may this user write there?",
  26: "is not an SQLite database",
};

/** SQLite's error number, without its extension. */
function codeOf(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown }).errcode;
  return typeof code === "number" ? code & 0xff : undefined;
}

/** The same error in one line that names the file. */
export function explained(error: unknown, path: string): Error {
  if (error instanceof StoreFileError) return error;
  if (error instanceof DamageError)
    return new StoreFileError(`${path} is damaged: ${error.message}`, { cause: error });
  const known = CAUSES[codeOf(error) ?? -1];
  const text = error instanceof Error ? error.message : String(error);
  return new StoreFileError(known === undefined ? `${path}: ${text}` : `${path} ${known}`, { cause: error });
}
