/** Watching the system calls of a bridge, and making some of them fail. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** Why system calls cannot be traced here; undefined if they can. */
export const noStrace = tryStrace();

function tryStrace(): string | undefined {
  if (process.platform !== "linux") return "strace is for Linux";
  const { error, status, stderr } = spawnSync(
    "strace",
    ["-D", "-f", "-y", "-o", "/dev/null", "-e", "inject=fsync:error=EIO:when=1000+", process.execPath, "-v"],
    { encoding: "utf8", timeout: 20_000 },
  );
  if (error !== undefined) return `strace cannot be run: ${error.message}`;
  return status === 0 ? undefined : `strace does not work here: ${stderr.trim()}`;
}

/**
 * What a program is run under to have its calls traced. It stays the child of this process (-D), so signals and its exit
 * code are its own; file names stand beside descriptors (-y).
 */
export function strace(output: string, ...options: readonly string[]): string[] {
  return ["strace", "-D", "-f", "-y", "-o", output, ...options];
}

/** A system call: the lines of the trace where it begins and ends, and what it says. */
export interface Call {
  readonly begin: number;
  readonly end: number;
  readonly text: string;
}

/** Reads a trace. A call that others came in between of stands there in two parts, which are put together. */
export function readTrace(output: string): Call[] {
  const calls: Call[] = [];
  const open = new Map<string, { begin: number; text: string }>();
  for (const [i, line] of readFileSync(output, "latin1").split("\n").entries()) {
    const [, thread = "", text = ""] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(text);
    const start = open.get(thread);
    if (text.endsWith(" <unfinished ...>")) {
      open.set(thread, { begin: i, text: text.slice(0, -" <unfinished ...>".length) });
    } else if (resumed !== null && start !== undefined) {
      calls.push({ begin: start.begin, end: i, text: start.text + resumed[1] });
      open.delete(thread);
    } else if (text !== "") {
      calls.push({ begin: i, end: i, text });
    }
  }
  return calls;
}
