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
import { packRecords } from "./batch.js";
import type { Database, Statement } from "./driver.js";
import { failpoint } from "./failpoints.js";
import type { Ledger } from "./ledger.js";
import { COLUMNS, columnsOf } from "./session-row.js";
import type { Entry, Folded } from "./sessions-index.js";

/** While folding keeps up, a slice is of so many sessions, or of those that so many bytes are read and written for. */
const SESSIONS_A_SLICE = 20;
const BYTES_A_SLICE = 1_048_576;
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
  /** The sessions that it has still to fold. */
  readonly queue: Entry[];
}

export class Folding {
  readonly #ledger: Ledger;
  readonly #sizes: FoldingSizes;
  readonly #segment: Statement;
  readonly #replaceRow: Statement;
  readonly #advanceRow: Statement;
  readonly #eraseLog: Statement;
  readonly #eraseRow: Statement;
  readonly #logSizes: Statement;
  readonly #trimLog: Statement;
  readonly #trimTail: Statement;
  #round: Round | undefined;

  constructor(db: Database, ledger: Ledger, sizes = SIZES) {
    this.#ledger = ledger;
    this.#sizes = sizes;
    this.#segment = db.prepare("INSERT INTO log VALUES (?, ?, ?, ?)");
    this.#replaceRow = db.prepare(
      `INSERT OR REPLACE INTO session (${COLUMNS}, snapshot) VALUES (?${", ?".repeat(12)})`,
    );
    this.#advanceRow = db.prepare(`UPDATE session SET (${COLUMNS}) = (?${", ?".repeat(11)}) WHERE id = ?`);
    this.#eraseLog = db.prepare("DELETE FROM log WHERE session_id = ?");
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
    this.#round ??= { until: tailEnd, bytes: tailBytes, queue: [...index.unfolded()] };
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
  rowless(): Entry[] {
    return [...this.#ledger.index.unfolded()].filter(
      ({ folded, ttlMs }) => folded === undefined && ttlMs > 0,
    );
  }

  /** Folds some of these sessions, and takes them off the list. */
  giveRows(rowless: Entry[]): void {
    this.#foldSome(rowless);
  }

  #foldSome(queue: Entry[]): void {
    const { index } = this.#ledger;
    const current = this.#take(queue);
    const folded = this.#ledger.transaction(() => {
      const folded = current.map((entry) => this.#fold(entry));
      failpoint("in-fold");
      return folded;
    });
    for (const [i, entry] of current.entries()) index.markFolded(entry, folded[i] as Folded);
  }

  /** How many times as much as usual a slice does: the more the further folding is behind, or the tail would grow and grow. */
  get #behind(): number {
    return Math.max(1, this.#ledger.tailBytes / (2 * this.#sizes.roundBytes));
  }

  /** Takes what one slice folds off a queue. */
  #take(queue: Entry[]): Entry[] {
    const { index } = this.#ledger;
    const factor = this.#behind;
    const taken: Entry[] = [];
    let bytes = 0;
    while (taken.length < factor * SESSIONS_A_SLICE && bytes < factor * BYTES_A_SLICE) {
      const entry = queue.pop();
      if (entry === undefined) break;
      // Since the round began a session may have ended, have been created anew, or have been given its row.
      if (index.get(entry.sessionId) !== entry || entry.pending.length === 0) continue;
      taken.push(entry);
      bytes += this.#workOf(entry);
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
    const made = this.#hasOutgrown(bytesSinceSnapshot, before) ? this.#makeSnapshot(entry) : undefined;
    this.#segment.run(sessionId, revision - pending.length + 1, revision, segment);
    if (made === undefined) {
      const folded = { ...before, revision, check, bytesSinceSnapshot };
      this.#advance(entry, folded);
      return folded;
    }
    const { snapshot, historyBytes } = made;
    const folded = {
      revision,
      check,
      snapshotRevision: revision,
      snapshotCheck: check,
      snapshotBytes: snapshot.length,
      snapshotSum: commitCheck(snapshot),
      historyBytes,
      bytesSinceSnapshot: 0,
    };
    this.#replaceRow.run(...columnsOf(entry, folded), snapshot);
    this.#trimSegments(sessionId);
    return folded;
  }

  /** Makes the snapshot of a session, and brings the histories of its variables to the same revision. */
  #makeSnapshot(entry: Entry) {
    const changes = new HistoryChanges();
    const { state } = restore(this.#ledger.read(entry), (commit) => changes.add(commit));
    const historyBytes = this.#ledger.histories.advance(entry, changes);
    return { snapshot: toSnapshotBytes(state.snapshot()), historyBytes };
  }

  /** Writes how far a session's log goes, and leaves its snapshot as it is. */
  #advance(entry: Entry, folded: Folded): void {
    const columns = columnsOf(entry, folded);
    if (entry.folded === undefined) {
      this.#replaceRow.run(...columns, null);
      return;
    }
    const { changes } = this.#advanceRow.run(...columns, entry.sessionId);
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
    this.#ledger.histories.erase(sessionId);
    this.#eraseRow.run(sessionId);
  }
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
