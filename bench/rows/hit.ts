/**
 * What a read costs that a client answers by itself, beside a read of Redis, one after the other. Our Python client answers from its
 * TTL cache.
 */
import type { Row } from "../harness/case.js";
import { measureLoad } from "../harness/load.js";
import { redisInMemory } from "../harness/peers.js";
import { MAX, MIN, SESSION, VARIABLE } from "../programs/workload.js";
import { preparedBridge } from "./unary.js";

const REDIS = "Redis, redis-py";

export const hit: Row = {
  name: "hit",
  async prepare(stage) {
    const bridge = await preparedBridge(stage);
    const redis = await redisInMemory(stage);
    const program = await stage.pythonProgram("blocking_callers.py");
    const workload = { session: SESSION, variable: VARIABLE, min: MIN, max: MAX, callers: 1 };
    const ours = { ...workload, server: "bridge", address: bridge.address };
    const theirs = { ...workload, server: "redis", address: redis.address, valueBytes: bridge.variableBytes };
    // What is read has to be there.
    await program.ask({ ...theirs, work: "set", milliseconds: 1 });
    return [
      {
        work: "read what is at hand",
        callers: 1,
        subject: 'Python, blocking, cache="ttl"',
        beside: REDIS,
        floors: [{ metric: "callsPerSecond", floor: 900, goal: 2_000 }],
        measure: (milliseconds) => measureLoad(program, program.pid, { ...ours, work: "hit", milliseconds }),
      },
      {
        work: "read what is at hand",
        callers: 1,
        subject: REDIS,
        measure: (milliseconds) =>
          measureLoad(program, redis.child.pid, { ...theirs, work: "get", milliseconds }),
      },
    ];
  },
};
