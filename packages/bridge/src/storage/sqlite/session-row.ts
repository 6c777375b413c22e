/** The row of a session: what stands in its columns, with a sum over all of them, as SQLite itself keeps none. */
import { commitCheck } from "../commit-check.js";
import { DamageError } from "../history.js";
import type { Row } from "./driver.js";
import type { Entry, Folded } from "./sessions-index.js";

/** All columns. The snapshot is in a table of its own, or every change of a row would write it again. */
export const COLUMNS =
  "id, incarnation, ttl_ms, due_ms, revision, commit_check, log_bytes, snapshot_revision, snapshot_check, snapshot_bytes, snapshot_sum, history_bytes, row_sum";

type Columns = readonly (string | number)[];

/** What goes into {@link COLUMNS}. */
export function columnsOf(
  { sessionId, incarnation, ttlMs, dueMs }: Pick<Entry, "sessionId" | "incarnation" | "ttlMs" | "dueMs">,
  folded: Folded,
): Columns {
  const { revision, check, bytesSinceSnapshot, snapshotRevision, snapshotCheck, snapshotSum } = folded;
  const columns = [
    sessionId,
    incarnation,
    ttlMs,
    dueMs,
    revision,
    toHex(check),
    bytesSinceSnapshot,
    snapshotRevision,
    toHex(snapshotCheck),
    folded.snapshotBytes,
    toHex(snapshotSum),
    folded.historyBytes,
  ];
  return [...columns, sumOf(columns)];
}

/** Reads {@link COLUMNS}; throws DamageError if they are not as written. */
export function toEntry(row: Row): Entry {
  const columns = COLUMNS.split(", ").map((name) => row[name] as string | number);
  if (sumOf(columns.slice(0, -1)) !== columns.at(-1)) {
    throw new DamageError(`the row of session ${row.id} is not what was written`);
  }
  const revision = row.revision as number;
  const check = fromHex(row.commit_check);
  return {
    sessionId: row.id as string,
    incarnation: row.incarnation as string,
    ttlMs: row.ttl_ms as number,
    dueMs: row.due_ms as number,
    revision,
    check,
    folded: {
      revision,
      check,
      snapshotRevision: row.snapshot_revision as number,
      snapshotCheck: fromHex(row.snapshot_check),
      snapshotBytes: row.snapshot_bytes as number,
      snapshotSum: fromHex(row.snapshot_sum),
      historyBytes: row.history_bytes as number,
      bytesSinceSnapshot: row.log_bytes as number,
    },
    pending: [],
  };
}

function sumOf(columns: Columns): string {
  return toHex(commitCheck(Buffer.from(JSON.stringify(columns))));
}

/** A check as text: SQLite's integers are signed, and these are not numbers to anybody. */
export function toHex(check: bigint): string {
  return check.toString(16).padStart(16, "0");
}

function fromHex(text: Row[string] | undefined): bigint {
  if (typeof text !== "string" || !/^[0-9a-f]{16}$/.test(text))
    throw new DamageError("a check is not a check");
  return BigInt(`0x${text}`);
}
