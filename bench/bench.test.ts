// The benchmark runs and prints every row. Its figures are not looked at: no test may depend on how fast a machine is.
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isInMemory } from "./harness/in-memory.js";
import { pathOf } from "./harness/path.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const hasPython = existsSync(join(root, ".venv"));
const hasPeers = ["redis-server", "etcd"].every(pathOf) && !isInMemory(tmpdir());
const folder = mkdtempSync(join(tmpdir(), "snakepit-bench-"));
const json = join(folder, "results.json");
let printed = "";

function bench(args: readonly string[], env: NodeJS.ProcessEnv = process.env) {
  const command = ["--import", "tsx", "bench/main.ts", "--quick", ...args];
  return promisify(execFile)(process.execPath, command, { cwd: root, env });
}

beforeAll(async () => {
  ({ stdout: printed } = await bench(["--json", json]));
}, 180_000);

afterAll(() => rmSync(folder, { recursive: true }));

const works = ["unary get", "unary set"];
const callers = [1, 16, 64];
const subjects = ["bridge", "bare grpc-js echo", "the echo again", "bridge, TypeScript client"];
if (hasPython) subjects.push("bridge, Python asyncio");
const durable = [
  "bridge",
  "bridge, TypeScript client",
  "bridge in memory",
  "Redis, appendfsync always",
  "etcd",
];
const starts = ["start until it listens", "start until a first get is answered"];
const files = ["one variable", "200 variables, closed", "200 variables, killed"];

describe("a quick run", () => {
  const rows = [
    ...works.flatMap((work) =>
      callers.flatMap((count) => subjects.map((subject) => [work, count, subject] as const)),
    ),
    ...(hasPeers ? callers : []).flatMap((count) =>
      durable.map((subject) => ["durable set", count, subject] as const),
    ),
    ...starts.flatMap((work) => files.map((subject) => [work, 1, subject] as const)),
    ...["dispatch get", "dispatch set", "make a record"].map(
      (work) => [work, 1, "engine in process"] as const,
    ),
  ];

  it.each(rows)("prints %s × %i: %s", (work, count, subject) => {
    const cells = [work, count, subject].map((cell) => `${cell} +`).join(" ");
    expect(printed).toMatch(new RegExp(`^${cells}[\\d.,]+`, "m"));
  });

  it("tells of each floor whether it was reached", () => {
    const told = (floor: string) => printed.match(new RegExp(` ${floor} (yes|no)`, "g"))?.length ?? 0;
    // Of latency everywhere, of processor time where the system tells it.
    expect(told("1\\.30×")).toBeGreaterThanOrEqual(works.length * callers.length);
    expect(told("0\\.50×")).toBe(hasPeers ? 4 : 0);
    expect(told("5\\.00×")).toBe(hasPeers ? 2 : 0);
    expect(told("1,000 ms")).toBe(4);
  });

  it("tells where it ran, and what it did not measure", () => {
    expect(printed).toMatch(/^Machine: \d+ cores .*@grpc\/grpc-js \d/m);
    expect(printed).toContain("Noise: ");
    expect(printed.includes("Not measured: python")).toBe(!hasPython);
    expect(printed.includes("Not measured: durable")).toBe(!hasPeers);
  });

  it("writes the same as JSON", () => {
    const { results } = JSON.parse(readFileSync(json, "utf8")) as { results: readonly unknown[] };
    expect(results).toHaveLength(rows.length);
  });
});

it("says what is missing where a row's peers are not installed, and how to get them", async () => {
  const run = bench(["--only", "durable"], { ...process.env, PATH: folder });
  const why = isInMemory(tmpdir()) ? "set TMPDIR" : "there is no redis-server; `npm run peers` installs it";
  await expect(run).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining(why) });
});
