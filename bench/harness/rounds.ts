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

/** Told before each measurement; `round` counts from 1, and those up to `warmUpRounds` are the warm-up. */
export type OnStep = (round: number, step: number) => void;

/** The samples of each case, one per round; one altogether where that is enough. */
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
      if (one.once && round !== warmUpRounds + 1) continue;
      const warming = round <= warmUpRounds;
      const sample = await one.measure(warming ? warmUpMilliseconds : milliseconds);
      if (!warming) samples[index]?.push(sample);
    }
  }
  return samples;
}
