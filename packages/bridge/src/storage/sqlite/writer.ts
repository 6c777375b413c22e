/**
 * The writing thread: it owns the file, does one thing after the other, and stops at the first error. An error here means
 * that the file may not hold what was promised, so nothing after it may be answered (P10).
 */
import { parentPort, workerData } from "node:worker_threads";
import { Folding } from "./folding.js";
import { closeFile, explained, openForWriting } from "./format.js";
import { Ledger } from "./ledger.js";
import type { Reply, Request, WriterData } from "./protocol.js";

const { path, durability } = workerData as WriterData;
const port = parentPort;
if (port === null) throw new Error("the writer runs as a thread of the SQLite store");

/** Everything that has to live as long as the thread: a database that nobody holds is closed. */
const held: { files?: Awaited<ReturnType<typeof openForWriting>>; ledger?: Ledger; folding?: Folding } = {};
let sliceIsComing = false;

function say(reply: Reply): void {
  port?.postMessage(reply);
}

function fail(error: unknown): void {
  port?.removeAllListeners("message");
  say({ kind: "failed", message: explained(error, path).message });
  port?.close();
}

/** Folds a little when there is time: what is asked in the meantime comes first. */
function foldSoon(): void {
  if (sliceIsComing || held.folding?.due !== true) return;
  sliceIsComing = true;
  setImmediate(() => {
    sliceIsComing = false;
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
      ledger.append(request.packed);
      say({ kind: "done", id });
      foldSoon();
      return;
    case "load":
      say({ kind: "loaded", id, history: ledger.load(request.sessionId) });
      return;
    case "commitsAfter":
      say({ kind: "commits", id, records: ledger.commitsAfter(request.sessionId, request.revision) });
      return;
    case "history":
      say({ kind: "history", id, bytes: ledger.history(request.sessionId, request.variable) });
      return;
    case "keepRests":
      ledger.keepRests(request.rests);
      say({ kind: "done", id });
      return;
    case "close":
      held.folding?.all();
      if (held.files !== undefined) closeFile(held.files);
      say({ kind: "done", id });
      port?.close();
  }
}

try {
  held.files = await openForWriting(path, durability);
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
  foldSoon();
} catch (error) {
  fail(error);
}
