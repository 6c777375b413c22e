/** What the file of a bridge has kept of a session: the truth for clients of a bridge in another process. */
import type { Commit } from "../../packages/bridge/src/core/session/commit.js";
import { fromRecord } from "../../packages/bridge/src/storage/record.js";
import { Ledger } from "../../packages/bridge/src/storage/sqlite/ledger.js";
import { openForReading } from "../../packages/bridge/src/storage/sqlite/reading.js";
import { madeOf } from "../../packages/bridge/src/testing/watch-forms.contract.js";
import type { Made } from "../../packages/bridge/src/testing/watch-validators.contract.js";

/** A commit, and the check of its record. */
export interface Kept {
  readonly commit: Commit;
  readonly check: bigint;
}

/** The commits of a session after a revision; undefined if they are not all kept any more. The bridge may be running. */
export async function keptFrom(
  file: string,
  sessionId: string,
  revision: number,
): Promise<Kept[] | undefined> {
  const db = await openForReading(file);
  try {
    const kept = new Ledger(db).commitsAfter(sessionId, revision);
    return kept === "compacted" ? undefined : kept.map(({ bytes }) => fromRecord(bytes));
  } finally {
    db.close();
  }
}

/** The same. Throws if they are not all kept any more. */
export async function keptAfter(file: string, sessionId: string, revision: number): Promise<Kept[]> {
  const kept = await keptFrom(file, sessionId, revision);
  if (kept === undefined)
    throw new Error(`${file} has no longer all commits of ${sessionId} after ${revision}`);
  return kept;
}

/** All commits of the life of a session. */
export async function keptCommits(file: string, sessionId: string): Promise<Made[]> {
  return (await keptAfter(file, sessionId, 0)).map(madeOf);
}
