/** A run that found nothing is worth something only if it saw something, so it counts what it saw. */
import { REASONS } from "../../packages/bridge/src/core/refusal.js";
import type { ModelReport } from "./run-model.js";

/** What no command is refused for: a bug in the server, a client of another version, and what only watches are told. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  "INTERNAL",
  "VERSION_MISMATCH",
  "HISTORY_COMPACTED",
  "WATCH_GAP",
  "WATCH_OVERFLOW",
  "TOO_MANY_WATCHES",
]);

/** What every run of some size has to have seen. */
export const HAS_TO_BE_SEEN: readonly string[] = [
  ...[
    "ping",
    "createSession",
    "getSession",
    "listSessions",
    "heartbeat",
    "deleteSession",
    "registerVariable",
    "ensureVariables",
    "getVariable",
    "getVariables",
    "setVariable",
    "setVariables",
    "incrementVariable",
    "deleteVariable",
    "listVariables",
    "getVariableHistory",
  ].flatMap((kind) => [`${kind} accepted`, `${kind} refused`]),
  ...REASONS.filter((reason) => !ELSEWHERE.has(reason)),
  "a session expired",
  "a session was created again",
  "a write created its session",
  "a retry was answered with the original reply",
  "a variable was inferred",
  "expected_version 0 created a variable",
  "a provisional integer became a float",
  "a provisional variable was settled",
  "constraints were replaced",
  "JSON was kept as it was sent",
  "a value of another arm became JSON",
  "a value was none of the choices",
  "an ensure changed nothing",
  "a deleted name was created again",
  "best effort, some accepted",
  "best effort, none accepted",
  "an empty batch",
  "an increment overflowed",
  "a variable was found by its id",
  "a former id led nowhere",
  "a history was longer than what is kept",
  "the wall clock jumped",
  "commands were sent together",
];

/** What runs on files have to have seen besides. */
export const HAS_TO_BE_SEEN_ON_FILES: readonly string[] = [
  "the engine was restarted",
  "commands were answered in a stop",
  "commands were refused in a stop",
  "the engine crashed",
  "a crash had nothing to lose",
  "a crash lost writes that nobody was told of",
  "a crash lost writes of several sessions",
  "a crash kept writes that nobody was told of",
  "a write was retried after a crash: lost",
  "a write was retried after a crash: kept",
  "a command woke a session",
  "a crash found the tail folded",
  "a crash found a snapshot",
];

/** Which of the things that have to be seen were not. */
export function missingFrom({ seen }: Pick<ModelReport, "seen">, expected: readonly string[]): string[] {
  return expected.filter((what) => !seen.has(what));
}

/** What was seen, in columns. */
export function summaryOf({ seen, runs, seed }: Pick<ModelReport, "seen" | "runs" | "seed">): string {
  const lines = [...seen]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([what, times]) => `${String(times).padStart(9)}  ${what}`);
  return [`${runs} sequences, seed ${seed}`, ...lines].join("\n");
}
