/** A ledger on a file in a temporary folder, for tests that look at what the file holds at any moment. */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type History, plainState } from "../../testing/commits.contract.js";
import { readChain, restore } from "../history.js";
import type { CommitRecord } from "../record.js";
import { newestFirst } from "../variable-history.js";
import { packRecords } from "./batch.js";
import { Folding, type FoldingSizes } from "./folding.js";
import { closeFile, type OpenFile, openForWriting } from "./format.js";
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
  readonly #files: OpenFile;

  private constructor(files: OpenFile, sizes?: FoldingSizes) {
    this.#files = files;
    this.ledger = new Ledger(files.db);
    this.folding = new Folding(files.db, this.ledger, sizes);
  }

  /** Opens or makes the file. It does not sync: no test here ends with the power going. */
  static async open(path: string, sizes?: FoldingSizes): Promise<LedgerFile> {
    const files = await openForWriting(path, "relaxed");
    try {
      return new LedgerFile(files, sizes);
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
        const commits = this.ledger.commitsAfter(sessionId, after);
        const checks =
          commits === "compacted"
            ? commits
            : readChain({ revision: after }, commits).map((record) => record.check);
        const kept = new Map(
          [...state.variables.values()].map((variable) => [
            variable.name,
            newestFirst(this.ledger.history(sessionId, variable)),
          ]),
        );
        return [
          sessionId,
          { incarnation, ttlMs, revision, check, stored, state: plainState(state, names), checks, kept },
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
    sorted.map((history) => {
      const { sessionId, incarnation, state, check, records } = history;
      const { ttlMs, revision } = state;
      const checks = records.slice(-COMPARED).map((record) => record.check);
      const kept = new Map([...state.variables.keys()].map((name) => [name, history.kept(name)]));
      return [
        sessionId,
        { incarnation, ttlMs, revision, check, stored: check, state: plainState(state, names), checks, kept },
      ];
    }),
  );
}
