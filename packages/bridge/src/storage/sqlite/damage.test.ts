/**
 * Files that are not what was written. Whatever bit is wrong and wherever the file ends: it opens with everything that was
 * in it, or it is refused in a line that names it. It never opens with less, or with something else.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { History } from "../../testing/commits.contract.js";
import { explained } from "./format.js";
import { contentsOf, copyAsIfCrashed, LedgerFile, temporaryFile } from "./ledger-file.contract.js";

/** A file with sessions in all forms, and what is in it. Those in `tail` were written after the last folding. */
async function makeFile(path: string): Promise<{ file: LedgerFile; expected: Map<string, unknown> }> {
  const file = await LedgerFile.open(path);
  const [snapshotted, logged, both, again, ended] = ["snapshot", "log", "both", "again", "ended"].map(
    (id) => new History(id, { ttlMs: 5_000 }),
  ) as [History, History, History, History, History];
  for (let i = 0; i < 30; i++) {
    snapshotted.set("a", "string", String(i).repeat(1_500));
    // Histories that end with the snapshot and that go on after it, of few values and of many.
    if (i < 3) snapshotted.set("c", "float", i);
    snapshotted.set("d", "integer", BigInt(i));
  }
  snapshotted.drop("a");
  for (const history of [logged, both, again, ended]) history.set("a", "float", 1.5);
  for (const { records } of [snapshotted, logged, both, again, ended]) file.append(...records);
  file.folding.all();
  const next = new History("again");
  const young = new History("young", { ttlMs: 1 });
  file.append(both.set("b", "integer", 7n), snapshotted.set("b", "string", "after the snapshot"));
  file.append(snapshotted.set("d", "integer", -1n));
  file.append(again.end("deleteSession"), ended.end("expireSession"), ...next.records);
  file.append(...young.records, next.set("a", "boolean", true));
  return { file, expected: contentsOf([snapshotted, logged, both, next, young]) };
}

/** Every so many-th of the places is damaged, and the file cut off there; 1 takes some minutes, and was run by hand. */
const EVERY = Number(process.env.DAMAGE_EVERY ?? 3);

function* thinned<T>(places: Iterable<T>): Iterable<T> {
  let number = 0;
  for (const place of places) if (number++ % EVERY === 0) yield place;
}

/** Places in a file: one by one at its beginning, then each so many bytes after the one before. */
function* placesIn(length: number, oneByOne: number, step: number): Iterable<number> {
  for (let at = 0; at < length; at += at < oneByOne ? 1 : step) yield at;
}

/** A file is made anew each time: SQLite knows one that it had open before by its inode. */
function remove(path: string): void {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(`${path}${suffix}`, { force: true });
}

/** What comes of opening a file: "whole", or the line that refuses it. Anything else fails the test. */
async function open(path: string, expected: Map<string, unknown>, what: string): Promise<string> {
  let file: LedgerFile | undefined;
  try {
    file = await LedgerFile.open(path);
    const contents = file.contents();
    expect(contents, what).toEqual(expected);
    return "whole";
  } catch (error) {
    if (error instanceof Error && error.name === "AssertionError") throw error;
    const { message } = explained(error, path);
    expect(message, what).toContain(path);
    expect(`${what}: ${message}`).not.toMatch(/\n|undefined|is not a function|Cannot read/);
    return message;
  } finally {
    file?.close();
  }
}

describe.for(["after the last folding", "with a tail"])("a database that was closed %s", (when) => {
  async function closedFile(): Promise<{ bytes: Buffer; copy: string; expected: Map<string, unknown> }> {
    const path = temporaryFile();
    const { file, expected } = await makeFile(path);
    if (when === "after the last folding") file.folding.all();
    file.close();
    return { bytes: readFileSync(path), copy: `${path}-copy`, expected };
  }

  /** Opens the file with bits turned; all that can be seen at each place. */
  async function turnBits(
    places: (bytes: Buffer) => Iterable<[at: number, bit: number]>,
  ): Promise<Map<string, number>> {
    const { bytes, copy, expected } = await closedFile();
    const seen = new Map<string, number>();
    for (const [at, bit] of thinned(places(bytes))) {
      const damaged = Buffer.from(bytes);
      damaged.writeUInt8(damaged.readUInt8(at) ^ (1 << bit), at);
      remove(copy);
      writeFileSync(copy, damaged);
      const outcome = (await open(copy, expected, `bit ${bit} of byte ${at}`)).replaceAll(copy, "FILE");
      seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
    }
    return seen;
  }

  test("is whole", async () => {
    const { bytes, copy, expected } = await closedFile();
    writeFileSync(copy, bytes);
    expect(await open(copy, expected, "untouched")).toBe("whole");
  });

  test("and has a bit turned in its header is whole or refused", { timeout: 120_000 }, async () => {
    const seen = await turnBits(function* () {
      for (let at = 0; at < 108; at++) for (let bit = at % 3; bit < 8; bit += 3) yield [at, bit];
    });
    expect(seen.size).toBeGreaterThan(2);
  });

  test("and has a bit turned in its schema is whole or refused", { timeout: 120_000 }, async () => {
    const seen = await turnBits(function* (bytes) {
      for (let at = 108; at < 4_096; at++) if (bytes[at] !== 0 || at < 200) yield [at, at % 8];
    });
    expect(seen.size).toBeGreaterThan(2);
  });

  test("and has a bit turned anywhere is whole or refused", { timeout: 120_000 }, async () => {
    const seen = await turnBits(function* (bytes) {
      for (let at = 4_096; at < bytes.length; at += 389) yield [at, (at * 5) % 8];
      // The beginning of each page says what is on it.
      for (let page = 4_096; page < bytes.length; page += 4_096)
        for (let at = page; at < page + 24; at++) yield [at, (at * 3) % 8];
    });
    expect(seen.size).toBeGreaterThan(2);
  });

  // All that SQLite does not miss is room at the end of the last page that nothing was in.
  test("and is cut off anywhere is refused, or whole where nothing was cut off", async () => {
    const { bytes, copy, expected } = await closedFile();
    for (const length of thinned(placesIn(bytes.length, 0, 257))) {
      remove(copy);
      writeFileSync(copy, bytes.subarray(0, length));
      const outcome = await open(copy, expected, `cut off at ${length}`);
      if (length < bytes.length - 4_096) expect(outcome, `cut off at ${length}`).not.toBe("whole");
    }
  });
});

describe("a log that a crash left", () => {
  /**
   * A database whose commits are still in its log, one frame or more each, and what is in it after each commit. Nobody
   * can tell a log whose end is missing from one to which nothing more was written: so SQLite goes back to an earlier
   * commit, but never to a state that never was.
   */
  async function crashedFile(): Promise<{
    log: Buffer;
    start: (log: Uint8Array) => string;
    states: string[];
  }> {
    const path = temporaryFile();
    const { file } = await makeFile(path);
    file.close();
    const open = await LedgerFile.open(path);
    const histories = ["p", "q"].map((id) => new History(id)) as [History, History];
    const before = open.contents();
    const states = [show(before)];
    const note = (): void => void states.push(show(new Map([...before, ...contentsOf(live())])));
    const live = (): History[] => histories.filter(({ sessionId }) => open.ledger.index.get(sessionId));
    open.append(...histories[0].records);
    note();
    for (let i = 0; i < 6; i++) {
      open.append(histories[0].set("a", "string", "x".repeat(i * 1_500)));
      note();
    }
    open.append(...histories[1].records, histories[1].set("b", "integer", 1n));
    note();
    const copy = `${path}-copy`;
    copyAsIfCrashed(path, copy);
    const log = readFileSync(`${copy}-wal`);
    const bytes = readFileSync(copy);
    open.close();
    const start = (damaged: Uint8Array): string => {
      remove(copy);
      writeFileSync(copy, bytes);
      writeFileSync(`${copy}-wal`, damaged);
      return copy;
    };
    return { log, start, states };
  }

  const show = (contents: Map<string, unknown>): string =>
    JSON.stringify([...contents].sort(), (_key, value) => {
      if (typeof value === "bigint") return `${value}n`;
      return value instanceof Map ? [...value] : value;
    });

  /** Which of the states a file opens in. */
  async function stateOf(path: string, states: readonly string[]): Promise<number> {
    const file = await LedgerFile.open(path);
    const at = states.indexOf(show(file.contents()));
    file.close();
    return at;
  }

  test("is read to its end", async () => {
    const { log, start, states } = await crashedFile();
    expect(await stateOf(start(log), states)).toBe(states.length - 1);
  });

  const timeout = 120_000;

  test("and cut off anywhere leads to the state after an earlier commit, the later the longer it is", {
    timeout,
  }, async () => {
    const { log, start, states } = await crashedFile();
    const reached = new Set<number>();
    let last = 0;
    for (const length of [...thinned(placesIn(log.length, 64, 397)), log.length]) {
      const at = await stateOf(start(log.subarray(0, length)), states);
      expect(at, `cut off at ${length}`).toBeGreaterThanOrEqual(last);
      last = at;
      reached.add(at);
    }
    expect(reached.size).toBeGreaterThan(states.length / 2);
  });

  test("and has a bit turned anywhere leads to the state after an earlier commit, or is refused", {
    timeout,
  }, async () => {
    const { log, start, states } = await crashedFile();
    for (const at of thinned(placesIn(log.length, 64, 211))) {
      const damaged = Buffer.from(log);
      damaged.writeUInt8(damaged.readUInt8(at) ^ (1 << (at % 8)), at);
      const path = start(damaged);
      const outcome = await stateOf(path, states).catch((error: unknown) => explained(error, path).message);
      if (typeof outcome === "string") expect(outcome).toContain(path);
      else expect(outcome, `bit ${at % 8} of byte ${at}`).toBeGreaterThanOrEqual(0);
    }
  });
});

describe("a file is not begun anew", () => {
  test("where an empty one is", async () => {
    const path = temporaryFile();
    writeFileSync(path, "");
    await expect(LedgerFile.open(path)).rejects.toThrow(`${path} is empty; put the lost file back`);
  });

  test("where its log is still there", async () => {
    const path = temporaryFile();
    const { file } = await makeFile(path);
    copyAsIfCrashed(path, `${path}-copy`);
    file.close();
    rmSync(`${path}-copy`);
    await expect(LedgerFile.open(`${path}-copy`)).rejects.toThrow(`${path}-copy is gone, but not its`);
  });

  test("but where making it was broken off", async () => {
    const path = temporaryFile();
    writeFileSync(`${path}-new`, "half a");
    (await LedgerFile.open(path)).close();
    const file = await LedgerFile.open(path);
    expect(file.contents().size).toBe(0);
    file.close();
  });
});

test("a file that is closed is whole without its log", async () => {
  const path = temporaryFile();
  const { file, expected } = await makeFile(path);
  file.close();
  rmSync(`${path}-wal`, { force: true });
  expect(await open(path, expected, "without its log")).toBe("whole");
});
