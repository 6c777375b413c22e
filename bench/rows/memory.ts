/**
 * How much memory a bridge needs for each variable beyond its value, for each watch, and for each follower of a state, while nothing
 * happens to them. Of each a bridge of its own has many; some stand before it is first asked, so that code and buffers count for none.
 */
import { type Case, type Floor, NotHere, type Row, type Sample } from "../harness/case.js";
import type { Child } from "../harness/child.js";
import { cpuTimeUs } from "../harness/cpu-time.js";
import { inUseMiB, PROBED } from "../harness/in-use.js";
import { residentMiB } from "../harness/resident.js";
import type { Stage } from "../harness/stage.js";
import type { Held } from "../programs/holders.js";

interface Kind {
  readonly held: Held;
  readonly subject: string;
  readonly count: number;
  /** From so many processes, each with a connection. */
  readonly connections: number;
  /** In sessions of so many each. */
  readonly inSession: number;
  /** What each has that is not counted. */
  readonly valueBytes: number;
  readonly floors: readonly Floor[];
}

/** A double. */
const VALUE_BYTES = 8;
const PATIENCE_MS = 300_000;

const atMost = (floor: number): readonly Floor[] => [
  { metric: "bytesEach", as: "itself", floor, goal: floor / 2 },
];
const VARIABLE = { held: "variables", valueBytes: VALUE_BYTES, floors: atMost(1_024) } as const;
const WATCH = { held: "watches", valueBytes: 0, floors: atMost(20 * 1_024) } as const;
const FOLLOWER = { held: "followers", valueBytes: 0, floors: WATCH.floors } as const;

const KINDS: readonly Kind[] = [
  { ...VARIABLE, subject: "variable", count: 100_000, connections: 1, inSession: 1_000 },
  { ...WATCH, subject: "watch", count: 10_000, connections: 10, inSession: 100 },
  { ...FOLLOWER, subject: "follower", count: 10_000, connections: 10, inSession: 100 },
];
const QUICK_KINDS: readonly Kind[] = [
  { ...VARIABLE, subject: "variable", count: 2_000, connections: 1, inSession: 100 },
  { ...WATCH, subject: "watch", count: 200, connections: 2, inSession: 10 },
  { ...FOLLOWER, subject: "follower", count: 200, connections: 2, inSession: 10 },
];

export const memory: Row = {
  name: "memory",
  async prepare(stage) {
    if (process.platform === "win32") throw new NotHere("Windows has no SIGUSR2");
    return (stage.quick ? QUICK_KINDS : KINDS).map((kind): Case => {
      const { subject, connections, floors } = kind;
      return {
        work: "hold what is idle",
        callers: connections,
        subject,
        floors,
        once: true,
        measure: () => measure(stage, kind),
      };
    });
  },
};

/** A call is one that was made; of its time nothing is said. */
async function measure(stage: Stage, kind: Kind): Promise<Sample> {
  const { held, count, connections, inSession, valueBytes } = kind;
  const { child, address } = await stage.bridge(`bridge-${held}`, "memory", PROBED);
  const numbers = Array.from({ length: connections }, (_, i) => i + 1);
  const holders = await Promise.all(numbers.map((number) => stage.program("holders.ts", number)));
  const each = count / connections;
  const hold = (from: number, more: number) =>
    askAll(holders, { work: "hold", held, address, from, count: more, inSession });
  await hold(0, inSession);
  const beforeMiB = await inUseMiB(child);
  const cpuBefore = cpuTimeUs(child.pid);
  const start = performance.now();
  await hold(inSession, each - inSession);
  const seconds = (performance.now() - start) / 1_000;
  const cpuAfter = cpuTimeUs(child.pid);
  const calls = (each - inSession) * connections;
  const bytesEach = (((await inUseMiB(child)) - beforeMiB) * 1_048_576) / calls - valueBytes;
  const rssMiB = residentMiB(child.pid);
  await askAll(holders, { work: "let go" });
  await child.end();
  return {
    calls,
    seconds,
    p50Us: Number.NaN,
    p99Us: Number.NaN,
    bytesEach,
    ...(cpuBefore === undefined || cpuAfter === undefined ? {} : { cpuUs: (cpuAfter - cpuBefore) / calls }),
    ...(rssMiB === undefined ? {} : { rssMiB }),
  };
}

async function askAll(holders: readonly Child[], question: object): Promise<void> {
  await Promise.all(holders.map((holder) => holder.ask(question, PATIENCE_MS)));
}
