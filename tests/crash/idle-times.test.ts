/**
 * Idle time over restarts (ORD-12): a session goes on with what it had left, to a minute, however its server ended and
 * whatever the wall clock did meanwhile. The server is a process, and its clock is moved by hand.
 */
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { GrpcTransport } from "../../packages/bridge/src/client/transport/grpc.js";
import type { Command, Reply } from "../../packages/bridge/src/core/commands.js";
import { SessionNotFoundError } from "../../packages/bridge/src/core/errors.js";
import { Ledger } from "../../packages/bridge/src/storage/sqlite/ledger.js";
import { openForReading } from "../../packages/bridge/src/storage/sqlite/reading.js";
import { verifyFile } from "../../packages/bridge/src/storage/sqlite/verify.js";
import { ClockedBridge } from "../e2e/clocked.js";
import { endAll } from "../e2e/processes.js";
import { makeFolder, removeFolders } from "./server.js";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const YEAR = 365 * 24 * 60 * MINUTE;
/** Of all sessions here. */
const TTL = 10 * MINUTE;

const servers: Server[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.disconnect()));
  await endAll();
  removeFolders();
});

/** A bridge on a file, on a clock, and somebody who asks it. */
class Server {
  readonly #bridge: ClockedBridge;
  readonly #transport: GrpcTransport;
  readonly #file: string;
  /** How old its file was at its start. */
  readonly #age: number;
  /** Since then. */
  #passed = 0;

  private constructor(bridge: ClockedBridge, file: string, age: number) {
    this.#bridge = bridge;
    this.#file = file;
    this.#age = age;
    this.#transport = new GrpcTransport(bridge.address, { timeoutMs: 20_000 });
    servers.push(this);
  }

  /** Each start finds clocks that have nothing to do with those of the last one. */
  static async start(file: string, start = 0): Promise<Server> {
    const clocks = { now: (start * 7_777_777) % 1_000_003, wall: YEAR * (40 - 13 * start) };
    const bridge = await ClockedBridge.start({ store: `sqlite:${file}`, ...clocks });
    return new Server(bridge, file, await ageOf(file));
  }

  /** The age that its file is to have by now: it is stored every minute. */
  get #due(): number {
    return this.#age + Math.floor(this.#passed / MINUTE) * MINUTE;
  }

  advance(ms: number): Promise<void> {
    this.#passed += ms;
    return this.#bridge.advance(ms);
  }

  jumpWall(ms: number): Promise<void> {
    return this.#bridge.jumpWall(ms);
  }

  ask(command: Command): Promise<Reply> {
    return this.#transport.call(command);
  }

  create(sessionId: string, ttlMs = TTL): Promise<Reply> {
    return this.ask({ kind: "createSession", sessionId, ttlMs, metadata: [] });
  }

  use(sessionId: string): Promise<Reply> {
    return this.ask({ kind: "heartbeat", sessionId });
  }

  /** The sessions that live. Asking for them is no use of them. */
  async living(): Promise<string[]> {
    const reply = await this.ask({ kind: "listSessions", pageSize: 0, pageToken: "" });
    if (reply.kind !== "listSessions") throw new Error(reply.kind);
    return reply.sessions.map(({ id }) => id).sort();
  }

  /** Expects that a session that nobody uses lives until this long after the start, to the millisecond. */
  async expectEnd(sessionId: string, ms: number): Promise<void> {
    await this.advance(ms - 1 - this.#passed);
    expect(await this.living()).toContain(sessionId);
    await this.advance(1);
    expect(await this.living()).not.toContain(sessionId);
    await expect(this.use(sessionId)).rejects.toBeInstanceOf(SessionNotFoundError);
  }

  async disconnect(): Promise<void> {
    await this.#transport.close();
  }

  async end(how: How): Promise<void> {
    // Idle times are stored soon after they are due, and on this clock no time passes.
    const stored = async (): Promise<boolean> => (await storedIn(this.#file)) >= this.#due;
    if (how === "SIGKILL") await vi.waitUntil(stored, { timeout: 20_000 });
    await this.endAtOnce(how);
  }

  async endAtOnce(how: How): Promise<void> {
    await this.disconnect();
    expect(await this.#bridge.process.end(how)).toBe(how === "SIGTERM" ? 0 : how);
  }
}

/** How old a file is. */
async function ageOf(file: string): Promise<number> {
  return (await read(file)).index.ageMs;
}

/** Up to which age of a file the idle times of all its sessions are in it; none are while one has no row. */
async function storedIn(file: string): Promise<number> {
  const { index } = await read(file);
  const rowless = [...index.all()].some(({ folded, ttlMs }) => folded === undefined && ttlMs > 0);
  return rowless && index.ageMs > 0 ? -1 : index.ageMs;
}

/** Reads a file beside the bridge that writes it. */
async function read(file: string): Promise<Ledger> {
  const db = await openForReading(file);
  try {
    // Everything as of the same moment.
    db.exec("BEGIN");
    return new Ledger(db);
  } finally {
    db.close();
  }
}

type How = "SIGTERM" | "SIGKILL";

async function newFile(): Promise<string> {
  return join(await makeFolder(), "bridge.db");
}

describe.each<How>(["SIGTERM", "SIGKILL"])("after an end by %s", (how) => {
  test("[ORD-12 accepts] [ORD-12 refuses] sessions live as long as they would have, and a minute longer", async () => {
    const file = await newFile();
    const first = await Server.start(file);
    await first.create("idle");
    await first.create("used");
    await first.create("eternal", 0);
    await first.create("short", 5 * MINUTE);
    await first.jumpWall(20 * YEAR);
    await first.advance(4 * MINUTE + 59 * SECOND);
    await first.use("used");
    await first.jumpWall(-30 * YEAR);
    await first.advance(SECOND);
    await expect(first.use("short")).rejects.toBeInstanceOf(SessionNotFoundError);
    await first.advance(2 * MINUTE + 30 * SECOND);
    await first.create("fresh");
    await first.advance(30 * SECOND);
    await first.end(how);
    const second = await Server.start(file, 1);
    await second.jumpWall(-50 * YEAR);
    expect(await second.living()).toEqual(["eternal", "fresh", "idle", "used"]);
    await expect(second.use("short")).rejects.toBeInstanceOf(SessionNotFoundError);
    await second.expectEnd("idle", 3 * MINUTE);
    await second.expectEnd("used", 7 * MINUTE + 59 * SECOND);
    await second.expectEnd("fresh", TTL);
    await second.end("SIGTERM");
    expect(await verifyFile(file)).toMatchObject({ sessions: 1 });
  });
});

test("[ORD-12 refuses] a session is not found only when its end is on disk", async () => {
  const file = await newFile();
  const first = await Server.start(file);
  await first.create("s");
  await first.advance(TTL);
  await expect(first.use("s")).rejects.toBeInstanceOf(SessionNotFoundError);
  await first.endAtOnce("SIGKILL");
  // In a file that did not know of its end it would have another minute.
  const second = await Server.start(file, 1);
  expect(await second.living()).toEqual([]);
  expect(await second.create("s")).toMatchObject({ created: true });
  await second.end("SIGTERM");
});

test("a use that had not been stored counts for no more than the minute that every session is given", async () => {
  const file = await newFile();
  const first = await Server.start(file);
  await first.create("s");
  await first.advance(5 * MINUTE + 30 * SECOND);
  await first.use("s");
  await first.advance(20 * SECOND);
  await first.end("SIGKILL");
  const second = await Server.start(file, 1);
  await second.expectEnd("s", TTL - 5 * MINUTE + MINUTE);
  await second.end("SIGTERM");
});

test("sessions do not live for ever on a server that is started again and again", async () => {
  const file = await newFile();
  const first = await Server.start(file);
  await first.create("idle");
  await first.create("used");
  await first.end("SIGKILL");
  // Before a crash whole minutes count, before an orderly end every second.
  const runs: readonly How[] = ["SIGKILL", "SIGTERM", "SIGKILL", "SIGTERM"];
  for (const [i, how] of runs.entries()) {
    const server = await Server.start(file, i + 1);
    expect(await server.living()).toEqual(["idle", "used"]);
    await server.advance(150 * SECOND);
    await server.use("used");
    await server.end(how);
  }
  const last = await Server.start(file, 5);
  await last.expectEnd("idle", TTL - 2 * (120 + 150) * SECOND + MINUTE);
  expect(await last.living()).toEqual(["used"]);
  await last.end("SIGTERM");
});
