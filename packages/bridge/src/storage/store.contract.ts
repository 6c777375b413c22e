/** What every store has to do. A store's own test calls this with a way to open an empty one. */
import { describe, expect, test } from "vitest";
import type { SessionState } from "../core/session/state.js";
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

export function storeContract(open: () => Promise<OpenStore>): void {
  /** Runs a check on an empty store, and if the store keeps what it has, again after it was closed and opened. */
  async function withStore(
    fill: (store: Store) => Promise<void>,
    check: (store: Store) => Promise<void>,
  ): Promise<void> {
    const { store, reopen } = await open();
    await fill(store);
    await check(store);
    if (reopen === undefined) return store.close();
    await store.close();
    const again = await reopen();
    await check(again);
    await again.close();
  }

  async function sessionsIn(store: Store): Promise<string[]> {
    return [...(await store.sessionIds())].sort();
  }

  /** The store has this life of the session, whole. */
  async function expectHistory(store: Store, history: History): Promise<void> {
    // Twice, since a load must leave the store as it is.
    for (const stored of [await store.load(history.sessionId), await store.load(history.sessionId)]) {
      expect(stored?.check).toBe(history.check);
      expect(stored?.lastCommitAtMs).toBe(history.last.commit.wallTimeMs);
      expect(stored && plainState(stored.state, ["a", "b"])).toEqual(plainState(history.state, ["a", "b"]));
    }
  }

  function plainRecords(records: readonly CommitRecord[] | "compacted"): unknown {
    if (records === "compacted") return records;
    return records.map(({ commit, bytes, check }) => ({
      commit: plainCommit(commit),
      bytes: Buffer.from(bytes).toString("hex"),
      check,
    }));
  }

  /** A session with something of everything in it. */
  function eventful(sessionId: string): History {
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

  describe("an empty store", () => {
    test("has no sessions and no commits", async () => {
      await withStore(
        async () => {},
        async (store) => {
          expect(await sessionsIn(store)).toEqual([]);
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
          expect(await sessionsIn(store)).toEqual([...IDS].sort());
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
        async (store) => expect(await sessionsIn(store)).toEqual([]),
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
          expect(await sessionsIn(store)).toEqual(["t"]);
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
          expect(await sessionsIn(store)).toEqual(["s"]);
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
