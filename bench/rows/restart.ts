/**
 * How long a bridge takes to be there again on a file with many sessions, beside its start on a file with next to nothing,
 * which is what Node and the program take anyway. One measurement is one start, on a fresh copy of the file.
 */
import { closeSync, copyFileSync, existsSync, fsyncSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Floor, Row, Sample } from "../harness/case.js";
import type { Child } from "../harness/child.js";
import { cpuTimeUs } from "../harness/cpu-time.js";
import { residentMiB } from "../harness/resident.js";
import type { Stage } from "../harness/stage.js";

const FULL = { sessions: 1_000, variables: 100, tailCommits: 20_000 };
const QUICK = { sessions: 20, variables: 10, tailCommits: 400 };
const SMALL = "one variable";
const MAKING_TIMEOUT_MS = 300_000;

const FLOOR: Floor = { metric: "p50Us", as: "excess", floor: 1_000_000, goal: 300_000 };

/** What belongs to a file, whether its server closed it or was killed. */
const SUFFIXES = ["", "-wal"];

/** What is waited for. */
type Until = "it listens" | "a first get is answered";

interface Template {
  readonly name: string;
  readonly subject: string;
  readonly file: string;
}

export const restart: Row = {
  name: "restart",
  async prepare(stage) {
    const templates = await makeFiles(stage, stage.quick ? QUICK : FULL);
    return (["it listens", "a first get is answered"] as const).flatMap((until) =>
      templates.map((template) => ({
        work: `start until ${until}`,
        callers: 1,
        subject: template.subject,
        ...(template.subject === SMALL ? {} : { beside: SMALL, floors: [FLOOR] }),
        measure: () => measureStart(stage, template, until),
      })),
    );
  },
};

async function makeFiles(
  stage: Stage,
  { sessions, variables, tailCommits }: typeof FULL,
): Promise<readonly Template[]> {
  const folder = stage.folder("restart");
  const many = `${(sessions * variables).toLocaleString("en")} variables`;
  const template = (name: string, subject: string) => ({ name, subject, file: join(folder, `${name}.db`) });
  const small = template("small", SMALL);
  const closed = template("closed", `${many}, closed`);
  const killed = template("killed", `${many}, killed`);
  const maker = await stage.program("store-maker.ts");
  await make(maker, { work: "fill", file: small.file, sessions: 1, variables: 1 }, 0);
  await make(maker, { work: "fill", file: closed.file, sessions, variables }, 0);
  copy(closed.file, killed.file);
  await make(maker, { work: "tail", file: killed.file, sessions, commits: tailCommits }, tailCommits);
  await maker.kill();
  return [small, closed, killed];
}

/** Has a file made. What it has not folded has to be this many commits, or it is not what is to be measured. */
async function make(maker: Child, question: object, tailCommits: number): Promise<void> {
  const made = await maker.ask<{ readonly tailCommits: number }>(question, MAKING_TIMEOUT_MS);
  if (made.tailCommits === tailCommits) return;
  throw new Error(`the file has ${made.tailCommits} commits in its tail, not ${tailCommits}`);
}

async function measureStart(stage: Stage, template: Template, until: Until): Promise<Sample> {
  const file = join(stage.folder("restart"), "measured.db");
  copy(template.file, file);
  const callers = await stage.program("grpc-callers.ts");
  const before = performance.now();
  const { child, address } = await stage.bridge(`restart-${template.name}`, `sqlite:${file}`);
  if (until === "a first get is answered") await callers.ask({ work: "first get", address });
  const seconds = (performance.now() - before) / 1_000;
  const cpuUs = cpuTimeUs(child.pid);
  const rssMiB = residentMiB(child.pid);
  await child.end();
  for (const suffix of [...SUFFIXES, "-shm", "-lock"]) rmSync(`${file}${suffix}`, { force: true });
  return {
    calls: 1,
    seconds,
    p50Us: seconds * 1_000_000,
    p99Us: seconds * 1_000_000,
    ...(cpuUs === undefined ? {} : { cpuUs }),
    ...(rssMiB === undefined ? {} : { rssMiB }),
  };
}

/** Copies a file that nobody has open. The copy is on disk, so that nothing of it is written while a start is measured. */
function copy(from: string, to: string): void {
  for (const suffix of SUFFIXES) {
    if (!existsSync(`${from}${suffix}`)) continue;
    copyFileSync(`${from}${suffix}`, `${to}${suffix}`);
    const written = openSync(`${to}${suffix}`, "r");
    fsyncSync(written);
    closeSync(written);
  }
}
