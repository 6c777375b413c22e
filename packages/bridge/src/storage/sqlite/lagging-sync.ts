/**
 * What `--durability relaxed` promises: commits are answered when they are written, and synced within a second. SQLite by
 * itself would sync them when its log has grown enough, which for a quiet bridge is never.
 */
import { closeSync, fdatasyncSync, openSync } from "node:fs";

const LAG_MS = 1_000;

export class LaggingSync {
  readonly #log: string;
  readonly #fail: (error: unknown) => void;
  #file: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** `fail` is told of a sync that fails; nobody waits for it. */
  constructor(path: string, fail: (error: unknown) => void) {
    this.#log = `${path}-wal`;
    this.#fail = fail;
  }

  /** Notes that something was written that is not synced. */
  written(): void {
    this.#timer ??= setTimeout(() => this.#sync(), LAG_MS);
  }

  /** Closing the database syncs it, so nothing is left to do. */
  close(): void {
    clearTimeout(this.#timer);
    if (this.#file !== undefined) closeSync(this.#file);
  }

  #sync(): void {
    this.#timer = undefined;
    try {
      // The same file as long as the database is open, and one that SQLite keeps no locks on.
      this.#file ??= openSync(this.#log, "r+");
      fdatasyncSync(this.#file);
    } catch (error) {
      this.#fail(error);
    }
  }
}
