/**
 * Holds every watch of a test against what was really committed, whoever opens it and wherever it is read. A test file says
 * `witnessWatches()` once and does nothing else; `npm run check` says where that was forgotten.
 *
 * What is true is what the stores of this process were given. Of bridges in other processes a test says it (`knows`).
 */
import { afterEach, beforeEach } from "vitest";
import { Calls } from "../client/calls.js";
import { GrpcTransport } from "../client/transport/grpc.js";
import { LocalTransport } from "../client/transport/local.js";
import { WebTransport } from "../client/transport/web.js";
import type { Watch } from "../core/watch.js";
import { Engine } from "../engine/engine.js";
import { MemoryStore } from "../storage/memory/memory-store.js";
import { SqliteStore } from "../storage/sqlite/sqlite-store.js";
import { type OpenReading, Witness } from "./watch-readings.contract.js";
import { type Overheard, overhear } from "./watch-taps.contract.js";

let witness: Witness | undefined;
/** The engines whose classes are overheard: they are the same in the next file of a process. */
const overheardEngines = new WeakSet<object>();

/** Has every watch of every test of this file held against what was committed. */
export function witnessWatches(
  overheard: Overheard = {
    stores: [MemoryStore, SqliteStore],
    engine: Engine,
    transports: [GrpcTransport, LocalTransport, WebTransport],
    calls: Calls,
  },
): Pick<Witness, "knows"> {
  if (!overheardEngines.has(overheard.engine)) {
    overheardEngines.add(overheard.engine);
    overhear(overheard, () => witness);
  }
  beforeEach(() => {
    witness = new Witness();
  });
  // It is begun first and so comes last, when the test has ended all that it began.
  afterEach(() => {
    const ended = witness;
    witness = undefined;
    ended?.check();
  });
  return { knows: (...known) => listening().knows(...known) };
}

/** Begins to note down what a watch is told that is read by no class of ours. */
export function noteWatch(watch: Watch): OpenReading {
  return listening().begin(watch);
}

function listening(): Witness {
  if (witness === undefined) throw new Error("a test file that watches says witnessWatches() first");
  return witness;
}
