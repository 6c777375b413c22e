import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Client, choice, connect, float, json, string } from "../client/index.js";
import { type Bridge, startBridge } from "../server.js";
import { run } from "./run-cli.contract.js";

let bridge: Bridge;
let client: Client;

beforeAll(async () => {
  bridge = await startBridge({ port: 0, logger: "silent", graceMs: 0 });
  client = connect(bridge.address);
  vi.stubEnv("SNAKEPIT_BRIDGE_ADDRESS", bridge.address);
  const definitions = { temperature: float(0.7, { min: 0, max: 2 }) };
  const session = await client.session("run", definitions, { ttlMs: 90_000 });
  await session.set("temperature", 0.9);
  await client.sessions.registerVariable("run", "steps", "integer", 2n ** 60n, { metadata: { note: "far" } });
  await client.sessions.registerVariable("run", "prompt", "string", "two\nlines");
  await client.session("other");
  await client.session("typed-values", {
    plan: json<unknown>({ steps: [1.5, null] }),
    note: json("text"),
    phase: choice(["main", "10"], "main"),
    name: string("x"),
  });
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await client.close();
  await bridge.close();
});

const ok = (stdout: string) => ({ code: 0, stderr: "", stdout });
const fails = (stderr: string, code = 1) => ({ code, stdout: "", stderr: `error: ${stderr}\n` });

describe("get", () => {
  test("prints one value as it is, and several by name", async () => {
    const number = await run("get", "run", "temperature");
    const text = await run("get", "run", "prompt");
    const several = await run("get", "run", "prompt", "temperature", "steps");
    expect(number).toEqual(ok("0.9\n"));
    expect(text).toMatchObject(ok("two\nlines\n"));
    expect(several).toMatchObject(
      ok('prompt = "two\\nlines"\ntemperature = 0.9\nsteps = 1152921504606846976\n'),
    );
  });

  test("prints JSON with all there is to know", async () => {
    const { stdout, code } = await run("get", "run", "temperature", "steps", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      temperature: {
        type: "float",
        value: 0.9,
        version: 2,
        constraints: { min: 0, max: 2 },
        source: "typescript",
      },
      steps: { type: "integer", value: "1152921504606846976", metadata: { note: "far" }, provisional: false },
    });
  });

  test("prints a json value as JSON on one line, and a choice as the text it is", async () => {
    expect(await run("get", "typed-values", "plan")).toMatchObject(ok('{"steps":[1.5,null]}\n'));
    expect(await run("get", "typed-values", "note")).toMatchObject(ok('"text"\n'));
    expect(await run("get", "typed-values", "phase")).toMatchObject(ok("main\n"));
    expect(await run("get", "typed-values", "plan", "phase")).toMatchObject(
      ok('plan = {"steps":[1.5,null]}\nphase = "main"\n'),
    );
    const { stdout } = await run("get", "typed-values", "plan", "phase", "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      plan: { type: "json", value: { steps: [1.5, null] } },
      phase: { type: "choice", value: "main", constraints: { choices: ["main", "10"] } },
    });
  });

  test("says what does not exist", async () => {
    const variable = await run("get", "run", "steps", "a", "b c");
    const session = await run("get", "none", "a");
    expect(variable).toMatchObject(fails('session "run" has no "a", "b c"'));
    expect(session).toMatchObject(fails("Session not found: none"));
  });
});

describe("set", () => {
  test("writes many at once, as what they look like, and says what they became", async () => {
    const ended = await run("set", "fresh", "a=1", "b=true", "c=x=y", "d=9007199254740993", "e=");
    expect(ended).toMatchObject(
      ok(
        'a = 1 (float, version 1)\nb = true (boolean, version 1)\nc = "x=y" (string, version 1)\n' +
          'd = 9007199254740993 (integer, version 1)\ne = "" (string, version 1)\n',
      ),
    );
    const { found, revision } = await client.sessions.getVariables("fresh", ["a", "e"]);
    expect(revision).toBe(1);
    expect(found.get("a")).toMatchObject({ source: "cli", provisional: true });
  });

  test("reads a value as the type that its variable was registered with", async () => {
    const ended = await run(
      "set",
      "typed-values",
      ...['plan={"a": [1, {}]}', 'note="12"', "phase=10", "name=12", "new=12"],
    );
    expect(ended).toMatchObject(
      ok(
        'plan = {"a":[1,{}]} (json, version 2)\nnote = "12" (json, version 2)\nphase = "10" (choice, version 2)\n' +
          'name = "12" (string, version 2)\nnew = 12 (float, version 1)\n',
      ),
    );
    expect(await run("set", "typed-values", "note=null")).toMatchObject(
      ok("note = null (json, version 3)\n"),
    );
    // What was only inferred is still open to a number of any kind.
    expect(await run("set", "typed-values", "--type", "integer", "open=1")).toMatchObject({ code: 0 });
    expect(await run("set", "typed-values", "open=1.5")).toMatchObject(ok("open = 1.5 (float, version 2)\n"));
  });

  test("takes JSON for a json variable and nothing else", async () => {
    expect(await run("set", "typed-values", "plan=text")).toMatchObject(
      fails('"plan": not I-JSON at character 0: unexpected "t"'),
    );
    expect(await run("set", "typed-values", 'plan={"a":1,"a":2}')).toMatchObject(
      fails('"plan": not I-JSON at character 7: the key "a" stands twice in its object'),
    );
    expect(await run("set", "typed-values", "phase=end")).toMatchObject(
      fails('"phase": value "end" is not one of "main", "10"'),
    );
    expect(await run("set", "typed-values", "--type", "json", "absent=[1]")).toMatchObject(
      fails(
        '"absent": no variable is created from null, a list or an object: register it with the type json first',
      ),
    );
  });

  test("takes a type, and gives it to what it creates", async () => {
    expect(await run("set", "typed", "--type", "integer", "n=-5")).toMatchObject(
      ok("n = -5 (integer, version 1)\n"),
    );
  });

  test("is refused as a whole, and says why for each", async () => {
    const ended = await run("set", "run", "temperature=3", "steps=1");
    expect(ended).toMatchObject(
      fails('the batch was refused, 1 of 2 items are at fault: "temperature": value 3 is above maximum 2'),
    );
    expect(await client.sessions.getVariable("run", "steps")).toMatchObject({ version: 1 });
  });

  test("creates nothing that it must not", async () => {
    const ended = await run("set", "absent", "--strict", "x=1");
    expect(ended).toMatchObject(fails("Session not found: absent"));
    expect(await client.sessions.sessionExists("absent")).toBe(false);
  });

  test.each([
    [["x"], '"x" is not of the form name=value'],
    [["--type", "integer", "x=1.5"], '"x": "1.5" is not a whole number'],
    [["=1"], 'variable name "" is empty'],
  ])("%j is one line", async (args, message) => {
    expect(await run("set", "run", ...args)).toMatchObject(fails(message));
  });
});

describe("list", () => {
  test("of variables is a table", async () => {
    const { stdout, code } = await run("list", "run");
    expect(code).toBe(0);
    const [head, ...lines] = stdout.trimEnd().split("\n");
    expect(head?.split(/ {2,}/)).toEqual(["NAME", "TYPE", "VALUE", "VERSION", "SOURCE", "UPDATED"]);
    expect(lines.map((line) => line.split(/ {2,}/).slice(0, 5))).toEqual([
      ["prompt", "string", '"two\\nlines"', "1", "typescript"],
      ["steps", "integer", "1152921504606846976", "1", "typescript"],
      ["temperature", "float", "0.9", "2", "typescript"],
    ]);
  });

  test("is narrowed by glob and type", async () => {
    const { stdout } = await run("list", "run", "--glob", "*p*", "--type", "float", "--json");
    expect(JSON.parse(stdout)).toEqual([expect.objectContaining({ name: "temperature" })]);
  });

  test("of sessions needs no session", async () => {
    const shown = await run("list", "--glob", "run");
    const json = await run("list", "--glob", "o*", "--json");
    expect(shown.stdout).toMatch(
      /^SESSION {2}VARIABLES {2}REVISION {2}TTL {3}LAST USED\nrun {6}3 {10}5 {9}90 s {2}\S+Z\n$/,
    );
    expect(JSON.parse(json.stdout)).toEqual([
      expect.objectContaining({ id: "other", ttl: 3_600, variable_count: 0, revision: 1 }),
    ]);
  });

  test("of sessions knows no types", async () => {
    expect(await run("list", "--type", "float")).toMatchObject(
      fails("--type needs a session: sessions have no type"),
    );
  });
});

describe("history", () => {
  test("is a table, newest first", async () => {
    const { stdout, code } = await run("history", "run", "temperature");
    expect(code).toBe(0);
    const [head, ...lines] = stdout.trimEnd().split("\n");
    expect(head?.split(/ {2,}/)).toEqual(["VERSION", "TYPE", "VALUE", "REVISION", "SOURCE", "SET"]);
    expect(lines.map((line) => line.split(/ {2,}/).slice(0, 5))).toEqual([
      ["2", "float", "0.9", "3", "typescript"],
      ["1", "float", "0.7", "2", "typescript"],
    ]);
  });

  test("is JSON with all there is to know", async () => {
    await client.sessions.updateVariable("run", "steps", 1, { metadata: { why: "back" } });
    const { stdout } = await run("history", "run", "steps", "--json");
    expect(JSON.parse(stdout)).toEqual({
      id: expect.stringMatching(/^var_steps_\d+$/),
      entries: [
        {
          version: 2,
          type: "integer",
          value: 1,
          revision: expect.any(Number),
          set_at: expect.stringMatching(/Z$/),
          source: "typescript",
          metadata: { why: "back" },
        },
        expect.objectContaining({ version: 1, value: "1152921504606846976", metadata: {} }),
      ],
      compacted: false,
      revision: expect.any(Number),
    });
  });

  test("says when older values are no longer kept, and shows as few as it is asked for", async () => {
    await client.sessions.createSession("long");
    await client.sessions.registerVariable("long", "n", "integer", 0);
    for (let i = 0; i < 50; i++) await client.sessions.incrementVariable("long", "n");
    const all = await run("history", "long", "n");
    const two = await run("history", "long", "n", "--limit", "2");
    expect(all.stdout.split("\n")).toHaveLength(1 + 50 + 2);
    expect(all.stdout).toMatch(/\nolder values are no longer kept\n$/);
    expect(two.stdout).toMatch(/^VERSION[^\n]+\n51 [^\n]+\n50 [^\n]+\nolder values are no longer kept\n$/);
  });

  test("says what does not exist", async () => {
    expect(await run("history", "run", "absent")).toMatchObject(fails("Variable not found: absent"));
    expect(await run("history", "none", "x")).toMatchObject(fails("Session not found: none"));
  });
});

describe("what goes wrong is one line", () => {
  test.each([
    ["get", "s", "x"],
    ["set", "s", "x=1"],
    ["list"],
    ["history", "s", "x"],
    ["types", "--session", "s", "--python", "-"],
  ])("%s without a bridge", async (...args) => {
    // The port of discard, where nothing is.
    const ended = await run(...args, "--address", "127.0.0.1:9");
    expect(ended).toMatchObject({ code: 1, stdout: "" });
    expect(ended.stderr).toMatch(/^error: no bridge answers at 127\.0\.0\.1:9[^\n]*\n$/);
  });

  test.each([
    [["get", "s"], 2, /missing required argument 'name'/],
    [["get", "s", "x", "--bogus"], 2, /unknown option '--bogus'/],
    [
      ["set", "s", "x=1", "--type", "complex"],
      1,
      /It has to be one of float, integer, string, boolean, json\.$/,
    ],
    [["list", "s", "--type", "complex"], 1, /It has to be one of .*, boolean, choice, json\.$/],
    [["history", "s"], 2, /missing required argument 'name'/],
    [["history", "s", "x", "--limit", "0"], 1, /It has to be a whole number from 1 on\.$/],
    [["list", "--address", "nowhere"], 1, /"nowhere" is no address of a bridge/],
  ])("%j", async (args, code, message) => {
    const ended = await run(...args);
    expect(ended).toMatchObject({ code, stdout: "" });
    expect(ended.stderr.trimEnd()).toMatch(message);
    expect(ended.stderr).toMatch(/^error: [^\n]+\n$/);
  });
});
