/** One measurement: a program puts load on a process, whose processor time is read before and after, and its memory. */
import type { Load, Outcome } from "../programs/closed-loop.js";
import type { Sample } from "./case.js";
import type { Child } from "./child.js";
import { cpuTimeUs } from "./cpu-time.js";
import { residentMiB } from "./resident.js";

/** `pid` is the process under test; the load goes to the program as it is, with what else that needs to know. */
export async function measureLoad<L extends Load>(program: Child, pid: number, load: L): Promise<Sample> {
  const before = cpuTimeUs(pid);
  const outcome = await program.ask<Outcome>(load, load.milliseconds + 30_000);
  const after = cpuTimeUs(pid);
  if (outcome.calls === 0) throw new Error(`${program.label} made no call`);
  const rssMiB = residentMiB(pid);
  return {
    ...outcome,
    ...(before === undefined || after === undefined ? {} : { cpuUs: (after - before) / outcome.calls }),
    ...(rssMiB === undefined ? {} : { rssMiB }),
  };
}
