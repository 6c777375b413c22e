import { expect, test } from "vitest";
import { logLine } from "./log.js";

const level = (text: string, stream: "stdout" | "stderr" = "stderr"): string =>
  logLine(stream, { text, cut: false }).level;

test.each([
  ["DEBUG:root:text", "debug"],
  ["INFO:app:text", "info"],
  ["WARNING:root:text", "warn"],
  ["ERROR:root:text", "error"],
  ["CRITICAL:root:text", "fatal"],
  ["2026-01-02 10:11:12,345 ERROR text", "error"],
  ["2026-01-02T10:11:12Z - ERROR - text", "error"],
  ["[2026-01-02 10:11:12 +0000] [17] [INFO] Starting", "info"],
  ["[DEBUG] text", "debug"],
  ["  INFO text", "info"],
])("%s is of the level %s", (text, expected) => {
  expect(level(text, "stdout")).toBe(expected);
  expect(level(text, "stderr")).toBe(expected);
});

test.each([
  ["text"],
  [""],
  ["text ERROR"],
  ["ERRORS: 3"],
  ["error: text"],
  ["INFORMATION"],
  ["step 3 INFO"],
  ["ValueError: no"],
])("%j has no level: it is info on stdout and warn on stderr", (text) => {
  expect(level(text, "stdout")).toBe("info");
  expect(level(text, "stderr")).toBe("warn");
});

test("a line keeps all of its text", () => {
  const line = logLine("stdout", { text: "ERROR:root:text", cut: true });
  expect(line).toEqual({ stream: "stdout", level: "error", text: "ERROR:root:text", cut: true });
});
