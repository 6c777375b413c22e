/**
 * The rounds of a run: in each one every case is measured once, so that what disturbs the machine for a while disturbs
 * all of them; every other round goes backwards, so that no case always has the same one before it.
 */
import type { Case, Sample } from "./case.js";

/** How much is measured. */
export interface RoundOptions {
  readonly rounds: number;
  /** Of one measurement. */
  readonly milliseconds: number;
  /** Rounds before these whose samples are thrown away: code runs several times slower until it is compiled. */
  readonly warmUpRounds: number;
  /** Of one measurement in them. */
  readonly warmUpMilliseconds: number;
}

/** What takes long to begin is measured in every third round. */
const THIRD = 3;

/** Told before each measurement; `round` counts from 1, and those up to `warmUpRounds` are the warm-up. */
export type OnStep = (round: number, step: number) => void;

/** The samples of each case, one for each round in which it was measured. */
export async function measureRounds(
  cases: readonly Case[],
  { rounds, milliseconds, warmUpRounds, warmUpMilliseconds }: RoundOptions,
  onStep: OnStep = () => {},
): Promise<Sample[][]> {
  const samples: Sample[][] = cases.map(() => []);
  for (let round = 1; round <= warmUpRounds + rounds; round++) {
    const order = [...cases.keys()];
    if (round % 2 === 0) order.reverse();
    for (const [step, index] of order.entries()) {
      onStep(round, step + 1);
      const one = cases[index] as Case;
      const warming = round <= warmUpRounds;
      if (one.once && round !== warmUpRounds + 1) continue;
      if (one.costly && !warming && (round - warmUpRounds) % THIRD !== 1) continue;
      const times = one.costly ? THIRD : 1;
      const sample = await one.measure(warming ? warmUpMilliseconds : milliseconds * times);
      if (!warming) samples[index]?.push(sample);
    }
  }
  return samples;
}
