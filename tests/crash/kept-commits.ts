/** What the file of a bridge has kept of a session: the truth for watches of a bridge in another process. */
import { fromRecord } from "../../packages/bridge/src/storage/record.js";
import { Ledger } from "../../packages/bridge/src/storage/sqlite/ledger.js";
import { openForReading } from "../../packages/bridge/src/storage/sqlite/reading.js";
import { madeOf } from "../../packages/bridge/src/testing/watch-forms.contract.js";
import type { Made } from "../../packages/bridge/src/testing/watch-validators.contract.js";

/** All commits of the life of a session. The bridge may be running. Throws if the first of them are not kept any more. */
export async function keptCommits(file: string, sessionId: string): Promise<Made[]> {
  const db = await openForReading(file);
  try {
    const kept = new Ledger(db).commitsAfter(sessionId, 0);
    if (kept === "compacted") throw new Error(`${file} has no longer all commits of ${sessionId}`);
    return kept.map(({ bytes }) => madeOf(fromRecord(bytes)));
  } finally {
    db.close();
  }
}
