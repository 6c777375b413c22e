import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { boolean, choice, connect, defineVariables, float, integer, string } from "../client/index.js";
import { type Bridge, startBridge } from "../server.js";
import { definedIn } from "./defined.js";
import { fingerprintOf } from "./fingerprint.js";
import { pythonModule } from "./python/module.js";
import { run } from "./run-cli.contract.js";

const variables = defineVariables({
  temperature: float(0.7, { min: 0, max: 2 }, { description: "How daring." }),
  calls: integer(0, { max: 2n ** 60n }),
  phase: choice(["warm-up", "main"], "main"),
});
const module = pythonModule(definedIn(variables), '"variables.mjs"');

let bridge: Bridge;
let folder: string;
let file: string;

beforeAll(async () => {
  bridge = await startBridge({ port: 0, logger: "silent", graceMs: 0 });
  vi.stubEnv("SNAKEPIT_BRIDGE_ADDRESS", bridge.address);
  folder = mkdtempSync(join(tmpdir(), "snakepit-types-"));
  file = join(folder, "variables.mjs");
  const client = connect(bridge.address);
  await client.session("run-42", variables);
  await client.session("none");
  await client.session("clash", defineVariables({ "a.b": float(0), a_b: float(0) }));
  await client.close();
  // A program need not have this package as we have it here, so the file is written out.
  const written = Object.entries(variables).map(
    ([name, { metadata, constraints, ...rest }]) =>
      `${name}: { ...${JSON.stringify(rest)}, constraints: ${source(constraints)}, metadata: new Map(${JSON.stringify([...metadata])}) }`,
  );
  writeFileSync(file, `export const variables = { ${written.join(", ")} };\n`);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await bridge.close();
  rmSync(folder, { recursive: true });
});

function source(constraints: object): string {
  const parts = Object.entries(constraints).map(([key, operand]) =>
    typeof operand === "bigint" ? `${key}: ${operand}n` : `${key}: ${JSON.stringify(operand)}`,
  );
  return `{ ${parts.join(", ")} }`;
}

const fails = (stderr: string, code = 1) => ({ code, stdout: "", stderr: `error: ${stderr}\n` });

describe("types", () => {
  test("writes a module for a file, to standard output or to a file, again and again", async () => {
    const out = join(folder, "params.py");
    expect(await run("types", file, "--python", "-")).toEqual({ code: 0, stderr: "", stdout: module });
    for (const _ of [1, 2]) {
      expect(await run("types", file, "--python", out)).toMatchObject({
        code: 0,
        stdout: `${out}: written\n`,
      });
      expect(readFileSync(out, "utf8")).toBe(module);
    }
  });

  test("writes the same for a session, by name, under another heading", async () => {
    const { calls, phase, temperature } = variables;
    const expected = pythonModule(definedIn({ calls, phase, temperature }), 'session "run-42"');
    expect(await run("types", "--session", "run-42", "--python", "-")).toMatchObject({
      code: 0,
      stdout: expected,
    });
    expect(fingerprintOf(definedIn({ calls, phase, temperature }))).toBe(fingerprintOf(definedIn(variables)));
  });

  test("says which variables would be called the same", async () => {
    const out = join(folder, "clash.py");
    expect(await run("types", "--session", "clash", "--python", out)).toMatchObject(
      fails('"a.b" and "a_b" would both be called a_b in Python: rename one of them'),
    );
    expect(existsSync(out)).toBe(false);
  });

  test.each([
    [["--session", "absent", "--python", "-"], "Session not found: absent"],
    [["--session", "none", "--python", "-"], 'session "none" has no variables'],
    [["/absent.mjs", "--python", "-"], "/absent.mjs does not exist"],
    [
      ["--session", "run-42", "--python", "/absent/x.py"],
      "/absent/x.py cannot be written: no such file or directory",
    ],
  ])("%j is one line", async (args, message) => {
    expect(await run("types", ...args)).toMatchObject(fails(message));
  });

  test("says what it needs", async () => {
    expect(await run("types", "--python", "-")).toMatchObject(
      fails("name a file or a --session, one of them", 2),
    );
    expect(await run("types", file, "--session", "run-42", "--python", "-")).toMatchObject(
      fails("name a file or a --session, one of them", 2),
    );
    expect(await run("types", file)).toMatchObject(
      fails("required option '--python <file>' not specified", 2),
    );
  });

  test("does not take the place of a file that it has not written", async () => {
    const out = join(folder, "mine.py");
    writeFileSync(out, "mine\n");
    expect(await run("types", file, "--python", out)).toMatchObject(
      fails(`${out} is there already, and not by this command: choose another name, or remove it first`),
    );
    expect(readFileSync(out, "utf8")).toBe("mine\n");
  });
});

describe("the module", () => {
  const linesOf = (definitions: Parameters<typeof definedIn>[0]) =>
    pythonModule(definedIn(definitions), "a test").split("\n");

  test("has no overloads where all variables are of one type, and imports nothing that it does not use", () => {
    const lines = linesOf({ name: string("a") });
    expect(lines.filter((line) => line.includes("overload"))).toEqual([]);
    expect(lines.filter((line) => line.includes("Value,"))).toEqual([]);
    expect(lines).toContain(
      "    def get_variable(self, name: StringName, **options: Unpack[Get]) -> str: ...",
    );
  });

  test("counts with numbers only", () => {
    const lines = linesOf({ name: string("a"), on: boolean(true) });
    expect(lines.filter((line) => /increment|NumericName/.test(line))).toEqual([]);
  });

  test("has one text for the same variables", () => {
    expect(pythonModule(definedIn({ ...variables }), '"variables.mjs"')).toBe(module);
  });
});
