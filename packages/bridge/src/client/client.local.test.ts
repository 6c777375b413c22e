import { createEngine } from "../server.js";
import { ManualClock } from "../testing/manual-clock.js";
import { witnessWatches } from "../testing/watch-witness.contract.js";
import { bindingsContract } from "./bindings.contract.js";
import { followingContract } from "./following.contract.js";
import { liveReadsContract } from "./live-reads.contract.js";
import { localClient } from "./local-client.js";
import { sessionContract } from "./session.contract.js";
import { sessionStoreContract } from "./session-store.contract.js";
import type { TestBridge } from "./test-bridge.contract.js";
import { ttlReadsContract } from "./ttl-reads.contract.js";
import { watchContract } from "./watching.contract.js";

witnessWatches();

const start = async (): Promise<TestBridge> => {
  const clock = new ManualClock();
  const engine = await createEngine({ clock });
  return { connect: () => localClient({ engine, clock }), clock, close: () => engine.close() };
};
sessionStoreContract("in process", start);
sessionContract("in process", start);
watchContract("in process", start);
ttlReadsContract("in process", start);
followingContract("in process", start);
liveReadsContract("in process", start);
bindingsContract("in process", start);
