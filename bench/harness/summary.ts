/** What the samples of a run say: a median for each case, and ratios between cases of the same rounds. */
import type { Case, Floor, Metric, Sample } from "./case.js";
import { median, percentile } from "./statistics.js";

/** A case compared with the one it stands beside, round by round: the median, and where the middle half lies. */
export interface Ratio {
  readonly median: number;
  readonly lowerQuartile: number;
  readonly upperQuartile: number;
}

export interface Verdict extends Floor {
  readonly ratio: Ratio;
  readonly floorReached: boolean;
  readonly goalReached: boolean;
}

/** All that a run says of one case. */
export interface Result extends Pick<Case, "work" | "callers" | "subject" | "beside"> {
  readonly median: Figures;
  readonly ratios?: Partial<Record<Metric, Ratio>>;
  readonly verdicts: readonly Verdict[];
  readonly samples: readonly Sample[];
}

export interface Figures {
  readonly callsPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly cpuUs?: number;
}

const METRICS: readonly Metric[] = ["callsPerSecond", "p50Us", "cpuUs"];

export function summarize(cases: readonly Case[], samples: readonly (readonly Sample[])[]): Result[] {
  return cases.map((one, index) => {
    const own = samples[index] ?? [];
    const other = cases.findIndex(
      ({ work, callers, subject }) => work === one.work && callers === one.callers && subject === one.beside,
    );
    const ratios = other < 0 ? undefined : ratiosOf(own, samples[other] ?? []);
    const { work, callers, subject, beside } = one;
    return {
      work,
      callers,
      subject,
      ...(beside === undefined ? {} : { beside }),
      median: figures(own),
      ...(ratios === undefined ? {} : { ratios }),
      verdicts: (one.floors ?? []).flatMap((floor) => verdict(floor, ratios?.[floor.metric])),
      samples: own,
    };
  });
}

function figures(samples: readonly Sample[]): Figures {
  const of = (metric: (sample: Sample) => number) => median(samples.map(metric));
  const cpuUs = samples.flatMap((sample) => sample.cpuUs ?? []);
  return {
    callsPerSecond: of((sample) => measured(sample, "callsPerSecond") as number),
    p50Us: of(({ p50Us }) => p50Us),
    p99Us: of(({ p99Us }) => p99Us),
    ...(cpuUs.length === 0 ? {} : { cpuUs: median(cpuUs) }),
  };
}

function ratiosOf(own: readonly Sample[], other: readonly Sample[]): Partial<Record<Metric, Ratio>> {
  const ratios: Partial<Record<Metric, Ratio>> = {};
  for (const metric of METRICS) {
    const quotients = own.flatMap((sample, round) => {
      const [above, below] = [measured(sample, metric), measured(other[round], metric)];
      return above === undefined || below === undefined ? [] : above / below;
    });
    if (quotients.length === 0) continue;
    const sorted = quotients.sort((a, b) => a - b);
    ratios[metric] = {
      median: median(sorted),
      lowerQuartile: percentile(sorted, 0.25),
      upperQuartile: percentile(sorted, 0.75),
    };
  }
  return ratios;
}

function measured(sample: Sample | undefined, metric: Metric): number | undefined {
  return metric === "callsPerSecond" ? sample && sample.calls / sample.seconds : sample?.[metric];
}

function verdict(floor: Floor, ratio: Ratio | undefined): Verdict[] {
  if (ratio === undefined) return [];
  const reached = (bound: number) =>
    floor.metric === "callsPerSecond" ? ratio.median >= bound : ratio.median <= bound;
  return [{ ...floor, ratio, floorReached: reached(floor.floor), goalReached: reached(floor.goal) }];
}
