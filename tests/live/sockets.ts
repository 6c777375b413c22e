/** Random histories of programs in both languages on real sockets, whose connections break again and again. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setImmediate } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Bridge, BridgeError, connect, InternalError, startBridge } from "snakepit-bridge";
import { ToxicProxy } from "../faults/toxic-proxy.js";
import { type Entry, Truth } from "./journal.js";

const here = fileURLToPath(new URL(".", import.meta.url));
const python = join(here, "..", "..", ".venv", "bin", "python");

export interface SocketOptions {
  readonly seed: number;
  /** How many histories. */
  readonly histories: number;
  /** How many programs in Python play along; each lives through all histories. */
  readonly python: readonly ("aio" | "sync")[];
  /** Called after each history. */
  progress?(history: number, entries: number): void;
}

export interface SocketReport {
  readonly entries: number;
  readonly bySource: ReadonlyMap<string, number>;
  readonly cuts: number;
  readonly faults: readonly string[];
}

/** Numbers from [0, 1), the same for the same seed. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const OPERATIONS = 60;
const CUT_EVERY = 25;
const PROGRAMS = 2;

export async function playOnSockets(options: SocketOptions): Promise<SocketReport> {
  const bridge = await startBridge({ port: 0, logger: "silent" });
  const proxy = await ToxicProxy.start(bridge.port);
  const random = randomOf(options.seed);
  const workers = options.python.map((shell) => new PythonProgram(shell, proxy.address, random()));
  const bySource = new Map<string, number>();
  const faults: string[] = [];
  let entries = 0;
  let cuts = 0;
  try {
    for (let history = 0; history < options.histories && faults.length === 0; history++) {
      const sessionId = `history-${history}`;
      const truth = await Observer.start(bridge, sessionId);
      const journal: Entry[] = [];
      const note = (entry: Entry & { readonly source?: string }): void => {
        journal.push(entry);
        if (entry.source !== undefined) bySource.set(entry.source, (bySource.get(entry.source) ?? 0) + 1);
        if (journal.length % CUT_EVERY !== 0) return;
        cuts++;
        proxy.cut();
      };
      await Promise.all([
        ...Array.from({ length: PROGRAMS }, (_, i) =>
          playProgram({ program: `typescript-${i}`, address: proxy.address, sessionId, random, note }),
        ),
        ...workers.map((worker) => worker.play(sessionId, OPERATIONS, note)),
      ]);
      entries += journal.length;
      faults.push(...(await truth.end(journal)));
      options.progress?.(history + 1, entries);
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.end()));
    await proxy.close();
    await bridge.close();
  }
  return { entries, bySource, cuts, faults };
}

/** Sees every commit, without a connection that could break. */
class Observer {
  readonly #truth = new Truth();
  readonly #bridge: Bridge;
  readonly #sessionId: string;
  readonly #watch: ReturnType<Bridge["sessions"]["watch"]>;

  private constructor(bridge: Bridge, sessionId: string) {
    this.#bridge = bridge;
    this.#sessionId = sessionId;
    this.#watch = bridge.sessions.watch(sessionId);
  }

  static async start(bridge: Bridge, sessionId: string): Promise<Observer> {
    const observer = new Observer(bridge, sessionId);
    await observer.#watch.ready();
    await bridge.sessions.createSession(sessionId, { ttlMs: 0 });
    for (const name of ["a", "b", "x", "y"])
      await bridge.sessions.registerVariable(sessionId, name, "float", 0);
    return observer;
  }

  async end(journal: readonly Entry[]): Promise<string[]> {
    // The last commit of all: when it is told, all are.
    const { point } = await this.#bridge.sessions.updateVariable(this.#sessionId, "a", -1);
    while (!this.#truth.has(point)) {
      const { value } = await this.#watch.next();
      if (value !== undefined) this.#truth.take(value, this.#watch.point as string);
    }
    await this.#watch.return();
    await this.#bridge.sessions.deleteSession(this.#sessionId);
    return this.#truth.faults(journal);
  }
}

type Note = (entry: Entry & { readonly source?: string }) => void;

interface ProgramOptions {
  readonly program: string;
  readonly address: string;
  readonly sessionId: string;
  random(): number;
  readonly note: Note;
}

let lastValue = 0;

async function playProgram({ program, address, sessionId, random, note }: ProgramOptions): Promise<void> {
  const client = connect(address, { timeoutMs: 20_000 });
  try {
    const session = await client.session(sessionId);
    for (let i = 0; i < OPERATIONS; i++) {
      const began = Number(process.hrtime.bigint());
      const told = (entry: Pick<Entry, "what" | "values" | "point"> & { readonly source?: string }): void =>
        note({ program, began, ended: Number(process.hrtime.bigint()), ...entry });
      const name = random() < 0.5 ? "a" : "b";
      const what = random();
      try {
        if (what < 0.25) {
          const value = ++lastValue;
          told({ what: "wrote", values: { [name]: value }, point: (await session.set(name, value)).point });
        } else if (what < 0.4) {
          const values = { x: ++lastValue, y: lastValue };
          const { point } = await session.setMany(values);
          told({ what: "wrote", values, point: point as string });
        } else if (what < 0.8) {
          const { value, point, source } = await session.read(name);
          told({ what: "read", values: { [name]: value }, point, source });
        } else if (what < 0.9) {
          const { value, point, source } = await session.read(name, { bypassCache: true });
          told({ what: "asked", values: { [name]: value }, point, source });
        } else {
          told({ what: "readPair", values: await session.getMany(["x", "y"]) });
        }
      } catch (error) {
        // What was not answered is nobody's word.
        if (!(error instanceof BridgeError) || error instanceof InternalError) throw error;
      }
      await setImmediate();
    }
  } finally {
    await client.close();
  }
}

/** A program in Python, in a process of its own: told which session to play in, it answers with what it was told. */
class PythonProgram {
  readonly #process;
  readonly #lines;
  readonly #program: string;

  constructor(shell: "aio" | "sync", address: string, seed: number) {
    this.#program = `python-${shell}`;
    const args = [join(here, "program.py"), shell, address, String(Math.floor(seed * 2 ** 31))];
    this.#process = spawn(python, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#lines = createInterface(this.#process.stdout)[Symbol.asyncIterator]();
  }

  async play(sessionId: string, operations: number, note: Note): Promise<void> {
    this.#process.stdin.write(`${JSON.stringify({ sessionId, operations })}\n`);
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done === true) throw new Error(`${this.#program} has ended`);
      const entry = JSON.parse(value) as Omit<Entry, "program"> | { readonly over: true };
      if ("over" in entry) return;
      note({ program: this.#program, ...entry });
    }
  }

  async end(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.stdin.end();
    await ended;
  }
}
