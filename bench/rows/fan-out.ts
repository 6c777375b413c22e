/**
 * What it costs to tell many what one sets: watchers in several processes, told as fast as all of them keep up; beside a bare
 * server of grpc-js that writes a message, encoded once, to a stream for each watcher, and beside Redis.
 */
import { Audience } from "../harness/audience.js";
import type { Case, Floor, Row, Sample } from "../harness/case.js";
import { cpuTimeUs } from "../harness/cpu-time.js";
import { redisInMemory } from "../harness/peers.js";
import { residentMiB } from "../harness/resident.js";
import type { Server } from "../harness/stage.js";
import type { Telling, Way } from "../programs/telling.js";
import { preparedBridge } from "./unary.js";

const WATCHERS = [1, 10, 100, 1_000];
const QUICK_WATCHERS = [1, 4];
/** So many take longer to begin than to be told. */
const COSTLY_WATCHERS = 100;
const MOST_PROCESSES = 10;
const QUICK_PROCESSES = 2;
const STREAM = "bare grpc-js stream each";
/** How far the writer may be ahead of the slowest watcher. */
const WINDOW = 64;

/** What is asked with 1,000 watchers. */
const FLOORS: readonly Floor[] = [{ metric: "callsPerSecond", floor: 1, goal: 10 }];

export const fanOut: Row = {
  name: "fan-out",
  async prepare(stage) {
    const bridge = await preparedBridge(stage);
    const subjects: readonly { subject: string; way: Way; server: Server }[] = [
      { subject: "bridge", way: "bridge", server: bridge },
      { subject: "bridge, a client each", way: "bridge, a client each", server: bridge },
      { subject: "bridge, copies", way: "bridge, copies", server: bridge },
      { subject: STREAM, way: "stream", server: await stage.server("stream-server.ts", "stream") },
      { subject: "Redis publish, a connection each", way: "redis", server: await redisInMemory(stage) },
    ];
    const cases: Case[] = [];
    const mostProcesses = stage.quick ? QUICK_PROCESSES : MOST_PROCESSES;
    for (const watchers of stage.quick ? QUICK_WATCHERS : WATCHERS) {
      const audience = await Audience.of(stage, Math.min(watchers, mostProcesses));
      for (const { subject, way, server } of subjects) {
        const telling: Telling = { way, address: server.address, topic: `fan-out-${watchers}` };
        cases.push({
          work: "tell watchers",
          callers: watchers,
          subject,
          ...(subject === STREAM ? {} : { beside: STREAM }),
          floors: way === "bridge" && watchers === 1_000 ? FLOORS : [],
          costly: watchers >= COSTLY_WATCHERS,
          measure: (milliseconds) =>
            measure(audience, server, { telling, watchers, milliseconds, messageBytes: bridge.eventBytes }),
        });
      }
    }
    return cases;
  },
};

interface Load {
  readonly telling: Telling;
  readonly watchers: number;
  readonly milliseconds: number;
  readonly messageBytes: number;
}

/** A call is a delivery here. */
async function measure(
  audience: Audience,
  { child: { pid } }: Server,
  { telling, watchers, milliseconds, messageBytes }: Load,
): Promise<Sample> {
  await audience.open(telling, watchers);
  const before = cpuTimeUs(pid);
  const told = await audience.tell(telling, messageBytes, { window: WINDOW, milliseconds });
  const { deliveries, ...delivered } = await audience.told(told);
  const after = cpuTimeUs(pid);
  const rssMiB = residentMiB(pid);
  await audience.close();
  return {
    calls: deliveries,
    ...delivered,
    ...(before === undefined || after === undefined ? {} : { cpuUs: (after - before) / deliveries }),
    ...(rssMiB === undefined ? {} : { rssMiB }),
  };
}
