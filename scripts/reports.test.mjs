// The last line of `npm test` is only as true as this reading of reports.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readResult } from "./reports.mjs";

const folder = mkdtempSync(join(tmpdir(), "snakepit-reports-"));
afterAll(() => rmSync(folder, { recursive: true }));

function read(kind, code, text) {
  const path = join(folder, "report");
  writeFileSync(path, text);
  return readResult(kind, code, path);
}

const junit = (attributes, cases = "") =>
  `<?xml version="1.0"?><testsuites name="pytest tests"><testsuite name="pytest" ${attributes} time="1">${cases}</testsuite></testsuites>`;

const vitest = (...files) => JSON.stringify({ testResults: files });
const file = (status, ...tests) => ({
  status,
  assertionResults: tests.map((state) => ({ status: state, fullName: `a ${state} test` })),
});

describe("pytest", () => {
  it("counts, and gives the reasons of skips", () => {
    const skip =
      '<testcase classname="t" name="t[&lt;x&gt;]" time="0"><skipped type="pytest.skip" message="no &quot;fork&quot;">t.py:1</skipped></testcase>';
    expect(read("pytest", 0, junit('errors="0" failures="0" skipped="1" tests="5"', skip))).toEqual({
      passed: 4,
      failed: 0,
      skipped: ['t[<x>]: no "fork"'],
    });
  });

  it("adds errors to failures", () => {
    const result = read("pytest", 1, junit('errors="1" failures="2" skipped="0" tests="5"'));
    expect(result).toMatchObject({ passed: 2, failed: 3 });
  });

  it("fails when it ran nothing, crashed or wrote no report", () => {
    expect(read("pytest", 5, junit('errors="0" failures="0" skipped="0" tests="0"'))).toMatchObject({
      failed: 1,
    });
    expect(read("pytest", 139, junit('errors="0" failures="0" skipped="0" tests="3"'))).toMatchObject({
      passed: 3,
      failed: 1,
    });
    expect(readResult("pytest", 4, join(folder, "none"))).toMatchObject({ passed: 0, failed: 1 });
  });
});

describe("vitest", () => {
  it("counts, and names what was skipped", () => {
    expect(read("vitest", 0, vitest(file("passed", "passed", "passed", "pending", "todo")))).toEqual({
      passed: 2,
      failed: 0,
      skipped: ["a pending test (pending)", "a todo test (todo)"],
    });
  });

  it("counts a file that could not be loaded, an error outside of tests, and an empty run as failed", () => {
    expect(read("vitest", 1, vitest(file("passed", "passed"), file("failed")))).toMatchObject({
      passed: 1,
      failed: 1,
    });
    expect(read("vitest", 1, vitest(file("passed", "passed")))).toMatchObject({ passed: 1, failed: 1 });
    expect(read("vitest", 0, vitest(file("passed", "skipped")))).toMatchObject({ passed: 0, failed: 1 });
  });
});

it("a check is one result", () => {
  expect(readResult("check", 0)).toEqual({ passed: 1, failed: 0, skipped: [] });
  expect(readResult("check", 2)).toEqual({ passed: 0, failed: 1, skipped: [] });
});
