/**
 * What the ledger knows of each session without reading it: where its rows in the file end, and which of its records are
 * still only in the tail. Built at the start from the rows and the tail, kept current by every append.
 */
import { commitCheck } from "../commit-check.js";
import { DamageError } from "../history.js";
import { fromRecord, type RecordHeader, recordHeader } from "../record.js";
import type { KeptRecord } from "./batch.js";

/** How far a session's rows in the file go. */
export interface Folded {
  readonly revision: number;
  readonly check: bigint;
  /** The snapshot's revision and the check of its commit; revision 0: there is none. */
  readonly snapshotRevision: number;
  readonly snapshotCheck: bigint;
  readonly snapshotBytes: number;
  /** Of the snapshot's bytes; of no meaning without one. */
  readonly snapshotSum: bigint;
  /** What was written of histories with the snapshot. */
  readonly historyBytes: number;
  /** What the log holds since the snapshot. */
  readonly bytesSinceSnapshot: number;
}

export interface Entry {
  readonly sessionId: string;
  readonly incarnation: string;
  readonly ttlMs: number;
  /** The age of the file at which it is due; of no meaning if it never is. */
  dueMs: number;
  revision: number;
  check: bigint;
  folded: Folded | undefined;
  /** Records that are only in the tail, oldest first. */
  pending: KeptRecord[];
}

export class SessionsIndex {
  readonly #entries = new Map<string, Entry>();
  /** Ids whose rows are of a session that has ended; another of the same id may live by now. */
  readonly #stale = new Set<string>();
  /** Sessions with pending records. */
  readonly #unfolded = new Set<Entry>();

  /** The age of the file, as stored last. */
  ageMs: number;

  private constructor(ageMs: number) {
    this.ageMs = ageMs;
  }

  /** Builds the index; `tail` are all records of the tail in order. */
  static build(ageMs: number, rows: Iterable<Entry>, tail: Iterable<KeptRecord>): SessionsIndex {
    const index = new SessionsIndex(ageMs);
    for (const row of rows) {
      if (index.#entries.has(row.sessionId)) throw new DamageError(`session ${row.sessionId} is there twice`);
      index.#entries.set(row.sessionId, row);
    }
    index.#replay(new Map(index.#entries), tail);
    return index;
  }

  get(sessionId: string): Entry | undefined {
    return this.#entries.get(sessionId);
  }

  all(): IterableIterator<Entry> {
    return this.#entries.values();
  }

  /** Sessions with something to fold. */
  unfolded(): IterableIterator<Entry> {
    return this.#unfolded.values();
  }

  /** Ids whose rows are of a session that has ended. They have to go before its records leave the tail. */
  stale(): IterableIterator<string> {
    return this.#stale.values();
  }

  isStale(sessionId: string): boolean {
    return this.#stale.has(sessionId);
  }

  /** Notes that an entry's oldest pending records, up to a revision, are in its rows now. */
  markFolded(entry: Entry, folded: Folded): void {
    const left = entry.revision - folded.revision;
    entry.folded = folded;
    entry.pending = left === 0 ? [] : entry.pending.slice(-left);
    this.#stale.delete(entry.sessionId);
    if (left === 0) this.#unfolded.delete(entry);
  }

  /** Notes that stale rows are gone. */
  markErased(sessionId: string): void {
    this.#stale.delete(sessionId);
  }

  /** Takes in a record that has been appended. */
  add(record: KeptRecord, header: RecordHeader = recordHeader(record.bytes)): void {
    const { sessionId, revision, kind } = header;
    const before = this.#entries.get(sessionId);
    if (revision === 1 && before === undefined) {
      this.#begin(record, header);
      return;
    }
    if (before === undefined || !follows(before, header)) {
      throw new DamageError(`commit ${revision} of session ${sessionId} does not follow what is stored`);
    }
    if (kind === "deleteSession" || kind === "expireSession") this.#end(before);
    else this.#extend(before, record, revision);
  }

  #begin(record: KeptRecord, { sessionId, incarnation }: RecordHeader): void {
    const ttlMs = fromRecord(record.bytes).commit.created?.ttlMs ?? 0;
    const entry: Entry = {
      sessionId,
      incarnation,
      ttlMs,
      dueMs: this.ageMs + ttlMs,
      revision: 0,
      check: 0n,
      folded: undefined,
      pending: [],
    };
    this.#entries.set(sessionId, entry);
    this.#extend(entry, record, 1);
  }

  #extend(entry: Entry, record: KeptRecord, revision: number): void {
    entry.pending.push(record);
    entry.revision = revision;
    entry.check = record.check;
    this.#unfolded.add(entry);
  }

  #end(entry: Entry): void {
    this.#entries.delete(entry.sessionId);
    this.#unfolded.delete(entry);
    if (entry.folded !== undefined) this.#stale.add(entry.sessionId);
  }

  /**
   * Goes through the tail at the start. Rows may be ahead of it, since folding does its work in slices and clears the
   * tail at the end. A record that its session's rows have already is passed over. Rows may even be of a later session of
   * the same id: they are set aside until that one's turn comes. And the records of a session whose rows were erased are
   * passed over if they come to an end.
   */
  #replay(stored: ReadonlyMap<string, Entry>, tail: Iterable<KeptRecord>): void {
    const aside = new Set<Entry>();
    const erased = new Map<string, RecordHeader>();
    for (const record of tail) {
      if (commitCheck(record.bytes) !== record.check)
        throw new DamageError("a record of the tail is damaged");
      const header = recordHeader(record.bytes);
      const { sessionId, incarnation, revision } = header;
      const row = stored.get(sessionId);
      if (row?.incarnation === incarnation && revision <= (row.folded?.revision ?? 0)) {
        aside.delete(row);
        this.#entries.set(sessionId, row);
        continue;
      }
      if (revision === 1 && row !== undefined && this.#entries.get(sessionId) === row) {
        aside.add(row);
        this.#entries.delete(sessionId);
      }
      if (revision === 1 || this.#entries.get(sessionId)?.incarnation === incarnation)
        this.add(record, header);
      else erased.set(incarnation, header);
    }
    for (const { sessionId } of aside)
      throw new DamageError(`session ${sessionId} began again before it had ended`);
    for (const { sessionId, revision, kind } of erased.values()) {
      if (kind !== "deleteSession" && kind !== "expireSession") {
        throw new DamageError(`session ${sessionId} has commit ${revision} but not the ones before it`);
      }
    }
  }
}

function follows(entry: Entry, { incarnation, revision, previousCheck }: RecordHeader): boolean {
  return (
    entry.incarnation === incarnation && entry.revision + 1 === revision && entry.check === previousCheck
  );
}
