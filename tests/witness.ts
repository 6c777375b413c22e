/** The witness of watches, for tests of the compiled package: see `watch-witness.contract.ts`. */
import { Calls } from "../packages/bridge/dist/client/calls.js";
import { GrpcTransport } from "../packages/bridge/dist/client/transport/grpc.js";
import { LocalTransport } from "../packages/bridge/dist/client/transport/local.js";
import { Engine } from "../packages/bridge/dist/engine/engine.js";
import { MemoryStore } from "../packages/bridge/dist/storage/memory/memory-store.js";
import { SqliteStore } from "../packages/bridge/dist/storage/sqlite/sqlite-store.js";
import type { Overheard } from "../packages/bridge/src/testing/watch-taps.contract.js";
import * as sources from "../packages/bridge/src/testing/watch-witness.contract.js";

export const { noteWatch } = sources;

/** Has every watch of every test of this file held against what was committed. */
export function witnessWatches(): ReturnType<typeof sources.witnessWatches> {
  const compiled = {
    stores: [MemoryStore, SqliteStore],
    engine: Engine,
    transports: [GrpcTransport, LocalTransport],
    calls: Calls,
  };
  // The same classes, but to the compiler: they have private fields.
  return sources.witnessWatches(compiled as unknown as Overheard);
}
