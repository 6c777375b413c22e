/**
 * The file: its schema, its format number, the settings that make a commit durable, and the lock that keeps a second
 * server out. Everything that a promise rests on is set and then read back, because SQLite keeps some of it per
 * connection, and a build may have other defaults.
 */
import { realpathSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { DamageError } from "../history.js";
import { AGE_KEY, toAgeText } from "./age.js";
import { type Database, isTooOld, openDatabase } from "./driver.js";
import { failpoint } from "./failpoints.js";
import { syncFolder } from "./sync.js";

/**
 * The format of the file, and with it of all that is in it: a new format of records, snapshots or histories raises this one
 * too, so a server that is too old says so when it opens the file. A newer one is refused, an older one would be migrated in
 * one transaction.
 */
export const FILE_FORMAT = 1;

/** Writing over a short log costs less than growing a long one, and the pause of a checkpoint grows with its pages. */
const CHECKPOINT_PAGES = 400;

/** On macOS a sync ends when the disk has the bytes, which may be in its memory only, unless it is asked for more. */
const REAL_SYNCS = "PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON;";

const SCHEMA = `
  CREATE TABLE bridge (key TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE tail (seq INTEGER PRIMARY KEY, commits BLOB NOT NULL) STRICT;
  CREATE TABLE session (
    id TEXT PRIMARY KEY,
    incarnation TEXT NOT NULL,
    revision INTEGER NOT NULL,
    commit_check TEXT NOT NULL,
    ttl_ms REAL NOT NULL,
    due_ms REAL NOT NULL,
    log_bytes INTEGER NOT NULL,
    snapshot_revision INTEGER NOT NULL,
    snapshot_check TEXT NOT NULL,
    snapshot_bytes INTEGER NOT NULL,
    snapshot_sum TEXT NOT NULL,
    history_bytes INTEGER NOT NULL,
    row_sum TEXT NOT NULL
  ) STRICT;
  CREATE TABLE snapshot (session_id TEXT PRIMARY KEY, state BLOB NOT NULL) STRICT;
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
  /** Where it is. */
  readonly place: string;
}

/** Opens the file for the one server that writes it, and makes it if it is not there. */
export async function openForWriting(path: string, durability: Durability): Promise<OpenFile> {
  try {
    const place = placeOf(path);
    const lock = await takeLock(place, path);
    try {
      await makeFile(place, path);
      const db = await openDatabase(place, { timeout: 5_000 });
      try {
        prepareFile(db, path, durability);
        return { db, lock, place };
      } catch (error) {
        db.close();
        throw error;
      }
    } catch (error) {
      lock.close();
      throw error;
    }
  } catch (error) {
    throw explained(error, path);
  }
}

/**
 * Where a file is that may not be there yet, without the links that its name goes through. Whatever stands beside the file
 * stands beside its place: a lock that stood beside a link would not keep out a server that knows the file by another name.
 */
function placeOf(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
    return join(realpathSync(dirname(path)), basename(path));
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
async function makeFile(place: string, path: string): Promise<void> {
  const size = sizeOf(place);
  if (size === 0)
    throw new StoreFileError(`${path} is empty; put the lost file back, or delete this one to begin anew`);
  if (size !== undefined) return;
  if (sizeOf(`${place}-wal`)) {
    throw new StoreFileError(
      `${path} is gone, but not its ${path}-wal; put the file back, or delete that one too`,
    );
  }
  const unfinished = `${place}-new`;
  for (const left of [unfinished, `${unfinished}-journal`]) rmSync(left, { force: true });
  const db = await openDatabase(unfinished);
  try {
    db.exec(`PRAGMA synchronous = FULL; ${REAL_SYNCS}
      BEGIN; ${SCHEMA} INSERT INTO bridge VALUES ('format', ${FILE_FORMAT}), ('${AGE_KEY}', '${toAgeText(0)}'); COMMIT`);
  } finally {
    db.close();
  }
  failpoint("before-rename");
  renameSync(unfinished, place);
  failpoint("after-rename-before-folder-sync");
  syncFolder(dirname(place));
}

function sizeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size;
}

/**
 * The lock is an exclusive transaction on a file beside the database. The system lets go of it when the process ends,
 * however it ends; and readers, as a backup, are not kept out of the database itself.
 */
async function takeLock(place: string, path: string): Promise<Database> {
  let lock: Database | undefined;
  try {
    lock = await openDatabase(`${place}-lock`, { timeout: 0 });
    lock.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    return lock;
  } catch (error) {
    lock?.close();
    if (codeOf(error) === SQLITE_BUSY) {
      throw new StoreFileError(`${path} is in use by another server; stop that one, or choose another file`);
    }
    throw error;
  }
}

function prepareFile(db: Database, path: string, durability: Durability): void {
  const version = String(pragma(db, "SELECT sqlite_version()"));
  if (isTooOld(version)) {
    throw new StoreFileError(`SQLite ${version} is too old; run npm install @photostructure/sqlite@1`);
  }
  // First of all: what is set below stays set in the file, and that may be somebody else's.
  checkFormat(db, path);
  const synchronous = durability === "full" ? 2 : 1;
  db.exec(`
    PRAGMA trusted_schema = OFF;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = ${synchronous};
    ${REAL_SYNCS}
    PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
  `);
  expectSetting(path, "journal_mode", pragma(db, "PRAGMA journal_mode"), "wal");
  expectSetting(path, "synchronous", pragma(db, "PRAGMA synchronous"), synchronous);
  expectSetting(path, "fullfsync", pragma(db, "PRAGMA fullfsync"), 1);
  expectSetting(path, "checkpoint_fullfsync", pragma(db, "PRAGMA checkpoint_fullfsync"), 1);
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

const SQLITE_BUSY = 5;
const CANNOT_OPEN = "cannot be opened; does the folder exist, and may this user write there?";
const CAUSES: Readonly<Record<number | string, string>> = {
  8: "is read-only",
  10: "cannot be read or written (input/output error)",
  11: "is damaged",
  13: "cannot grow: the disk is full",
  14: CANNOT_OPEN,
  26: "is not an SQLite database",
  // What the system says by itself.
  EACCES: CANNOT_OPEN,
  ENOENT: CANNOT_OPEN,
  ENOTDIR: CANNOT_OPEN,
  EIO: "cannot be read or written (input/output error)",
  ENOSPC: "cannot grow: the disk is full",
};

/** SQLite's error number, without its extension; or the system's word for an error of its own. */
function codeOf(error: unknown): number | string | undefined {
  const { errcode, code } = error as { errcode?: unknown; code?: unknown };
  if (typeof errcode === "number") return errcode & 0xff;
  return typeof code === "string" ? code : undefined;
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
