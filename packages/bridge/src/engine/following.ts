/**
 * How a follower begins (ORD-6): with the whole session, or at a point that it knows, if what has happened since is known too.
 * A point that is of no use is no error: then the whole session is told.
 */
import type { BridgeLimits } from "../core/limits.js";
import { Refusal } from "../core/refusal.js";
import { changesOf, StateLog } from "../core/state-log.js";
import type { Follow, StateUpdate } from "../core/state-update.js";
import { checkPoint } from "../core/watch.js";
import type { Store } from "../storage/store.js";
import type { Follower } from "./follower.js";
import { missedSince, refuseOneMore } from "./joining.js";
import { ABSENT, type Sessions } from "./sessions.js";
import type { Notify } from "./subscription.js";

/** Begins to follow, or refuses it. Resolves when that from which it tells is durable. */
export async function beginFollow(
  sessions: Sessions,
  store: Store,
  limits: BridgeLimits,
  { sessionId, after, passive }: Follow,
  notify: Notify<StateUpdate>,
): Promise<Follower | Refusal> {
  const fault = checkPoint(after) ?? refuseOneMore(sessions.hub.count, limits);
  if (fault !== undefined) return fault;
  const session = sessions.find(sessionId, { passive });
  const tip = session?.revision ?? ABSENT;
  // From here to the end of this turn nothing can be committed: the log shows what is committed after it.
  const follower = sessions.hub.follow(
    sessionId,
    { passive, notify },
    () => new StateLog(tip, session?.awake.state.variables.values() ?? []),
  );
  try {
    // From the beginning on everything is missed, and then the whole session says it in fewer words.
    const isSomewhere = after !== undefined && (after.number > 0 || tip.number === 0);
    const asked = isSomewhere ? missedSince(store, sessionId, after, tip) : undefined;
    const settled = session === undefined ? sessions.absence(sessionId) : session.awake.durable;
    const [missed] = await Promise.all([asked, settled]);
    if (missed === undefined || missed instanceof Refusal) follower.open(undefined, undefined);
    else follower.open(after, changesOf(missed));
    return follower;
  } catch (error) {
    follower.close();
    throw error;
  }
}
