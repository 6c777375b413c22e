/** Folding, stopped everywhere: whatever slice a crash comes after, the file opens again with the same sessions. */
import { describe, expect, test } from "vitest";
import { History } from "../../testing/commits.contract.js";
import type { FoldingSizes } from "./folding.js";
import { contentsOf, copyAsIfCrashed, LedgerFile, temporaryFile } from "./ledger-file.contract.js";
import { verifyFile } from "./verify.js";

/** Sessions that are still there, on a file that is opened again from a copy after each step. */
class Crashes {
  readonly lives = new Map<string, History>();
  readonly path = temporaryFile();
  file!: LedgerFile;

  static async begin(): Promise<Crashes> {
    const crashes = new Crashes();
    crashes.file = await LedgerFile.open(crashes.path);
    return crashes;
  }

  create(sessionId: string): History {
    const history = new History(sessionId, { ttlMs: 5_000 });
    this.lives.set(sessionId, history);
    this.file.append(history.last);
    return history;
  }

  set(sessionId: string, name: string, value: string): void {
    this.file.append((this.lives.get(sessionId) as History).set(name, "string", value));
  }

  /** Deletes a variable if it is there. */
  drop(sessionId: string, name: string): void {
    const history = this.lives.get(sessionId) as History;
    if (history.state.variables.has(name)) this.file.append(history.drop(name));
  }

  end(sessionId: string): void {
    this.file.append((this.lives.get(sessionId) as History).end("deleteSession"));
    this.lives.delete(sessionId);
  }

  /** The file and a copy of it hold the same; the copy does too when its own folding has gone to its end, and again. */
  async check(): Promise<void> {
    const expected = contentsOf(this.lives.values());
    expect(this.file.contents()).toEqual(expected);
    const copy = `${this.path}-copy`;
    copyAsIfCrashed(this.path, copy);
    for (const fold of [true, false]) {
      const after = await LedgerFile.open(copy);
      expect(after.contents()).toEqual(expected);
      if (fold) {
        after.folding.all();
        expect(after.contents()).toEqual(expected);
        expect(after.ledger.tailBytes).toBe(0);
      }
      expect(await verifyFile(copy)).toMatchObject({ sessions: expected.size });
      after.close();
    }
  }

  /** A whole round, slice by slice, with something done after each. */
  async round(between: (slice: number) => void = () => {}): Promise<void> {
    // Slices of up to 20 sessions or 256 KiB, and those that clean up: more than any of these tests needs.
    for (let slice = 0; slice < 12; slice++) {
      this.file.folding.slice();
      await this.check();
      between(slice);
      await this.check();
    }
    this.file.folding.all();
    await this.check();
    this.file.close();
  }
}

const ids = (count: number): string[] => Array.from({ length: count }, (_, i) => `s${i}`);

test("a round can be stopped after every slice", async () => {
  const crashes = await Crashes.begin();
  for (const id of ids(50)) crashes.create(id);
  for (const id of ids(50)) crashes.set(id, "a", id.repeat(10));
  await crashes.round();
});

test("a second round on top of the first can be stopped after every slice, with snapshots and without", async () => {
  const crashes = await Crashes.begin();
  for (const id of ids(45)) crashes.create(id);
  crashes.file.folding.all();
  for (const [i, id] of ids(45).entries()) crashes.set(id, "a", "x".repeat(i % 3 === 0 ? 70_000 : 10));
  crashes.file.folding.all();
  for (const id of ids(45)) crashes.set(id, "b", "y");
  await crashes.round();
});

test("sessions that are written during a round keep what was written", async () => {
  const crashes = await Crashes.begin();
  for (const id of ids(50)) crashes.create(id);
  await crashes.round((slice) => {
    for (const id of ids(50)) crashes.set(id, "a", String(slice));
  });
});

test("sessions that end during a round stay away", async () => {
  const crashes = await Crashes.begin();
  for (const id of ids(50)) crashes.create(id);
  crashes.file.folding.all();
  for (const id of ids(50)) crashes.set(id, "a", "1");
  await crashes.round((slice) => {
    for (const id of ids(50).filter((_, i) => i % 8 === slice)) crashes.end(id);
  });
});

test.for([false, true])(
  "sessions that are created again during a round live their new life (in rows before: %s)",
  async (folded) => {
    const crashes = await Crashes.begin();
    for (const id of ids(50)) crashes.create(id);
    if (folded) crashes.file.folding.all();
    for (const id of ids(50)) crashes.set(id, "a", "1");
    await crashes.round((slice) => {
      for (const id of ids(50).filter((_, i) => i % 8 === slice)) {
        crashes.end(id);
        crashes.create(id);
        crashes.set(id, "b", "2");
      }
    });
  },
);

test.for([false, true])(
  "sessions that lived several lives since the last round keep the last one (in rows before: %s)",
  async (folded) => {
    const crashes = await Crashes.begin();
    for (const id of ids(30)) {
      crashes.create(id);
      crashes.set(id, "a", "1");
    }
    if (folded) crashes.file.folding.all();
    for (const [i, id] of ids(30).entries()) {
      for (let life = 0; life < i % 4; life++) {
        crashes.end(id);
        crashes.create(id);
        crashes.set(id, "b", String(life));
      }
    }
    await crashes.round();
  },
);

test("sessions that come and go before a round leave nothing", async () => {
  const crashes = await Crashes.begin();
  for (const id of ids(50)) {
    crashes.create(id);
    crashes.end(id);
  }
  await crashes.round();
});

test("any order of writes, endings, new beginnings, slices and crashes keeps every session whole", async () => {
  for (let seed = 1; seed <= 5; seed++) {
    let last = seed * 7_919;
    const random = (below: number): number => {
      last = (Math.imul(last, 1_103_515_245) + 12_345) >>> 0;
      return (last >>> 8) % below;
    };
    const crashes = await Crashes.begin();
    for (let step = 0; step < 200; step++) {
      const id = `s${random(30)}`;
      const act = random(10);
      if (!crashes.lives.has(id)) crashes.create(id);
      else if (act === 5) crashes.drop(id, "a");
      else if (act < 5) crashes.set(id, act < 3 ? "a" : "b", "z".repeat(random(act === 0 ? 70_000 : 20)));
      else if (act < 8) crashes.end(id);
      else crashes.file.folding.slice();
      if (step % 20 === 0) await crashes.check();
      if (random(40) > 0) continue;
      // Goes on with what a crash left.
      const copy = `${crashes.path}-on`;
      copyAsIfCrashed(crashes.path, copy);
      crashes.file.close();
      copyAsIfCrashed(copy, crashes.path);
      crashes.file = await LedgerFile.open(crashes.path);
    }
    await crashes.check();
    crashes.file.close();
  }
});

test("folding all there is leaves nothing of what came during a round", async () => {
  const crashes = await Crashes.begin();
  for (const id of ids(30)) crashes.create(id);
  crashes.file.folding.slice();
  for (const id of ids(40)) crashes.lives.has(id) ? crashes.set(id, "a", "1") : crashes.create(id);
  crashes.file.folding.all();
  expect(crashes.file.ledger.tailBytes).toBe(0);
  await crashes.check();
  crashes.file.close();
});

test("the log of a session is trimmed, but not below the last 1,000 commits", async () => {
  const crashes = await Crashes.begin();
  const history = crashes.create("s");
  for (let round = 0; round < 40; round++) {
    for (let i = 0; i < 100; i++) history.set("a", "integer", BigInt(round * 100 + i));
    crashes.file.append(...history.records.slice(-100));
    crashes.file.folding.all();
  }
  await crashes.check();
  const { ledger } = crashes.file;
  expect(ledger.commitsAfter("s", history.records.length - 1_000)).toHaveLength(1_000);
  expect(ledger.commitsAfter("s", 0)).toBe("compacted");
  crashes.file.close();
});

describe("a slice", () => {
  /** How many sessions each slice of a round folds, with this much written to each of them. */
  async function slices(count: number, bytes: number, sizes?: FoldingSizes): Promise<number[]> {
    const file = await LedgerFile.open(temporaryFile(), sizes);
    for (const id of ids(count)) {
      const history = new History(id);
      history.set("a", "string", "x".repeat(bytes));
      file.append(...history.records);
    }
    const folded: number[] = [];
    for (let left = count; left > 0; ) {
      file.folding.slice();
      const now = [...file.ledger.index.unfolded()].length;
      folded.push(left - now);
      left = now;
    }
    file.close();
    return folded;
  }

  test("is of a few sessions", async () => {
    expect(await slices(50, 10)).toEqual([20, 20, 10]);
  });

  test("is of fewer if they are large, and of one if that is larger still: writers wait for it", async () => {
    expect(Math.max(...(await slices(12, 75_000)))).toBe(4);
    expect(Math.max(...(await slices(3, 500_000)))).toBe(1);
  });

  test("is of a part of a session if much was written to it", async () => {
    const file = await LedgerFile.open(temporaryFile());
    const history = new History("hot");
    for (let i = 0; i < 2_000; i++) history.set("a", "string", `${i} ${"x".repeat(1_000)}`);
    file.append(...history.records);
    const folded: number[] = [];
    for (let before = 0; before < history.records.length; ) {
      file.folding.slice();
      const { revision, snapshotRevision } = file.ledger.index.get("hot")?.folded ?? {};
      folded.push((revision ?? 0) - before);
      before = revision ?? 0;
      expect(snapshotRevision).toBe(revision);
      expect(file.contents()).toEqual(contentsOf([history]));
    }
    expect(folded.length).toBeGreaterThan(6);
    expect(Math.max(...folded)).toBeLessThan(270);
    file.close();
  });

  test("of a session that is written all the time belongs to a round that ends", async () => {
    const file = await LedgerFile.open(temporaryFile(), { roundBytes: 1_048_576, snapshotBytes: 65_536 });
    const history = new History("hot");
    const write = (count: number): void => {
      for (let i = 0; i < count; i++) history.set("a", "string", "x".repeat(1_000));
      file.append(...history.records.slice(-count));
    };
    file.append(history.last);
    write(1_200);
    for (let slices = 0, trimmed = false; !trimmed; slices++) {
      expect(slices).toBeLessThan(30);
      const { tailBytes } = file.ledger;
      file.folding.slice();
      trimmed = file.ledger.tailBytes < tailBytes;
      write(300);
    }
    expect(file.contents()).toEqual(contentsOf([history]));
    file.close();
  });

  test("is of more the further folding is behind: the tail does not grow and grow", async () => {
    const [first = 0] = await slices(500, 100, { roundBytes: 1_024, snapshotBytes: 65_536 });
    expect(first).toBeGreaterThan(400);
  });

  test("of ended sessions looks at no more of them than it erases: there may be a million", async () => {
    const file = await LedgerFile.open(temporaryFile());
    const histories = ids(300).map((id) => new History(id));
    file.append(...histories.map(({ last }) => last));
    file.folding.all();
    file.append(...histories.map((history) => history.end("expireSession")));
    const { index } = file.ledger;
    let looks = 0;
    const stale = index.stale.bind(index);
    index.stale = function* () {
      for (const id of stale()) {
        looks += 1;
        yield id;
      }
    };
    file.folding.all();
    expect(looks).toBeLessThan(2 * histories.length);
    expect([...stale()]).toEqual([]);
    file.close();
  });
});
