/** How much processor time a process has used. */
import { readdirSync, readFileSync } from "node:fs";

/**
 * The time of all threads of a process in microseconds, garbage collector and compiler included; undefined on systems
 * that have no /proc. Threads that have ended are not counted, so it fits processes whose threads stay.
 */
export function cpuTimeUs(pid: number): number | undefined {
  const folder = `/proc/${pid}/task`;
  let nanoseconds = 0;
  try {
    for (const thread of readdirSync(folder)) {
      nanoseconds += Number(readFileSync(`${folder}/${thread}/schedstat`, "latin1").split(" ", 1)[0]);
    }
  } catch {
    return undefined;
  }
  return nanoseconds / 1_000;
}
