/**
 * Keeps commits in an SQLite file. An append is done when it is on disk.
 *
 * Commits are packed as they come and written by a thread of their own, all that have gathered in one transaction, one
 * batch at a time: while one is on its way to the disk the next one forms. So the engine never waits for the disk, and
 * the more there is to do, the fewer syncs a commit costs.
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { HistoryEntry } from "../../core/history.js";
import { type KeptHistory, readChain, restore } from "../history.js";
import type { CommitRecord } from "../record.js";
import type { SessionHead, Store, StoredSession } from "../store.js";
import { type Known, newestFirst } from "../variable-history.js";
import { packRecords } from "./batch.js";
import { type Durability, explained } from "./format.js";
import type { Reply, Request, Task, WriterData } from "./protocol.js";

/** A promise and how to keep it. */
interface Deferred {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

export class SqliteStore implements Store {
  readonly name: string;
  readonly persistent = true;
  readonly failure: Promise<Error>;
  readonly #path: string;
  readonly #thread: Worker;
  readonly #heads: readonly SessionHead[];
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  #fail: (error: Error) => void = () => {};
  #failed = false;
  #closing = false;
  #lastId = 0;
  /** The batch that forms; its promise is that of every commit in it. */
  #forming: CommitRecord[] = [];
  #formed: Deferred = deferred();
  #flushes: "none" | "soon" | "in flight" = "none";

  private constructor(path: string, durability: Durability, thread: Worker, heads: readonly SessionHead[]) {
    this.name = `sqlite:${path}${durability === "relaxed" ? ", durability relaxed" : ""}`;
    this.#path = path;
    this.#thread = thread;
    this.#heads = heads;
    this.failure = new Promise((resolve) => {
      this.#fail = (error) => {
        this.#failed = true;
        resolve(error);
      };
    });
    thread.on("message", (reply: Reply) => this.#hear(reply));
    thread.on("error", (error: Error) => this.#fail(error));
    thread.on("exit", () => {
      if (!this.#closing) this.#fail(new Error(`the thread that writes ${path} has ended`));
    });
  }

  /** Opens the file, or makes it. Rejects with one line for people if that cannot be done. */
  static async open(path: string, durability: Durability = "full"): Promise<SqliteStore> {
    const workerData: WriterData = { path, durability };
    const thread = new Worker(new URL("./writer.js", import.meta.url), { workerData });
    // (`once` takes its own listeners off again; taking off all of a thread's listeners would silence it for good.)
    const [first] = (await once(thread, "message")) as [Reply];
    if (first.kind === "open") return new SqliteStore(path, durability, thread, first.heads);
    throw new Error(first.kind === "failed" ? first.message : `the thread that writes ${path} made no sense`);
  }

  async heads(): Promise<readonly SessionHead[]> {
    return this.#heads;
  }

  append(records: readonly CommitRecord[]): Promise<void> | undefined {
    if (this.#closing) throw new Error("the store is closed");
    if (records.length === 0) return undefined;
    this.#forming.push(...records);
    if (this.#flushes === "none") {
      this.#flushes = "soon";
      // After all that is ready in this turn of the loop: it shares one transaction.
      process.nextTick(() => this.#flush());
    }
    return this.#formed.promise;
  }

  async load(sessionId: string): Promise<StoredSession | undefined> {
    const reply = await this.#ask({ kind: "load", sessionId });
    if (reply.kind !== "loaded" || reply.history === undefined) return undefined;
    return this.#orFail(() => restore(reply.history as KeptHistory));
  }

  async commitsAfter(sessionId: string, revision: number): Promise<readonly CommitRecord[] | "compacted"> {
    const reply = await this.#ask({ kind: "commitsAfter", sessionId, revision });
    if (reply.kind !== "commits" || reply.records === "compacted") return "compacted";
    const { records } = reply;
    return this.#orFail(() => readChain({ revision }, records));
  }

  async history(sessionId: string, variable: Known): Promise<readonly HistoryEntry[]> {
    const { id, name, version } = variable;
    const reply = await this.#ask({ kind: "history", sessionId, variable: { id, name, version } });
    if (reply.kind !== "history") return [];
    return newestFirst(reply.bytes);
  }

  keepRests(rests: readonly Omit<SessionHead, "ttlMs">[]): void {
    void this.#ask({ kind: "keepRests", rests });
  }

  async close(): Promise<void> {
    this.#closing = true;
    // A thread that fails while it closes does not answer.
    if (!this.#failed) await Promise.race([this.#ask({ kind: "close" }), this.failure]);
    await this.#thread.terminate();
  }

  /** Hands the batch that has formed to the thread. */
  #flush(): void {
    const records = this.#forming;
    const { resolve } = this.#formed;
    if (records.length === 0) {
      this.#flushes = "none";
      return;
    }
    this.#forming = [];
    this.#formed = deferred();
    this.#flushes = "in flight";
    const packed = packRecords(records);
    this.#post({ kind: "append", packed }, [packed.buffer], () => {
      resolve();
      // The next batch leaves at once, not in another turn: it has been forming long enough.
      this.#flush();
    });
  }

  /** Asks for something that has to see all that was appended before. */
  #ask(task: Task): Promise<Reply> {
    if (this.#forming.length > 0) this.#flush();
    return new Promise((resolve) => this.#post(task, [], resolve));
  }

  #post(task: Task, transfer: ArrayBuffer[], heard: (reply: Reply) => void): void {
    const id = ++this.#lastId;
    this.#waiting.set(id, heard);
    const message: Request = { ...task, id };
    this.#thread.postMessage(message, transfer);
  }

  #hear(reply: Reply): void {
    if (reply.kind === "failed") this.#fail(new Error(reply.message));
    if (this.#failed || !("id" in reply)) return;
    const heard = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    heard?.(reply);
  }

  /** What does not read as it was written stops the store; there is no answer then. */
  #orFail<T>(read: () => T): T | Promise<never> {
    try {
      return read();
    } catch (error) {
      this.#fail(explained(error, this.#path));
      return new Promise<never>(() => {});
    }
  }
}

function deferred(): Deferred {
  let resolve = (): void => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
