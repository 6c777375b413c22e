/**
 * A program that writes, reads live and watches, as it is ordered, and tells what it was answered: see `tale.ts`. Its arguments are
 * the bridge's address, the session, and its name. It ends with its input.
 */
import { createInterface } from "node:readline";
import {
  BridgeError,
  connect,
  DeadlineError,
  InternalError,
  OutcomeUnknownError,
  type Session,
  type SessionEventView,
  type SessionWatch,
  type SetOptions,
  UnavailableError,
  WatchGapError,
} from "snakepit-bridge";
import { randomFrom } from "../../crash/random.js";
import type { Order, Outcome, Over, Told, WriteKind } from "./tale.js";

const [address = "", sessionId = "", name = ""] = process.argv.slice(2);
const client = connect(address);
const watches = new Map<string, Reader>();
/** How many writes each loop has made. */
const counts = new Map<string, number>();
let opened: Session | undefined;

interface Reader {
  readonly names: readonly string[];
  readonly watch: SessionWatch<SessionEventView>;
  /** Done when nothing is read any more. */
  readonly over: Promise<void>;
}

/** What is read after a gap. */
const SHARED = ["a", "b", "counter", "total"];
/** Most calls have the time to try again after a restart, and some have not. */
const LONG_MS = 5_000;
const SHORT_MS = { least: 50, more: 350 };

function tell(line: Told | Over): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function watch(id: string, names: readonly string[], after?: string): Promise<void> {
  const from = after === undefined ? {} : { after };
  tell({ tells: "begins", watch: id, names, ...from });
  const begun = client.sessions.watch(sessionId, { names, ...from });
  await begun.ready();
  tell({ tells: "stands", watch: id, point: begun.point as string });
  watches.set(id, { names, watch: begun, over: read(id, names, begun) });
}

async function resume(id: string): Promise<void> {
  const { names, watch: former, over } = watches.get(id) as Reader;
  await former.return();
  await over;
  await watch(id, names, former.point);
}

async function read(
  id: string,
  names: readonly string[],
  begun: SessionWatch<SessionEventView>,
): Promise<void> {
  try {
    for await (const event of begun)
      tell({ tells: "event", watch: id, point: begun.point as string, event: printed(event) });
  } catch (error) {
    if (!(error instanceof WatchGapError)) throw error;
    tell({ tells: "gap", watch: id, reason: error.reason });
    await watch(id, names);
    // Read when the watch stands, it is as new as where that begins, or newer.
    const { found, revision } = await untilThere(() => client.sessions.getVariables(sessionId, SHARED));
    const values = Object.fromEntries([...found].map(([key, { value }]) => [key, value]));
    tell({ tells: "snapshot", watch: id, revision, values });
  }
}

function printed({ kind, sessionId, revision, source, at, metadata, changes }: SessionEventView) {
  return {
    kind,
    session_id: sessionId,
    revision,
    source,
    committed_at: at.toISOString(),
    metadata: Object.fromEntries(metadata),
    changes: changes.map(({ name, value, version, previous, previousVersion }) => ({
      name,
      ...(value === undefined ? {} : { value }),
      ...(version === undefined ? {} : { version }),
      ...(previous === undefined ? {} : { previous }),
      ...(previousVersion === undefined ? {} : { previous_version: previousVersion }),
    })),
  };
}

/** Does what needs a bridge as soon as there is one. */
async function untilThere<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof UnavailableError || error instanceof DeadlineError)) throw error;
      await thereAgain();
    }
  }
}

/** Done when a bridge answers. */
async function thereAgain(): Promise<void> {
  const waiting = client.sessions.watch(sessionId, { names: ["a"] });
  await waiting.ready();
  await waiting.return();
}

async function session(): Promise<Session> {
  opened ??= await untilThere(() => client.session(sessionId));
  return opened;
}

async function play(loop: string, operations: number, random: () => number): Promise<void> {
  const playing = await session();
  for (let i = 0; i < operations; i++) {
    const chance = random();
    try {
      if (chance < 0.2) await readOne(playing, loop, chance < 0.1);
      else await write(playing, loop, random);
    } catch (error) {
      if (!(error instanceof UnavailableError || error instanceof DeadlineError)) throw error;
      await thereAgain();
    }
  }
}

async function readOne(playing: Session, loop: string, isPair: boolean): Promise<void> {
  if (isPair) return tell({ tells: "read", loop, values: await playing.getMany(["a", "b"]) });
  const { value, point, source } = await playing.read("counter");
  tell({ tells: "read", loop, values: { counter: value }, point, source: source as "replica" | "server" });
}

interface Written {
  readonly point: string | undefined;
  readonly values: Readonly<Record<string, unknown>>;
}

/** The kinds of writes, and up to which chance each is made. */
const WRITES: readonly (readonly [WriteKind, number])[] = [
  ["set", 0.3],
  ["pair", 0.55],
  ["increment", 0.8],
  ["update", 1],
];

async function carryOutWrite(
  playing: Session,
  what: WriteKind,
  loop: string,
  op: string,
  options: SetOptions,
): Promise<Written> {
  if (what === "pair") {
    const { point } = await playing.setMany({ a: op, b: op }, options);
    return { point, values: { a: op, b: op } };
  }
  const own = `own ${loop}`;
  const name = { set: own, increment: "counter", update: "total" }[what];
  const { value, point } =
    what === "set"
      ? await playing.set(own, op, options)
      : what === "increment"
        ? await playing.increment(name, 1, options)
        : await playing.update(name, (total) => (total as number) + 1, options);
  return { point, values: { [name]: value } };
}

async function write(playing: Session, loop: string, random: () => number): Promise<void> {
  const count = (counts.get(loop) ?? 0) + 1;
  counts.set(loop, count);
  const op = `${loop} ${count}`;
  const timeoutMs = random() < 0.3 ? SHORT_MS.least + random() * SHORT_MS.more : LONG_MS;
  const chance = random();
  const [what] = WRITES.find(([, upTo]) => chance < upTo) as (typeof WRITES)[number];
  // It has not been written so often.
  const refuse = what === "set" && random() < 0.1 ? { expectedVersion: 1_000_000 } : {};
  const told = { tells: "write", loop, op, what } as const;
  try {
    const { point, values } = await carryOutWrite(playing, what, loop, op, {
      metadata: { op },
      timeoutMs,
      ...refuse,
    });
    tell({ ...told, outcome: "ok", ...(point === undefined ? {} : { point }), values });
  } catch (error) {
    if (!(error instanceof BridgeError) || error instanceof InternalError) throw error;
    tell({ ...told, outcome: outcomeOf(error), error: error.name });
    if (outcomeOf(error) === "unavailable") throw error;
  }
}

function outcomeOf(error: BridgeError): Outcome {
  if (error instanceof OutcomeUnknownError) return "unknown";
  return error instanceof UnavailableError || error instanceof DeadlineError ? "unavailable" : "refused";
}

/** Reads until the copy answers that has come to a point. */
async function look(after: string): Promise<void> {
  const looking = await session();
  for (;;) {
    const read = await untilThere(() => looking.read("counter", { after }));
    if (read.source !== "replica") continue;
    const values = { counter: read.value };
    tell({ tells: "read", loop: `${name} looks`, values, point: read.point, source: "replica" });
    return readOne(looking, `${name} looks`, true);
  }
}

async function carryOut(order: Order): Promise<void> {
  if (order.do === "watch") await watch(order.watch, order.names);
  else if (order.do === "resume") await resume(order.watch);
  else if (order.do === "play") await play(order.loop, order.operations, randomFrom(order.seed));
  else await look(order.after);
  tell({ tells: "over", order: order.order });
}

for await (const line of createInterface(process.stdin)) void carryOut(JSON.parse(line) as Order);
await client.close();
process.exit();
