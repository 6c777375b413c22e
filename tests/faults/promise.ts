/**
 * The promise under kill -9 and a bad way: programs in each language write, read live and watch through a proxy that does to their
 * connections what comes, while the bridge is killed again and again; all that they were told is held against all commits that the
 * file had.
 */
import { below, type Random, randomFrom } from "../crash/random.js";
import type { KilledBridge } from "./promise/bridge.js";
import type { RunCommits } from "./promise/commits.js";
import { writePairs } from "./promise/pairs.js";
import type { Player } from "./promise/player.js";
import type { Players } from "./promise/players.js";
import { READ_CHECKS } from "./promise/reads.js";
import { Stage } from "./promise/stage.js";
import { type Outcome, readsOf, type Told, writesOf } from "./promise/tale.js";
import { standsAt, watchesOf, watchFaults } from "./promise/watches.js";
import { lay, lift, weathers } from "./promise/weather.js";
import { WRITE_CHECKS } from "./promise/writes.js";
import type { ToxicProxy } from "./toxic-proxy.js";

/** Each program does so many things at a time. */
const LOOPS = 2;
const OPERATIONS = 25;
/** The commits are read after so many acknowledgements, long before the file lets go of them. */
const GATHER_EVERY = 200;
/** A line is said after so many kills. */
const SAY_EVERY = 10;
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
  const stage = await Stage.open(seed);
  try {
    const run = new Run(stage, randomFrom(seed), say);
    await run.begin();
    await run.killAgainAndAgain(kills);
    await run.finish();
    return { seed, ...run.report(), verified: await stage.bridge.verify() };
  } finally {
    await stage.close();
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
  readonly #stage: Stage;
  readonly #bridge: KilledBridge;
  readonly #proxy: ToxicProxy;
  readonly #random: Random;
  readonly #say: (line: string) => void;
  readonly #commits: RunCommits;
  readonly #players: Players;
  readonly #weathers: string[] = [];
  #isOver = false;
  #isUp = true;
  #ungathered = 0;
  #playing: Promise<unknown> = Promise.resolve();

  constructor(stage: Stage, random: Random, say: (line: string) => void) {
    this.#stage = stage;
    this.#bridge = stage.bridge;
    this.#proxy = stage.proxy;
    this.#commits = stage.commits;
    this.#players = stage.players;
    this.#random = random;
    this.#say = say;
    this.#players.listen((told) => this.#count(told));
  }

  /** All write. */
  async begin(): Promise<void> {
    await this.#stage.begin();
    const loops = this.#players.all.flatMap((player) =>
      Array.from({ length: LOOPS }, (_, i) => this.#loop(player, `${player.name} ${i}`)),
    );
    this.#playing = Promise.all(loops);
    this.#playing.catch(() => {});
    await this.#eachHasWritten();
  }

  async killAgainAndAgain(kills: number): Promise<void> {
    const draw = weathers(this.#random);
    let said = 0;
    while (this.#bridge.kills < kills) {
      const weather = draw.next().value;
      this.#weathers.push(weather.name);
      lay(this.#proxy, weather);
      // Somebody gives up at least; where there are answers, a few of them are waited for.
      const answers = weather.isDead ? 1 : 1 + below(MOST_ANSWERS, this.#random);
      await this.#players.hears(answers, ({ tells }) => tells === "write" || tells === "read");
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
      if (this.#bridge.kills < said + SAY_EVERY) continue;
      said = this.#bridge.kills;
      this.#say(`${said} kills, ${this.#commits.all.length} commits read`);
    }
  }

  /** Writes a last time, and waits until all know of it. */
  async finish(): Promise<void> {
    lift(this.#proxy);
    this.#isOver = true;
    await this.#playing;
    await writePairs(this.#bridge, 1, 10);
    await this.#commits.gather();
    const { end } = this.#commits;
    await this.#players.do((player) => player.do({ do: "look", after: end }));
    await this.#players.each(({ tale }) => [...standsAt(tale).values()].every((point) => point === end));
  }

  report(): Omit<PromiseReport, "seed" | "verified"> {
    const commits = this.#commits.all;
    const tales = this.#players.all.map(({ tale }) => tale);
    const runs = tales.map(watchesOf);
    const writes = writesOf(tales.flat());
    const reads = tales.map(readsOf);
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

  async #loop(player: Player, loop: string): Promise<void> {
    while (!this.#isOver) {
      const seed = Math.floor(this.#random() * 2 ** 31);
      await player.do({ do: "play", loop, operations: OPERATIONS, seed });
    }
  }

  async #kill(): Promise<void> {
    this.#isUp = false;
    await this.#bridge.kill();
  }

  /** A program ends one of its watches, and begins it again where it was. */
  async #resumeOne(): Promise<void> {
    const { all } = this.#players;
    const player = all[below(all.length, this.#random)] as Player;
    await player.do({ do: "resume", watch: below(2, this.#random) === 0 ? "all" : "pairs" });
  }

  /** Has the commits read now and then. */
  #count(told: Told): void {
    if (told.tells !== "write" || told.outcome !== "ok") return;
    this.#ungathered++;
    if (this.#ungathered < GATHER_EVERY || !this.#isUp) return;
    this.#ungathered = 0;
    // What could not be read now is read the next time.
    this.#commits.gather().catch(() => {});
  }

  /** All programs are there again. */
  async #eachHasWritten(): Promise<void> {
    await this.#players.do((player) =>
      this.#players.hears(
        1,
        (told, who) => who === player && told.tells === "write" && told.outcome === "ok",
      ),
    );
  }
}
