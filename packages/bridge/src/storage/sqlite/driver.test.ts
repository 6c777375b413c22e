import { expect, test } from "vitest";
import { isTooOld, openDatabase } from "./driver.js";

test.for([
  ["0", true],
  ["3.47.2", true],
  ["3.51.2", true],
  ["3.51.3", false],
  ["3.51.10", false],
  ["3.53.0", false],
  ["4.0.0", false],
] as const)("SQLite %s is too old: %s", ([version, tooOld]) => {
  expect(isTooOld(version)).toBe(tooOld);
});

test("the SQLite that is taken, Node's own or the package's, is new enough, and nothing is said about it", async () => {
  const warnings: unknown[] = [];
  const note = (warning: unknown): void => void warnings.push(warning);
  process.on("warning", note);
  const db = await openDatabase(":memory:");
  const { version } = db.prepare("SELECT sqlite_version() AS version").get() ?? {};
  db.close();
  expect(isTooOld(String(version))).toBe(false);
  // Warnings are told in the next turn.
  await new Promise((done) => setImmediate(done));
  process.off("warning", note);
  expect(warnings).toEqual([]);
});
