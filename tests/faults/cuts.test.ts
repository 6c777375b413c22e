/**
 * Watches over connections that are cut at random bytes. `npm run torture:cuts` does the same for long; there the environment
 * says how many cuts, and from which seed.
 */
import { expect, test } from "vitest";
import { playCuts, TRANSPORTS } from "./cuts.js";

/** One round: as many as stay whole with all that they were told in memory and every commit looked at again and again. */
const ROUND = { cuts: 30, events: 1_500 };

const { SNAKEPIT_BRIDGE_CUTS, SNAKEPIT_BRIDGE_SEED } = process.env;
const rounds = Math.ceil(Number(SNAKEPIT_BRIDGE_CUTS ?? ROUND.cuts) / ROUND.cuts);
const first = Number(SNAKEPIT_BRIDGE_SEED ?? Date.now() % 2 ** 31);

test.each(Object.keys(TRANSPORTS))(
  "over %s every commit is told once, whole and in order, wherever a connection is cut [ORD-4 accepts] [ORD-6 accepts]",
  { timeout: 60_000 * rounds },
  async (over) => {
    const sum = { cuts: 0, connections: 0, events: 0 };
    for (let seed = first; seed < first + rounds; seed++) {
      const report = await playCuts({ ...ROUND, over, seed }).catch((cause: unknown) => {
        throw new Error(`seed ${seed}: ${cause}`, { cause });
      });
      expect(report.cuts).toBeGreaterThanOrEqual(ROUND.cuts);
      expect(report.events).toBeGreaterThanOrEqual(ROUND.events);
      for (const key of ["cuts", "connections", "events"] as const) sum[key] += report[key];
    }
    console.log(
      `typescript over ${over}: ${sum.cuts} cuts of ${sum.connections} connections, ${sum.events} events`,
    );
  },
);
