/**
 * The rows of histories: one for each variable that a session's snapshot holds, true at the snapshot's revision as the
 * snapshot is. So they are written with a snapshot, those of variables that changed since the one before, and what was set
 * since then is in the log and in the tail.
 */
import { commitCheck } from "../commit-check.js";
import { DamageError } from "../history.js";
import type { HistoryChanges } from "../variable-history.js";
import type { Database, Row, Statement } from "./driver.js";
import { toHex } from "./session-row.js";
import type { Entry } from "./sessions-index.js";

/** The session that a row belongs to. */
type Owner = Pick<Entry, "sessionId" | "incarnation">;

export class Histories {
  readonly #read: Statement;
  readonly #write: Statement;
  readonly #drop: Statement;
  readonly #erase: Statement;

  constructor(db: Database) {
    this.#read = db.prepare("SELECT name, entries, sum FROM history WHERE session_id = ? AND name = ?");
    this.#write = db.prepare("INSERT OR REPLACE INTO history VALUES (?, ?, ?, ?)");
    this.#drop = db.prepare("DELETE FROM history WHERE session_id = ? AND name = ?");
    this.#erase = db.prepare("DELETE FROM history WHERE session_id = ?");
  }

  /** The bytes of a variable's history as of its session's snapshot; undefined if the snapshot does not have it. */
  read(owner: Owner, name: string): Uint8Array | undefined {
    const row = this.#read.get(owner.sessionId, name);
    return row && entriesOf(owner, row);
  }

  /** Brings the rows from one snapshot to the next, and answers how many bytes were written. */
  advance(owner: Owner, changes: HistoryChanges): number {
    const { sessionId } = owner;
    let bytes = 0;
    for (const [name, entries] of changes.over((name) => this.read(owner, name))) {
      if (entries === undefined) this.#drop.run(sessionId, name);
      else this.#write.run(sessionId, name, entries, sumOf(owner, name, entries));
      bytes += entries?.length ?? 0;
    }
    return bytes;
  }

  /** Erases the rows of a session. */
  erase(sessionId: string): void {
    this.#erase.run(sessionId);
  }
}

/** What a row holds; throws DamageError if it is not what was written. */
export function entriesOf(owner: Owner, { name, entries, sum }: Row): Uint8Array {
  if (entries instanceof Uint8Array && sumOf(owner, name as string, entries) === sum) return entries;
  throw new DamageError(`the history of ${name} of session ${owner.sessionId} is not what was written`);
}

/** The sum of a row, over what it says and whose it is. */
function sumOf({ incarnation }: Owner, name: string, entries: Uint8Array): string {
  return toHex(commitCheck(Buffer.concat([Buffer.from(`${incarnation}\n${name}\n`), entries])));
}
