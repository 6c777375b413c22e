/** The rows of histories: which there are, when they are written, and that a wrong one is never shown. */
import { describe, expect, test } from "vitest";
import type { Variable } from "../../core/variable.js";
import { History } from "../../testing/commits.contract.js";
import { openDatabase, type Row } from "./driver.js";
import { contentsOf, LedgerFile, temporaryFile } from "./ledger-file.contract.js";
import { verifyFile } from "./verify.js";

/** Enough of a value that there is a snapshot when it has been set a few times. */
const MUCH = "x".repeat(300_000);

/** A file with one session in it. */
class OneSession {
  readonly path = temporaryFile();
  history = new History("s");
  file!: LedgerFile;
  #appended = 0;

  static async begin(): Promise<OneSession> {
    const session = new OneSession();
    session.file = await LedgerFile.open(session.path);
    return session;
  }

  /** Appends what the session's history has gained. */
  append(): void {
    this.file.append(...this.history.records.slice(this.#appended));
    this.#appended = this.history.records.length;
  }

  /** Folds all there is into a snapshot. */
  snapshot(): void {
    do {
      this.history.set("much", "string", MUCH);
      this.append();
      this.file.folding.all();
    } while (this.file.ledger.index.get("s")?.folded?.bytesSinceSnapshot !== 0);
  }

  /** Begins the session's next life. */
  again(): void {
    this.history.end("deleteSession");
    this.append();
    this.history = new History("s");
    this.#appended = 0;
  }

  /** Its rows by the names of their variables. */
  async rows(): Promise<Map<unknown, Row>> {
    const db = await openDatabase(this.path, { readOnly: true });
    const rows = db.prepare("SELECT rowid, * FROM history").all();
    db.close();
    return new Map(rows.map((row) => [row.name, row]));
  }

  /** What the file holds is right, and it is found sound. */
  async check(): Promise<void> {
    expect(this.file.contents()).toEqual(contentsOf([this.history]));
    expect(await verifyFile(this.path)).toMatchObject({ sessions: 1 });
  }
}

describe("there is a row", () => {
  test("for each variable of the snapshot, and none before there is one", async () => {
    const session = await OneSession.begin();
    const { history, file } = session;
    history.set("a", "float", 1);
    session.append();
    file.folding.all();
    expect([...(await session.rows()).keys()]).toEqual([]);
    session.snapshot();
    expect([...(await session.rows()).keys()].sort()).toEqual(["a", "much"]);
    await session.check();
    file.close();
  });

  test("no more for a variable that was deleted, and one for another of its name", async () => {
    const session = await OneSession.begin();
    const { history, file } = session;
    for (const name of ["a", "b"]) for (let i = 0; i < 60; i++) history.set(name, "float", i);
    session.snapshot();
    history.drop("a");
    history.drop("b");
    history.set("b", "boolean", true);
    session.append();
    await session.check();
    session.snapshot();
    expect([...(await session.rows()).keys()].sort()).toEqual(["b", "much"]);
    await session.check();
    file.close();
  });

  test("no more for a session that has ended, and one for another of its id", async () => {
    const session = await OneSession.begin();
    const { file } = session;
    for (const name of ["a", "b"]) session.history.set(name, "float", 1);
    session.snapshot();
    session.again();
    session.history.set("a", "string", "another");
    session.append();
    await session.check();
    file.folding.all();
    expect([...(await session.rows()).keys()]).toEqual([]);
    session.snapshot();
    expect([...(await session.rows()).keys()].sort()).toEqual(["a", "much"]);
    session.history.end("expireSession");
    session.append();
    file.folding.all();
    expect([...(await session.rows()).keys()]).toEqual([]);
    file.close();
  });

  test("that is left alone while its variable is", async () => {
    const session = await OneSession.begin();
    const { history, file } = session;
    for (const name of ["still", "busy"]) for (let i = 0; i < 3; i++) history.set(name, "float", i);
    session.snapshot();
    const before = await session.rows();
    history.set("busy", "float", 4);
    session.snapshot();
    const after = await session.rows();
    expect(after.get("still")).toEqual(before.get("still"));
    expect(after.get("busy")).not.toEqual(before.get("busy"));
    await session.check();
    file.close();
  });
});

test("what is kept of a variable does not grow with what it goes through", async () => {
  const session = await OneSession.begin();
  const { history, file } = session;
  const size = async (name: string): Promise<number> => {
    const { entries } = (await session.rows()).get(name) as Row;
    return (entries as Uint8Array).length;
  };
  const sizes: number[] = [];
  for (let round = 0; round < 4; round++) {
    for (let i = 0; i < 200; i++) history.set("a", "integer", BigInt(i));
    session.snapshot();
    sizes.push(await size("a"));
  }
  expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThan(100);
  for (let i = 0; i < 10; i++) history.set("a", "integer", BigInt(i));
  for (let i = 0; i < 12; i++) history.set("much", "string", `${i}`.repeat(200_000));
  session.snapshot();
  expect(await size("much")).toBeLessThan(1_048_576 + 1_000);
  await session.check();
  file.close();
});

test("histories cost no more than the commits that they are of, set at random as variables may be", async () => {
  const session = await OneSession.begin();
  const { history, file } = session;
  const { index } = file.ledger;
  let commits = 0;
  let histories = 0;
  let snapshots = 0;
  for (let round = 0, revision = 0; round < 60; round++) {
    for (let i = 0; i < 100; i++) history.set(`v${(i * 37 + round * 11) % 97}`, "float", i);
    commits += history.records.slice(-100).reduce((sum, { bytes }) => sum + bytes.length, 0);
    session.append();
    file.folding.all();
    const { snapshotRevision, historyBytes } = index.get("s")?.folded ?? {
      snapshotRevision: 0,
      historyBytes: 0,
    };
    if (snapshotRevision === revision) continue;
    revision = snapshotRevision;
    histories += historyBytes;
    snapshots += 1;
  }
  expect(snapshots).toBeGreaterThan(3);
  expect(histories).toBeLessThan(commits);
  await session.check();
  file.close();
});

test("a history is not read from a log that is not what was written", async () => {
  const session = await OneSession.begin();
  const { path, history } = session;
  for (let i = 0; i < 3; i++) history.set("a", "float", i);
  session.snapshot();
  history.set("b", "float", 1);
  history.set("a", "float", 4);
  session.append();
  session.file.folding.all();
  session.file.close();
  const db = await openDatabase(path);
  const { commits } = db.prepare("SELECT commits FROM log ORDER BY first DESC").get() as {
    commits: Uint8Array;
  };
  const last = db.prepare("UPDATE log SET commits = ? WHERE first = (SELECT max(first) FROM log)");
  // In the commit that is about another variable.
  commits[100] = (commits[100] as number) ^ 1;
  last.run(commits);
  db.close();
  const file = await LedgerFile.open(path);
  const variable = history.state.variables.get("a") as Variable;
  expect(() => file.ledger.history("s", variable)).toThrow("a commit's record is not what was written");
  file.close();
});

describe("a row that is not what was written is refused, by who reads it and by who verifies the file, if", () => {
  const CASES: readonly [what: string, sql: string, read: RegExp, verified: RegExp][] = [
    ["it is gone", "DELETE FROM history WHERE name = 'a'", /var_a_2 is missing/, /history of a is missing/],
    [
      "its bytes are others",
      "UPDATE history SET entries = zeroblob(length(entries)) WHERE name = 'a'",
      /history of a of session s is not what was written/,
      /history of a of session s is not what was written/,
    ],
    [
      "it is that of another variable",
      "UPDATE history SET (entries, sum) = (SELECT entries, sum FROM history WHERE name = 'b') WHERE name = 'a'",
      /history of a of session s is not what was written/,
      /history of a of session s is not what was written/,
    ],
    [
      "its name is another",
      "UPDATE history SET name = 'c' WHERE name = 'a'",
      /var_a_2 is missing/,
      /history of c of session s is not what was written/,
    ],
    [
      "it is of a session that is not there",
      "UPDATE history SET session_id = 't' WHERE name = 'a'",
      /var_a_2 is missing/,
      /history of session t is there, but not the session/,
    ],
    [
      "it is an earlier one",
      "UPDATE history SET (entries, sum) = (SELECT entries, sum FROM older) WHERE name = 'a'",
      /version 5 of var_a_2 does not follow 2/,
      /history of a: it does not end with what the variable is/,
    ],
  ];

  test.for(CASES)("%s", async ([, sql, read, verified]) => {
    const session = await OneSession.begin();
    const { path, history } = session;
    for (let i = 0; i < 2; i++) for (const name of ["a", "b"]) history.set(name, "float", i);
    session.snapshot();
    const { entries, sum } = (await session.rows()).get("a") as Row;
    for (let i = 0; i < 2; i++) history.set("a", "float", i);
    session.snapshot();
    history.set("a", "float", 5);
    session.append();
    session.file.close();

    const db = await openDatabase(path);
    db.exec("CREATE TEMP TABLE older (entries BLOB, sum TEXT)");
    db.prepare("INSERT INTO older VALUES (?, ?)").run(entries as Uint8Array, sum as string);
    db.exec(sql);
    db.close();
    await expect(verifyFile(path)).rejects.toThrow(verified);
    const file = await LedgerFile.open(path);
    expect(() => file.contents()).toThrow(read);
    file.close();
  });
});
