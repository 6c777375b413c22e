/**
 * Programs in a black hole while more is committed than a bridge keeps for those who come back, and the bridge is killed in the
 * middle: their watches are told of the gap once and go on, and their copies are whole (P7).
 */

import { writePairs } from "./pairs.js";
import { READ_CHECKS } from "./reads.js";
import { Stage } from "./stage.js";
import { readsOf, snapshotsOf } from "./tale.js";
import { snapshotFaults, standsAt, watchesOf, watchFaults } from "./watches.js";
import { BLACK_HOLE, lay, lift } from "./weather.js";

/** Commits are made so many at a time, until the first of them are no longer kept. */
const AT_A_TIME = 200;
/** About the bytes of one. */
const COMMIT_BYTES = 10_000;
/** The least that a bridge keeps, unless they are long. */
const LEAST_KEPT = 1_000;

export interface GapReport {
  /** How many commits were made that the programs could not be told in time. */
  readonly missed: number;
  /** For each watch that was told of a gap: the program, the watch and why. */
  readonly gaps: readonly string[];
  readonly faults: readonly string[];
}

export async function playGap(): Promise<GapReport> {
  const stage = await Stage.open();
  const { bridge, proxy, players, commits } = stage;
  try {
    await stage.begin();
    await players.do((player) => player.do({ do: "look", after: commits.end }));
    const before = commits.all.length;
    lay(proxy, BLACK_HOLE);
    for (let round = 0; await isKept(); round++) {
      if (round === 2) await bridge.kill().then(() => bridge.startAgain());
      await writePairs(bridge, AT_A_TIME, COMMIT_BYTES);
      await commits.gather();
    }
    const missed = commits.all.length - before;
    lift(proxy);
    // What was swallowed is lost for good, and so are those connections.
    proxy.cut();
    await players.each(
      ({ tale }) =>
        snapshotsOf(tale).length === 2 && [...standsAt(tale).values()].every((point) => point !== undefined),
    );
    await writePairs(bridge, AT_A_TIME, 10);
    await commits.gather();
    await players.do((player) => player.do({ do: "look", after: commits.end }));
    await players.each(({ tale }) => [...standsAt(tale).values()].every((point) => point === commits.end));
    const runs = players.all.flatMap(({ name, tale }) =>
      watchesOf(tale).map((run, i) => ({ name, run, isFirst: i < 2 })),
    );
    return {
      missed,
      gaps: runs.flatMap(({ name, run: { watch, gap } }) =>
        gap === undefined ? [] : [`${name} ${watch} ${gap.reason}`],
      ),
      faults: [
        ...runs.flatMap(({ run, isFirst }) => watchFaults(commits.all, run, isFirst)),
        ...players.all.flatMap(({ tale }) => [
          ...snapshotsOf(tale).flatMap((snapshot) => snapshotFaults(commits.all, snapshot)),
          ...READ_CHECKS.flatMap((check) => check(commits.all, readsOf(tale))),
        ]),
      ],
    };
    async function isKept(): Promise<boolean> {
      return commits.all.length - before <= LEAST_KEPT || (await commits.isKeptAfter(before));
    }
  } finally {
    await stage.close();
  }
}
