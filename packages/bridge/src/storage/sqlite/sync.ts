/** Has the system write to the disk what it may have in memory only: the bytes of a file, the names in a folder. */
import { closeSync, fsyncSync, openSync } from "node:fs";

/** Has the bytes of a file written. */
export function syncFile(path: string): void {
  // Windows syncs nothing that was opened for reading only.
  sync(path, "r+");
}

/** Has the names in a folder written: without it a file that was moved may be back in its old place when the power went. */
export function syncFolder(path: string): void {
  // On Windows a folder cannot be synced.
  if (process.platform !== "win32") sync(path, "r");
}

function sync(path: string, flags: "r" | "r+"): void {
  const file = openSync(path, flags);
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
