/** All that clients of a transport have to do. */
import { describe } from "vitest";
import { bindingsContract } from "./bindings.contract.js";
import { followingContract } from "./following.contract.js";
import { liveReadsContract } from "./live-reads.contract.js";
import { sessionContract } from "./session.contract.js";
import { sessionStoreContract } from "./session-store.contract.js";
import type { TestBridge } from "./test-bridge.contract.js";
import { ttlReadsContract } from "./ttl-reads.contract.js";
import { watchContract } from "./watching.contract.js";

const contracts = [
  sessionStoreContract,
  sessionContract,
  watchContract,
  ttlReadsContract,
  followingContract,
  liveReadsContract,
  bindingsContract,
];

/** Runs all contracts on clients of a transport. */
export function clientContract(transport: string, start: () => Promise<TestBridge>): void {
  // Each by itself, or every test would start the bridges of all of them.
  for (const contract of contracts) describe(transport, () => contract(transport, start));
}
