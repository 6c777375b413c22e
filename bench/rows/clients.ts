/**
 * A get and a set through our own clients, each read a call, beside Redis, which keeps nothing on disk here, through the
 * clients that programs use for it, with as many callers.
 */
import type { Case, Floor, Row } from "../harness/case.js";
import type { Child } from "../harness/child.js";
import { measureLoad } from "../harness/load.js";
import { redisInMemory } from "../harness/peers.js";
import type { Server, Stage } from "../harness/stage.js";
import { MAX, MIN, SESSION, VARIABLE } from "../programs/workload.js";
import { CALLERS, preparedBridge } from "./unary.js";

/** What a program has to know that cannot import it. */
const workload = { session: SESSION, variable: VARIABLE, min: MIN, max: MAX };

/** A client of ours, and the one of Redis' that it stands beside. */
interface Pair {
  readonly ours: string;
  readonly theirs: string;
  readonly ourProgram: Child;
  readonly theirProgram: Child;
  /** How many callers there are, and what is asked of ours with so many. */
  readonly callers: readonly number[];
  floors(work: string, callers: number): readonly Floor[];
}

async function cases(stage: Stage, pair: Pair): Promise<Case[]> {
  const bridge = await preparedBridge(stage);
  const redis = await redisInMemory(stage);
  const measure =
    (program: Child, server: Server, more: { work: string; callers: number; server: string }) =>
    (milliseconds: number) =>
      measureLoad(program, server.child.pid, {
        ...workload,
        ...more,
        milliseconds,
        address: server.address,
        valueBytes: bridge.variableBytes,
      });
  const beside = pair.theirs;
  // Sets first: what is read has to be there.
  return ["set", "get"].flatMap((work) =>
    pair.callers.flatMap((callers): Case[] => [
      {
        work,
        callers,
        subject: pair.ours,
        beside,
        floors: pair.floors(work, callers),
        measure: measure(pair.ourProgram, bridge, { work, callers, server: "bridge" }),
      },
      {
        work,
        callers,
        subject: beside,
        measure: measure(pair.theirProgram, redis, { work, callers, server: "redis" }),
      },
    ]),
  );
}

/** What calls per second should come to beside Redis'. */
function throughput(floor: number, goal: number): readonly Floor[] {
  return [{ metric: "callsPerSecond", floor, goal }];
}

export const typescriptClient: Row = {
  name: "typescript",
  async prepare(stage) {
    return cases(stage, {
      ours: "TypeScript client",
      theirs: "Redis, @redis/client",
      ourProgram: await stage.program("client-callers.ts"),
      theirProgram: await stage.program("redis-callers.ts"),
      callers: CALLERS,
      floors(work, callers) {
        if (callers !== 64) return [];
        return work === "get" ? throughput(0.6, 1.2) : throughput(0.9, 1.7);
      },
    });
  },
};

export const pythonClient: Row = {
  name: "python",
  async prepare(stage) {
    const onLoop = await stage.pythonProgram("asyncio_callers.py");
    const blocking = await stage.pythonProgram("blocking_callers.py");
    const asyncio = await cases(stage, {
      ours: "Python, asyncio",
      theirs: "Redis, redis-py asyncio",
      ourProgram: onLoop,
      theirProgram: onLoop,
      callers: CALLERS,
      floors: (work, callers) => (work === "get" && callers === 64 ? throughput(1.8, 3) : []),
    });
    const one = await cases(stage, {
      ours: "Python, blocking",
      theirs: "Redis, redis-py",
      ourProgram: blocking,
      theirProgram: blocking,
      callers: [1],
      floors: (work) => (work === "get" ? throughput(0.3, 0.6) : []),
    });
    return [...asyncio, ...one];
  },
};
