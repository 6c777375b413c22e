/** Says what takes a while before it begins: work on a large file gives no sign of life until it is done. */
import { statSync } from "node:fs";

/** About what a slow disk reads in two seconds. */
const LARGE_BYTES = 256 * 1_048_576;

/** Says on standard error that something is done with a file, if it is a large one. */
export function announceLarge(doing: string, path: string): void {
  const bytes = [path, `${path}-wal`].reduce((sum, name) => sum + sizeOf(name), 0);
  if (bytes < LARGE_BYTES) return;
  process.stderr.write(`${doing} ${path} (${(bytes / 1e9).toFixed(1)} GB); this takes a while\n`);
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
