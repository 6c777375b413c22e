/**
 * Copies a file while a server may be writing it. The copy is the file at one moment, as a reader sees it: with all that
 * was acknowledged before. Its name appears when it is whole, verified and on disk.
 */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { link, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { Database } from "./driver.js";
import { checkFormat, explained, StoreFileError } from "./format.js";
import { openForReading } from "./reading.js";
import { syncFile, syncFolder } from "./sync.js";
import { type FileContents, verifyFile } from "./verify.js";

/** What a backup holds. */
export interface Backup extends FileContents {
  readonly bytes: number;
}

/** Makes a backup; rejects with one line for people, and leaves nothing behind. */
export async function backUpFile(path: string, destination: string): Promise<Backup> {
  if (existsSync(destination)) throw taken(destination);
  const partial = `${destination}.${randomBytes(4).toString("hex")}.part`;
  try {
    await copy(path, partial, destination);
    const contents = await verifyFile(partial).catch((error: Error) => {
      // The pages were copied, and the damage with them.
      throw new StoreFileError(error.message.replace(partial, path), { cause: error });
    });
    // SQLite does not do it for what it makes this way.
    syncFile(partial);
    const { size } = await stat(partial);
    await putInPlace(partial, destination);
    syncFolder(dirname(destination));
    return { ...contents, bytes: size };
  } finally {
    for (const name of [partial, `${partial}-journal`, `${partial}-wal`, `${partial}-shm`]) {
      await rm(name, { force: true });
    }
  }
}

async function copy(path: string, partial: string, destination: string): Promise<void> {
  try {
    const db = await openForReading(path);
    try {
      checkFormat(db, path);
      vacuumInto(db, partial, destination);
    } finally {
      db.close();
    }
  } catch (error) {
    throw explained(error, path);
  }
}

function vacuumInto(db: Database, partial: string, destination: string): void {
  try {
    db.prepare("VACUUM INTO ?").run(partial);
  } catch (error) {
    const { errcode } = error as { errcode?: number };
    // The file has been opened, so these two, a full disk and what cannot be opened, are about the copy.
    throw errcode === 13 || errcode === 14 ? explained(error, destination) : error;
  }
}

/** Gives the file its name, unless there is one of that name by now. */
async function putInPlace(partial: string, destination: string): Promise<void> {
  try {
    await link(partial, destination);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") throw taken(destination);
    // A file system without links.
    if (existsSync(destination)) throw taken(destination);
    await rename(partial, destination);
  }
}

function taken(destination: string): StoreFileError {
  return new StoreFileError(`${destination} is there already; choose another name, or remove it first`);
}
