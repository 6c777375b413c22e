/** What a worker prints, line by line, each with a level. */
import type { Line } from "./lines.js";

export type LogLevel = "debug" | "info" | "warn" | "error" | "fatal";

/** A line that the worker, or something it has started, has printed. */
export interface LogLine extends Line {
  readonly stream: "stdout" | "stderr";
  /**
   * The level that stands in the line, as Python's logging writes it: first (`ERROR:name:text`), or after a time. Without
   * one it is `info` on stdout and `warn` on stderr.
   */
  readonly level: LogLevel;
}

/** A level at the start, or after nothing but a date, a time, numbers and brackets. */
const LEVEL = /^[\d\s\-:.,/TZ+|()[\]]*(DEBUG|INFO|WARNING|WARN|ERROR|CRITICAL|FATAL)\b/;

const LEVELS: Readonly<Record<string, LogLevel>> = {
  DEBUG: "debug",
  INFO: "info",
  WARNING: "warn",
  WARN: "warn",
  ERROR: "error",
  CRITICAL: "fatal",
  FATAL: "fatal",
};

export function logLine(stream: LogLine["stream"], { text, cut }: Line): LogLine {
  const named = LEVELS[LEVEL.exec(text)?.[1] ?? ""];
  return Object.freeze({ stream, level: named ?? (stream === "stdout" ? "info" : "warn"), text, cut });
}
