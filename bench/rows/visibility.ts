/**
 * How long after a set has begun in one language a reader that waits in the other one sees it, on a bridge in memory and on
 * one that tells nothing before it is on disk; beside a message of Redis between the same two languages.
 */
import type { Case, Floor, Row, Sample } from "../harness/case.js";
import type { Child } from "../harness/child.js";
import { cpuTimeUs } from "../harness/cpu-time.js";
import { redisInMemory } from "../harness/peers.js";
import type { Server, Stage } from "../harness/stage.js";
import type { Outcome } from "../programs/closed-loop.js";
import { bridgeOnDisk, preparedBridge } from "./unary.js";

const REDIS = "Redis publish";

/** What is asked of a watch in Python on the bridge in memory, and of whatever else is told there. */
const FLOORS: readonly Floor[] = [
  { metric: "p50Us", as: "itself", floor: 600, goal: 300 },
  { metric: "p99Us", as: "itself", floor: 2_000, goal: 2_000 },
];

/** Between a write and the next one the reader waits. */
const PAUSE_MS = 1;
const WARM_UP_MS = 2_000;

interface Way {
  readonly work: string;
  readonly writer: Child;
  readonly reader: Child;
  /** How the reader waits at a bridge; on disk only in the first of these ways. */
  readonly by: readonly string[];
  /** How it does at Redis. */
  readonly byRedis: string;
  readonly floors: readonly Floor[];
}

interface Place {
  readonly subject: string;
  readonly server: "bridge" | "redis";
  readonly at: Server;
}

export const visibility: Row = {
  name: "visibility",
  async prepare(stage) {
    const typescript = await stage.program("visibility.ts");
    const python = await stage.pythonProgram("visibility.py");
    const ways: readonly Way[] = [
      {
        work: "set in TypeScript, seen in Python",
        writer: typescript,
        reader: python,
        by: [
          "watch(), asyncio",
          "watch(), blocking",
          "on_change, asyncio",
          "on_change, blocking",
          "wait_for, asyncio",
          "wait_for, blocking",
        ],
        byRedis: "SUBSCRIBE",
        floors: FLOORS,
      },
      {
        work: "set in Python, seen in TypeScript",
        writer: python,
        reader: typescript,
        by: ["watch()"],
        byRedis: "SUBSCRIBE",
        floors: [],
      },
    ];
    const { variableBytes: valueBytes } = await preparedBridge(stage);
    const places = await placesOf(stage);
    const cases: Case[] = [];
    for (const way of ways) {
      const { work, writer, reader, floors } = way;
      for (const { subject, server, at, by } of waitsOf(way, places)) {
        // A session or channel for each way to wait, so that nobody else is told.
        const place = { server, address: at.address, topic: `${work}, ${by}`, by };
        // Makes the session, before anybody watches it.
        await typescript.ask({ ...place, work: "write", milliseconds: 0, pauseMs: 0, valueBytes });
        await reader.ask({ ...place, work: "watch" });
        // With the pauses the rounds are too few calls to have all code compiled.
        const warmUp = { milliseconds: stage.quick ? 30 : WARM_UP_MS, pauseMs: 0 };
        await measure(writer, reader, at, { ...place, ...warmUp, valueBytes });
        cases.push({
          work,
          callers: 1,
          subject: server === "bridge" ? `${subject}, ${by}` : subject,
          ...(server === "bridge" ? { beside: REDIS } : {}),
          floors: subject === IN_MEMORY ? floors : [],
          measure: (milliseconds) =>
            measure(writer, reader, at, { ...place, milliseconds, pauseMs: PAUSE_MS, valueBytes }),
        });
      }
    }
    return cases;
  },
};

const IN_MEMORY = "bridge in memory";

/** Where a reader waits, and how. */
function waitsOf(
  { by, byRedis }: Way,
  places: readonly Place[],
): readonly (Place & { readonly by: string })[] {
  return places.flatMap((place) => {
    const ways = place.server === "redis" ? [byRedis] : place.subject === IN_MEMORY ? by : by.slice(0, 1);
    return ways.map((one) => ({ ...place, by: one }));
  });
}

async function placesOf(stage: Stage): Promise<readonly Place[]> {
  return [
    { subject: IN_MEMORY, server: "bridge", at: await preparedBridge(stage) },
    { subject: "bridge on SQLite", server: "bridge", at: await bridgeOnDisk(stage) },
    { subject: REDIS, server: "redis", at: await redisInMemory(stage) },
  ];
}

async function measure(writer: Child, reader: Child, at: Server, place: object): Promise<Sample> {
  const before = cpuTimeUs(at.child.pid);
  const start = performance.now();
  const { count } = await writer.ask<{ readonly count: number }>({ ...place, work: "write" });
  const outcome = await reader.ask<Omit<Outcome, "seconds">>({ ...place, work: "seen", count });
  const seconds = (performance.now() - start) / 1_000;
  const after = cpuTimeUs(at.child.pid);
  if (outcome.calls !== count) throw new Error(`of ${count} writes ${outcome.calls} were seen`);
  const cpu = before === undefined || after === undefined ? {} : { cpuUs: (after - before) / count };
  return { ...outcome, seconds, ...cpu };
}
