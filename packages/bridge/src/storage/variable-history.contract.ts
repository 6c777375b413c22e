/** What every store has to keep of the histories of variables (VAL-20). A store's own test calls this. */
import { describe, expect, test } from "vitest";
import type { Variable } from "../core/variable.js";
import { History } from "../testing/commits.contract.js";
import { checkTwice, countKept, eventful, type OpenStore } from "./store.contract.js";

const MIB = 1_048_576;

export function historyContract(open: () => Promise<OpenStore>): void {
  describe("the history of a variable", () => {
    /** Appends a session with what `fill` does to it, looks how many values are kept, and how many after a restart. */
    async function kept(fill: (history: History) => void, name = "a"): Promise<number> {
      const history = new History("s");
      fill(history);
      const counts = new Set<number>();
      await checkTwice(
        open,
        async (store) => {
          for (let i = 0; i < history.records.length; i += 10)
            await store.append(history.records.slice(i, i + 10));
        },
        async (store) => void counts.add(await countKept(store, history, name)),
      );
      expect(counts.size).toBe(1);
      return [...counts][0] as number;
    }

    const sets = (count: number) => (history: History) => {
      for (let i = 0; i < count; i++) history.set("a", "integer", BigInt(i));
    };
    const texts =
      (...lengths: readonly number[]) =>
      (history: History) => {
        for (const [i, length] of lengths.entries())
          history.set("a", "string", String.fromCharCode(97 + (i % 26)).repeat(length));
      };
    test("is every value it was set to, newest first, each with what its commit says", async () => {
      const history = eventful("s");
      history.setMany({ a: 7, b: 8n });
      const [newest, before] = history.kept("b");
      expect(newest).toEqual({
        version: 3,
        type: "integer",
        value: 8n,
        revision: 15,
        wallTimeMs: 1_900_000_000_015,
        source: "test",
        metadata: new Map([["revision", "15"]]),
      });
      expect(before).toMatchObject({ version: 2, value: 0n, revision: 13 });
      await checkTwice(
        open,
        async (store) => {
          for (const record of history.records) await store.append([record]);
        },
        async (store) => {
          expect(await countKept(store, history, "a")).toBe(4);
          expect(await countKept(store, history, "b")).toBe(2);
          expect(await countKept(store, history, "n")).toBe(2);
          expect(await countKept(store, history, "c")).toBe(1);
          expect(await countKept(store, history, "j")).toBe(2);
        },
      );
    });

    test.for([
      [1, 1],
      [49, 49],
      [50, 50],
      [51, 50],
      [99, 50],
      [100, 50],
      [101, 50],
      [5_000, 50],
    ] as const)("of %i values keeps %i", async ([count, expected]) => {
      expect(await kept(sets(count))).toBe(expected);
    });

    test("keeps 1 MiB of values and not a byte more", async () => {
      expect(await kept(texts(MIB / 4, MIB / 4, MIB / 4, MIB / 4))).toBe(4);
      expect(await kept(texts(MIB / 4 + 1, MIB / 4, MIB / 4, MIB / 4))).toBe(3);
      expect(await kept(texts(...Array<number>(100).fill(MIB / 20)))).toBe(20);
    });

    test("keeps a large value alone, whatever it takes, and lets it go for a small one", async () => {
      expect(await kept(texts(10, MIB))).toBe(1);
      expect(await kept(texts(10, 3 * MIB))).toBe(1);
      expect(await kept(texts(10, MIB, 1))).toBe(1);
      expect(await kept(texts(10, MIB - 1, 1))).toBe(2);
      expect(await kept(texts(10, 3 * MIB, 1, 2, 3))).toBe(3);
    });

    test("keeps what is beyond the reach of the commits that are kept", async () => {
      const old = (history: History): void => {
        for (let i = 0; i < 3; i++) history.set("b", "string", `from long ago ${i}`);
        sets(3_333)(history);
      };
      expect(await kept(old, "b")).toBe(3);
      const large = (history: History): void => {
        for (let i = 0; i < 60; i++) history.set("b", "float", i);
        for (let i = 0; i < 24; i++) history.set("a", "string", String(i % 10).repeat(MIB));
      };
      expect(await kept(large, "b")).toBe(50);
    });

    test("takes a definition that sets nothing for no value, but its type for that of the standing one", async () => {
      const settled = (history: History): void => {
        history.set("a", "integer", 1n);
        history.set("a", "integer", 2n);
        history.redefine("a", "float", 2);
        history.set("a", "float", 2.5);
        history.redefine("a", "float", 2.5);
      };
      const history = new History("s");
      settled(history);
      expect(history.kept("a").map(({ version, type, value }) => [version, type, value])).toEqual([
        [3, "float", 2.5],
        [2, "float", 2],
        [1, "integer", 1n],
      ]);
      expect(await kept(settled)).toBe(3);
      // The definition is the first of what follows a snapshot, and one of many.
      const late = (history: History): void => {
        history.set("b", "integer", 1n);
        sets(1_300)(history);
        history.redefine("b", "float", 1);
        sets(1_300)(history);
        history.redefine("b", "float", 1);
      };
      expect(await kept(late, "b")).toBe(1);
    });

    test("begins anew with a name that is used again", async () => {
      const again = (history: History): void => {
        sets(60)(history);
        history.drop("a");
        texts(3, 4)(history);
      };
      expect(await kept(again)).toBe(2);
      const later = (history: History): void => {
        again(history);
        for (let i = 0; i < 1_500; i++) history.set("b", "boolean", i % 2 === 0);
        history.drop("a");
        sets(1)(history);
      };
      expect(await kept(later)).toBe(1);
    });

    test("of each of many variables is its own, whatever was let go", async () => {
      const histories = ["s", "t"].map((id) => new History(id));
      const names = ["constructor", "a", "b", "é", "e\u0301", "var", "var_a", "\u{1f600}", "%", "_"];
      await checkTwice(
        open,
        async (store) => {
          for (const history of histories) await store.append(history.records);
          for (let i = 0; i < 2_000; i++) {
            const history = histories[i % 2] as History;
            // The later a name stands in the list, the rarer it is set.
            const name = names[Math.floor(((i * 7_919) % 1_000) ** 2 / 100_001)] as string;
            if (i % 97 === 0 && history.state.variables.has(name)) await store.append([history.drop(name)]);
            await store.append([history.set(name, "string", `${name} ${i}`)]);
          }
        },
        async (store) => {
          for (const history of histories)
            for (const name of history.state.variables.keys()) await countKept(store, history, name);
        },
      );
    });

    test("ends with the session", async () => {
      const first = eventful("s");
      first.set("a", "float", 4);
      first.end("deleteSession");
      const second = new History("s");
      second.set("a", "float", 5);
      await checkTwice(
        open,
        async (store) => void (await store.append([...first.records, ...second.records])),
        async (store) => expect(await countKept(store, second, "a")).toBe(1),
      );
    });

    test("is read with all that was appended before it was asked for, done or not", async () => {
      const { store } = await open();
      const history = new History("s");
      sets(60)(history);
      const done = store.append(history.records);
      const read = store.history("s", history.state.variables.get("a") as Variable);
      const next = history.set("a", "integer", -1n);
      const doneNext = store.append([next]);
      expect((await read).map(({ version }) => version)).toEqual(
        Array.from({ length: 50 }, (_, i) => 60 - i),
      );
      expect(await countKept(store, history, "a")).toBe(50);
      await Promise.all([done, doneNext]);
      await store.close();
    });
  });
}
