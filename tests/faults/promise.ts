/**
 * The promise under kill -9 and a bad way: programs in each language write, read live and watch through a proxy that does to their
 * connections what comes, while the bridge is killed again and again; all that they were told is held against all commits that the
 * file had.
 */
import { connect } from "snakepit-bridge";
import { below, type Random, randomFrom } from "../crash/random.js";
import { KilledBridge } from "./promise/bridge.js";
import { RunCommits } from "./promise/commits.js";
import { type Language, Player } from "./promise/player.js";
import { READ_CHECKS } from "./promise/reads.js";
import type { Outcome, ReadTold, Told, WriteTold } from "./promise/tale.js";
import { lastPoint, watchesOf, watchFaults } from "./promise/watches.js";
import { lay, lift, weathers } from "./promise/weather.js";
import { WRITE_CHECKS } from "./promise/writes.js";
import { ToxicProxy } from "./toxic-proxy.js";

const SESSION = "run";
const LANGUAGES: readonly Language[] = ["typescript", "aio", "sync"];
/** Each program does so many things at a time. */
const LOOPS = 2;
const OPERATIONS = 25;
/** The commits are read after so many acknowledgements, long before the file lets go of them. */
const GATHER_EVERY = 200;
/** The bridge is killed after so many answers, or fewer. */
const MOST_ANSWERS = 60;

export interface PromiseOptions {
  readonly kills: number;
  readonly seed: number;
  /** Gets a line now and then. */
  readonly say?: (line: string) => void;
}

export interface PromiseReport {
  readonly seed: number;
  readonly kills: number;
  readonly commits: number;
  readonly outcomes: Readonly<{ [each in Outcome]: number }>;
  /** Of the writes with an unknown outcome, how many were carried out. */
  readonly foundDone: number;
  readonly events: number;
  readonly reads: number;
  /** How often a watch was begun after a point by its program. */
  readonly resumed: number;
  readonly connections: number;
  readonly weathers: readonly string[];
  /** What `verify` says of the file at the end. */
  readonly verified: string;
  /** All that was wrong, in words. Empty: nothing was. */
  readonly faults: readonly string[];
}

export async function playPromise({ kills, seed, say = () => {} }: PromiseOptions): Promise<PromiseReport> {
  const bridge = await KilledBridge.start();
  const proxy = await ToxicProxy.start(bridge.port, seed);
  const run = new Run(bridge, proxy, randomFrom(seed), say);
  try {
    await run.begin();
    await run.killAgainAndAgain(kills);
    await run.finish();
    return { seed, ...run.report(), verified: await bridge.verify() };
  } finally {
    await run.end();
    await proxy.close();
  }
}

/** The report in one line for people. */
export function summary(report: PromiseReport): string {
  const { seed, kills, commits, outcomes, foundDone, events, reads, resumed, connections, verified } = report;
  return (
    `seed ${seed}: ${kills} kills, ${connections} connections, ${commits} commits; ` +
    `writes: ${outcomes.ok} acknowledged, ${outcomes.refused} refused, ${outcomes.unavailable} not done, ` +
    `${outcomes.unknown} unknown (${foundDone} of them done); ${events} events told, ${resumed} watches resumed, ${reads} live reads; ${verified}`
  );
}

class Run {
  readonly #bridge: KilledBridge;
  readonly #proxy: ToxicProxy;
  readonly #random: Random;
  readonly #say: (line: string) => void;
  readonly #commits: RunCommits;
  readonly #players: readonly Player[];
  readonly #weathers: string[] = [];
  readonly #waiting = new Set<(told: Told, player: Player) => void>();
  #isOver = false;
  #isUp = true;
  #ungathered = 0;
  #playing: Promise<unknown> = Promise.resolve();

  constructor(bridge: KilledBridge, proxy: ToxicProxy, random: Random, say: (line: string) => void) {
    this.#bridge = bridge;
    this.#proxy = proxy;
    this.#random = random;
    this.#say = say;
    this.#commits = new RunCommits(bridge.file, SESSION);
    this.#players = LANGUAGES.map(
      (language) => new Player(language, language, proxy.address, SESSION, (...told) => this.#hear(...told)),
    );
  }

  /** Watches stand before there is anything; then the session begins, and all write. */
  async begin(): Promise<void> {
    await this.#all((player) => player.do({ do: "watch", watch: "all", names: [] }));
    await this.#all((player) => player.do({ do: "watch", watch: "pairs", names: ["a", "b"] }));
    await this.#directly(async (client) => {
      await client.sessions.createSession(SESSION, { ttlMs: 0 });
      const session = await client.session(SESSION);
      await session.setMany({ a: "", b: "" });
      for (const name of ["counter", "total"]) await session.register(name, "integer", 0);
    });
    const loops = this.#players.flatMap((player) =>
      Array.from({ length: LOOPS }, (_, i) => this.#loop(player, `${player.name} ${i}`)),
    );
    this.#playing = Promise.all(loops);
    this.#playing.catch(() => {});
    await this.#eachHasWritten();
  }

  async killAgainAndAgain(kills: number): Promise<void> {
    const draw = weathers(this.#random);
    while (this.#bridge.kills < kills) {
      const weather = draw.next().value;
      this.#weathers.push(weather.name);
      lay(this.#proxy, weather);
      // Somebody gives up at least; where there are answers, a few of them are waited for.
      const answers = weather.isDead ? 1 : 1 + below(MOST_ANSWERS, this.#random);
      await this.#hears(answers, ({ tells }) => tells === "write" || tells === "read");
      const resuming = this.#resumeOne();
      await this.#kill();
      if (weather.isDead) lift(this.#proxy);
      await this.#bridge.startAgain();
      // Now and then it is killed before anybody has come back.
      if (below(6, this.#random) === 0) {
        await this.#kill();
        await this.#bridge.startAgain();
      }
      this.#isUp = true;
      await Promise.all([resuming, this.#eachHasWritten()]);
      if (this.#bridge.kills % 10 < 2)
        this.#say(`${this.#bridge.kills} kills, ${this.#commits.all.length} commits read`);
    }
  }

  /** Writes a last time, and waits until all know of it. */
  async finish(): Promise<void> {
    lift(this.#proxy);
    this.#isOver = true;
    await this.#playing;
    const revision = await this.#directly(async ({ sessions }) => {
      const { revision } = await sessions.updateVariables(SESSION, { a: "the end", b: "the end" });
      return revision as number;
    });
    await this.#commits.gather();
    const { end } = this.#commits;
    const isTold = (player: Player): boolean =>
      ["all", "pairs"].every(
        (watch) => lastPoint(watchesOf(player.tale).findLast((run) => run.watch === watch) as never) === end,
      );
    await this.#all(async (player) => {
      await player.do({ do: "look", revision });
      while (!isTold(player)) await this.#hears(1, (_, who) => who === player);
    });
  }

  report(): Omit<PromiseReport, "seed" | "verified"> {
    const commits = this.#commits.all;
    const tales = this.#players.map(({ tale }) => tale);
    const runs = tales.map(watchesOf);
    const writes = tales.flat().filter((told): told is WriteTold => told.tells === "write");
    const reads = tales.map((tale) =>
      tale.filter((told): told is ReadTold | WriteTold => told.tells === "read" || told.tells === "write"),
    );
    const faults = [
      ...WRITE_CHECKS.flatMap((check) => check(commits, writes)),
      ...READ_CHECKS.flatMap((check) => reads.flatMap((tale) => check(commits, tale))),
      ...runs.flatMap((each) =>
        each.flatMap((run) => [
          ...watchFaults(commits, run, run.after === undefined),
          ...(run.gap === undefined ? [] : [`${run.watch} was told of a gap: ${run.gap.reason}`]),
        ]),
      ),
    ];
    const ops = new Set(commits.map(({ op }) => op));
    const count = (outcome: Outcome): number => writes.filter((write) => write.outcome === outcome).length;
    return {
      kills: this.#bridge.kills,
      commits: commits.length,
      outcomes: {
        ok: count("ok"),
        refused: count("refused"),
        unavailable: count("unavailable"),
        unknown: count("unknown"),
      },
      foundDone: writes.filter(({ outcome, op }) => outcome === "unknown" && ops.has(op)).length,
      events: tales.flat().filter(({ tells }) => tells === "event").length,
      reads: tales.flat().filter(({ tells }) => tells === "read").length,
      resumed: runs.flat().filter(({ after }) => after !== undefined).length,
      connections: this.#proxy.connections,
      weathers: this.#weathers,
      faults,
    };
  }

  async end(): Promise<void> {
    await Promise.all(this.#players.map((player) => player.end()));
  }

  async #loop(player: Player, loop: string): Promise<void> {
    while (!this.#isOver) {
      const seed = Math.floor(this.#random() * 2 ** 31);
      await player.do({ do: "play", loop, operations: OPERATIONS, seed });
    }
  }

  async #kill(): Promise<void> {
    this.#isUp = false;
    // What is being read of the file is read to its end.
    await this.#bridge.kill();
  }

  /** A program ends one of its watches, and begins it again where it was. */
  async #resumeOne(): Promise<void> {
    const player = this.#players[below(this.#players.length, this.#random)] as Player;
    await player.do({ do: "resume", watch: below(2, this.#random) === 0 ? "all" : "pairs" });
  }

  #hear(told: Told, player: Player): void {
    for (const hear of this.#waiting) hear(told, player);
    if (told.tells !== "write" || told.outcome !== "ok") return;
    this.#ungathered++;
    if (this.#ungathered < GATHER_EVERY || !this.#isUp) return;
    this.#ungathered = 0;
    this.#commits.gather().catch(() => {});
  }

  /** Waits until so much of a kind was told. */
  async #hears(count: number, isOne: (told: Told, player: Player) => boolean): Promise<void> {
    let left = count;
    let hear = (_told: Told, _player: Player): void => {};
    const heard = new Promise<void>((resolve) => {
      hear = (told, player) => {
        if (isOne(told, player) && --left === 0) resolve();
      };
      this.#waiting.add(hear);
    });
    await Promise.race([heard, ...this.#players.map(({ failed }) => failed)]).finally(() =>
      this.#waiting.delete(hear),
    );
  }

  /** All programs are there again. */
  async #eachHasWritten(): Promise<void> {
    await this.#all((player) =>
      this.#hears(1, (told, who) => who === player && told.tells === "write" && told.outcome === "ok"),
    );
  }

  #all(work: (player: Player) => Promise<void>): Promise<unknown> {
    return Promise.all(this.#players.map(work));
  }

  /** Asks the bridge past the proxy. */
  async #directly<T>(work: (client: ReturnType<typeof connect>) => Promise<T>): Promise<T> {
    const client = connect(this.#bridge.address, { timeoutMs: 20_000 });
    try {
      return await work(client);
    } finally {
      await client.close();
    }
  }
}
