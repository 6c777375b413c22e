/**
 * Stores that outlive the process with one thing wrong each, made by laying something between the engine and a right
 * one. What is wrong shows after a crash, a restart, or when a session is read back.
 */
import { type SessionSnapshot, SessionState } from "../../packages/bridge/src/core/session/state.js";
import type { CommitRecord } from "../../packages/bridge/src/storage/record.js";
import type { Store, StoredSession } from "../../packages/bridge/src/storage/store.js";
import { over } from "./over.js";

export interface DurableFault {
  /** Ends a sentence that begins with "a store that". */
  readonly name: string;
  readonly wrap: (store: Store) => Store;
  /** One that leads to it within few sequences, where the usual one takes a minute. */
  readonly seed?: number;
}

export const DURABLE_FAULTS: readonly DurableFault[] = [
  {
    name: "says that it has a commit before it has it",
    wrap: (store) => over(store, { append: (records) => hand(store, records) }),
  },
  {
    name: "keeps a commit when the next one comes",
    wrap: (store) => {
      let late: readonly CommitRecord[] = [];
      const catchUp = (): void => {
        hand(store, late);
        late = [];
      };
      return over(store, {
        append(records) {
          catchUp();
          late = records;
          return undefined;
        },
        async load(sessionId) {
          catchUp();
          return store.load(sessionId);
        },
        async commitsAfter(sessionId, revision) {
          catchUp();
          return store.commitsAfter(sessionId, revision);
        },
        async close() {
          catchUp();
          await store.close();
        },
      });
    },
  },
  {
    name: "keeps the commits of one session before those of another that came first",
    seed: 3,
    wrap: (store) => {
      let waiting: {
        readonly records: readonly CommitRecord[];
        readonly done: (kept: Promise<void> | undefined) => void;
      }[] = [];
      const flush = (): void => {
        const last = sessionOf(waiting.at(-1)?.records);
        const inOrder = [
          ...waiting.filter(({ records }) => sessionOf(records) === last),
          ...waiting.filter(({ records }) => sessionOf(records) !== last),
        ];
        waiting = [];
        for (const { records, done } of inOrder) done(store.append(records));
      };
      return over(store, {
        append(records) {
          if (waiting.length === 0) queueMicrotask(flush);
          return new Promise<void>((done) => waiting.push({ records, done }));
        },
        async close() {
          flush();
          await store.close();
        },
      });
    },
  },
  {
    name: "keeps half of the last batch",
    wrap: (store) =>
      over(store, {
        async load(sessionId) {
          const [stored, records] = await Promise.all([
            store.load(sessionId),
            store.commitsAfter(sessionId, 0),
          ]);
          if (stored === undefined || records === "compacted") return stored;
          const last = records.findLast(({ commit }) => commit.changes.length > 1);
          return { ...stored, state: fold(records, last) };
        },
      }),
  },
  {
    name: "is one commit behind when it reads a session back",
    wrap: (store) =>
      over(store, {
        async load(sessionId) {
          const records = await store.commitsAfter(sessionId, 0);
          if (records === "compacted" || records.length < 2) return store.load(sessionId);
          const { check } = records.at(-2) as CommitRecord;
          return { state: fold(records.slice(0, -1)), check };
        },
      }),
  },
  {
    name: "gives out the last revision again",
    wrap: (store) =>
      reading(store, (snapshot) => ({ ...snapshot, revision: Math.max(1, snapshot.revision - 1) })),
  },
  {
    name: "forgets which requests were carried out",
    seed: 3,
    wrap: (store) => reading(store, (snapshot) => ({ ...snapshot, requests: { clients: [], writes: [] } })),
  },
  {
    name: "forgets the answers that it may be asked for again",
    wrap: (store) => over(store, { commitsAfter: async () => "compacted" }),
  },
  {
    name: "forgets the versions of deleted names",
    seed: 2,
    wrap: (store) => reading(store, (snapshot) => ({ ...snapshot, tombstones: [] })),
  },
  {
    name: "forgets that a variable is provisional",
    wrap: (store) =>
      reading(store, (snapshot) => ({
        ...snapshot,
        variables: snapshot.variables.map((variable) => ({ ...variable, provisional: false })),
      })),
  },
  {
    name: "brings back a session that has ended",
    wrap: (store) => {
      // Its end is kept only when another of its name begins.
      const withheld = new Map<string, CommitRecord>();
      return over(store, {
        append(records) {
          const kept = records.flatMap((record) => {
            const { sessionId, kind } = record.commit;
            const before = withheld.get(sessionId);
            withheld.delete(sessionId);
            if (kind !== "deleteSession" && kind !== "expireSession")
              return before === undefined ? [record] : [before, record];
            withheld.set(sessionId, record);
            return [];
          });
          return store.append(kept);
        },
      });
    },
  },
  {
    name: "gives a session another incarnation",
    wrap: (store) =>
      reading(store, (snapshot) => ({ ...snapshot, incarnation: `f${snapshot.incarnation.slice(1)}` })),
  },
  {
    name: "loses the time that sessions have left",
    wrap: (store) =>
      over(store, { heads: async () => (await store.heads()).map((head) => ({ ...head, restMs: 0 })) }),
  },
];

/** Hands commits over without waiting for anything. */
function hand(store: Store, records: readonly CommitRecord[]): undefined {
  store.append(records)?.catch(() => {});
}

/** A store whose sessions are read back wrongly. */
function reading(store: Store, wrong: (snapshot: SessionSnapshot) => SessionSnapshot): Store {
  return over(store, {
    async load(sessionId): Promise<StoredSession | undefined> {
      const stored = await store.load(sessionId);
      return stored && { ...stored, state: SessionState.restore(wrong(stored.state.snapshot())) };
    },
  });
}

/** The state that records lead to, if only half of the changes of one of them are kept. */
function fold(records: readonly CommitRecord[], half?: CommitRecord): SessionState {
  let state: SessionState | undefined;
  for (const record of records) {
    const { changes } = record.commit;
    const commit =
      record === half ? { ...record.commit, changes: changes.slice(0, changes.length / 2) } : record.commit;
    if (state === undefined) state = SessionState.create(commit);
    else state.apply(commit);
  }
  return state as SessionState;
}

function sessionOf(records: readonly CommitRecord[] | undefined): string | undefined {
  return records?.[0]?.commit.sessionId;
}
