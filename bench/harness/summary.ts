/** What the samples of a run say: a median for each case, and ratios between cases of the same rounds. */
import type { Case, Comparison, Floor, Metric, Sample } from "./case.js";
import { median, percentile } from "./statistics.js";

/** A case compared with another one, round by round: the median, and where the middle half lies. */
export interface Spread {
  readonly median: number;
  readonly lowerQuartile: number;
  readonly upperQuartile: number;
}

export interface Verdict extends Floor {
  readonly as: Comparison;
  readonly measured: Spread;
  /** Absent: it was not asked for. */
  readonly floorReached?: boolean;
  readonly goalReached?: boolean;
}

/** All that a run says of one case. */
export interface Result extends Pick<Case, "work" | "callers" | "subject" | "beside"> {
  readonly median: Figures;
  readonly ratios?: Partial<Record<Metric, Spread>>;
  readonly verdicts: readonly Verdict[];
  readonly samples: readonly Sample[];
}

export interface Figures {
  readonly callsPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly cpuUs?: number;
  readonly rssMiB?: number;
}

const COMPARE: Readonly<Record<Comparison, (one: number, another: number) => number>> = {
  ratio: (one, another) => one / another,
  excess: (one, another) => one - another,
  itself: (one) => one,
};

/** Those by which a case is compared with the one that it stands beside, whatever is asked of it. */
const METRICS: readonly Metric[] = ["callsPerSecond", "p50Us", "cpuUs"];

export function summarize(cases: readonly Case[], samples: readonly (readonly Sample[])[]): Result[] {
  return cases.map((one, index) => {
    const own = samples[index] ?? [];
    const { work, callers, subject, beside } = one;
    /** The samples of another subject at the same work; none if that was not measured. */
    const of = (name: string | undefined) =>
      samples[cases.findIndex((c) => c.work === work && c.callers === callers && c.subject === name)] ?? [];
    return {
      work,
      callers,
      subject,
      ...(beside === undefined ? {} : { beside }),
      median: figures(own),
      ...ratiosOf(own, of(beside)),
      verdicts: (one.floors ?? []).flatMap((floor) => {
        if (floor.as === "itself") return verdict(floor, own, own);
        const against = floor.beside ?? beside;
        return against === undefined ? [] : verdict({ ...floor, beside: against }, own, of(against));
      }),
      samples: own,
    };
  });
}

function figures(samples: readonly Sample[]): Figures {
  const of = (metric: (sample: Sample) => number) => median(samples.map(metric));
  const cpuUs = samples.flatMap((sample) => sample.cpuUs ?? []);
  const rssMiB = samples.flatMap((sample) => sample.rssMiB ?? []);
  return {
    callsPerSecond: of((sample) => measured(sample, "callsPerSecond") as number),
    p50Us: of(({ p50Us }) => p50Us),
    p99Us: of(({ p99Us }) => p99Us),
    ...(cpuUs.length === 0 ? {} : { cpuUs: median(cpuUs) }),
    ...(rssMiB.length === 0 ? {} : { rssMiB: median(rssMiB) }),
  };
}

function ratiosOf(own: readonly Sample[], other: readonly Sample[]): Pick<Result, "ratios"> {
  const ratios = METRICS.flatMap((metric) => {
    const ratio = compare(own, other, metric, "ratio");
    return ratio === undefined ? [] : [[metric, ratio] as const];
  });
  return ratios.length === 0 ? {} : { ratios: Object.fromEntries(ratios) };
}

/** Undefined if there is no round in which both were measured. */
function compare(
  own: readonly Sample[],
  other: readonly Sample[],
  metric: Metric,
  as: Comparison,
): Spread | undefined {
  const compared = own.flatMap((sample, round) => {
    const [one, another] = [measured(sample, metric), measured(other[round], metric)];
    if (one === undefined || another === undefined) return [];
    return COMPARE[as](one, another);
  });
  if (compared.length === 0) return undefined;
  const sorted = compared.sort((a, b) => a - b);
  return {
    median: median(sorted),
    lowerQuartile: percentile(sorted, 0.25),
    upperQuartile: percentile(sorted, 0.75),
  };
}

function measured(sample: Sample | undefined, metric: Metric): number | undefined {
  return metric === "callsPerSecond" ? sample && sample.calls / sample.seconds : sample?.[metric];
}

function verdict(
  { as = "ratio", ...floor }: Floor,
  own: readonly Sample[],
  other: readonly Sample[],
): Verdict[] {
  const spread = compare(own, other, floor.metric, as);
  if (spread === undefined) return [];
  const reached = (bound: number) =>
    floor.metric === "callsPerSecond" ? spread.median >= bound : spread.median <= bound;
  return [
    {
      ...floor,
      as,
      measured: spread,
      ...(floor.floor === undefined ? {} : { floorReached: reached(floor.floor) }),
      ...(floor.goal === undefined ? {} : { goalReached: reached(floor.goal) }),
    },
  ];
}
