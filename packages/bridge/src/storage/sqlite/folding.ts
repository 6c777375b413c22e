/**
 * Folding: moves records from the tail to the rows of their sessions, in slices small enough to fit between two flushes.
 *
 * A slice is one transaction over a few sessions. When all that the tail held at the beginning is in rows, those rows of
 * the tail go. A crash between slices leaves records in both places; they are passed over at the next start.
 */
import { commitCheck } from "../commit-check.js";
import { DamageError, restore } from "../history.js";
import { toSnapshotBytes } from "../snapshot.js";
import { HistoryChanges } from "../variable-history.js";
import { type KeptRecord, packRecords } from "./batch.js";
import type { Database, Statement } from "./driver.js";
import { failpoint } from "./failpoints.js";
import type { Ledger } from "./ledger.js";
import { COLUMNS, columnsOf } from "./session-row.js";
import type { Entry, Folded } from "./sessions-index.js";

/** While folding keeps up, a slice is of so many sessions, or of what so many bytes are read and written for. */
const SESSIONS_A_SLICE = 20;
const BYTES_A_SLICE = 262_144;
/** A snapshot is not put off for the histories beside it by more than this: a session is read from there on. */
const PUT_OFF_BYTES = 4 * 1_048_576;
/** What is kept for readers that resume: this many commits, or this much of them, whichever is less (VAL-20). */
const KEPT_COMMITS = 1_000;
const KEPT_BYTES = 8 * 1_048_576;

/** When folding does what. Tests fold sooner. */
export interface FoldingSizes {
  /** A round begins when the tail has grown to this; a tail below it is read in no time at a start. */
  readonly roundBytes: number;
  /** A snapshot is written when the log since the last one has outgrown that and this, so each byte is rewritten about once. */
  readonly snapshotBytes: number;
}

const SIZES: FoldingSizes = { roundBytes: 4 * 1_048_576, snapshotBytes: 64 * 1_024 };

/** How far the rows of a session go that has none. */
const NO_ROW: Folded = {
  revision: 0,
  check: 0n,
  snapshotRevision: 0,
  snapshotCheck: 0n,
  snapshotBytes: 0,
  snapshotSum: 0n,
  historyBytes: 0,
  bytesSinceSnapshot: 0,
};

/** A round of folding. */
interface Round {
  /** The last row of the tail when it began. */
  readonly until: number;
  /** What was in the tail then. */
  readonly bytes: number;
  /** What it has still to fold. */
  readonly queue: Unfolded[];
}

/** A session whose commits up to a revision are to be folded. */
export interface Unfolded {
  readonly entry: Entry;
  readonly until: number;
}

export class Folding {
  readonly #ledger: Ledger;
  readonly #sizes: FoldingSizes;
  readonly #segment: Statement;
  readonly #insertRow: Statement;
  readonly #updateRow: Statement;
  readonly #replaceSnapshot: Statement;
  readonly #eraseLog: Statement;
  readonly #eraseSnapshot: Statement;
  readonly #eraseRow: Statement;
  readonly #logSizes: Statement;
  readonly #trimLog: Statement;
  readonly #trimTail: Statement;
  #round: Round | undefined;

  constructor(db: Database, ledger: Ledger, sizes = SIZES) {
    this.#ledger = ledger;
    this.#sizes = sizes;
    this.#segment = db.prepare("INSERT INTO log VALUES (?, ?, ?, ?)");
    const values = COLUMNS.split(", ").map(() => "?");
    this.#insertRow = db.prepare(`INSERT INTO session (${COLUMNS}) VALUES (${values})`);
    this.#updateRow = db.prepare(`UPDATE session SET (${COLUMNS}) = (${values}) WHERE id = ?`);
    this.#replaceSnapshot = db.prepare("INSERT OR REPLACE INTO snapshot VALUES (?, ?)");
    this.#eraseLog = db.prepare("DELETE FROM log WHERE session_id = ?");
    this.#eraseSnapshot = db.prepare("DELETE FROM snapshot WHERE session_id = ?");
    this.#eraseRow = db.prepare("DELETE FROM session WHERE id = ?");
    this.#logSizes = db.prepare(
      "SELECT first, last, length(commits) AS bytes FROM log WHERE session_id = ? ORDER BY first DESC",
    );
    this.#trimLog = db.prepare("DELETE FROM log WHERE session_id = ? AND last <= ?");
    this.#trimTail = db.prepare("DELETE FROM tail WHERE seq <= ?");
  }

  /** True while there is something worth folding now. */
  get due(): boolean {
    return this.#round !== undefined || this.#ledger.tailBytes >= this.#sizes.roundBytes;
  }

  /** Does one slice of a round; begins one if none is running. */
  slice(): void {
    const { index, tailEnd, tailBytes } = this.#ledger;
    failpoint("before-fold-slice");
    this.#round ??= { until: tailEnd, bytes: tailBytes, queue: [...index.unfolded()].map(untilNow) };
    const { until, bytes, queue } = this.#round;
    if (queue.length > 0) {
      this.#foldSome(queue);
      return;
    }
    failpoint("after-fold-before-trim");
    const most = Math.ceil(this.#behind * SESSIONS_A_SLICE);
    const stale = firstOf(index.stale(), most);
    const last = stale.length < most;
    this.#ledger.transaction(() => {
      for (const sessionId of stale) this.#erase(sessionId);
      if (last) this.#trimTail.run(until);
      failpoint("in-trim");
    });
    for (const sessionId of stale) index.markErased(sessionId);
    if (!last) return;
    this.#ledger.tailBytes -= bytes;
    this.#round = undefined;
  }

  /** Folds all there is. */
  all(): void {
    // What came during a round is left for another one.
    while (this.#round !== undefined || this.#ledger.tailBytes > 0) this.slice();
  }

  /** The sessions with an idle time that have no row yet, which is where that is stored. */
  rowless(): Unfolded[] {
    const rowless = [...this.#ledger.index.unfolded()].filter(
      ({ folded, ttlMs }) => folded === undefined && ttlMs > 0,
    );
    return rowless.map((entry) => ({ entry, until: 1 }));
  }

  /** Folds some of these sessions, and takes them off the list. */
  giveRows(rowless: Unfolded[]): void {
    this.#foldSome(rowless);
  }

  #foldSome(queue: Unfolded[]): void {
    const parts = this.#take(queue);
    const folded = this.#ledger.transaction(() => {
      const folded = parts.map(({ part }) => this.#fold(part));
      failpoint("in-fold");
      return folded;
    });
    for (const [i, { entry }] of parts.entries()) this.#ledger.index.markFolded(entry, folded[i] as Folded);
  }

  /** How many times as much as usual a slice does: the more the further folding is behind, or the tail would grow and grow. */
  get #behind(): number {
    return Math.max(1, this.#ledger.tailBytes / (2 * this.#sizes.roundBytes));
  }

  /** Takes what one slice folds off a queue: entries, and each as it was when the part of it that is folded was all. */
  #take(queue: Unfolded[]): { readonly entry: Entry; readonly part: Entry }[] {
    const { index } = this.#ledger;
    const factor = this.#behind;
    const taken: { entry: Entry; part: Entry }[] = [];
    let left = factor * BYTES_A_SLICE;
    while (taken.length < factor * SESSIONS_A_SLICE && left > 0) {
      const next = queue.pop();
      if (next === undefined) break;
      const { entry, until } = next;
      // Since the round began a session may have ended, have been created anew, or have been given its row.
      if (index.get(entry.sessionId) !== entry || until <= (entry.folded?.revision ?? 0)) continue;
      const part = oldest(entry, left);
      taken.push({ entry, part });
      left -= this.#workOf(part);
      // The rest of it has to wait for another slice, and so has all else.
      if (part.revision < until) {
        queue.push(next);
        break;
      }
    }
    return taken;
  }

  /** About how many bytes are read and written to fold a session. */
  #workOf({ folded = NO_ROW, pending }: Entry): number {
    const bytes = pending.reduce((sum, record) => sum + record.bytes.length, 0);
    const since = folded.bytesSinceSnapshot + bytes;
    return this.#hasOutgrown(since, folded) ? since + folded.snapshotBytes + folded.historyBytes : bytes;
  }

  /** Whether the log since the last snapshot calls for another one. */
  #hasOutgrown(bytesSinceSnapshot: number, { snapshotBytes, historyBytes }: Folded): boolean {
    const rewritten = snapshotBytes + Math.min(historyBytes, PUT_OFF_BYTES);
    return bytesSinceSnapshot > Math.max(this.#sizes.snapshotBytes, rewritten);
  }

  #fold(entry: Entry): Folded {
    const { sessionId, revision, check, pending } = entry;
    if (this.#ledger.index.isStale(sessionId)) this.#erase(sessionId);
    const segment = packRecords(pending);
    const before = entry.folded ?? NO_ROW;
    const bytesSinceSnapshot = before.bytesSinceSnapshot + segment.length;
    const outgrown = this.#hasOutgrown(bytesSinceSnapshot, before);
    // Made of what is in the log and in the tail: before these records are in both.
    const snapshot = outgrown ? this.#makeSnapshot(entry) : { ...before, bytesSinceSnapshot };
    const folded = { ...snapshot, revision, check };
    this.#segment.run(sessionId, revision - pending.length + 1, revision, segment);
    this.#writeRow(entry, folded);
    if (outgrown) this.#trimSegments(sessionId);
    return folded;
  }

  /** Writes the snapshot of a session, and brings the histories of its variables to the same revision. */
  #makeSnapshot(entry: Entry): Omit<Folded, "revision" | "check"> {
    const { sessionId, revision, check } = entry;
    const changes = new HistoryChanges();
    const { state } = restore(this.#ledger.read(entry), (commit) => changes.add(commit));
    const historyBytes = this.#ledger.histories.advance(entry, changes);
    const snapshot = toSnapshotBytes(state.snapshot());
    this.#replaceSnapshot.run(sessionId, snapshot);
    return {
      snapshotRevision: revision,
      snapshotCheck: check,
      snapshotBytes: snapshot.length,
      snapshotSum: commitCheck(snapshot),
      historyBytes,
      bytesSinceSnapshot: 0,
    };
  }

  /** Writes how far the rows of a session go. */
  #writeRow(entry: Entry, folded: Folded): void {
    const columns = columnsOf(entry, folded);
    if (entry.folded === undefined) {
      this.#insertRow.run(...columns);
      return;
    }
    const { changes } = this.#updateRow.run(...columns, entry.sessionId);
    if (changes !== 1) throw new DamageError(`the row of session ${entry.sessionId} cannot be found`);
  }

  /** Lets go of segments that nobody needs: the snapshot has what they did, and enough newer ones are left. */
  #trimSegments(sessionId: string): void {
    let commits = 0;
    let bytes = 0;
    for (const { first, last, bytes: size } of this.#logSizes.all(sessionId)) {
      if (commits >= KEPT_COMMITS || bytes >= KEPT_BYTES) {
        this.#trimLog.run(sessionId, last as number);
        return;
      }
      commits += (last as number) - (first as number) + 1;
      bytes += size as number;
    }
  }

  #erase(sessionId: string): void {
    this.#eraseLog.run(sessionId);
    this.#eraseSnapshot.run(sessionId);
    this.#ledger.histories.erase(sessionId);
    this.#eraseRow.run(sessionId);
  }
}

function untilNow(entry: Entry): Unfolded {
  return { entry, until: entry.revision };
}

/** An entry as it was after its oldest pending records, as many as come to so many bytes, and one at least. */
function oldest(entry: Entry, bytes: number): Entry {
  const { pending, revision } = entry;
  let count = 0;
  for (let left = bytes; left > 0 && count < pending.length; count++)
    left -= (pending[count] as KeptRecord).bytes.length;
  if (count === pending.length) return entry;
  const records = pending.slice(0, count);
  const { check } = records.at(-1) as KeptRecord;
  return { ...entry, pending: records, revision: revision - pending.length + count, check };
}

/** The first few of what may be very many. */
function firstOf<T>(items: Iterable<T>, most: number): T[] {
  const first: T[] = [];
  for (const item of items) {
    first.push(item);
    if (first.length === most) break;
  }
  return first;
}
