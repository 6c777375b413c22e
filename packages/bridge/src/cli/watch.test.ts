/** `watch` as a process, which somebody has to end. */
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Client, connect } from "../client/index.js";
import { type Bridge, startBridge } from "../server.js";
import { printedOf } from "../testing/watch-forms.contract.js";
import { noteWatch, witnessWatches } from "../testing/watch-witness.contract.js";
import { run, start } from "./run-cli.contract.js";

witnessWatches();

let bridge: Bridge;
let client: Client;
beforeAll(async () => {
  bridge = await startBridge({ port: 0, logger: "silent", graceMs: 0 });
  client = connect(bridge.address);
});
afterAll(async () => {
  await client.close();
  await bridge.close();
});

/** Begins `watch`, and answers its lines once it is told of what happens. */
async function begin(session: string, ...args: string[]) {
  const { child, ended } = start(["watch", session, ...args, "--address", bridge.address]);
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  createInterface(child.stdout).on("line", (line) => {
    lines.push(line);
    for (const look of waiting) look();
  });
  const until = (holds: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (holds()) resolve();
      };
      waiting.add(look);
      look();
    });
  const one = await client.session(session);
  // It says nothing when it begins, so it is told something until it shows.
  for (let i = 0; lines.length === 0; i++) {
    await one.set("probe", i);
    await new Promise(setImmediate);
  }
  return { session: one, lines, until, end: () => child.kill("SIGINT"), ended };
}

test("watch prints a line for each change, until it is interrupted", async () => {
  const { session, lines, until, end, ended } = await begin("run");
  await session.setMany({ a: 1, b: "two\nlines" });
  await session.set("a", 2);
  await session.delete("b");
  await client.sessions.deleteSession("run");
  await until(() => lines.some((line) => line.includes("session deleted")));
  const last = lines.slice(lines.findIndex((line) => line.includes("a = 1")));
  expect(last.map((line) => line.replace(/^\S+Z {2}\d+ {2}/, ""))).toEqual([
    "a = 1 (typescript)",
    'b = "two\\nlines" (typescript)',
    "a = 2, was 1 (typescript)",
    "b deleted (typescript)",
    "session deleted (typescript)",
  ]);
  end();
  expect(await ended).toMatchObject({ stderr: "" });
});

test("watch prints JSON, of some variables only", async () => {
  const witness = noteWatch({ sessionId: "json", names: ["probe"], glob: "a*", passive: true });
  const { session, lines, until, end, ended } = await begin("json", "probe", "--glob", "a*", "--json");
  const before = lines.length;
  await session.set("other", 1);
  await session.set("ab", 2, { metadata: { why: "test" } });
  await until(() => lines.at(-1)?.includes('"ab"') === true);
  expect(lines.slice(before).some((line) => line.includes("other"))).toBe(false);
  expect(JSON.parse(lines.at(-1) as string)).toEqual({
    kind: "changed",
    session_id: "json",
    revision: expect.any(Number),
    source: "typescript",
    committed_at: expect.stringMatching(/Z$/),
    metadata: { why: "test" },
    changes: [{ name: "ab", value: 2, version: 1 }],
  });
  for (const step of [{}, ...lines.map((line) => ({ event: printedOf(JSON.parse(line)) }))])
    witness.step(step);
  end();
  await ended;
});

test("watch says what cannot be watched, and where no bridge is", async () => {
  const wrong = await run("watch", "run", "--glob", "\\", "--address", bridge.address);
  expect(wrong).toEqual({
    code: 1,
    stdout: "",
    stderr: "error: glob: ends in a lone \\; write \\\\ for a backslash\n",
  });
  const nowhere = await run("watch", "run", "--address", "127.0.0.1:1");
  expect(nowhere.code).toBe(1);
  expect(nowhere.stderr).toMatch(/^error: no bridge answers at 127\.0\.0\.1:1;/);
});
