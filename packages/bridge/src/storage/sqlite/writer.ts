/**
 * The writing thread: it owns the file, does one thing after the other, and stops at the first error. An error here means
 * that the file may not hold what was promised, so nothing after it may be answered (P10).
 */
import { parentPort, workerData } from "node:worker_threads";
import type { SessionHead } from "../store.js";
import { packRecords } from "./batch.js";
import { Folding } from "./folding.js";
import { closeFile, explained, type OpenFile, openForWriting } from "./format.js";
import { LaggingSync } from "./lagging-sync.js";
import { Ledger } from "./ledger.js";
import type { Packed, Reply, Request, WriterData } from "./protocol.js";

const { path, durability } = workerData as WriterData;
const port = parentPort;
if (port === null) throw new Error("the writer runs as a thread of the SQLite store");

/** Everything that has to live as long as the thread: a database that nobody holds is closed. */
const held: { files?: OpenFile; ledger?: Ledger; folding?: Folding } = {};
let lagging: LaggingSync | undefined;
let failed = false;
/** Idle times that have still to be kept. */
const rests: Omit<SessionHead, "ttlMs">[] = [];
const RESTS_A_SLICE = 1_000;
let sliceIsComing = false;

/** Says something; the records in it are handed over, not copied. */
function say(reply: Reply, records?: Packed): void {
  port?.postMessage(reply, records === undefined ? [] : [records.buffer]);
}

function fail(error: unknown): void {
  failed = true;
  port?.removeAllListeners("message");
  say({ kind: "failed", message: explained(error, path).message });
  port?.close();
}

/** Does a little of what has time: what is asked in the meantime comes first. */
function tidySoon(): void {
  if (sliceIsComing || (rests.length === 0 && held.folding?.due !== true)) return;
  sliceIsComing = true;
  setImmediate(() => {
    sliceIsComing = false;
    if (failed) return;
    try {
      if (rests.length > 0) held.ledger?.keepRests(rests.splice(0, RESTS_A_SLICE));
      else held.folding?.slice();
      tidySoon();
    } catch (error) {
      fail(error);
    }
  });
}

function carryOut(ledger: Ledger, request: Request): void {
  const { id } = request;
  switch (request.kind) {
    case "append":
      ledger.append(request.packed);
      lagging?.written();
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
    case "keepRests":
      for (const rest of request.rests) rests.push(rest);
      say({ kind: "done", id });
      tidySoon();
      return;
    case "close":
      ledger.keepRests(rests);
      held.folding?.all();
      lagging?.close();
      if (held.files !== undefined) closeFile(held.files);
      say({ kind: "done", id });
      port?.close();
  }
}

try {
  held.files = await openForWriting(path, durability);
  if (durability === "relaxed") lagging = new LaggingSync(held.files.place, fail);
  const ledger = new Ledger(held.files.db);
  held.ledger = ledger;
  held.folding = new Folding(held.files.db, ledger);
  port.on("message", (request: Request) => {
    try {
      carryOut(ledger, request);
    } catch (error) {
      fail(error);
    }
  });
  const heads = [...ledger.index.all()].map(({ sessionId, incarnation, ttlMs, restMs }) => ({
    sessionId,
    incarnation,
    ttlMs,
    restMs,
  }));
  say({ kind: "open", heads });
  tidySoon();
} catch (error) {
  fail(error);
}
