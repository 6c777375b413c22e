/**
 * Reads a whole file and holds every byte that a promise rests on against its check: what SQLite says of its pages, every
 * record and its place in the chain, every snapshot and the histories beside it, and that they lead to the states that the
 * file says they do. It only reads, and what it reads is the file at one moment, so a server may be writing.
 */
import type { Variable } from "../../core/variable.js";
import { commitCheck } from "../commit-check.js";
import { DamageError, readChain, restore } from "../history.js";
import { fromEntryBytes, unpackHistory } from "../history-bytes.js";
import type { CommitRecord } from "../record.js";
import { fromRecord } from "../record.js";
import { fromSnapshotBytes } from "../snapshot.js";
import { type KeptRecord, unpackRecords } from "./batch.js";
import type { Database, Row } from "./driver.js";
import { checkFormat, checkPages, explained, StoreFileError } from "./format.js";
import { entriesOf } from "./histories.js";
import { Ledger } from "./ledger.js";
import { openForReading } from "./reading.js";
import { toEntry, toHex } from "./session-row.js";
import type { Entry } from "./sessions-index.js";

/** What a sound file holds. */
export interface FileContents {
  /** Sessions that live. */
  readonly sessions: number;
  readonly variables: number;
  /** Commits that are kept, of ended sessions too. */
  readonly commits: number;
  readonly snapshots: number;
}

/** Verifies a file; rejects with one line for people that names the file, and the place of the first damage. */
export async function verifyFile(path: string): Promise<FileContents> {
  try {
    const db = await openForReading(path);
    try {
      // One transaction: everything is seen as of the same moment.
      db.exec("BEGIN");
      checkFormat(db, path);
      checkPages(db, "integrity_check");
      const contents = new Verification(db).run();
      // Closing alone leaves the transaction open while a statement waits to be collected.
      db.exec("COMMIT");
      return contents;
    } finally {
      db.close();
    }
  } catch (error) {
    if (error instanceof DamageError) {
      throw new StoreFileError(`${path} is damaged: ${error.message}`, { cause: error });
    }
    throw explained(error, path);
  }
}

class Verification {
  readonly #db: Database;
  #commits = 0;
  #snapshots = 0;

  constructor(db: Database) {
    this.#db = db;
  }

  run(): FileContents {
    this.#checkOrphans();
    for (const row of this.#db.prepare("SELECT * FROM session ORDER BY id").iterate())
      this.#checkSession(row);
    this.#checkTail();
    const live = this.#checkLive();
    return { ...live, commits: this.#commits, snapshots: this.#snapshots };
  }

  /** What is in the log and in histories is of a session that the file knows. */
  #checkOrphans(): void {
    for (const table of ["log", "snapshot", "history"]) {
      const orphan = this.#db
        .prepare(`SELECT session_id FROM ${table} WHERE session_id NOT IN (SELECT id FROM session) LIMIT 1`)
        .get();
      if (orphan === undefined) continue;
      throw new DamageError(`the ${table} of session ${orphan.session_id} is there, but not the session`);
    }
  }

  /** The rows of one session: each segment of its log, its snapshot, and what they come to. */
  #checkSession(row: Row): void {
    const id = row.id as string;
    const place = `session ${id}`;
    const snapshotRevision = row.snapshot_revision as number;
    const log = this.#readLog(id);
    const first = log[0]?.commit.revision;
    const snapshot = this.#readSnapshot(id);
    if ((snapshot === undefined) !== (snapshotRevision === 0)) {
      throw new DamageError(
        `${place}: the snapshot of revision ${snapshotRevision} is ${snapshot ? "" : "not "}there`,
      );
    }
    if (first !== undefined && first > snapshotRevision + 1) {
      throw new DamageError(`${place}: commits from ${snapshotRevision + 1} to ${first - 1} are missing`);
    }
    if (snapshot !== undefined) {
      this.#snapshots += 1;
      if (toHex(commitCheck(snapshot)) !== row.snapshot_sum) {
        throw new DamageError(
          `${place}: the snapshot of revision ${snapshotRevision} is not what was written`,
        );
      }
    }
    const folded = log.find(({ commit }) => commit.revision === snapshotRevision);
    if (folded !== undefined && toHex(folded.check) !== row.snapshot_check) {
      throw new DamageError(`${place}: the snapshot is not of the commit ${snapshotRevision} that is kept`);
    }
    at(place, () => this.#checkHistories(toEntry(row), snapshot));
    at(place, () =>
      restore({
        standing: toEntry(row),
        snapshot,
        snapshotRevision,
        snapshotCheck: BigInt(`0x${row.snapshot_check}`),
        records: log.filter(({ commit }) => commit.revision > snapshotRevision),
      }),
    );
  }

  #readSnapshot(id: string): Uint8Array | undefined {
    const { state } = this.#db.prepare("SELECT state FROM snapshot WHERE session_id = ?").get(id) ?? {};
    return state as Uint8Array | undefined;
  }

  /** The histories beside a snapshot: one for each of its variables, which ends with what the variable is there. */
  #checkHistories(owner: Entry, snapshot: Uint8Array | undefined): void {
    const variables = snapshot === undefined ? [] : fromSnapshotBytes(snapshot).variables;
    const missing = new Map(variables.map((variable) => [variable.name, variable]));
    const rows = this.#db.prepare("SELECT name, entries, sum FROM history WHERE session_id = ?");
    for (const row of rows.iterate(owner.sessionId)) {
      const history = entriesOf(owner, row);
      const variable = missing.get(row.name as string);
      if (variable === undefined)
        throw new DamageError(`the history of ${row.name} is there, but not the variable`);
      at(`the history of ${row.name}`, () => checkHistory(history, variable));
      missing.delete(variable.name);
    }
    for (const name of missing.keys()) throw new DamageError(`the history of ${name} is missing`);
  }

  /** The log of a session, checked from its first record that is kept to its last. */
  #readLog(id: string): CommitRecord[] {
    const records: CommitRecord[] = [];
    const segments = this.#db.prepare(
      "SELECT first, last, commits FROM log WHERE session_id = ? ORDER BY first",
    );
    for (const { first, last, commits } of segments.all(id)) {
      const place = `session ${id}, commits ${first} to ${last} of the log`;
      const before = records.at(-1);
      const after = before
        ? { revision: before.commit.revision, check: before.check }
        : { revision: (first as number) - 1, ...(first === 1 ? { check: 0n } : {}) };
      const read = at(place, () => readChain(after, unpackRecords(commits as Uint8Array)));
      const { commit } = read.at(-1) ?? {};
      if (commit?.revision !== last) throw new DamageError(`${place}: they end with ${commit?.revision}`);
      const stranger = read.find((record) => record.commit.sessionId !== id);
      if (stranger) throw new DamageError(`${place}: there is one of session ${stranger.commit.sessionId}`);
      records.push(...read);
    }
    this.#commits += records.length;
    return records;
  }

  /** Every record of the tail by itself; how they hang together shows when the sessions are read. */
  #checkTail(): void {
    for (const { seq, commits } of this.#db.prepare("SELECT seq, commits FROM tail ORDER BY seq").iterate()) {
      const records = at(`row ${seq} of the tail`, () => unpackRecords(commits as Uint8Array));
      for (const [i, record] of records.entries())
        at(`row ${seq} of the tail, record ${i + 1}`, () => check(record));
      this.#commits += records.length;
    }
  }

  /** Reads every session that lives as a server would. */
  #checkLive(): Pick<FileContents, "sessions" | "variables"> {
    const ledger = at("the tail", () => new Ledger(this.#db));
    let sessions = 0;
    let variables = 0;
    for (const entry of ledger.index.all()) {
      const { state } = at(`session ${entry.sessionId}`, () => restore(ledger.read(entry)));
      sessions += 1;
      variables += state.variables.size;
    }
    return { sessions, variables };
  }
}

function checkHistory(history: Uint8Array, variable: Variable): void {
  const { id, entries } = unpackHistory(history);
  if (id !== variable.id) throw new DamageError(`it is that of ${id}`);
  const [last, ...older] = entries.map(fromEntryBytes).reverse();
  if (
    last?.version !== variable.version ||
    last.type !== variable.type ||
    !Object.is(last.value, variable.value)
  )
    throw new DamageError("it does not end with what the variable is");
  for (const [i, { version }] of older.entries())
    if (version !== last.version - i - 1) throw new DamageError(`version ${last.version - i - 1} is missing`);
}

function check({ bytes, check }: KeptRecord): void {
  if (commitCheck(bytes) !== check) throw new DamageError("it is not what was written");
  fromRecord(bytes);
}

/** Reads something; what cannot be read is damage at that place. */
function at<T>(place: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new DamageError(`${place}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}
