/**
 * How a watch begins: now, or at a point that its reader knows. Then what has happened since is read from the store, and
 * what happens meanwhile is kept, so that there is neither a gap nor a repeat between the two (ORD-4).
 */
import type { BridgeLimits } from "../core/limits.js";
import { Refusal } from "../core/refusal.js";
import { checkPoint, filterOf, narrowed, type Told, type Watch } from "../core/watch.js";
import type { Store } from "../storage/store.js";
import { missedSince, refuseOneMore } from "./joining.js";
import { ABSENT, type Sessions } from "./sessions.js";
import type { Notify } from "./subscription.js";
import type { Watcher } from "./watcher.js";

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
  // From here to the end of this turn nothing can be committed: what is told begins exactly after the tip.
  const watcher = sessions.hub.subscribe(sessionId, { filter, passive, notify });
  try {
    const asked = missedSince(store, sessionId, from, tip);
    const settled = session === undefined ? sessions.absence(sessionId) : session.awake.durable;
    const [missed] = await Promise.all([asked, settled]);
    if (missed instanceof Refusal) {
      watcher.close();
      return missed;
    }
    const earlier: Told[] = [{ kind: "bookmark", revision: from }];
    for (const event of missed) {
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
