/**
 * How a watch begins: now, or at a point that its reader knows. Then what has happened since is read from the store, and
 * what happens meanwhile is kept, so that there is neither a gap nor a repeat between the two (ORD-4).
 */
import type { Revision } from "../core/commands.js";
import type { BridgeLimits } from "../core/limits.js";
import { overLimit, Refusal } from "../core/refusal.js";
import { eventsOf } from "../core/session/event.js";
import { checkPoint, filterOf, narrowed, type Told, type Watch } from "../core/watch.js";
import { type CommitRecord, previousCheckOf } from "../storage/record.js";
import type { Store } from "../storage/store.js";
import type { Notify, Watcher } from "./hub.js";
import { ABSENT, revisionOf, type Sessions } from "./sessions.js";

type Kept = readonly CommitRecord[] | "compacted";

/** Begins a watch, or refuses it. Resolves when that from which it tells is durable. */
export async function beginWatch(
  sessions: Sessions,
  store: Store,
  limits: BridgeLimits,
  watch: Watch,
  notify: Notify,
): Promise<Watcher | Refusal> {
  const { sessionId, after, passive } = watch;
  const filter = filterOf(watch, limits);
  if (filter instanceof Refusal) return filter;
  const fault = checkPoint(after) ?? refuseOneMore(sessions.hub.count, limits);
  if (fault !== undefined) return fault;
  const session = sessions.find(sessionId, { passive });
  const tip = session?.revision ?? ABSENT;
  const from = after ?? tip;
  if (!mayFollow(from, tip)) return gap(from, tip);
  // From here to the end of this turn nothing can be committed: what is told begins exactly after the tip.
  const watcher = sessions.hub.subscribe(sessionId, { filter, passive, notify });
  try {
    const asked: Promise<Kept> | Kept =
      from.number < tip.number ? store.commitsAfter(sessionId, from.number) : [];
    const settled = session === undefined ? sessions.absence(sessionId) : session.awake.durable;
    const [kept] = await Promise.all([asked, settled]);
    const missed = between(from, tip, kept);
    if (missed instanceof Refusal) {
      watcher.close();
      return missed;
    }
    const commits = missed.map((record) => ({ commit: record.commit, revision: revisionOf(record) }));
    const earlier: Told[] = [{ kind: "bookmark", revision: from }];
    for (const event of eventsOf(commits)) {
      const told = narrowed(event, filter);
      // One bookmark stands for several, but for the first, which says where it begins.
      if (told.kind === "bookmark" && earlier.length > 1 && earlier.at(-1)?.kind === "bookmark")
        earlier.pop();
      earlier.push(told);
    }
    watcher.open(earlier);
    return watcher;
  } catch (error) {
    watcher.close();
    throw error;
  }
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

function refuseOneMore(count: number, { maxWatches }: BridgeLimits): Refusal | undefined {
  if (count < maxWatches) return undefined;
  const message = `the server would have ${count + 1} watches, more than ${maxWatches}`;
  return overLimit("TOO_MANY_WATCHES", message, "max-watches", maxWatches, count + 1);
}
