// Reads what a step has done. A suite that crashed or ran no test has failed, whatever its report says.
import { existsSync, readFileSync } from "node:fs";

/** The arguments that make each kind of suite write its report to this file. */
export const reportArguments = {
  check: () => [],
  vitest: (path) => ["--reporter=default", "--reporter=json", `--outputFile.json=${path}`],
  pytest: (path) => ["-rs", `--junitxml=${path}`],
};

const readers = { vitest: readVitest, pytest: readJunit };

/** `{ passed, failed, skipped, note }`: skipped are texts, note says what a report alone would hide. */
export function readResult(kind, code, path) {
  if (kind === "check") return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: [] };
  if (!existsSync(path)) return { passed: 0, failed: 1, skipped: [], note: `no report, exit code ${code}` };
  const result = readers[kind](readFileSync(path, "utf8"));
  if (result.failed > 0) return result;
  if (result.passed === 0) return { ...result, failed: 1, note: `no test ran, exit code ${code}` };
  if (code !== 0) return { ...result, failed: 1, note: `exit code ${code} although no test failed` };
  return result;
}

function readVitest(text) {
  const result = { passed: 0, failed: 0, skipped: [] };
  for (const file of JSON.parse(text).testResults) {
    if (file.status === "failed" && !file.assertionResults.some(({ status }) => status === "failed"))
      result.failed++;
    for (const { status, fullName } of file.assertionResults) {
      if (status === "passed") result.passed++;
      else if (status === "failed") result.failed++;
      else result.skipped.push(`${fullName.trim()} (${status})`);
    }
  }
  return result;
}

/** pytest's own JUnit file: its shape is fixed, so no XML parser is needed. */
function readJunit(text) {
  const count = (name) => Number(new RegExp(`<testsuite [^>]*\\b${name}="(\\d+)"`).exec(text)?.[1] ?? 0);
  const failed = count("failures") + count("errors");
  const skipped = [...text.matchAll(/ name="([^"]*)"[^>]*><skipped [^>]*message="([^"]*)"/g)].map(
    ([, name, reason]) => `${decode(name)}: ${decode(reason)}`,
  );
  return { passed: Math.max(0, count("tests") - failed - count("skipped")), failed, skipped };
}

function decode(text) {
  const entities = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&", "#10": " " };
  return text.replaceAll(/&(#?\w+);/g, (all, name) => entities[name] ?? all);
}
