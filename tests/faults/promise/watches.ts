/** What watches were told, held against all commits by the nine validators (P5, P6, P7). */
import { printedOf } from "../../../packages/bridge/src/testing/watch-forms.contract.js";
import {
  type Reading,
  type Step,
  VALIDATORS,
} from "../../../packages/bridge/src/testing/watch-validators.contract.js";
import type { RunCommit } from "./commits.js";
import { Values } from "./reads.js";
import type { GapTold, SnapshotTold, Told } from "./tale.js";

/** One watch, from where it was begun to where it ended. */
export interface WatchRun {
  readonly watch: string;
  readonly names: readonly string[];
  readonly after: string | undefined;
  readonly steps: Step[];
  gap: GapTold | undefined;
}

/** The watches of a program, in the order in which they were begun. */
export function watchesOf(tale: readonly Told[]): WatchRun[] {
  const runs: WatchRun[] = [];
  const current = new Map<string, WatchRun>();
  for (const told of tale) {
    if (told.tells === "begins") {
      const { watch, names, after } = told;
      const run = { watch, names, after, steps: [], gap: undefined };
      runs.push(run);
      current.set(watch, run);
    } else if (told.tells === "stands") current.get(told.watch)?.steps.push({ point: told.point });
    else if (told.tells === "event")
      current.get(told.watch)?.steps.push({ event: printedOf(told.event), point: told.point });
    else if (told.tells === "gap") {
      const run = current.get(told.watch);
      if (run !== undefined) run.gap = told;
    }
  }
  return runs;
}

/**
 * What is wrong with what a watch was told, by the names of the validators that say so.
 *
 * @param isFirst whether it was begun before there was anything; else it is not known what there was
 */
export function watchFaults(commits: readonly RunCommit[], run: WatchRun, isFirst: boolean): string[] {
  const { watch, names, after, steps } = run;
  const reading: Reading = {
    ...(after === undefined ? {} : { after }),
    begun: { from: 0, to: isFirst ? 0 : Number.POSITIVE_INFINITY },
    steps,
    wants: (name) => names.length === 0 || names.includes(name),
    wasCut: true,
    maxBytes: Number.POSITIVE_INFINITY,
  };
  return VALIDATORS.flatMap((validator) => {
    try {
      validator(commits, reading);
      return [];
    } catch (error) {
      return [`${validator.name}: ${watch}: ${error instanceof Error ? error.message : error}`];
    }
  });
}

/** Where each watch of a program is now. */
export function standsAt(tale: readonly Told[]): Map<string, string | undefined> {
  const points = new Map<string, string | undefined>();
  for (const told of tale) {
    if (told.tells === "begins") points.set(told.watch, told.after);
    else if (told.tells === "stands" || told.tells === "event") points.set(told.watch, told.point);
  }
  return points;
}

/** What was read after a gap was all of one revision, and what it was there. */
export function snapshotFaults(
  commits: readonly RunCommit[],
  { watch, revision, values }: SnapshotTold,
): string[] {
  const place = commits.findIndex((commit) => commit.revision === revision);
  if (place < 0) return [`${watch}: revision ${revision} never was`];
  const truth = new Values(commits);
  return Object.entries(values).flatMap(([name, value]) => {
    const was = truth.at(name, place);
    return was === value ? [] : [`${watch}: at ${revision} ${name} was ${was} and not ${value}`];
  });
}
