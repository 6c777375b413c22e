/**
 * What a read costs that our clients answer by themselves, from a copy of the session that the bridge keeps current, beside a read
 * of Redis in the same language, one after the other; and beside a look into a Map or a dict.
 */
import type { Case, Floor, Row } from "../harness/case.js";
import type { Child } from "../harness/child.js";
import { measureLoad } from "../harness/load.js";
import { redisInMemory } from "../harness/peers.js";
import { MAX, VARIABLE } from "../programs/workload.js";
import { preparedBridge } from "./unary.js";

/** At the cost of a look into a Map or a dict: nearer than this two figures of one loop seldom are. */
const AT_THE_COST = 1.1;

/** One way to read, or what stands beside it. */
interface Reading {
  readonly subject: string;
  /** What the program is asked to do. */
  readonly work: string;
  /** How many times the reads of Redis per second it has to come to. */
  readonly floor?: number;
  /** The subject whose cost it should have. */
  readonly goal?: string;
}

/** Ways to read in one language, and the one of Redis. */
interface Language {
  readonly work: string;
  readonly program: Child;
  readonly redisProgram: Child;
  readonly readings: readonly Reading[];
  readonly redis: Reading;
}

export const hit: Row = {
  name: "hit",
  async prepare(stage) {
    const bridge = await preparedBridge(stage);
    const redis = await redisInMemory(stage);
    const python = await stage.pythonProgram("live_reads.py");
    const languages: readonly Language[] = [
      {
        work: "live read in TypeScript",
        program: await stage.program("live-reads.ts"),
        redisProgram: await stage.program("redis-callers.ts"),
        readings: [
          { subject: "session.peek", work: "peek", floor: 3_000, goal: "Map.get" },
          { subject: "await session.get", work: "get", goal: "await a Map.get" },
          { subject: "Map.get", work: "map" },
          { subject: "await a Map.get", work: "await map" },
          { subject: "the loop alone", work: "nothing" },
        ],
        redis: { subject: "Redis, @redis/client", work: "get" },
      },
      {
        work: "live read in Python",
        program: python,
        redisProgram: python,
        readings: [
          { subject: "get_variable", work: "get_variable", floor: 900, goal: "dict.get" },
          { subject: "peek", work: "peek", floor: 900, goal: "dict.get" },
          { subject: "dict.get", work: "dict.get" },
          { subject: "a method with a dict", work: "method" },
          { subject: "the loop alone", work: "nothing" },
        ],
        redis: { subject: "Redis, redis-py", work: "redis" },
      },
      {
        work: "live read in Python on asyncio",
        program: python,
        redisProgram: python,
        readings: [{ subject: "await get_variable", work: "await get_variable" }],
        redis: { subject: "Redis, redis-py asyncio", work: "await redis" },
      },
    ];
    // What is read has to be there.
    const toRedis = { address: redis.address, valueBytes: bridge.variableBytes };
    const shared = { callers: 1, variable: VARIABLE, max: MAX };
    await (await stage.program("redis-callers.ts")).ask({
      ...shared,
      ...toRedis,
      work: "set",
      milliseconds: 1,
    });
    return languages.flatMap(({ work, program, redisProgram, readings, redis: theirs }) => [
      ...readings.map((reading): Case => {
        const load = { ...shared, work: reading.work, address: bridge.address };
        return {
          work,
          callers: 1,
          subject: reading.subject,
          beside: theirs.subject,
          floors: floorsOf(reading),
          measure: (milliseconds) => measureLoad(program, program.pid, { ...load, milliseconds }),
        };
      }),
      {
        work,
        callers: 1,
        subject: theirs.subject,
        measure: (milliseconds: number) =>
          measureLoad(redisProgram, redis.child.pid, {
            ...shared,
            ...toRedis,
            work: theirs.work,
            milliseconds,
          }),
      },
    ]);
  },
};

function floorsOf({ floor, goal }: Reading): readonly Floor[] {
  return [
    ...(floor === undefined ? [] : [{ metric: "callsPerSecond", floor } as const]),
    ...(goal === undefined ? [] : [{ metric: "p50Us", beside: goal, goal: AT_THE_COST } as const]),
  ];
}
