/** A ledger on a file in a temporary folder, for tests that look at what the file holds at any moment. */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type History, plainState } from "../../testing/commits.contract.js";
import { readChain, restore } from "../history.js";
import type { CommitRecord } from "../record.js";
import { packRecords } from "./batch.js";
import { Folding } from "./folding.js";
import { closeFile, type OpenFile, openForWriting } from "./format.js";
import { IdleTimes } from "./idle-times.js";
import { Ledger } from "./ledger.js";

/** How many commits of a session are compared: all, in most tests. */
const COMPARED = 100;

/** A path in a folder that is gone after the test. */
export function temporaryFile(name = "bridge.db"): string {
  const folder = mkdtempSync(join(tmpdir(), "bridge-store-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, name);
}

/** What a crash leaves: the database and its log as they are now, without the connection's memory. */
export function copyAsIfCrashed(from: string, to: string): void {
  for (const suffix of ["", "-wal"]) {
    rmSync(`${to}${suffix}`, { force: true });
    if (existsSync(`${from}${suffix}`)) copyFileSync(`${from}${suffix}`, `${to}${suffix}`);
  }
  rmSync(`${to}-shm`, { force: true });
}

/** A ledger with its file, in this thread. */
export class LedgerFile {
  readonly ledger: Ledger;
  readonly folding: Folding;
  readonly idleTimes: IdleTimes;
  readonly #files: OpenFile;

  private constructor(files: OpenFile) {
    this.#files = files;
    this.ledger = new Ledger(files.db);
    this.folding = new Folding(files.db, this.ledger);
    this.idleTimes = new IdleTimes(files.db, this.ledger, this.folding);
  }

  /** Opens or makes the file. It does not sync: no test here ends with the power going. */
  static async open(path: string): Promise<LedgerFile> {
    const files = await openForWriting(path, "relaxed");
    try {
      return new LedgerFile(files);
    } catch (error) {
      files.db.close();
      files.lock.close();
      throw error;
    }
  }

  append(...records: readonly CommitRecord[]): void {
    this.ledger.append(packRecords(records));
  }

  close(): void {
    closeFile(this.#files);
  }

  /** Everything that can be read from the file, in a form that can be compared. */
  contents(names: readonly string[] = ["a", "b"]): Map<string, unknown> {
    const entries = [...this.ledger.index.all()].sort((a, b) => (a.sessionId < b.sessionId ? -1 : 1));
    return new Map(
      entries.map(({ sessionId, incarnation, ttlMs, revision, check }) => {
        const { state, check: stored } = restore(this.ledger.read(this.ledger.index.get(sessionId) as never));
        const after = Math.max(0, revision - COMPARED);
        const kept = this.ledger.commitsAfter(sessionId, after);
        const checks =
          kept === "compacted" ? kept : readChain({ revision: after }, kept).map((record) => record.check);
        return [
          sessionId,
          { incarnation, ttlMs, revision, check, stored, state: plainState(state, names), checks },
        ];
      }),
    );
  }
}

/** What {@link LedgerFile.contents} has to be if a file holds these sessions. */
export function contentsOf(
  histories: Iterable<History>,
  names: readonly string[] = ["a", "b"],
): Map<string, unknown> {
  const sorted = [...histories].sort((a, b) => (a.sessionId < b.sessionId ? -1 : 1));
  return new Map(
    sorted.map(({ sessionId, incarnation, state, check, records }) => {
      const { ttlMs, revision } = state;
      const checks = records.slice(-COMPARED).map((record) => record.check);
      return [
        sessionId,
        { incarnation, ttlMs, revision, check, stored: check, state: plainState(state, names), checks },
      ];
    }),
  );
}
