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
import { readChain, restore } from "../history.js";
import type { CommitRecord } from "../record.js";
import type { SessionHead, SessionRest, Store, StoredSession } from "../store.js";
import { type Known, newestFirst } from "../variable-history.js";
import { packRecords, unpackRecords } from "./batch.js";
import { failpoint } from "./failpoints.js";
import type { FoldingSizes } from "./folding.js";
import { type Durability, explained } from "./format.js";
import type { Reply, Request, Task, WriterData } from "./protocol.js";

/** Ends the thread without an answer. */
const STOP: Request = { kind: "stop", id: 0 };

/** Beyond this, commits leave in several transactions. SQLite takes no more than 10^9 bytes in one place. */
const BATCH_BYTES = 8 * 1_048_576;

/** Commits that leave together. The promise is that of every one of them. */
interface Batch {
  readonly records: CommitRecord[];
  bytes: number;
  readonly done: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** How to tell somebody who asked the thread. */
interface Waiting {
  readonly heard: (reply: Reply) => void;
  readonly failed: (error: Error) => void;
}

export class SqliteStore implements Store {
  readonly name: string;
  readonly persistent = true;
  readonly failure: Promise<Error>;
  readonly #path: string;
  readonly #thread: Worker;
  readonly #ended: Promise<void>;
  readonly #waiting = new Map<number, Waiting>();
  #fail: (error: Error) => void = () => {};
  #failed = false;
  #closing: Promise<void> | undefined;
  #lastId = 0;
  /** What has not left yet, oldest first; the last one takes more. */
  readonly #forming: Batch[] = [];
  #flushes: "none" | "soon" | "in flight" = "none";

  private constructor(path: string, durability: Durability, thread: Worker) {
    this.name = `sqlite:${path}${durability === "relaxed" ? ", durability relaxed" : ""}`;
    this.#path = path;
    this.#thread = thread;
    this.failure = new Promise((resolve) => {
      this.#fail = (error) => {
        if (this.#failed) return;
        this.#failed = true;
        resolve(error);
        // Whatever failed, nothing more is written, and the thread does not keep the process alive.
        thread.postMessage(STOP);
        for (const { reject } of this.#forming.splice(0)) reject(error);
        for (const { failed } of this.#waiting.values()) failed(error);
        this.#waiting.clear();
      };
    });
    thread.on("message", (reply: Reply) => this.#hear(reply));
    thread.on("error", (error: Error) => this.#fail(error));
    this.#ended = new Promise((ended) => {
      thread.once("exit", () => {
        // One that was closed has answered all that it was asked. What still waits would do so for ever.
        if (this.#closing === undefined || this.#waiting.size > 0) this.#fail(hasEnded(path));
        ended();
      });
    });
  }

  /** Opens the file, or makes it. Rejects with one line for people if that cannot be done. */
  static async open(
    path: string,
    durability: Durability = "full",
    sizes?: FoldingSizes,
  ): Promise<SqliteStore> {
    const workerData: WriterData = { path, durability, sizes };
    const thread = new Worker(new URL("./writer.js", import.meta.url), { workerData });
    // (`once` takes its own listeners off again; taking off all of a thread's listeners would silence it for good.)
    const heard = new AbortController();
    const ended = once(thread, "exit", heard).then(() => Promise.reject(hasEnded(path)));
    const [first] = (await Promise.race([once(thread, "message", heard), ended])) as [Reply];
    heard.abort();
    if (first.kind === "open") return new SqliteStore(path, durability, thread);
    throw new Error(first.kind === "failed" ? first.message : `the thread that writes ${path} made no sense`);
  }

  async heads(): Promise<readonly SessionHead[]> {
    const reply = await this.#ask({ kind: "heads" });
    return reply.kind === "heads" ? reply.heads : [];
  }

  append(records: readonly CommitRecord[]): Promise<void> | undefined {
    if (this.#closing !== undefined) throw new Error("the store is closed");
    if (records.length === 0) return undefined;
    if (this.#failed) return this.#refuse();
    const batch = this.#batchFor(records.reduce((sum, { bytes }) => sum + bytes.length, 0));
    for (const record of records) batch.records.push(record);
    if (this.#flushes === "none") {
      this.#flushes = "soon";
      // After all that is ready in this turn of the loop: it shares one transaction.
      process.nextTick(() => this.#flush());
    }
    return batch.done;
  }

  /** The batch that so many bytes more go into. */
  #batchFor(bytes: number): Batch {
    let batch = this.#forming.at(-1);
    if (batch === undefined || batch.bytes + bytes > BATCH_BYTES) {
      batch = newBatch();
      this.#forming.push(batch);
    }
    batch.bytes += bytes;
    return batch;
  }

  async load(sessionId: string): Promise<StoredSession | undefined> {
    const reply = await this.#ask({ kind: "load", sessionId });
    if (reply.kind !== "loaded" || reply.history === undefined) return undefined;
    const { records, ...history } = reply.history;
    return this.#orFail(() => restore({ ...history, records: unpackRecords(records) }));
  }

  async commitsAfter(sessionId: string, revision: number): Promise<readonly CommitRecord[] | "compacted"> {
    const reply = await this.#ask({ kind: "commitsAfter", sessionId, revision });
    if (reply.kind !== "commits" || reply.records === "compacted") return "compacted";
    const { records } = reply;
    return this.#orFail(() => readChain({ revision }, unpackRecords(records)));
  }

  async history(sessionId: string, variable: Known): Promise<readonly HistoryEntry[]> {
    const { id, name, version } = variable;
    const reply = await this.#ask({ kind: "history", sessionId, variable: { id, name, version } });
    if (reply.kind !== "history") return [];
    return this.#orFail(() => newestFirst(reply.bytes));
  }

  keepRests(rests: readonly SessionRest[], elapsedMs: number): void {
    // Who has to know of a failure is told by `failure`.
    this.#ask({ kind: "keepRests", rests, elapsedMs }).catch(() => {});
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    // Rejects if the thread fails while it closes: what was appended is kept, but who ends the bridge has to know.
    if (!this.#failed) await this.#ask({ kind: "close" });
    await this.#ended;
  }

  /** Hands the oldest batch that has formed to the thread. */
  #flush(): void {
    const batch = this.#forming.shift();
    if (batch === undefined || this.#failed) {
      this.#flushes = "none";
      return;
    }
    this.#flushes = "in flight";
    const packed = packRecords(batch.records);
    const heard = (): void => {
      failpoint("before-answer");
      batch.resolve();
      // The next batch leaves at once, not in another turn: it has been forming long enough.
      this.#flush();
    };
    this.#post({ kind: "append", packed }, [packed.buffer], { heard, failed: batch.reject });
  }

  /** Asks for something that has to see all that was appended before. */
  #ask(task: Task): Promise<Reply> {
    if (this.#failed) return this.#refuse();
    while (this.#forming.length > 0) this.#flush();
    return new Promise((heard, failed) => this.#post(task, [], { heard, failed }));
  }

  #refuse(): Promise<never> {
    return this.failure.then((error) => Promise.reject(error));
  }

  #post(task: Task, transfer: ArrayBuffer[], waiting: Waiting): void {
    const id = ++this.#lastId;
    this.#waiting.set(id, waiting);
    const message: Request = { ...task, id };
    this.#thread.postMessage(message, transfer);
  }

  #hear(reply: Reply): void {
    if (reply.kind === "failed") this.#fail(new Error(reply.message));
    if (this.#failed || !("id" in reply)) return;
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    try {
      waiting?.heard(reply);
    } catch (error) {
      this.#fail(explained(error, this.#path));
    }
  }

  /** What does not read as it was written stops the store. */
  #orFail<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      const reason = explained(error, this.#path);
      this.#fail(reason);
      throw reason;
    }
  }
}

function hasEnded(path: string): Error {
  return new Error(`the thread that writes ${path} has ended`);
}

function newBatch(): Batch {
  let resolve = (): void => {};
  let reject: Batch["reject"] = () => {};
  const done = new Promise<void>((settle, fail) => {
    resolve = settle;
    reject = fail;
  });
  // Nobody may be waiting for it.
  done.catch(() => {});
  return { records: [], bytes: 0, done, resolve, reject };
}
