/**
 * The writing thread: it owns the file, does one thing after the other, and stops at the first error. An error here means
 * that the file may not hold what was promised, so nothing after it may be answered (P10).
 */
import { parentPort, workerData } from "node:worker_threads";
import { packRecords } from "./batch.js";
import { failpoint } from "./failpoints.js";
import { Folding } from "./folding.js";
import { closeFile, explained, type OpenFile, openForWriting } from "./format.js";
import { IdleTimes } from "./idle-times.js";
import { LaggingSync } from "./lagging-sync.js";
import { Ledger } from "./ledger.js";
import type { Packed, Reply, Request, WriterData } from "./protocol.js";

const { path, durability, sizes } = workerData as WriterData;
const port = parentPort;
if (port === null) throw new Error("the writer runs as a thread of the SQLite store");

/** Everything that has to live as long as the thread: a database that nobody holds is closed. */
const held: { files?: OpenFile; ledger?: Ledger; folding?: Folding; idleTimes?: IdleTimes } = {};
let lagging: LaggingSync | undefined;
let sliceIsComing = false;
/** True when nothing more may be done to the file. */
let stopped = false;

/** Says something; the records in it are handed over, not copied. */
function say(reply: Reply, records?: Packed): void {
  port?.postMessage(reply, records === undefined ? [] : [records.buffer]);
}

function fail(error: unknown): void {
  say({ kind: "failed", message: explained(error, path).message });
  stop();
}

/** Ends the thread, when what it is at is done. */
function stop(): void {
  stopped = true;
  port?.removeAllListeners("message");
  port?.close();
}

/** Does a little of what has time: what is asked in the meantime comes first. */
function tidySoon(): void {
  const chore = held.idleTimes?.due ? held.idleTimes : held.folding?.due ? held.folding : undefined;
  if (sliceIsComing || chore === undefined) return;
  sliceIsComing = true;
  setImmediate(() => {
    sliceIsComing = false;
    if (stopped) return;
    try {
      chore.slice();
      tidySoon();
    } catch (error) {
      fail(error);
    }
  });
}

function carryOut(ledger: Ledger, request: Request): void {
  const { id } = request;
  switch (request.kind) {
    case "heads":
      say({ kind: "heads", id, heads: held.idleTimes?.heads() ?? [] });
      return;
    case "append":
      failpoint("before-append");
      ledger.append(request.packed);
      lagging?.written();
      failpoint("after-commit-before-answer");
      say({ kind: "done", id });
      tidySoon();
      return;
    case "load": {
      const history = ledger.load(request.sessionId);
      const records = packRecords(history?.records ?? []);
      say({ kind: "loaded", id, history: history && { ...history, records } }, records);
      return;
    }
    case "commitsAfter": {
      const kept = ledger.commitsAfter(request.sessionId, request.revision);
      if (kept === "compacted") return say({ kind: "commits", id, records: kept });
      const records = packRecords(kept);
      say({ kind: "commits", id, records }, records);
      return;
    }
    case "history":
      say({ kind: "history", id, bytes: ledger.history(request.sessionId, request.variable) });
      return;
    case "keepRests":
      held.idleTimes?.keep(request.rests, request.elapsedMs);
      say({ kind: "done", id });
      tidySoon();
      return;
    case "close":
      held.idleTimes?.all();
      held.folding?.all();
      failpoint("mid-close");
      lagging?.close();
      if (held.files !== undefined) closeFile(held.files);
      say({ kind: "done", id });
      stop();
      return;
    case "stop":
      stop();
  }
}

try {
  held.files = await openForWriting(path, durability);
  if (durability === "relaxed") lagging = new LaggingSync(held.files.place, fail);
  const ledger = new Ledger(held.files.db);
  held.ledger = ledger;
  const folding = new Folding(held.files.db, ledger, sizes);
  held.folding = folding;
  const idleTimes = new IdleTimes(held.files.db, ledger, folding);
  held.idleTimes = idleTimes;
  port.on("message", (request: Request) => {
    try {
      carryOut(ledger, request);
    } catch (error) {
      fail(error);
    }
  });
  say({ kind: "open" });
  tidySoon();
} catch (error) {
  fail(error);
}
