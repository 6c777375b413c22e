/**
 * Durable means on disk first (P1), and a bridge whose disk fails stops (P10): it says so in one line, answers nothing
 * more, and what it had acknowledged is there when the disk works again.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Client, connect, OutcomeUnknownError, type Session } from "snakepit-bridge";
import { startBridge } from "snakepit-bridge/server";
import { afterEach, describe, expect, test, vi } from "vitest";
import { RawSocket } from "../../packages/bridge/src/doors/raw-socket.contract.js";
import { openDatabase } from "../../packages/bridge/src/storage/sqlite/driver.js";
import { endAll, type TestProcess } from "../e2e/processes.js";
import { launch, listening, makeFolder, removeFolders } from "./server.js";
import { noStrace, readTrace, strace } from "./strace.js";

if (noStrace !== undefined) console.log(`tests with failing system calls are skipped: ${noStrace}`);

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

/** Ends with exit code 1 and this line. */
async function expectStop(bridge: TestProcess, line: string | RegExp): Promise<void> {
  expect(await bridge.ended).toBe(1);
  expect(bridge.stderr).toMatch(/^error: [^\n]+\n$/);
  const message = bridge.stderr.slice("error: ".length, -1);
  if (typeof line === "string") expect(message).toBe(line);
  else expect(message).toMatch(line);
}

/** Makes a file with one session in it. */
async function fill(file: string): Promise<void> {
  const { process, address } = await listening(launch(file));
  const session = await sessionAt(address);
  for (let i = 0; i < 20; i++) await session.set("n", i);
  expect(await process.end("SIGKILL")).toBe("SIGKILL");
}

describe.skipIf(noStrace !== undefined)("with strace", () => {
  test("[ORD-5 accepts] every acknowledged write is synced between its write and its answer", async () => {
    const file = await newFile();
    const trace = `${file}.trace`;
    const calls = "trace=fsync,fdatasync,pwrite64,write,writev,sendto,sendmsg";
    const { process, address } = await listening(launch(file, strace(trace, "-s", "10000", "-e", calls)));
    const session = await sessionAt(address);
    const texts = Array.from({ length: 50 }, (_, i) => `text ${i} of 50;`);
    for (const text of texts) await session.set("text", text);
    expect(await process.end()).toBe(0);
    const all = readTrace(trace);
    const log = `<${file}-wal>`;
    const syncs = all.filter(
      ({ text }) => /^f(data)?sync\(/.test(text) && text.includes(log) && / = 0\b/.test(text),
    );
    expect(syncs.length).toBeGreaterThanOrEqual(texts.length);
    for (const marker of texts) {
      const write = all.find(
        ({ text }) => text.startsWith("pwrite64(") && text.includes(log) && text.includes(marker),
      );
      const answer = all.find(
        ({ text }) => /^(writev?|send\w+)\(\d+<(socket|TCP)/.test(text) && text.includes(marker),
      );
      expect({ write, answer }).toEqual({ write: expect.anything(), answer: expect.anything() });
      const between = syncs.filter(({ begin, end }) => begin > write!.end && end < answer!.begin);
      expect(between.length, marker).toBeGreaterThanOrEqual(1);
    }
  });

  test.each([
    [
      "a sync that fails",
      "fsync,fdatasync:error=EIO:when=25+",
      /cannot be read or written \(input\/output error\)$/,
    ],
    ["a full disk", "pwrite64:error=ENOSPC:when=60+", /cannot grow: the disk is full$/],
    [
      "a write that fails",
      "pwrite64:error=EIO:when=60+",
      /cannot be read or written \(input\/output error\)$/,
    ],
  ])("[ORD-5 refuses] %s stops the bridge; what was acknowledged is there", async (_, fault, line) => {
    const file = await newFile();
    const bridge = launch(file, strace("/dev/null", "-e", `inject=${fault}`));
    const { address } = await listening(bridge);
    const session = await sessionAt(address);
    let acknowledged = -1;
    const stopped = new AbortController();
    const writing = async (): Promise<never> => {
      for (;;) {
        await session.set("n", acknowledged + 1, { signal: stopped.signal });
        acknowledged += 1;
      }
    };
    const failed = writing().catch((error: Error) => error.name);
    await expectStop(bridge, line);
    // The client would go on trying for a while.
    stopped.abort();
    expect(bridge.stderr).toContain(file);
    expect(["AbortError", "OutcomeUnknownError", "UnavailableError"]).toContain(await failed);
    expect(acknowledged).toBeGreaterThan(3);
    const again = await listening(launch(file));
    const found = await (await sessionAt(again.address)).get("n");
    expect([acknowledged, acknowledged + 1]).toContain(found);
    expect(await again.process.end()).toBe(0);
  });

  test("[DOOR-8 accepts] relaxed: what was answered is synced soon after, with no further write", async () => {
    const file = await newFile();
    const trace = `${file}.trace`;
    const calls = strace(trace, "-s", "10000", "-e", "trace=fsync,fdatasync,pwrite64");
    const { process, address, line } = await listening(launch(file, calls, "relaxed"));
    expect(line).toContain("durability relaxed");
    const session = await sessionAt(address);
    await session.set("text", "the last word");
    const log = `<${file}-wal>`;
    await vi.waitFor(() => {
      const all = readTrace(trace);
      const write = all.find(({ text }) => text.startsWith("pwrite64(") && text.includes("the last word"));
      const sync = all.find(
        ({ text, begin }) => /^f(data)?sync\(/.test(text) && text.includes(log) && begin > write!.end,
      );
      expect(sync?.text).toMatch(/ = 0\b/);
    }, 20_000);
    expect(await process.end()).toBe(0);
  });

  test("relaxed: a sync that fails stops the bridge though nobody waits for it", async () => {
    const file = await newFile();
    await fill(file);
    // SQLite itself syncs nothing of a log this short, so the first sync is the one that is meant.
    const eio = strace("/dev/null", "-P", `${file}-wal`, "-e", "inject=fdatasync:error=EIO:when=1+");
    const bridge = launch(file, eio, "relaxed");
    const { address } = await listening(bridge);
    await (await sessionAt(address)).set("n", 21);
    await expectStop(bridge, `${file} cannot be read or written (input/output error)`);
  });

  test("a file that may not be written", async () => {
    const file = await newFile();
    await fill(file);
    // Permission bits do not hold for everybody, so the system says it: the first attempt, to open it for writing, fails.
    const readOnly = strace("/dev/null", "-P", file, "-e", "inject=openat:error=EACCES:when=1");
    await expectStop(launch(file, readOnly), `${file} is read-only`);
  });
});

test("a bridge whose store fails while it is being closed says so to who closes it, and waits for nobody any more", async () => {
  const file = await newFile();
  const bridge = await startBridge({
    port: 0,
    logger: "silent",
    store: `sqlite:${file}`,
    graceMs: 3_600_000,
  });
  const db = await openDatabase(file);
  db.exec("DROP TABLE tail");
  db.close();
  const upload = new RawSocket(bridge.port);
  await upload.say(
    "POST /snakepit.bridge.v1.SessionService/Ping HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n",
  );
  await upload.until((received) => received.includes("100 Continue"));
  const write = bridge.sessions.createSession("s");
  const closing = bridge.close();
  await expect(write).rejects.toThrow(OutcomeUnknownError);
  await expect(closing).rejects.toBe(await bridge.failure);
  expect((await bridge.failure).message).toContain("no such table");
  await upload.closed;
});

describe("a bridge does not start on", () => {
  test("a folder that is not there", async () => {
    const file = join(await makeFolder(), "none", "bridge.db");
    await expectStop(
      launch(file),
      `${file} cannot be opened; does the folder exist, and may this user write there?`,
    );
  });

  test("[DOOR-8 refuses] a file of another server, which goes on", async () => {
    const file = await newFile();
    const { address } = await listening(launch(file));
    const session = await sessionAt(address);
    await session.set("n", 1);
    const line = `${file} is in use by another server; stop that one, or choose another file`;
    await expectStop(launch(file), line);
    await session.set("n", 2);
    expect(await session.get("n")).toBe(2);
  });

  test("[DOOR-9 refuses] a file of a newer format", async () => {
    const file = await newFile();
    await fill(file);
    const db = await openDatabase(file);
    db.exec("UPDATE bridge SET value = 7 WHERE key = 'format'");
    db.close();
    await expectStop(
      launch(file),
      `${file} has format 7, this version reads up to 1; upgrade with npm install snakepit-bridge@latest`,
    );
  });

  test("something else", async () => {
    const file = await newFile();
    writeFileSync(file, "not a database ".repeat(1_000));
    await expectStop(launch(file), `${file} is not an SQLite database`);
  });

  test("a file with a record that is not what was written", async () => {
    const file = await newFile();
    await fill(file);
    const db = await openDatabase(file);
    const { seq, commits } = db.prepare("SELECT seq, commits FROM tail ORDER BY seq LIMIT 1 OFFSET 5").get()!;
    const bytes = Buffer.from(commits as Uint8Array);
    bytes[bytes.length - 3]! ^= 1;
    db.prepare("UPDATE tail SET commits = ? WHERE seq = ?").run(bytes, seq as number);
    db.close();
    await expectStop(launch(file), `${file} is damaged: a record of the tail is damaged`);
  });
});

test("[ORD-5 refuses] a session that is not what was written ends the bridge when it is asked for", async () => {
  const file = await newFile();
  const first = await listening(launch(file));
  await (await sessionAt(first.address)).set("n", 1);
  // In an orderly end it is folded; the start does not read it.
  expect(await first.process.end()).toBe(0);
  const db = await openDatabase(file);
  const { commits } = db.prepare("SELECT commits FROM log").get()!;
  const bytes = Buffer.from(commits as Uint8Array);
  bytes[bytes.length - 3]! ^= 1;
  db.prepare("UPDATE log SET commits = ?").run(bytes);
  db.close();
  const { process, address } = await listening(launch(file));
  const asked = sessionAt(address).catch((error: Error) => error.name);
  await expectStop(process, `${file} is damaged: a commit's record is not what was written`);
  expect(["OutcomeUnknownError", "UnavailableError"]).toContain(await asked);
});
