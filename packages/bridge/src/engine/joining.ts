/**
 * What those who begin to watch or follow have in common: whether there is room for one more, and what one that comes from a
 * point has missed since (ORD-4).
 */
import type { Revision } from "../core/commands.js";
import type { BridgeLimits } from "../core/limits.js";
import { overLimit, Refusal } from "../core/refusal.js";
import { eventsOf, type SessionEvent } from "../core/session/event.js";
import { type CommitRecord, previousCheckOf } from "../storage/record.js";
import type { Store } from "../storage/store.js";
import { revisionOf } from "./sessions.js";

type Kept = readonly CommitRecord[] | "compacted";

/** Refuses one more where there are so many. */
export function refuseOneMore(count: number, { maxWatches }: BridgeLimits): Refusal | undefined {
  if (count < maxWatches) return undefined;
  const message = `the server would have ${count + 1} watches, more than ${maxWatches}`;
  return overLimit("TOO_MANY_WATCHES", message, "max-watches", maxWatches, count + 1);
}

/**
 * The commits after a point up to where the session stands, or why they cannot be told. The store is asked at once, so others
 * may come to the end of the session while this waits.
 */
export async function missedSince(
  store: Store,
  sessionId: string,
  from: Revision,
  tip: Revision,
): Promise<SessionEvent[] | Refusal> {
  if (!mayFollow(from, tip)) return gap(from, tip);
  if (from.number >= tip.number) return [];
  const missed = between(from, tip, await store.commitsAfter(sessionId, from.number));
  if (missed instanceof Refusal) return missed;
  return eventsOf(missed.map((record) => ({ commit: record.commit, revision: revisionOf(record) })));
}

/** False if a point cannot lie on the way to where the session stands. */
function mayFollow(from: Revision, tip: Revision): boolean {
  if (from.number === 0) return true;
  if (from.incarnation !== tip.incarnation || from.number > tip.number) return false;
  return from.number < tip.number || from.check === tip.check;
}

/** The commits after a point up to the tip, if the point is the one that they follow. */
function between(from: Revision, tip: Revision, kept: Kept): readonly CommitRecord[] | Refusal {
  if (kept === "compacted") return compacted(from);
  const missed = kept.slice(0, tip.number - from.number);
  // Others may have come to the end of the session, and its commits, while this waited.
  if (missed.length < tip.number - from.number) return compacted(from);
  const [first] = missed;
  return first === undefined || previousCheckOf(first.bytes) === from.check ? missed : gap(from, tip);
}

function compacted({ number }: Revision): Refusal {
  return new Refusal(
    "HISTORY_COMPACTED",
    `not all commits after revision ${number} are kept any more; read the session, then watch again`,
  );
}

function gap(from: Revision, tip: Revision): Refusal {
  const stands = tip.number === 0 ? "it does not exist now" : `it stands at revision ${tip.number} now`;
  return new Refusal(
    "WATCH_GAP",
    `revision ${from.number} to resume from is not one that the session was at: ${stands}; read it, then watch again`,
  );
}
