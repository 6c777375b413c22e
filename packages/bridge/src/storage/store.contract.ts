/** What every store has to do. A store's own test calls this with a way to open an empty one. */
import { describe, expect, test } from "vitest";
import type { SessionState } from "../core/session/state.js";
import type { Variable } from "../core/variable.js";
import { History, plainCommit, plainState } from "../testing/commits.contract.js";
import { type CommitRecord, fromRecord } from "./record.js";
import type { Store } from "./store.js";

/** A store that is open, and how to open what it kept again; absent if it keeps nothing. */
export interface OpenStore {
  readonly store: Store;
  readonly reopen?: () => Promise<Store>;
}

const IDS = [
  "s",
  "S",
  "é",
  "e\u0301",
  "constructor",
  "a'b",
  "%",
  "_",
  "..",
  "*",
  "\u{1f600}",
  "x".repeat(256),
];

type Act = (store: Store) => Promise<void>;

/** Fills an empty store and checks it, and if it keeps what it has, checks it again after it was closed and opened. */
export async function checkTwice(open: () => Promise<OpenStore>, fill: Act, check: Act): Promise<void> {
  const { store, reopen } = await open();
  await fill(store);
  await check(store);
  await store.close();
  if (reopen === undefined) return;
  const again = await reopen();
  await check(again);
  await again.close();
}

/** A session with something of everything in it. */
export function eventful(sessionId: string): History {
  const history = new History(sessionId, { ttlMs: 2_500.5 });
  history.set("a", "float", -0);
  history.set("a", "float", Number.NaN);
  history.set("b", "string", "\ufeff\u0000\u{1f600}");
  history.set("n", "integer", -(2n ** 63n));
  history.set("n", "integer", 2n ** 63n - 1n);
  history.set("t", "boolean", false);
  history.partly("a", Number.NEGATIVE_INFINITY);
  history.drop("b");
  history.set("b", "integer", 0n);
  history.drop("t");
  return history;
}

export function storeContract(open: () => Promise<OpenStore>): void {
  const withStore = (fill: Act, check: Act): Promise<void> => checkTwice(open, fill, check);

  /** Which of some sessions the store has. */
  async function found(store: Store, ids: readonly string[]): Promise<string[]> {
    const loaded = await Promise.all(
      ids.map(async (id) => ((await store.load(id)) === undefined ? [] : [id])),
    );
    return loaded.flat();
  }

  /** The store has this life of the session, whole, and of its variables what it has to keep. */
  async function expectHistory(store: Store, history: History): Promise<void> {
    const stored = await store.load(history.sessionId);
    expect(stored?.check).toBe(history.check);
    expect(stored && plainState(stored.state, ["a", "b"])).toEqual(plainState(history.state, ["a", "b"]));
    await expectHistories(store, history);
  }

  function plainRecords(records: readonly CommitRecord[] | "compacted"): unknown {
    if (records === "compacted") return records;
    return records.map(({ commit, bytes, check }) => ({
      commit: plainCommit(commit),
      bytes: Buffer.from(bytes).toString("hex"),
      check,
    }));
  }

  describe("an empty store", () => {
    test("has no sessions and no commits", async () => {
      await withStore(
        async () => {},
        async (store) => {
          expect(await store.heads()).toEqual([]);
          expect(await store.load("s")).toBeUndefined();
          expect(await store.commitsAfter("s", 0)).toEqual([]);
        },
      );
    });
  });

  describe("what was appended", () => {
    test("is loaded as the fold of its commits, with the last check and time", async () => {
      const history = eventful("s");
      await withStore(
        async (store) => {
          for (const record of history.records) await store.append([record]);
        },
        (store) => expectHistory(store, history),
      );
    });

    test("in one go is the same as one by one", async () => {
      const history = eventful("s");
      await withStore(
        async (store) => void (await store.append(history.records)),
        (store) => expectHistory(store, history),
      );
    });

    test("is read again commit by commit, byte by byte, from any revision on", async () => {
      const history = eventful("s");
      await withStore(
        async (store) => void (await store.append(history.records)),
        async (store) => {
          for (let revision = 0; revision <= history.records.length + 1; revision++) {
            const records = await store.commitsAfter("s", revision);
            expect(plainRecords(records)).toEqual(plainRecords(history.records.slice(revision)));
          }
        },
      );
    });

    test("of several sessions in one go goes to each of them", async () => {
      const histories = IDS.map(eventful);
      const length = histories[0]?.records.length ?? 0;
      await withStore(
        async (store) => {
          for (let i = 0; i < length; i++)
            await store.append(histories.map(({ records }) => records[i] as CommitRecord));
        },
        async (store) => {
          for (const history of histories) await expectHistory(store, history);
          for (const { sessionId, records } of histories)
            expect(plainRecords(await store.commitsAfter(sessionId, 0))).toEqual(plainRecords(records));
        },
      );
    });

    test("is seen by a load that is asked for after it, done or not", async () => {
      const { store } = await open();
      const history = eventful("s");
      const done = store.append(history.records);
      const loaded = store.load("s");
      const read = store.commitsAfter("s", 0);
      expect((await loaded)?.state.revision).toBe(history.records.length);
      expect(await read).toHaveLength(history.records.length);
      await done;
      await store.close();
    });

    test("nothing is harmless", async () => {
      await withStore(
        async (store) => void (await store.append([])),
        async (store) => expect(await store.heads()).toEqual([]),
      );
    });
  });

  describe("a loaded state", () => {
    test("is the caller's own: what becomes of it does not reach the store, nor the other way round", async () => {
      const { store } = await open();
      const history = new History("s");
      history.set("a", "float", 1);
      await store.append(history.records);
      const before = plainState(history.state);
      const mine = await store.load("s");
      const next = history.set("a", "float", 2);
      mine?.state.apply(next.commit);
      expect(plainState((await store.load("s"))?.state as SessionState)).toEqual(before);
      await store.append([next]);
      const other = history.set("b", "float", 3);
      await store.append([other]);
      expect(mine?.state.revision).toBe(3);
      expect(mine?.state.variables.has("b")).toBe(false);
      await store.close();
    });
  });

  describe("a session that has ended", () => {
    test.for(["deleteSession", "expireSession"] as const)("by %s is gone", async (kind) => {
      const gone = eventful("s");
      gone.end(kind);
      const other = eventful("t");
      await withStore(
        async (store) => {
          await store.append(gone.records.slice(0, -1));
          await store.append([...other.records, gone.last]);
        },
        async (store) => {
          expect(await store.load("s")).toBeUndefined();
          expect(await found(store, ["s", "t"])).toEqual(["t"]);
          await expectHistory(store, other);
        },
      );
    });

    test("and was created again shows its new life only", async () => {
      const first = eventful("s");
      first.end("deleteSession");
      const second = new History("s");
      second.set("z", "boolean", true);
      await withStore(
        async (store) => {
          await store.append([...first.records, ...second.records.slice(0, 1)]);
          await store.append(second.records.slice(1));
        },
        async (store) => {
          await expectHistory(store, second);
          expect(plainRecords(await store.commitsAfter("s", 0))).toEqual(plainRecords(second.records));
        },
      );
    });
  });

  describe("old commits", () => {
    /** For each revision asked after: all that follows, or an honest "compacted"; never a gap. */
    async function expectNoGaps(store: Store, history: History, kept: number): Promise<void> {
      const last = history.records.length;
      for (const revision of [0, 1, last - kept - 1, last - kept, last - kept + 1, last - 1, last]) {
        const records = await store.commitsAfter("s", Math.max(0, revision));
        if (revision >= last - kept) expect(records).not.toBe("compacted");
        if (records === "compacted") continue;
        const expected = Array.from(
          { length: last - Math.max(0, revision) },
          (_, i) => Math.max(0, revision) + i + 1,
        );
        expect(records.map(({ commit }) => commit.revision)).toEqual(expected);
        for (const { bytes, check } of records) expect(fromRecord(bytes).check).toBe(check);
      }
    }

    test("are let go of only beyond the last 1,000, and the state stays whole", async () => {
      const history = new History("s");
      history.set("b", "string", "kept from long ago");
      for (let i = 0; i < 3_333; i++) history.set("a", "integer", BigInt(i));
      history.drop("b");
      await withStore(
        async (store) => {
          for (let i = 0; i < history.records.length; i += 50)
            await store.append(history.records.slice(i, i + 50));
        },
        async (store) => {
          await expectHistory(store, history);
          await expectNoGaps(store, history, 1_000);
        },
      );
    });

    test("of large values are let go of only beyond the last 8 MiB", async () => {
      const history = new History("s");
      for (let i = 0; i < 24; i++) history.set("a", "string", String(i % 10).repeat(1_048_576));
      await withStore(
        async (store) => {
          for (const record of history.records) await store.append([record]);
        },
        async (store) => {
          await expectHistory(store, history);
          await expectNoGaps(store, history, 7);
        },
      );
    });

    test("of one commit larger than all that is kept leave that commit", async () => {
      const history = new History("s");
      history.set("a", "string", "x".repeat(12 * 1_048_576));
      await withStore(
        async (store) => void (await store.append(history.records)),
        async (store) => {
          await expectHistory(store, history);
          expect(await store.commitsAfter("s", 1)).toHaveLength(1);
        },
      );
    });
  });

  describe("a closed store", () => {
    test("does not take commits", async () => {
      const { store } = await open();
      await store.close();
      await expect((async () => store.append(new History("s").records))()).rejects.toThrow();
    });
  });
}

/** What a store that outlives the process has to do besides. `open` gives one on what `path` holds, or makes it. */
export function persistentStoreContract(openAnew: () => Promise<() => Promise<Store>>): void {
  /** Opens the store, does something and closes it, once for each step. */
  async function inTurn(...steps: readonly ((store: Store) => unknown)[]): Promise<void> {
    const open = await openAnew();
    for (const step of steps) {
      const store = await open();
      await step(store);
      await store.close();
    }
  }

  const requestsOf = (history: History): unknown => {
    const { requests } = history.state.snapshot();
    return requests;
  };

  describe("the heads of a store that is opened again", () => {
    test("are those of the sessions that live, each in its last life", async () => {
      const histories = [...IDS, "ended", "expired", "again"].map(
        (id, i) => new History(id, { ttlMs: i * 1_000.5 }),
      );
      const [ended, expired, again] = histories.slice(-3) as [History, History, History];
      const next = new History("again", { ttlMs: 7 });
      const living = [...histories.slice(0, IDS.length), next];
      await inTurn(
        (store) => store.append(histories.flatMap(({ records }) => records)),
        async (store) => {
          await store.append([ended.end("deleteSession"), expired.end("expireSession")]);
          await store.append([again.end("deleteSession"), ...next.records]);
        },
        async (store) => {
          const heads = [...(await store.heads())].map(({ restMs: _, ...head }) => head);
          const expected = living.map(({ sessionId, incarnation, state, check }) => ({
            sessionId,
            incarnation,
            revision: state.revision,
            check,
            ttlMs: state.ttlMs,
          }));
          const byId = (a: { sessionId: string }, b: { sessionId: string }) =>
            a.sessionId < b.sessionId ? -1 : 1;
          expect(heads.sort(byId)).toEqual(expected.sort(byId));
        },
      );
    });

    test("have the idle time that was kept last; before any was kept, all of it", async () => {
      const [kept, older, untouched] = ["kept", "older", "untouched"].map(
        (id) => new History(id, { ttlMs: 9_000 }),
      ) as [History, History, History];
      const rests = async (store: Store): Promise<unknown> =>
        new Map((await store.heads()).map(({ sessionId, restMs }) => [sessionId, restMs]));
      await inTurn(
        async (store) => {
          await store.append([...kept.records, ...older.records, ...untouched.records]);
          store.keepRests([{ sessionId: "kept", incarnation: kept.incarnation, restMs: 1 }], 0);
          store.keepRests([{ sessionId: "kept", incarnation: kept.incarnation, restMs: 2_000.25 }], 0);
          store.keepRests([{ sessionId: "older", incarnation: "f".repeat(32), restMs: 3 }], 0);
        },
        async (store) => {
          expect(await rests(store)).toEqual(
            new Map([
              ["kept", 2_000.25],
              ["older", 9_000],
              ["untouched", 9_000],
            ]),
          );
          store.keepRests(
            [
              { sessionId: "kept", incarnation: kept.incarnation, restMs: 4 },
              { sessionId: "gone", incarnation: kept.incarnation, restMs: 5 },
              { sessionId: "older", incarnation: older.incarnation, restMs: 6 },
            ],
            0,
          );
          await store.append([kept.set("a", "float", 1)]);
        },
        async (store) => {
          expect(await rests(store)).toEqual(
            new Map([
              ["kept", 4],
              ["older", 6],
              ["untouched", 9_000],
            ]),
          );
          // Time that passes is taken from all of them but those that were used; nobody ends a session here.
          store.keepRests([{ sessionId: "kept", incarnation: kept.incarnation, restMs: 8_999 }], 1_000.5);
          store.keepRests([], 8_500);
          await store.append([new History("young", { ttlMs: 500 }).last]);
        },
        async (store) => {
          expect(await rests(store)).toEqual(
            new Map([
              ["kept", 499],
              ["older", 6 - 9_500.5],
              ["untouched", 9_000 - 9_500.5],
              ["young", 500],
            ]),
          );
        },
      );
    });
  });

  describe("a store that is opened again and again", () => {
    test("goes on with every session where it stood, values, versions of deleted names and requests", async () => {
      const histories = Array.from({ length: 30 }, (_, i) => new History(`s${i}`));
      const generation = (generation: number) => async (store: Store) => {
        for (const history of histories) {
          const stored = await store.load(history.sessionId);
          expect(stored?.check).toBe(generation === 0 ? undefined : history.check);
          if (stored === undefined) continue;
          expect(plainState(stored.state, ["a", "b", "c"])).toEqual(
            plainState(history.state, ["a", "b", "c"]),
          );
          expect(stored.state.snapshot().requests).toEqual(requestsOf(history));
          await expectHistories(store, history);
        }
        for (const history of histories) {
          const from = generation === 0 ? 0 : history.records.length;
          for (let i = 0; i < 20; i++) history.set(i % 2 === 0 ? "a" : "b", "string", `${generation} ${i}`);
          history.set("c", "float", generation);
          history.drop("c");
          void store.append(history.records.slice(from));
        }
      };
      await inTurn(...Array.from({ length: 6 }, (_, i) => generation(i)));
    });

    test("has what was appended right before it was closed, waited for or not", async () => {
      const history = new History("s");
      for (let i = 0; i < 500; i++) history.set("a", "integer", BigInt(i));
      await inTurn(
        (store) => {
          for (const record of history.records) void store.append([record]);
        },
        async (store) => expect((await store.load("s"))?.check).toBe(history.check),
      );
    });

    test("keeps thousands of commits of several sessions in little room, and the last 1,000 of each", async () => {
      const histories = ["s", "t", "u"].map((id) => new History(id));
      const more = async (store: Store): Promise<void> => {
        for (let i = 0; i < 15; i++) {
          const records = histories.flatMap((history) =>
            Array.from({ length: 100 }, (_, n) => history.set(n % 3 === 0 ? "b" : "a", "integer", BigInt(n))),
          );
          await store.append(i === 0 && histories[0]?.records.length === 101 ? allOf(histories) : records);
        }
      };
      const check = async (store: Store): Promise<void> => {
        for (const history of histories) {
          const { sessionId, check, state, records } = history;
          const stored = await store.load(sessionId);
          expect(stored?.check).toBe(check);
          expect(stored?.state.snapshot().requests).toEqual(state.snapshot().requests);
          await expectHistories(store, history);
          const kept = await store.commitsAfter(sessionId, records.length - 1_000);
          expect(kept === "compacted" ? kept : kept.map((record) => record.check)).toEqual(
            records.slice(-1_000).map((record) => record.check),
          );
        }
      };
      await inTurn(more, check, more, check, more, async (store) => {
        await check(store);
        expect(await store.commitsAfter("s", 0)).toBe("compacted");
      });
    });
  });
}

/** The store keeps of every variable what it has to keep, and nothing else. */
async function expectHistories(store: Store, history: History): Promise<void> {
  for (const name of history.state.variables.keys()) await countKept(store, history, name);
}

/** How many values are kept of a variable, and that they are the right ones. */
export async function countKept(store: Store, history: History, name: string): Promise<number> {
  const variable = history.state.variables.get(name) as Variable;
  const kept = await store.history(history.sessionId, variable);
  expect(kept).toEqual(history.kept(name));
  return kept.length;
}

function allOf(histories: readonly History[]): CommitRecord[] {
  return histories.flatMap(({ records }) => records);
}
