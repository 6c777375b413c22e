/** Commits of a session, and watches of it over connections that are cut at random bytes, held against all commits (P6, P7). */
import { pino } from "pino";
import { toPoint } from "../../packages/bridge/src/client/points.js";
import { AbortWatch } from "../../packages/bridge/src/client/transport/abort.js";
import { GrpcTransport } from "../../packages/bridge/src/client/transport/grpc.js";
import type { Transport } from "../../packages/bridge/src/client/transport/transport.js";
import { WebTransport } from "../../packages/bridge/src/client/transport/web.js";
import { SessionWatch } from "../../packages/bridge/src/client/watching.js";
import type { Revision } from "../../packages/bridge/src/core/commands.js";
import type { SessionEvent } from "../../packages/bridge/src/core/session/event.js";
import type { Told } from "../../packages/bridge/src/core/watch.js";
import { openDoors } from "../../packages/bridge/src/doors/doors.js";
import { systemClock } from "../../packages/bridge/src/engine/system-clock.js";
import { MemoryStore } from "../../packages/bridge/src/storage/memory/memory-store.js";
import {
  type Bench,
  command,
  literal,
  openBench,
  settle,
} from "../../packages/bridge/src/testing/bench.contract.js";
import { FaultyStore } from "../../packages/bridge/src/testing/faulty-store.contract.js";
import { madeOf, stepOf } from "../../packages/bridge/src/testing/watch-forms.contract.js";
import { checkReading } from "../../packages/bridge/src/testing/watch-validators.contract.js";
import { VERSION } from "../../packages/bridge/src/version.js";
import { below, type Random, randomFrom } from "../crash/random.js";
import { ToxicProxy } from "./toxic-proxy.js";

/** So many commits may not have been told yet: as many as fit between two cuts more often than not, so that a watch goes on. */
const MOST_AHEAD = 15;
/** Where connections are cut: anywhere in what a client says first, and in some sixty events of two watches. */
const CUT_BELOW = { up: 2_500, down: 100_000 };
const SESSION = "run";

/** How watches reach the bridge. */
export const TRANSPORTS: Readonly<Record<string, (address: string) => Transport>> = {
  gRPC: (address) => new GrpcTransport(address),
  HTTP: (address) => new WebTransport(`http://${address}`),
};

export interface CutOptions {
  readonly over: string;
  readonly cuts: number;
  readonly events: number;
  readonly seed: number;
}

/** What happened. Throws what a validator says. */
export interface CutReport {
  readonly cuts: number;
  readonly connections: number;
  /** How many events the watch of everything was told. */
  readonly events: number;
}

export async function playCuts({ over, cuts, events, seed }: CutOptions): Promise<CutReport> {
  const store = new FaultyStore(new MemoryStore());
  const bench = await openBench({ store });
  const door = await openDoors({
    engine: bench.engine,
    clock: systemClock,
    logger: pino({ level: "silent" }),
    host: "127.0.0.1",
    allowOrigins: [],
    port: 0,
    version: VERSION,
  });
  const proxy = await ToxicProxy.start(door.port, seed);
  const transport = (TRANSPORTS[over] as (address: string) => Transport)(proxy.address);
  try {
    await bench.do(command.create(SESSION));
    const readers = [new WatchReader(transport), new WatchReader(transport, ["a", "d"])] as const;
    for (const reader of readers) await reader.ready();
    const begunAt = store.records.length;
    for (const direction of ["up", "down"] as const)
      proxy.lay(direction, direction, {
        kind: "cutAtRandom",
        below: CUT_BELOW[direction],
        seed: seed + (direction === "up" ? 1 : 0),
        // Not all of them come to it: over HTTP there are connections that nothing more is said on.
        times: direction === "up" ? Math.ceil(cuts / 5) : Number.POSITIVE_INFINITY,
      });
    const write = new Writer(bench, randomFrom(seed));
    while (store.records.length < begunAt + events || proxy.cuts < cuts) {
      await write.one();
      await settle();
      for (const reader of readers)
        while (store.records.length - reader.place > MOST_AHEAD) await reader.news();
    }
    for (const direction of ["up", "down"]) proxy.lift(direction);
    const last = store.records.at(-1);
    // What is wanted by all, so that each of them comes to its end.
    await bench.do(command.set(SESSION, "a", "the end"));
    const end = store.records.at(-1)?.check;
    if (last === undefined || end === undefined) throw new Error("nothing was written");
    const truth = store.records.map(madeOf);
    for (const reader of readers) {
      await reader.readsTo(end);
      checkReading(truth, {
        begun: { from: begunAt, to: begunAt },
        steps: reader.told.map(stepOf),
        wants: (name) => reader.names.length === 0 || reader.names.includes(name),
        wasCut: true,
        maxBytes: Number.POSITIVE_INFINITY,
      });
    }
    const told = readers[0].told.length - 1;
    return { cuts: proxy.cuts, connections: proxy.connections, events: told };
  } finally {
    await transport.close();
    await proxy.close();
    await door.close(0);
    await bench.engine.close();
  }
}

/** A watch as a program reads it, and all that it was told. */
class WatchReader {
  readonly names: readonly string[];
  readonly told: Told[] = [];
  /** The revision that it was told last. */
  place = 0;
  readonly #watch: SessionWatch<SessionEvent>;
  #failure: unknown;
  #tell = (): void => {};

  constructor(transport: Transport, names: readonly string[] = []) {
    this.names = names;
    this.#watch = new SessionWatch({
      transport,
      watch: { sessionId: SESSION, names, passive: true },
      options: {},
      onAbort: new AbortWatch().of(undefined),
      view: (event) => event,
    });
  }

  async ready(): Promise<void> {
    await this.#watch.ready();
    this.told.push({ kind: "bookmark", revision: toPoint(this.#watch.point as string) });
    void this.#read().catch((error: unknown) => {
      this.#failure = error;
      this.#tell();
    });
  }

  /** Done when it was told more. */
  async news(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    await new Promise<void>((resolve) => {
      this.#tell = resolve;
    });
  }

  async readsTo(check: bigint): Promise<void> {
    while (this.#last.check !== check) await this.news();
    await this.#watch.return();
  }

  get #last(): Revision {
    const last = this.told.at(-1) as Told;
    return last.kind === "event" ? last.event.revision : last.revision;
  }

  async #read(): Promise<void> {
    for await (const event of this.#watch) {
      this.told.push({ kind: "event", event });
      this.place = event.revision.number;
      this.#tell();
    }
  }
}

/** Makes commits of all kinds, of a few bytes mostly, and now and then of many. */
class Writer {
  readonly #bench: Bench;
  readonly #random: Random;
  #count = 0;
  #hasDropped = true;

  constructor(bench: Bench, random: Random) {
    this.#bench = bench;
    this.#random = random;
  }

  async one(): Promise<void> {
    const count = ++this.#count;
    // One in ten is told to all: who is told nothing of many in a row would be waited for in vain.
    const what = count % 10 === 0 ? 0 : this.#random();
    const name = what < 0.35 ? "a" : "b";
    if (what < 0.7) await this.#bench.do(command.set(SESSION, name, this.#text(count, 600)));
    else if (what < 0.9) await this.#both(count);
    else if (what < 0.905) await this.#bench.do(command.set(SESSION, "big", this.#text(count, 20_000)));
    else if (this.#hasDropped) await this.#bench.do(command.set(SESSION, "c", count));
    else await this.#bench.do(command.drop(SESSION, "c"));
    if (what >= 0.905) this.#hasDropped = !this.#hasDropped;
  }

  #text(count: number, longest: number): string {
    return `${count} `.padEnd(below(longest, this.#random), "y");
  }

  async #both(count: number): Promise<void> {
    const items = ["a", "d"].map((identifier) => ({ identifier, value: literal(this.#text(count, 300)) }));
    await this.#bench.do({
      kind: "setVariables",
      sessionId: SESSION,
      items,
      atomic: true,
      onMissing: "infer",
      metadata: [["count", String(count)]],
    });
  }
}
