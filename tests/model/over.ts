import type { Store } from "../../packages/bridge/src/storage/store.js";

/** The same store, save for what is given. */
export function over(store: Store, other: Partial<Store>): Store {
  return {
    name: store.name,
    persistent: store.persistent,
    failure: store.failure,
    heads: () => store.heads(),
    append: (records) => store.append(records),
    load: (sessionId) => store.load(sessionId),
    commitsAfter: (sessionId, revision) => store.commitsAfter(sessionId, revision),
    history: (sessionId, variable) => store.history(sessionId, variable),
    keepRests: (...kept) => store.keepRests(...kept),
    close: () => store.close(),
    ...other,
  };
}
