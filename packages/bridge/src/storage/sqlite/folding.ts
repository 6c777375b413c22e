/**
 * Folding: moves records from the tail to the rows of their sessions, in slices small enough to fit between two flushes.
 *
 * A slice is one transaction over a few sessions. When all that the tail held at the beginning is in rows, those rows of
 * the tail go. A crash between slices leaves records in both places; they are passed over at the next start.
 */
import { commitCheck } from "../commit-check.js";
import { DamageError, restore } from "../history.js";
import { toSnapshotBytes } from "../snapshot.js";
import { packRecords } from "./batch.js";
import type { Database, Statement } from "./driver.js";
import { failpoint } from "./failpoints.js";
import type { Ledger } from "./ledger.js";
import { COLUMNS, columnsOf } from "./session-row.js";
import type { Entry, Folded } from "./sessions-index.js";

const SESSIONS_A_SLICE = 20;
/** A round begins when the tail has grown to this; a tail below it is read in no time at a start. */
const ROUND_BYTES = 4 * 1_048_576;
/** A snapshot is written when the log since the last one has outgrown it, so each byte is rewritten about once. */
const SNAPSHOT_MIN_BYTES = 64 * 1_024;
/** What is kept for readers that resume: this many commits, or this much of them, whichever is less (VAL-20). */
const KEPT_COMMITS = 1_000;
const KEPT_BYTES = 8 * 1_048_576;

/** How far the rows of a session go that has none. */
const NO_ROW: Folded = {
  revision: 0,
  check: 0n,
  snapshotRevision: 0,
  snapshotCheck: 0n,
  snapshotBytes: 0,
  snapshotSum: 0n,
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
  readonly #segment: Statement;
  readonly #replaceRow: Statement;
  readonly #advanceRow: Statement;
  readonly #eraseLog: Statement;
  readonly #eraseRow: Statement;
  readonly #logSizes: Statement;
  readonly #trimLog: Statement;
  readonly #trimTail: Statement;
  #round: Round | undefined;

  constructor(db: Database, ledger: Ledger) {
    this.#ledger = ledger;
    this.#segment = db.prepare("INSERT INTO log VALUES (?, ?, ?, ?)");
    this.#replaceRow = db.prepare(
      `INSERT OR REPLACE INTO session (${COLUMNS}, snapshot) VALUES (?${", ?".repeat(11)})`,
    );
    this.#advanceRow = db.prepare(`UPDATE session SET (${COLUMNS}) = (?${", ?".repeat(10)}) WHERE id = ?`);
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
    return this.#round !== undefined || this.#ledger.tailBytes >= ROUND_BYTES;
  }

  /** Begins a round, unless one is running. */
  begin(): void {
    this.#round ??= this.#newRound();
  }

  /** Does one slice of a round; begins one if none is running. */
  slice(): void {
    const { index } = this.#ledger;
    failpoint("before-fold-slice");
    this.#round ??= this.#newRound();
    const { until, bytes, queue } = this.#round;
    if (queue.length > 0) {
      this.#foldSome(queue.splice(-SESSIONS_A_SLICE));
      return;
    }
    failpoint("after-fold-before-trim");
    const stale = [...index.stale()].slice(0, SESSIONS_A_SLICE);
    const last = stale.length < SESSIONS_A_SLICE;
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

  #newRound(): Round {
    const { index, tailEnd, tailBytes } = this.#ledger;
    return { until: tailEnd, bytes: tailBytes, queue: [...index.unfolded()] };
  }

  #foldSome(entries: readonly Entry[]): void {
    const { index } = this.#ledger;
    // A session may have ended, or have been created anew, since the round began.
    const current = entries.filter((entry) => index.get(entry.sessionId) === entry);
    const folded = this.#ledger.transaction(() => {
      const folded = current.map((entry) => this.#fold(entry));
      failpoint("in-fold");
      return folded;
    });
    for (const [i, entry] of current.entries()) index.markFolded(entry, folded[i] as Folded);
  }

  #fold(entry: Entry): Folded {
    const { sessionId, revision, check, pending } = entry;
    if (this.#ledger.index.isStale(sessionId)) this.#erase(sessionId);
    const segment = packRecords(pending);
    const before = entry.folded ?? NO_ROW;
    const bytesSinceSnapshot = before.bytesSinceSnapshot + segment.length;
    const outgrown = bytesSinceSnapshot > Math.max(SNAPSHOT_MIN_BYTES, before.snapshotBytes);
    const snapshot = outgrown
      ? toSnapshotBytes(restore(this.#ledger.read(entry)).state.snapshot())
      : undefined;
    this.#segment.run(sessionId, revision - pending.length + 1, revision, segment);
    if (snapshot === undefined) {
      const folded = { ...before, revision, check, bytesSinceSnapshot };
      this.#advance(entry, folded);
      return folded;
    }
    const folded = {
      revision,
      check,
      snapshotRevision: revision,
      snapshotCheck: check,
      snapshotBytes: snapshot.length,
      snapshotSum: commitCheck(snapshot),
      bytesSinceSnapshot: 0,
    };
    this.#replaceRow.run(...columnsOf(entry, folded), snapshot);
    this.#trimSegments(sessionId);
    return folded;
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
    this.#eraseRow.run(sessionId);
  }
}
