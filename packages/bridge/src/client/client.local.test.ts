import { createEngine } from "../server.js";
import { ManualClock } from "../testing/manual-clock.js";
import { witnessWatches } from "../testing/watch-witness.contract.js";
import { clientContract } from "./client.contract.js";
import { localClient } from "./local-client.js";
import type { TestBridge } from "./test-bridge.contract.js";

witnessWatches();

const start = async (): Promise<TestBridge> => {
  const clock = new ManualClock();
  const engine = await createEngine({ clock });
  return { connect: () => localClient({ engine, clock }), clock, close: () => engine.close() };
};
clientContract("in process", start);
