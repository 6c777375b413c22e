/** Programs that use what `snakepit-bridge types` writes, against a bridge whose host has, or has not, the same variables. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import {
  type Bridge,
  type Definitions,
  float,
  integer,
  startBridge,
} from "../../packages/bridge/src/index.js";
import { endAll, root, run, runPython } from "../e2e/processes.js";

const here = join(root, "tests", "python-types");
const bin = join(root, "packages", "bridge", "bin", "snakepit-bridge.js");
const PRINTED = `1
2
value 3 is above maximum 2
main
Params(temperature=0.7, learning_rate=0.5, calls=2, model='gpt', class_='first', paused=False, phase='main', v_log_level='info', plan={'steps': ['a']}, température=1.5)
`;

let bridge: Bridge;
let variables: Definitions;
let folder: string;

beforeAll(async () => {
  bridge = await startBridge({ port: 0, logger: "silent", graceMs: 0 });
  folder = mkdtempSync(join(tmpdir(), "snakepit-typed-"));
  variables = (await import(join(here, "variables.mjs"))).default;
});

afterEach(endAll);

afterAll(async () => {
  await bridge.close();
  rmSync(folder, { recursive: true });
});

const types = (args: readonly string[], env = {}) =>
  run(process.execPath, [bin, "types", ...args], { SNAKEPIT_BRIDGE_ADDRESS: bridge.address, ...env }, folder);

describe.each(["blocking.py", "with_asyncio.py"])("%s", (program) => {
  const worker = (session: string) =>
    runPython(join(here, program), [session], { SNAKEPIT_BRIDGE_ADDRESS: bridge.address });

  test("works with a host that has the same variables, and one more", async () => {
    const more: Definitions = { ...variables, another: integer(0) };
    const session = await bridge.session(program, more);
    const { code, stdout, stderr } = await worker(program);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: PRINTED, stderr: "" });
    expect(await session.getMany(["learning.rate", "calls"])).toEqual({ "learning.rate": 0.5, calls: 2 });
  });

  test("is told what a host has otherwise", async () => {
    const id = `other ${program}`;
    const { calls: _, ...fewer } = variables;
    await bridge.session(id, { ...fewer, temperature: float(1, { max: 3 }), phase: integer(0) });
    const { code, stdout, stderr } = await worker(id);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toBe(
      `DEFINITION_CONFLICT temperature: the session '${id}' is not what params.Params was made for: ` +
        "'temperature' has max 3.0, not 2.0 and min none, not 0.0; 'calls' is missing; " +
        "'phase' is of type integer, not choice. If the definitions have changed, run `snakepit-bridge types` again\n",
    );
  });
});

test("from a session comes what comes from the file, ordered by name", async () => {
  await bridge.session("all", variables);
  const { stdout, stderr } = await types(["--session", "all", "--python", "-"]);
  expect(stderr).toBe("");
  const golden = readFileSync(join(here, "params.py"), "utf8").split("\n");
  const ours = stdout.split("\n");
  expect(ours[0]).toBe(
    '# Made by `snakepit-bridge types` from session "all". Do not edit it: run the command again.',
  );
  expect(ours.find((line) => line.includes("fingerprint="))).toBe(
    golden.find((line) => line.includes("fingerprint=")),
  );
  // What overloads stand in which order depends on the names; what stands there does not.
  expect(ours.slice(1).length).toBe(golden.slice(1).length);
  const lines = (text: readonly string[]) =>
    text
      .slice(1)
      .filter((line) => line.includes("def ") || line.includes(": Definition("))
      .sort();
  expect(lines(ours)).toEqual(lines(golden));
});

test("definitions in TypeScript need tsx, where Node cannot run them, and the command says so", async () => {
  const file = join(here, "typescript.mts");
  const plain = await types([file, "--python", "-"]);
  const hint = /cannot run \S+, a file of the kind \.mts: compile it .*NODE_OPTIONS="--import tsx"/;
  // From 22.18 on Node runs TypeScript by itself.
  if (plain.code === 0) expect(plain.stdout).toContain('"seed": int,');
  else expect(plain.stderr).toMatch(hint);
  const withTsx = await types([file, "--python", "-"], {
    NODE_OPTIONS: `--import ${import.meta.resolve("tsx")}`,
  });
  expect(withTsx).toMatchObject({ code: 0, stderr: "" });
  expect(withTsx.stdout).toContain('        "seed": int,\n');
});
