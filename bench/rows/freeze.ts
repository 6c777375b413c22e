/**
 * What a process that stands still costs the others, and the server. Watchers in several processes are told at the highest rate
 * at which all keep up, and in every other measurement one of the processes is frozen (SIGSTOP) meanwhile. Afterwards it goes
 * on, and its watchers have to be told all that they missed, once and in order, as everybody was.
 */

import { Audience, type Delivered } from "../harness/audience.js";
import { type Case, type Floor, NotHere, type Row, type Sample } from "../harness/case.js";
import { cpuTimeUs } from "../harness/cpu-time.js";
import { inUseMiB, PROBED } from "../harness/in-use.js";
import type { Server, Stage } from "../harness/stage.js";
import type { Telling } from "../programs/telling.js";
import { preparedBridge } from "./unary.js";

/** How much is told in one measurement: as much as fits into so much time, but at most so much. */
interface Load {
  readonly watchers: number;
  readonly processes: number;
  /** Of one measurement, as a multiple of what it may take in other rows; and never more messages than this. */
  readonly times: number;
  readonly mostMessages: number;
}

/** Many watchers; and fewer, which are told so much that what waits for those of the frozen process is more than may wait. */
const LOADS: readonly Load[] = [
  { watchers: 1_000, processes: 10, times: 5, mostMessages: 1_500 },
  { watchers: 100, processes: 10, times: Number.POSITIVE_INFINITY, mostMessages: 1_200 },
];
const QUICK_LOADS: readonly Load[] = [{ watchers: 4, processes: 2, times: 1, mostMessages: 100 }];

const NOBODY = "nobody frozen";

/**
 * What may wait for a watch: so many events, each of about as many bytes as core/session/event.ts counts for it. And for a
 * channel beyond that: what gRPC has, and the next messages.
 */
const MOST_WAITING = 1_000;
const EVENT_BYTES = 430;
const CHANNEL_MIB = 1;

export const freeze: Row = {
  name: "freeze",
  async prepare(stage) {
    if (process.platform === "win32") throw new NotHere("Windows has no SIGSTOP");
    const { eventBytes } = await preparedBridge(stage);
    const bridge = await stage.bridge("bridge-frozen-readers", "memory", PROBED);
    const cases: Case[] = [];
    for (const load of stage.quick ? QUICK_LOADS : LOADS)
      cases.push(...(await casesOf(stage, bridge, load, eventBytes)));
    return cases;
  },
};

async function casesOf(stage: Stage, bridge: Server, load: Load, messageBytes: number): Promise<Case[]> {
  const { watchers, processes, times, mostMessages } = load;
  const audience = await Audience.of(stage, processes);
  const telling: Telling = { way: "bridge", address: bridge.address, topic: `freeze-${watchers}` };
  const trial = { audience, bridge, telling, watchers, messageBytes };
  const perSecond = await highestRate(trial, stage.quick ? 100 : 1_000);
  const work = "tell watchers at a rate";
  const measure = (isFrozen: boolean) => (milliseconds: number) => {
    const messages = Math.min(mostMessages, Math.ceil((perSecond * milliseconds * times) / 1_000));
    return measureFrozen(trial, { perSecond, messages }, isFrozen);
  };
  const capMiB = ((watchers / processes) * MOST_WAITING * EVENT_BYTES) / 1_048_576 + CHANNEL_MIB;
  const floors: readonly Floor[] = [
    { metric: "p50Us", floor: 1.25, goal: 1.1 },
    { metric: "callsPerSecond", floor: 0.8, goal: 0.95 },
    { metric: "inUseMiB", as: "excess", floor: capMiB, goal: capMiB / 2 },
  ];
  return [
    {
      work,
      callers: watchers,
      subject: `1 of ${processes} processes frozen`,
      beside: NOBODY,
      floors,
      measure: measure(true),
      costly: true,
    },
    { work, callers: watchers, subject: NOBODY, measure: measure(false), costly: true },
  ];
}

interface Trial {
  readonly audience: Audience;
  readonly bridge: Server;
  readonly telling: Telling;
  readonly watchers: number;
  readonly messageBytes: number;
}

/** So far ahead of the slowest process the writer may be while it is looked for how much all bear. */
const WINDOW = 64;
/** How often the range in which the rate lies is halved. */
const HALVINGS = 5;
/** Whoever has everything so soon after the last was due keeps up. */
const LAG_SECONDS = 0.1;

/**
 * The highest rate at which all keep up, in commits per second: between an eighth of what they bear when the writer waits for
 * them, and all of it.
 */
async function highestRate(trial: Trial, milliseconds: number): Promise<number> {
  const { audience, telling, watchers, messageBytes } = trial;
  await audience.open(telling, watchers);
  const all = await audience.told(
    await audience.tell(telling, messageBytes, { window: WINDOW, milliseconds }),
  );
  await audience.close();
  let tooFast = all.deliveries / watchers / all.seconds;
  let borne = tooFast / 8;
  for (let i = 0; i < HALVINGS; i++) {
    const perSecond = Math.sqrt(tooFast * borne);
    const messages = Math.max(10, Math.ceil((perSecond * milliseconds) / 1_000));
    await audience.open(telling, watchers);
    const { seconds } = await audience.told(
      await audience.tell(telling, messageBytes, { perSecond, messages }),
    );
    await audience.close();
    if (seconds - messages / perSecond <= LAG_SECONDS) borne = perSecond;
    else tooFast = perSecond;
  }
  return borne;
}

/** A call is a delivery to one of the others, which are the same whether one process is frozen or not. */
async function measureFrozen(
  { audience, bridge, telling, watchers, messageBytes }: Trial,
  pace: { readonly perSecond: number; readonly messages: number },
  isFrozen: boolean,
): Promise<Sample> {
  const [one, ...others] = audience.processes;
  if (one === undefined) throw new Error("there is no process to freeze");
  const { child } = bridge;
  await audience.open(telling, watchers);
  const before = cpuTimeUs(child.pid);
  let delivered: Delivered;
  let after: number | undefined;
  let memory: number;
  if (isFrozen) one.signal("SIGSTOP");
  try {
    const told = await audience.tell(telling, messageBytes, pace);
    delivered = await audience.told(told, others);
    after = cpuTimeUs(child.pid);
    memory = await inUseMiB(child);
    if (isFrozen) one.signal("SIGCONT");
    await audience.told(told, [one]);
  } finally {
    if (isFrozen) one.signal("SIGCONT");
  }
  await audience.close();
  const { deliveries, ...times } = delivered;
  return {
    calls: deliveries,
    ...times,
    inUseMiB: memory,
    ...(before === undefined || after === undefined ? {} : { cpuUs: (after - before) / deliveries }),
  };
}
