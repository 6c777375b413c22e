/** Backups are made and files verified while a bridge writes them; a backup put in the place of the file is a start. */
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Client, connect, type Session } from "snakepit-bridge";
import { afterEach, expect, test } from "vitest";
import { openDatabase } from "../../packages/bridge/src/storage/sqlite/driver.js";
import { endAll } from "../e2e/processes.js";
import { launch, listening, makeFolder, removeFolders, startProgram } from "./server.js";

const SOUND = /\d+ sessions?, \d+ variables?, \d+ commits?, \d+ snapshots?\n$/;
const clients: Client[] = [];

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await endAll();
  removeFolders();
});

async function sessionAt(address: string): Promise<Session> {
  const client = connect(address);
  clients.push(client);
  return client.session("s");
}

async function newFile(): Promise<string> {
  return join(await makeFolder(), "bridge.db");
}

async function runProgram(...args: string[]) {
  const process = startProgram(args);
  const code = await process.ended;
  return { code, stdout: process.stdout, stderr: process.stderr };
}

/** Ends with exit code 1 and this line. */
async function expectRefusal(args: string[], line: string | RegExp): Promise<void> {
  const { code, stdout, stderr } = await runProgram(...args);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(/^error: [^\n]+\n$/);
  const message = stderr.slice("error: ".length, -1);
  if (typeof line === "string") expect(message).toBe(line);
  else expect(message).toMatch(line);
}

/** A file with one session, whose bridge has ended; `how` leaves its log or not. */
async function filled(how: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<string> {
  const file = await newFile();
  const { process, address } = await listening(launch(file));
  const session = await sessionAt(address);
  for (let i = 0; i < 20; i++) await session.set("n", i);
  expect(await process.end(how)).toBe(how === "SIGTERM" ? 0 : how);
  return file;
}

/** Writes batches of three equal values, one after the other, until it is stopped. */
function writeOn(session: Session) {
  let acknowledged = 0;
  let goesOn = true;
  const writing = (async () => {
    while (goesOn) {
      const n = acknowledged + 1;
      await session.setMany({ a: n, b: n, c: n, text: "x".repeat(20_000) });
      acknowledged = n;
    }
  })();
  return {
    get acknowledged() {
      return acknowledged;
    },
    async stop(): Promise<void> {
      goesOn = false;
      await writing;
    },
  };
}

test("under load: a backup has all that was acknowledged before it and nothing by halves; verify finds nothing", async () => {
  const file = await newFile();
  const { process, address } = await listening(launch(file));
  const load = writeOn(await sessionAt(address));
  const copies: { name: string; from: number; to: number }[] = [];
  for (let i = 0; i < 3; i++) {
    const name = `${file}.copy${i}`;
    const from = load.acknowledged;
    const { code, stdout, stderr } = await runProgram("backup", file, name);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(SOUND);
    expect(stdout.startsWith(`${name}: `)).toBe(true);
    copies.push({ name, from, to: load.acknowledged });
    const verified = await runProgram("verify", file);
    expect(verified).toMatchObject({ code: 0, stdout: expect.stringMatching(SOUND), stderr: "" });
  }
  // A bridge whose file is read goes on meanwhile.
  expect(copies.every(({ from, to }) => to > from)).toBe(true);
  await load.stop();
  expect(await process.end()).toBe(0);
  expect(readdirSync(dirname(file)).filter((name) => name.includes(".part"))).toEqual([]);
  for (const { name, from, to } of copies) {
    const copy = await listening(launch(name));
    const session = await sessionAt(copy.address);
    if (from > 0 || (await session.list()).length > 0) {
      const { a, b, c } = await session.getMany(["a", "b", "c"]);
      expect([b, c]).toEqual([a, a]);
      expect(a).toBeGreaterThanOrEqual(from);
      // One more may be on disk than its writer had heard of.
      expect(a).toBeLessThanOrEqual(to + 1);
    }
    expect(await copy.process.end()).toBe(0);
  }
});

test("restore as docs/operations.md says: the bridge goes on from the moment of the backup", async () => {
  const file = await newFile();
  const first = await listening(launch(file));
  const session = await sessionAt(first.address);
  await session.set("n", 1);
  const { revision } = await session.read("n");
  expect(await runProgram("backup", file, `${file}.copy`)).toMatchObject({ code: 0 });
  await session.set("n", 2);
  expect(await first.process.end("SIGKILL")).toBe("SIGKILL");
  for (const name of [file, `${file}-wal`, `${file}-shm`]) rmSync(name, { force: true });
  copyFileSync(`${file}.copy`, file);
  const again = await listening(launch(file));
  const restored = await sessionAt(again.address);
  expect(await restored.read("n")).toMatchObject({ value: 1, version: 1, revision });
  expect(await restored.set("n", 3)).toMatchObject({ version: 2 });
  expect(await again.process.end()).toBe(0);
});

test.each(["SIGTERM", "SIGKILL"] as const)(
  "[DOOR-9 accepts] of a file whose bridge has ended by %s",
  async (how) => {
    const file = await filled(how);
    const sound = /: 1 session, 1 variable, 21 commits, 0 snapshots\n$/;
    expect(await runProgram("verify", file)).toMatchObject({ code: 0, stdout: expect.stringMatching(sound) });
    expect(await runProgram("backup", file, `${file}.copy`)).toMatchObject({ code: 0 });
    expect(await runProgram("verify", `${file}.copy`)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(sound),
    });
  },
);

test("a backup does not replace anything, and needs a source and a folder", async () => {
  const file = await filled();
  const copy = `${file}.copy`;
  writeFileSync(copy, "mine");
  await expectRefusal(
    ["backup", file, copy],
    `${copy} is there already; choose another name, or remove it first`,
  );
  expect(readFileSync(copy, "utf8")).toBe("mine");
  await expectRefusal(["backup", file, file], /is there already/);
  const missing = `${file}.missing`;
  const cannotOpen = "cannot be opened; does the folder exist, and may this user write there?";
  await expectRefusal(["backup", missing, `${file}.copy2`], `${missing} cannot be opened; is it there?`);
  await expectRefusal(["verify", missing], `${missing} cannot be opened; is it there?`);
  const nowhere = join(dirname(file), "none", "copy");
  await expectRefusal(["backup", file, nowhere], `${nowhere} ${cannotOpen}`);
  expect(existsSync(missing)).toBe(false);
  expect(existsSync(`${file}.copy2`)).toBe(false);
});

test("damage is told with its place, and not copied", async () => {
  const file = await filled();
  const db = await openDatabase(file);
  const { commits } = db.prepare("SELECT commits FROM log").get()!;
  const bytes = Buffer.from(commits as Uint8Array);
  bytes[bytes.length - 3]! ^= 1;
  db.prepare("UPDATE log SET commits = ?").run(bytes);
  db.close();
  const line = `${file} is damaged: session s, commits 1 to 21 of the log: a commit's record is not what was written`;
  await expectRefusal(["verify", file], line);
  await expectRefusal(["backup", file, `${file}.copy`], line);
  expect(readdirSync(dirname(file)).filter((name) => name.includes("copy"))).toEqual([]);
});

test("what is no file of a bridge", async () => {
  const file = await newFile();
  writeFileSync(file, "not a database ".repeat(1_000));
  await expectRefusal(["verify", file], `${file} is not an SQLite database`);
  await expectRefusal(["backup", file, `${file}.copy`], `${file} is not an SQLite database`);
  const other = `${file}.other`;
  const db = await openDatabase(other);
  db.exec("CREATE TABLE t (x)");
  db.close();
  await expectRefusal(["verify", other], `${other} is a database, but not one of a bridge`);
});

test("the help says what they do", async () => {
  for (const [command, word] of [
    ["backup", "To restore"],
    ["verify", "exit code 1"],
  ] as const) {
    const { code, stdout } = await runProgram(command, "--help");
    expect({ code, has: stdout.includes(word) }).toEqual({ code: 0, has: true });
  }
});
