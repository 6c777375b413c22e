import { stripVTControlCharacters } from "node:util";
import { pino } from "pino";
import { expect, test } from "vitest";
import { readable } from "./log.js";

function lineOf(write: (log: pino.Logger) => void): string {
  const lines: string[] = [];
  write(pino({ level: "trace", base: null }, { write: (text) => void lines.push(text) }));
  // Colours are for terminals, and the time is now.
  return stripVTControlCharacters(readable(lines.join(""))).replace(/^[\d:.]{12} /, "");
}

test("a line for people: the level, what happened, and the fields", () => {
  const address = "127.0.0.1:50051";
  expect(lineOf((log) => log.info({ address }, "listening"))).toBe(
    "info  listening address=127.0.0.1:50051\n",
  );
  expect(lineOf((log) => log.debug({ values: ["string 3"], text: "a b" }, "call"))).toBe(
    'debug call values=["string 3"] text="a b"\n',
  );
});

test("a text with line breaks stays on its line", () => {
  expect(lineOf((log) => log.warn({ session: "a\nb" }, "call"))).toBe('warn  call session="a\\nb"\n');
});

test("an error brings its stack", () => {
  const line = lineOf((log) => log.error({ err: new Error("oh") }, "a bug in the bridge"));
  expect(line).toMatch(/^error a bug in the bridge\nError: oh\n {4}at /);
});
