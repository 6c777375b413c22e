import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { BatchError, LimitError } from "../core/errors.js";
import { type Bridge, startBridge } from "../server.js";
import { ManualClock } from "../testing/manual-clock.js";
import { witnessWatches } from "../testing/watch-witness.contract.js";
import { bindingsContract } from "./bindings.contract.js";
import type { Client } from "./client.js";
import { connect } from "./connect.js";
import { followingContract } from "./following.contract.js";
import { liveReadsContract } from "./live-reads.contract.js";
import { sessionContract } from "./session.contract.js";
import { sessionStoreContract } from "./session-store.contract.js";
import type { TestBridge } from "./test-bridge.contract.js";
import { ttlReadsContract } from "./ttl-reads.contract.js";
import { watchContract } from "./watching.contract.js";

witnessWatches();

const start = async (): Promise<TestBridge> => {
  const clock = new ManualClock();
  const bridge = await startBridge({ port: 0, clock, logger: "silent" });
  return { connect: () => connect(bridge.address), clock, close: () => bridge.close() };
};
sessionStoreContract("over gRPC", start);
sessionContract("over gRPC", start);
watchContract("over gRPC", start);
ttlReadsContract("over gRPC", start);
followingContract("over gRPC", start);
liveReadsContract("over gRPC", start);
bindingsContract("over gRPC", start);

describe("over gRPC: what is large", () => {
  let bridge: Bridge;
  let client: Client;
  beforeEach(async () => {
    bridge = await startBridge({ port: 0, logger: "silent" });
    client = connect(bridge.address);
    await client.sessions.createSession("s");
  });
  afterEach(async () => {
    await client.close();
    await bridge.close();
  });

  test("is refused above the limit of a message, as a request and as an answer", async () => {
    const mebibyte = "x".repeat(1_048_576);
    const names = ["a", "b", "c", "d", "e"];
    for (const name of names) await client.sessions.registerVariable("s", name, "string", mebibyte);
    const requests = [
      client.sessions.updateVariables("s", Object.fromEntries(names.map((name) => [name, mebibyte]))),
      client.sessions.getVariables("s", names),
    ];
    for (const request of requests) {
      const error = await request.catch((refused: unknown) => refused);
      expect(error).toBeInstanceOf(LimitError);
      expect(error).toMatchObject({ reason: "TOO_LARGE" });
    }
    expect((await client.sessions.getVariable("s", "e")).value).toBe(mebibyte);
  });

  test("is told in part if it is the refusal of a batch, and always ends", async () => {
    const updates = Object.fromEntries(
      Array.from({ length: 1_000 }, (_, place) => [`${"ä".repeat(120)}${place}`, place]),
    );
    const error = await client.sessions.updateVariables("s", updates).catch((refused: unknown) => refused);
    expect(error).toBeInstanceOf(BatchError);
    const { errors, message } = error as BatchError;
    expect(message).toContain("1000 of 1000 items are at fault");
    expect(errors.size).toBeGreaterThan(50);
    expect(errors.get(`${"ä".repeat(120)}0`)).toMatchObject({ reason: "VARIABLE_NOT_FOUND" });
  });
});
