/** The log of the command line: on standard error, a readable line each on a terminal, JSON for everything else. */
import { styleText } from "node:util";
import { destination, type Logger, pino } from "pino";

/** What `--log-level` takes. */
export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

export function createLog(level: string): Logger {
  return process.stderr.isTTY
    ? pino({ level, base: null }, { write: (line) => void process.stderr.write(readable(line)) })
    : pino({ level }, destination(2));
}

const COLOURS = { debug: "gray", info: "green", warn: "yellow", error: "red", fatal: "red" } as const;

/** `12:30:01.250 info  listening address=127.0.0.1:50051` */
export function readable(line: string): string {
  const { level, time, msg, err, ...fields } = JSON.parse(line);
  const name = pino.levels.labels[level] ?? "trace";
  const colour = COLOURS[name as keyof typeof COLOURS] ?? "gray";
  const clock = new Date(time).toISOString().slice(11, 23);
  const rest = Object.entries(fields).map(([key, value]) => ` ${key}=${plain(value)}`);
  const stack = err?.stack === undefined ? "" : `\n${err.stack}`;
  return `${clock} ${styleText(colour, name.padEnd(5))} ${msg}${rest.join("")}${stack}\n`;
}

function plain(value: unknown): string {
  return typeof value === "string" && /^[\w.:@/-]+$/.test(value) ? value : JSON.stringify(value);
}
