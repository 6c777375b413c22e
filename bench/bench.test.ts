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
const hasRedis = pathOf("redis-server") !== undefined;
const hasDisk = !isInMemory(tmpdir());
const hasPeers = hasRedis && pathOf("etcd") !== undefined && hasDisk;
const hasBoth = hasRedis && hasPython && hasDisk;
const folder = mkdtempSync(join(tmpdir(), "snakepit-bench-"));
const json = join(folder, "results.json");
let printed = "";

function bench(args: readonly string[], env: NodeJS.ProcessEnv = process.env) {
  const command = ["--import", "tsx", "bench/main.ts", "--quick", ...args];
  return promisify(execFile)(process.execPath, command, { cwd: root, env });
}

function results(): readonly { readonly work: string; readonly verdicts: readonly unknown[] }[] {
  return JSON.parse(readFileSync(json, "utf8")).results;
}

beforeAll(async () => {
  ({ stdout: printed } = await bench(["--json", json]));
}, 180_000);

afterAll(() => rmSync(folder, { recursive: true }));

const works = ["unary get", "unary set"];
const callers = [1, 16, 64];
const subjects = ["bridge", "bare grpc-js echo", "the echo again"];
const clients: readonly (readonly [number, string])[] = hasRedis
  ? [
      ...callers.flatMap((count) => [
        [count, "TypeScript client"] as const,
        [count, "Redis, @redis/client"] as const,
      ]),
      ...(hasPython ? callers : []).flatMap((count) => [
        [count, "Python, asyncio"] as const,
        [count, "Redis, redis-py asyncio"] as const,
      ]),
      ...(hasPython
        ? ([
            [1, "Python, blocking"],
            [1, "Redis, redis-py"],
          ] as const)
        : []),
    ]
  : [];
const durable = [
  "bridge",
  "bridge, TypeScript client",
  "bridge in memory",
  "Redis, appendfsync always",
  "etcd",
];
const hits = {
  "live read in TypeScript": [
    "session.peek",
    "await session.get",
    "Map.get",
    "await a Map.get",
    "the loop alone",
    "Redis, @redis/client",
  ],
  "live read in Python": [
    "get_variable",
    "peek",
    "dict.get",
    "a method with a dict",
    "the loop alone",
    "Redis, redis-py",
  ],
  "live read in Python on asyncio": ["await get_variable", "Redis, redis-py asyncio"],
};
const inPython = ["watch()", "on_change", "wait_for"].flatMap((way) => [
  `${way}, asyncio`,
  `${way}, blocking`,
]);
const ways = {
  "set in TypeScript, seen in Python": [
    ...inPython.map((way) => `bridge in memory, ${way}`),
    "bridge on SQLite, watch(), asyncio",
    "Redis publish",
  ],
  "set in Python, seen in TypeScript": [
    "bridge in memory, watch()",
    "bridge on SQLite, watch()",
    "Redis publish",
  ],
};
const tellers = [
  "bridge",
  "bridge, a client each",
  "bridge, copies",
  "bare grpc-js stream each",
  "Redis publish, a connection each",
];
const canFreeze = process.platform !== "win32";
/** Whether a server can be asked for its memory. */
const isAsked = process.platform !== "win32";
const starts = ["start until it listens", "start until a first get is answered"];
const files = ["one variable", "200 variables, closed", "200 variables, killed"];

describe("a quick run", () => {
  const rows = [
    ...works.flatMap((work) =>
      callers.flatMap((count) => subjects.map((subject) => [work, count, subject] as const)),
    ),
    ...["get", "set"].flatMap((work) => clients.map(([count, subject]) => [work, count, subject] as const)),
    ...Object.entries(hasBoth ? ways : {}).flatMap(([work, subjects]) =>
      subjects.map((subject) => [work, 1, subject] as const),
    ),
    ...(hasRedis ? [1, 4] : []).flatMap((count) =>
      tellers.map((subject) => ["tell watchers", count, subject] as const),
    ),
    ...Object.entries(hasRedis && hasPython ? hits : {}).flatMap(([work, subjects]) =>
      subjects.map((subject) => [work, 1, subject] as const),
    ),
    ...(canFreeze ? ["1 of 2 processes frozen", "nobody frozen"] : []).map(
      (subject) => ["tell watchers at a rate", 4, subject] as const,
    ),
    ...(isAsked
      ? ([
          [1, "variable"],
          [2, "watch"],
          [2, "follower"],
        ] as const)
      : []
    ).map(([connections, subject]) => ["hold what is idle", connections, subject] as const),
    ...(hasPeers ? callers : []).flatMap((count) =>
      durable.map((subject) => ["durable set", count, subject] as const),
    ),
    ...starts.flatMap((work) => files.map((subject) => [work, 1, subject] as const)),
    ...["dispatch get", "dispatch set", "make a record"].map(
      (work) => [work, 1, "engine in process"] as const,
    ),
  ];

  it.each(rows)("prints %s × %i: %s", (work, count, subject) => {
    const cells = [work, count, subject].map((cell) => `${cell} +`.replaceAll(/[()]/g, "\\$&")).join(" ");
    expect(printed).toMatch(new RegExp(`^${cells}[\\d.,]+`, "m"));
  });

  it("tells of each floor whether it was reached", () => {
    const verdicts = results().flatMap(({ work, verdicts }) => verdicts.map(() => work));
    const count = (work: string) => verdicts.filter((one) => one === work).length;
    // Of latency everywhere, of processor time where the system tells it.
    for (const work of works) expect(count(work)).toBeGreaterThanOrEqual(callers.length);
    expect(count("get")).toBe(hasRedis ? (hasPython ? 3 : 1) : 0);
    expect(count("set")).toBe(hasRedis ? 1 : 0);
    expect(count("live read in TypeScript")).toBe(hasRedis && hasPython ? 3 : 0);
    expect(count("live read in Python")).toBe(hasRedis && hasPython ? 4 : 0);
    expect(count("hold what is idle")).toBe(isAsked ? 3 : 0);
    expect(count("tell watchers at a rate")).toBe(canFreeze ? 3 : 0);
    expect(count("durable set")).toBe(hasPeers ? 6 : 0);
    expect(count("set in TypeScript, seen in Python")).toBe(hasBoth ? 2 * inPython.length : 0);
    for (const work of starts) expect(count(work)).toBe(2);
    expect(printed.match(/ (yes|no)( +–)?$/gm)).toHaveLength(verdicts.length);
  });

  it("tells where it ran, and what it did not measure", () => {
    expect(printed).toMatch(/^Machine: \d+ cores .*@grpc\/grpc-js \d/m);
    expect(printed).toContain("Noise: ");
    expect(printed.includes("Not measured: typescript")).toBe(!hasRedis);
    expect(printed.includes("Not measured: python")).toBe(!(hasPython && hasRedis));
    expect(printed.includes("Not measured: hit")).toBe(!(hasPython && hasRedis));
    expect(printed.includes("Not measured: visibility")).toBe(!hasBoth);
    expect(printed.includes("Not measured: fan-out")).toBe(!hasRedis);
    expect(printed.includes("Not measured: durable")).toBe(!hasPeers);
  });

  it("writes the same as JSON", () => {
    expect(results()).toHaveLength(rows.length);
  });
});

it("says what is missing where a row's peers are not installed, and how to get them", async () => {
  const run = bench(["--only", "durable"], { ...process.env, PATH: folder });
  const why = isInMemory(tmpdir()) ? "set TMPDIR" : "there is no redis-server; `npm run peers` installs it";
  await expect(run).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining(why) });
});

it("prints its tables in Markdown if it is asked to", async () => {
  const { stdout } = await bench(["--only", "engine", "--markdown"]);
  expect(stdout).toMatch(/^\| work \| callers \| subject \| calls\/s \|/m);
  expect(stdout).toMatch(/^\| --- \| --- \| --- \| ---: \|/m);
  expect(stdout).toMatch(/^\| dispatch get \| 1 \| engine in process \| [\d,]+ \|/m);
});
