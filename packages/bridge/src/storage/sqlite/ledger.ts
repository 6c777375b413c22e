/**
 * The ledger: commits in a file, and sessions read back from it.
 *
 * Acknowledged writes go to the end of one table (`tail`), one row for each flush, because any other order would touch a
 * page for each record. Later they are folded (`folding.ts`) into the rows of their sessions. Until then they are
 * remembered in the index, so a session can always be read whole.
 */
import { commitCheck } from "../commit-check.js";
import { checkLinks, DamageError, type KeptHistory } from "../history.js";
import { type Known, readHistory } from "../variable-history.js";
import { readAge } from "./age.js";
import { type KeptRecord, unpackRecords } from "./batch.js";
import type { Database, Statement } from "./driver.js";
import { failpoint } from "./failpoints.js";
import { Histories } from "./histories.js";
import { COLUMNS, toEntry } from "./session-row.js";
import { type Entry, SessionsIndex } from "./sessions-index.js";

export class Ledger {
  /** Held for as long as its statements are: a database that nobody holds is closed under them. */
  readonly #db: Database;
  readonly #insert: Statement;
  readonly #segments: Statement;
  readonly #snapshot: Statement;
  readonly index: SessionsIndex;
  readonly histories: Histories;
  /** The last row of the tail, and the bytes in all of its rows. */
  tailEnd = 0;
  tailBytes = 0;

  constructor(db: Database) {
    this.#db = db;
    this.#insert = db.prepare("INSERT INTO tail VALUES (?, ?)");
    this.#segments = db.prepare(
      "SELECT first, commits FROM log WHERE session_id = ? AND last > ? ORDER BY first",
    );
    this.#snapshot = db.prepare("SELECT state FROM snapshot WHERE session_id = ?");
    this.histories = new Histories(db);
    this.index = SessionsIndex.build(readAge(db), this.#rows(), this.#tail());
  }

  /** Appends packed records in one transaction; on disk when it returns. If it throws, the ledger is of no more use. */
  append(packed: Uint8Array): void {
    const seq = this.tailEnd + 1;
    this.transaction(() => {
      this.#insert.run(seq, packed);
      // Before it is on disk: with a record that does not follow the file would not open again.
      for (const record of unpackRecords(packed)) this.index.add(record);
      failpoint("after-insert-before-commit");
    });
    this.tailEnd = seq;
    this.tailBytes += packed.length;
  }

  /** Reads a session; undefined if there is none. */
  load(sessionId: string): KeptHistory | undefined {
    const entry = this.index.get(sessionId);
    return entry === undefined ? undefined : this.read(entry);
  }

  /** Reads the session of an entry. */
  read(entry: Entry): KeptHistory {
    const { sessionId, incarnation, ttlMs, revision, check, folded, pending } = entry;
    const standing = { sessionId, incarnation, ttlMs, revision, check };
    if (folded === undefined) {
      return { standing, snapshot: undefined, snapshotRevision: 0, snapshotCheck: 0n, records: pending };
    }
    const { snapshotRevision, snapshotCheck } = folded;
    return {
      standing,
      snapshot: snapshotRevision === 0 ? undefined : this.#readSnapshot(sessionId, folded.snapshotSum),
      snapshotRevision,
      snapshotCheck,
      records: [...this.#logAfter(sessionId, snapshotRevision), ...pending],
    };
  }

  /** The records after a revision, oldest first; "compacted" if they are no longer all there. */
  commitsAfter(sessionId: string, revision: number): readonly KeptRecord[] | "compacted" {
    const entry = this.index.get(sessionId);
    if (entry === undefined || revision >= entry.revision) return [];
    const log = entry.folded === undefined ? [] : this.#logAfter(sessionId, revision);
    const records = [...log, ...entry.pending].slice(revision - entry.revision);
    return records.length < entry.revision - revision ? "compacted" : records;
  }

  /** Reads the history of a variable that lives, as bytes. */
  history(sessionId: string, variable: Known): Uint8Array {
    const entry = this.index.get(sessionId);
    if (entry === undefined) throw new DamageError(`session ${sessionId} is not there`);
    const { folded, pending } = entry;
    const log = folded === undefined ? [] : this.#logAfter(sessionId, folded.snapshotRevision);
    if (folded !== undefined) checkLinks(folded.snapshotCheck, log, folded.check);
    const records = [...log, ...pending].map(({ bytes }) => bytes);
    const kept = (): Uint8Array | undefined =>
      folded === undefined ? undefined : this.histories.read(entry, variable.name);
    return readHistory(variable, kept, records);
  }

  /** Does all of `work` or none of it. */
  transaction<T>(work: () => T): T {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#db.exec("COMMIT");
      return result;
    } catch (error) {
      this.#rollBack();
      throw error;
    }
  }

  #rollBack(): void {
    try {
      this.#db.exec("ROLLBACK");
    } catch {
      // After some errors, a full disk among them, SQLite has done it already.
    }
  }

  #readSnapshot(sessionId: string, sum: bigint): Uint8Array {
    const { state } = this.#snapshot.get(sessionId) ?? {};
    if (state instanceof Uint8Array && commitCheck(state) === sum) return state;
    throw new DamageError(`the snapshot of session ${sessionId} is damaged`);
  }

  #logAfter(sessionId: string, revision: number): KeptRecord[] {
    return this.#segments.all(sessionId, revision).flatMap(({ first, commits }) => {
      const records = unpackRecords(commits as Uint8Array);
      return records.slice(Math.max(0, revision + 1 - (first as number)));
    });
  }

  *#rows(): Iterable<Entry> {
    const rows = this.#db.prepare(`SELECT ${COLUMNS} FROM session`);
    for (const row of rows.iterate()) yield toEntry(row);
  }

  *#tail(): Iterable<KeptRecord> {
    const rows = this.#db.prepare("SELECT seq, commits FROM tail ORDER BY seq");
    for (const { seq, commits } of rows.iterate()) {
      if (this.tailEnd > 0 && seq !== this.tailEnd + 1)
        throw new DamageError(`row ${this.tailEnd + 1} of the tail is missing`);
      this.tailEnd = seq as number;
      this.tailBytes += (commits as Uint8Array).length;
      yield* unpackRecords(commits as Uint8Array);
    }
  }
}
