/**
 * The age of a file: for how long bridges have run on it, in milliseconds. Idle times are counted by it, so the time in
 * which no bridge runs does not count, and a minute that passes costs one row, not one for each session.
 */
import { commitCheck } from "../commit-check.js";
import { DamageError } from "../history.js";
import type { Database } from "./driver.js";
import { toHex } from "./session-row.js";

/** Where it stands, in the table `bridge`. */
export const AGE_KEY = "age";

/** What stands there: the age with a sum, as SQLite itself keeps none. */
export function toAgeText(ageMs: number): string {
  return `${ageMs} ${toHex(commitCheck(Buffer.from(String(ageMs))))}`;
}

/** Reads the age of a file; throws DamageError if it is not as written. */
export function readAge(db: Database): number {
  const text = db.prepare("SELECT value FROM bridge WHERE key = ?").get(AGE_KEY)?.value;
  const ageMs = Number.parseFloat(String(text));
  if (text !== toAgeText(ageMs)) throw new DamageError("its age is not what was written");
  return ageMs;
}
