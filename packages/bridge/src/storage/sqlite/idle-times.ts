/**
 * How much idle time sessions have left, as it is stored: the row of a session has the age of the file at which it is due
 * if nobody uses it again, and the file's age goes on.
 */
import type { SessionHead } from "../store.js";
import { AGE_KEY, toAgeText } from "./age.js";
import type { Database, Statement } from "./driver.js";
import { failpoint } from "./failpoints.js";
import type { Folding } from "./folding.js";
import type { Ledger } from "./ledger.js";
import { columnsOf } from "./session-row.js";
import type { Entry } from "./sessions-index.js";

export class IdleTimes {
  readonly #ledger: Ledger;
  readonly #folding: Folding;
  readonly #setDue: Statement;
  readonly #setAge: Statement;

  constructor(db: Database, ledger: Ledger, folding: Folding) {
    this.#ledger = ledger;
    this.#folding = folding;
    this.#setDue = db.prepare("UPDATE session SET due_ms = ?, row_sum = ? WHERE id = ?");
    this.#setAge = db.prepare("UPDATE bridge SET value = ? WHERE key = ?");
  }

  /** The sessions that live. */
  heads(): SessionHead[] {
    const { index } = this.#ledger;
    return [...index.all()].map(({ sessionId, incarnation, ttlMs, dueMs }) => ({
      sessionId,
      incarnation,
      ttlMs,
      restMs: dueMs - index.ageMs,
    }));
  }

  /** Stores that time has passed for all sessions, and what is left to some that were used. */
  keep(rests: readonly Omit<SessionHead, "ttlMs">[], elapsedMs: number): void {
    failpoint("before-rests");
    const { index } = this.#ledger;
    const ageMs = index.ageMs + elapsedMs;
    const used: Entry[] = [];
    for (const { sessionId, incarnation, restMs } of rests) {
      const entry = index.get(sessionId);
      if (entry?.incarnation !== incarnation) continue;
      entry.dueMs = ageMs + restMs;
      used.push(entry);
    }
    this.#ledger.transaction(() => {
      for (const entry of used) {
        const { sessionId, dueMs, folded } = entry;
        if (folded !== undefined)
          this.#setDue.run(dueMs, columnsOf(entry, folded).at(-1) as string, sessionId);
      }
      failpoint("in-rests");
      this.#setAge.run(toAgeText(ageMs), AGE_KEY);
    });
    index.ageMs = ageMs;
    // A session that is only in the tail would begin its idle time anew with every crash, so it is to have a row soon.
    for (const { folded, ttlMs } of index.unfolded()) {
      if (folded !== undefined || ttlMs === 0) continue;
      this.#folding.begin();
      return;
    }
  }
}
