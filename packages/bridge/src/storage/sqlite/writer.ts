/**
 * The writing thread: it owns the file, does one thing after the other, and stops at the first error. An error here means
 * that the file may not hold what was promised, so nothing after it may be answered (P10).
 */
import { parentPort, workerData } from "node:worker_threads";
import { failpoint } from "./failpoints.js";
import { Folding } from "./folding.js";
import { closeFile, explained, type OpenFile, openForWriting } from "./format.js";
import { IdleTimes } from "./idle-times.js";
import { Ledger } from "./ledger.js";
import type { Reply, Request, WriterData } from "./protocol.js";

const { path, durability } = workerData as WriterData;
const port = parentPort;
if (port === null) throw new Error("the writer runs as a thread of the SQLite store");

/** Everything that has to live as long as the thread: a database that nobody holds is closed. */
const held: { files?: OpenFile; ledger?: Ledger; folding?: Folding; idleTimes?: IdleTimes } = {};
let sliceIsComing = false;
/** True when nothing more may be done to the file. */
let stopped = false;

function say(reply: Reply): void {
  port?.postMessage(reply);
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

/** Folds a little when there is time: what is asked in the meantime comes first. */
function foldSoon(): void {
  if (sliceIsComing || held.folding?.due !== true) return;
  sliceIsComing = true;
  setImmediate(() => {
    sliceIsComing = false;
    if (stopped) return;
    try {
      held.folding?.slice();
      foldSoon();
    } catch (error) {
      fail(error);
    }
  });
}

function carryOut(ledger: Ledger, request: Request): void {
  const { id } = request;
  switch (request.kind) {
    case "append":
      failpoint("before-append");
      ledger.append(request.packed);
      failpoint("after-commit-before-answer");
      say({ kind: "done", id });
      foldSoon();
      return;
    case "load":
      say({ kind: "loaded", id, history: ledger.load(request.sessionId) });
      return;
    case "commitsAfter":
      say({ kind: "commits", id, records: ledger.commitsAfter(request.sessionId, request.revision) });
      return;
    case "keepRests":
      held.idleTimes?.keep(request.rests, request.elapsedMs);
      say({ kind: "done", id });
      foldSoon();
      return;
    case "close":
      held.folding?.all();
      failpoint("mid-close");
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
  const ledger = new Ledger(held.files.db);
  held.ledger = ledger;
  const folding = new Folding(held.files.db, ledger);
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
  say({ kind: "open", heads: idleTimes.heads() });
  foldSoon();
} catch (error) {
  fail(error);
}
