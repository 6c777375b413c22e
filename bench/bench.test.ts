// The benchmark runs and prints every row. Its figures are not looked at: no test may depend on how fast a machine is.
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const hasPython = existsSync(join(root, ".venv"));
const folder = mkdtempSync(join(tmpdir(), "snakepit-bench-"));
const json = join(folder, "results.json");
let printed = "";

beforeAll(async () => {
  const args = ["--import", "tsx", "bench/main.ts", "--quick", "--json", json];
  ({ stdout: printed } = await promisify(execFile)(process.execPath, args, { cwd: root }));
});

afterAll(() => rmSync(folder, { recursive: true }));

const works = ["unary get", "unary set"];
const callers = [1, 16, 64];
const subjects = ["bridge", "bare grpc-js echo", "the echo again", "bridge, TypeScript client"];
if (hasPython) subjects.push("bridge, Python asyncio");

describe("a quick run", () => {
  const rows = works.flatMap((work) =>
    callers.flatMap((count) => subjects.map((subject) => [work, count, subject] as const)),
  );
  const engine = ["dispatch get", "dispatch set", "make a record"].map(
    (work) => [work, 1, "engine in process"] as const,
  );

  it.each([...rows, ...engine])("prints %s × %i: %s", (work, count, subject) => {
    const cells = [work, count, subject].map((cell) => `${cell} +`).join(" ");
    expect(printed).toMatch(new RegExp(`^${cells}[\\d.,]+`, "m"));
  });

  it("tells of each floor whether it was reached", () => {
    // Of latency everywhere, of processor time where the system tells it.
    const told = printed.match(/1\.3× (yes|no)/g)?.length;
    expect(told).toBeGreaterThanOrEqual(works.length * callers.length);
  });

  it("tells where it ran, and what it did not measure", () => {
    expect(printed).toMatch(/^Machine: \d+ cores .*@grpc\/grpc-js \d/m);
    expect(printed).toContain("Noise: ");
    expect(printed.includes("Not measured: python")).toBe(!hasPython);
  });

  it("writes the same as JSON", () => {
    const { results } = JSON.parse(readFileSync(json, "utf8")) as { results: readonly unknown[] };
    expect(results).toHaveLength(rows.length + engine.length);
  });
});
