/** What a person reads at the end of a run. */
import type { Comparison, Metric } from "./case.js";
import type { Machine, NoiseRemark } from "./machine.js";
import type { RoundOptions } from "./rounds.js";
import type { Result } from "./summary.js";
import { milliseconds, number, ratio, type Table } from "./table.js";

const METRIC_WORDS: Record<Metric, string> = {
  callsPerSecond: "calls/s",
  p50Us: "p50",
  p99Us: "p99",
  cpuUs: "server CPU",
  inUseMiB: "memory in use",
  bytesEach: "bytes each",
};

/** What stands between a case and what it is compared with. */
const COMPARISON_WORDS: Record<Comparison, string> = { ratio: " to ", excess: " beyond ", itself: "" };

function written(value: number, metric: Metric, as: Comparison): string {
  if (as === "ratio") return ratio(value);
  if (metric === "inUseMiB") return `${number(value)} MiB`;
  if (metric === "bytesEach") return number(value);
  return metric === "callsPerSecond" ? number(value) : milliseconds(value);
}

const HEADING = [
  "work",
  "callers",
  "subject",
  "calls/s",
  "p50 µs",
  "p99 µs",
  "CPU µs",
  "RSS MiB",
  "calls/s ratio",
  "CPU ratio",
  "p50 ratio",
];

/** The table of all cases: medians over the rounds, and medians of the ratios within each round. */
export function resultTable(results: readonly Result[], table: Table): string {
  const lines = results.map(({ work, callers, subject, median, ratios }) => [
    work,
    String(callers),
    subject,
    number(median.callsPerSecond),
    number(median.p50Us),
    number(median.p99Us),
    number(median.cpuUs),
    number(median.rssMiB),
    ratio(ratios?.callsPerSecond?.median),
    ratio(ratios?.cpuUs?.median),
    ratio(ratios?.p50Us?.median),
  ]);
  return table(HEADING, lines, 3);
}

/** Which floors and goals were reached; undefined if nothing was asked. */
export function verdictTable(results: readonly Result[], table: Table): string | undefined {
  const lines = results.flatMap(({ work, callers, subject, verdicts }) =>
    verdicts.map(({ metric, as, beside, measured, floor, goal, floorReached, goalReached }) => {
      const write = (value: number) => written(value, metric, as);
      const asked = (bound: number | undefined, isReached: boolean | undefined) =>
        bound === undefined ? "–" : `${write(bound)} ${isReached ? "yes" : "no"}`;
      return [
        `${work} × ${callers}`,
        `${METRIC_WORDS[metric]} of ${subject}${COMPARISON_WORDS[as]}${beside ?? ""}`,
        write(measured.median),
        `${write(measured.lowerQuartile)} to ${write(measured.upperQuartile)}`,
        asked(floor, floorReached),
        asked(goal, goalReached),
      ];
    }),
  );
  if (lines.length === 0) return undefined;
  return table(["work", "compared", "median", "middle half", "floor reached", "goal reached"], lines, 2);
}

/** The conditions of the run. */
export function conditions(machine: Machine, noise: NoiseRemark, options: RoundOptions): string {
  const { cores, processor, memoryGiB, system, node } = machine;
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  const spread = noise.slowestToFastestProbe;
  return [
    `Machine: ${cores} cores (${processor}), ${memoryGiB} GiB, ${system}; node ${node}, ${versions.join(", ")}.`,
    `Medians of ${options.rounds} interleaved rounds of ${options.milliseconds} ms a case. CPU is that of the process under test, all threads.`,
    `Noise: a fixed piece of work took up to ${spread.toFixed(2)}× its shortest time; load average ` +
      `${noise.loadBefore.toFixed(1)} before, ${noise.loadAfter.toFixed(1)} after. ` +
      (spread > 1.15 || noise.loadBefore > cores / 4
        ? "Others used this machine: trust the ratios only."
        : "The machine was quiet."),
  ].join("\n");
}
