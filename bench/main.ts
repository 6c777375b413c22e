/**
 * `npm run bench`: measures the built bridge beside what it stands on. docs/performance.md tells how to read it.
 *
 * A row that misses its floor is told and is no failure: figures depend on the machine, so nothing is decided by them
 * without a person. A call that fails is a failure.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { build } from "./harness/build.js";
import { type Case, NotHere, type Row } from "./harness/case.js";
import { describeMachine, Noise } from "./harness/machine.js";
import { type Options, readOptions, usage } from "./harness/options.js";
import { profileShares } from "./harness/profile.js";
import { conditions, resultTable, verdictTable } from "./harness/report.js";
import { measureRounds } from "./harness/rounds.js";
import { Stage } from "./harness/stage.js";
import { summarize } from "./harness/summary.js";
import { markdownTable, plainTable } from "./harness/table.js";
import { rows } from "./rows/all.js";

interface Skipped {
  readonly row: string;
  readonly reason: string;
}

async function run(options: Options): Promise<void> {
  const machine = describeMachine();
  const noise = new Noise();
  const stage = new Stage(options);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
  try {
    progress("building");
    build();
    const { cases, skipped } = await prepare(chosenRows(options.only), stage);
    if (cases.length === 0) throw new Error(skipped.map(notMeasured).join("\n"));
    const samples = await measureRounds(cases, options, (round, step) => {
      if (step === 1) noise.probe();
      showProgress(round, step, cases.length, options);
    });
    const results = summarize(cases, samples);
    const remark = noise.remark();
    await stage.end();
    const table = options.markdown ? markdownTable : plainTable;
    const parts = [
      resultTable(results, table),
      verdictTable(results, table),
      conditions(machine, remark, options),
    ];
    for (const part of parts) if (part !== undefined) console.log(`\n${part}`);
    for (const one of skipped) console.log(`\n${notMeasured(one)}`);
    if (options.quick) console.log("\nA quick run: these figures mean nothing.");
    if (options.profile !== undefined) console.log(`\n${profileShares(options.profile)}`);
    if (options.json !== undefined) {
      const report = {
        format: 2,
        at: new Date().toISOString(),
        options,
        machine,
        noise: remark,
        results,
        skipped,
      };
      writeFileSync(options.json, `${JSON.stringify(report, undefined, 2)}\n`);
    }
  } catch (error) {
    throw stage.deaths.length === 0 ? error : new Error(stage.deaths.join("\n"), { cause: error });
  } finally {
    await stage.end();
  }
}

function chosenRows(only: readonly string[] | undefined): readonly Row[] {
  const unknown = only?.find((name) => !rows.some((row) => row.name === name));
  if (unknown !== undefined) {
    throw new Error(`there is no row ${unknown}; there are ${rows.map(({ name }) => name).join(", ")}`);
  }
  return rows.filter(({ name }) => only?.includes(name) ?? true);
}

/** The cases of all rows; those that are compared with each other stand together. */
async function prepare(chosen: readonly Row[], stage: Stage) {
  const groups = new Map<string, Case[]>();
  const skipped: Skipped[] = [];
  for (const row of chosen) {
    progress(`preparing ${row.name}`);
    try {
      for (const one of await row.prepare(stage)) {
        const key = `${one.work} × ${one.callers}`;
        groups.set(key, [...(groups.get(key) ?? []), one]);
      }
    } catch (error) {
      if (!(error instanceof NotHere)) throw error;
      skipped.push({ row: row.name, reason: error.message });
    }
  }
  return { cases: [...groups.values()].flat(), skipped };
}

function notMeasured({ row, reason }: Skipped): string {
  return `Not measured: ${row}, because ${reason}.`;
}

function showProgress(round: number, step: number, steps: number, { rounds, warmUpRounds }: Options): void {
  const name =
    round <= warmUpRounds
      ? `warm-up ${round} of ${warmUpRounds}`
      : `round ${round - warmUpRounds} of ${rounds}`;
  progress(`${name}, case ${step} of ${steps}`, step > 1);
}

/** On a terminal one line that changes; in a log only what is not `minor`. */
function progress(text: string, minor = false): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
  else if (!minor) process.stderr.write(`${text}\n`);
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined) console.log(usage);
  else {
    if (options.profile !== undefined) mkdirSync(options.profile, { recursive: true });
    await run(options);
  }
} catch (error) {
  console.error(`\nerror: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
