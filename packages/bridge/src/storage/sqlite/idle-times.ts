/**
 * How much idle time sessions have left, as it is stored: the row of a session has the age of the file at which it is due
 * if nobody uses it again, and the file's age goes on.
 */
import type { SessionHead, SessionRest } from "../store.js";
import { AGE_KEY, toAgeText } from "./age.js";
import type { Database, Statement } from "./driver.js";
import { failpoint } from "./failpoints.js";
import type { Folding, Unfolded } from "./folding.js";
import type { Ledger } from "./ledger.js";
import { columnsOf } from "./session-row.js";
import type { Entry } from "./sessions-index.js";

const SESSIONS_A_SLICE = 1_000;
const AT_ONCE = 20;

/** What is being stored: what is left to these sessions when the file is this old. */
interface Round {
  readonly ageMs: number;
  readonly used: Entry[];
  /** Sessions that need a row first. */
  readonly rowless: Unfolded[];
}

export class IdleTimes {
  readonly #ledger: Ledger;
  readonly #folding: Folding;
  readonly #setDue: Statement;
  readonly #setAge: Statement;
  #round: Round | undefined;

  constructor(db: Database, ledger: Ledger, folding: Folding) {
    this.#ledger = ledger;
    this.#folding = folding;
    this.#setDue = db.prepare("UPDATE session SET due_ms = ?, row_sum = ? WHERE id = ?");
    this.#setAge = db.prepare("UPDATE bridge SET value = ? WHERE key = ?");
  }

  /** The sessions that live. */
  heads(): SessionHead[] {
    const { index } = this.#ledger;
    return [...index.all()].map(({ sessionId, incarnation, revision, check, ttlMs, dueMs }) => ({
      sessionId,
      incarnation,
      revision,
      check,
      ttlMs,
      restMs: dueMs - index.ageMs,
    }));
  }

  /** Takes in that time has passed for all sessions, and what is left to some that were used. It is stored in slices. */
  keep(rests: readonly SessionRest[], elapsedMs: number): void {
    this.all();
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
    index.ageMs = ageMs;
    this.#round = { ageMs, used, rowless: this.#folding.rowless() };
    // A few are stored at once: what is asked next finds them there.
    if (used.length + this.#round.rowless.length <= AT_ONCE) this.all();
  }

  /** True while there is something to store. */
  get due(): boolean {
    return this.#round !== undefined;
  }

  /** Stores a little of it; the age last, so that no session is older than its row says. */
  slice(): void {
    if (this.#round === undefined) return;
    const { ageMs, used, rowless } = this.#round;
    // A session that is only in the tail would begin its idle time anew with every crash, so it gets a row.
    if (rowless.length > 0) return this.#folding.giveRows(rowless);
    const some = used.splice(-SESSIONS_A_SLICE);
    this.#ledger.transaction(() => {
      for (const entry of some) this.#store(entry);
      failpoint("in-rests");
      if (used.length === 0) this.#setAge.run(toAgeText(ageMs), AGE_KEY);
    });
    if (used.length === 0) this.#round = undefined;
  }

  /** Stores all of it. */
  all(): void {
    while (this.due) this.slice();
  }

  #store(entry: Entry): void {
    const { sessionId, dueMs, folded } = entry;
    // It may have ended meanwhile, and its row be of another one.
    if (folded === undefined || this.#ledger.index.get(sessionId) !== entry) return;
    this.#setDue.run(dueMs, columnsOf(entry, folded).at(-1) as string, sessionId);
  }
}
