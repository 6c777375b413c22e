/**
 * More calls at once than a bridge has under way of one channel, none of which is answered: all of them end by their deadlines, each
 * was carried out once or not at all, and the client goes on (P8, P9).
 */
import { setImmediate } from "node:timers/promises";
import { BridgeError, connect, OutcomeUnknownError } from "snakepit-bridge";
import { ToxicProxy } from "../toxic-proxy.js";
import { KilledBridge } from "./bridge.js";
import { RunCommits } from "./commits.js";
import { beginSession, SESSION } from "./pairs.js";
import type { Outcome, WriteTold } from "./tale.js";
import { WRITE_CHECKS } from "./writes.js";

/** A bridge has 10,000 of a channel under way, and then reads no more of it (`doors/grpc/channel.ts`). */
const CALLS = 12_000;
const TIMEOUT_MS = 2_000;

export interface FloodReport {
  readonly outcomes: ReadonlyMap<Outcome, number>;
  /** Of the calls with an unknown outcome, how many were carried out. */
  readonly foundDone: number;
  readonly faults: readonly string[];
}

export async function playFlood(): Promise<FloodReport> {
  const bridge = await KilledBridge.start();
  const proxy = await ToxicProxy.start(bridge.port);
  const client = connect(proxy.address);
  try {
    await beginSession(bridge);
    const session = await client.session(SESSION);
    const writes: WriteTold[] = [];
    const write = async (op: string, timeoutMs: number): Promise<void> => {
      const told = { tells: "write", loop: "flood", op, what: "increment" } as const;
      try {
        const { point, value } = await session.increment("counter", 1, { metadata: { op }, timeoutMs });
        writes.push({ ...told, outcome: "ok", point, values: { counter: value } });
      } catch (error) {
        if (!(error instanceof BridgeError)) throw error;
        const outcome = error instanceof OutcomeUnknownError ? "unknown" : "unavailable";
        writes.push({ ...told, outcome, error: error.name });
      }
    };
    // What is asked arrives, and no answer comes back.
    proxy.lay("down", "down", { kind: "silence", of: "standing" });
    const flood: Promise<void>[] = [];
    while (flood.length < CALLS) {
      flood.push(write(`flood ${flood.length}`, TIMEOUT_MS));
      // In messages of some size each: what a connection takes without an answer is less than one of the largest.
      if (flood.length % 100 === 0) await setImmediate();
    }
    await Promise.all(flood);
    proxy.lift("down");
    proxy.cut();
    while (writes.at(-1)?.outcome !== "ok") await write(`after ${writes.length}`, 30_000);
    const commits = new RunCommits(bridge.file, SESSION);
    await commits.gather();
    const ops = new Set(commits.all.map(({ op }) => op));
    const outcomes = new Map<Outcome, number>();
    for (const { outcome } of writes) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    return {
      outcomes,
      foundDone: writes.filter(({ op, outcome }) => outcome === "unknown" && ops.has(op)).length,
      faults: WRITE_CHECKS.flatMap((check) => check(commits.all, writes)),
    };
  } finally {
    await client.close();
    await proxy.close();
  }
}
