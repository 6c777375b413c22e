import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { resolveOptions, type WorkerOptions } from "./options.js";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "snakepit-host-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

describe("options that make no sense are refused at once:", () => {
  const script = "worker.py";
  test.each<[string, object, string]>([
    ["no program", {}, "give either script"],
    ["two programs", { script, module: "worker" }, "give either script"],
    ["an empty script", { script: "" }, "script is empty"],
    ["a script that is no text", { script: 7 }, "script has to be text"],
    ["a script with a null character", { script: "a\0b" }, "script has to be text without null characters"],
    ["a script elsewhere", { script: new URL("https://example.com/worker.py") }, "is no file: URL"],
    ["a module that is a path", { module: "./worker" }, 'module "./worker" is no name of a module'],
    ["a module that is an option", { module: "-c" }, 'module "-c" is no name of a module'],
    ["a folder that is not there", { script, cwd: "/nowhere/at/all" }, "cwd /nowhere/at/all is no folder"],
    ["an argument that is no text", { script, args: [1] }, "args has to be text"],
    ["an empty interpreter", { script, python: "" }, "python is empty"],
    [
      "an unknown way to be ready",
      { script, ready: "soon" },
      'ready "soon" is unknown; known are said, started',
    ],
    [
      "no time to become ready",
      { script, readyTimeoutMs: 0 },
      "readyTimeoutMs is 0; it has to be a whole number",
    ],
    ["half a millisecond", { script, graceMs: 0.5 }, "graceMs is 0.5; it has to be a whole number"],
    ["a time that timers do not have", { script, graceMs: 2 ** 31 }, "graceMs is 2147483648"],
    ["no restarts at all, by number", { script, restart: { limit: 0 } }, "restart.limit is 0"],
    ["a negative pause", { script, restart: { firstDelayMs: -1 } }, "restart.firstDelayMs is -1"],
    [
      "a first pause above the longest",
      { script, restart: { maxDelayMs: 100 } },
      "restart.firstDelayMs is 200, more than maxDelayMs, 100",
    ],
    ["an address that is none", { script, bridge: "localhost" }, '"localhost" is no address of a bridge'],
    [
      "a session id that is none",
      { script, sessionId: " x" },
      'session id " x" begins or ends with white space',
    ],
    ["a token with a line break", { script, token: "a\nb" }, "token is not printable ASCII text"],
    ["a token that is empty", { script, token: "" }, "token is not printable ASCII text"],
    [
      "a variable that has an option",
      { script, env: { SNAKEPIT_BRIDGE_ADDRESS: "127.0.0.1:1" } },
      "env sets SNAKEPIT_BRIDGE_ADDRESS",
    ],
    ["a variable that is no text", { script, env: { A: undefined } }, "env A has to be text"],
  ])("%s", (_, options, text) => {
    expect(() => resolveOptions(options as WorkerOptions)).toThrow(RangeError);
    expect(() => resolveOptions(options as WorkerOptions)).toThrow(text);
  });
});

describe("the program", () => {
  const argsOf = (options: WorkerOptions): readonly string[] => resolveOptions(options).args.slice(4);

  test("is a script, found from the folder it runs in", () => {
    expect(argsOf({ script: "a/worker.py", cwd: folder, args: ["-x", "--grace"] })).toEqual([
      join(folder, "a", "worker.py"),
      "-x",
      "--grace",
    ]);
    expect(argsOf({ script: "/opt/worker.py", cwd: folder })).toEqual(["/opt/worker.py"]);
    expect(argsOf({ script: "-worker.py", cwd: folder })).toEqual([join(folder, "-worker.py")]);
  });

  test("is a script, given as a URL", () => {
    const path = join(folder, "with space", "worker.py");
    expect(argsOf({ script: pathToFileURL(path) })).toEqual([path]);
    expect(resolveOptions({ script: pathToFileURL(path) }).name).toBe("worker.py");
  });

  test("is a module", () => {
    expect(argsOf({ module: "päckage._worker2", args: ["-m"] })).toEqual(["-m", "päckage._worker2", "-m"]);
    expect(resolveOptions({ module: "a.b" }).name).toBe("a.b");
  });
});

describe("the environment", () => {
  test("is that of this process, with what was given", () => {
    const { env } = resolveOptions({
      script: "x",
      env: { OWN: "1", PYTHONUNBUFFERED: "" },
      bridge: { address: "127.0.0.1:7" },
      sessionId: "run 42",
      token: "secret",
    });
    expect(env).toMatchObject({
      PATH: process.env["PATH"],
      OWN: "1",
      PYTHONUNBUFFERED: "",
      PYTHONIOENCODING: "utf-8",
      SNAKEPIT_BRIDGE_ADDRESS: "127.0.0.1:7",
      SNAKEPIT_BRIDGE_SESSION: "run 42",
      SNAKEPIT_BRIDGE_TOKEN: "secret",
      SNAKEPIT_BRIDGE_WORKER_PIPE: "3",
    });
  });

  test("has nothing of the bridge that was not given, except what was there", () => {
    const { env } = resolveOptions({ script: "x" });
    expect(Object.keys(env).filter((key) => key.startsWith("SNAKEPIT_BRIDGE_"))).toEqual([
      ...Object.keys(process.env).filter((key) => key.startsWith("SNAKEPIT_BRIDGE_")),
      "SNAKEPIT_BRIDGE_WORKER_PIPE",
    ]);
  });
});

describe("the interpreter", () => {
  const pythonOf = (options: object): string =>
    resolveOptions({ script: "x", cwd: folder, ...options }).python;

  function makeVenv(at: string): string {
    const bin = join(at, ".venv", "bin");
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, "python"), "");
    return join(bin, "python");
  }

  test("is the one given: by name, or by path from the folder the worker runs in", () => {
    makeVenv(folder);
    expect(pythonOf({ python: "python3.12" })).toBe("python3.12");
    expect(pythonOf({ python: "env/bin/python" })).toBe(join(folder, "env", "bin", "python"));
    expect(pythonOf({ python: "/usr/bin/python3" })).toBe("/usr/bin/python3");
  });

  test.skipIf(process.platform === "win32")(
    "else that of the nearest .venv, in the folder or above it",
    () => {
      const below = join(folder, "a", "b");
      mkdirSync(below, { recursive: true });
      const outer = makeVenv(folder);
      expect(pythonOf({ cwd: below })).toBe(outer);
      const inner = makeVenv(join(folder, "a"));
      expect(pythonOf({ cwd: below })).toBe(inner);
      // A virtual environment without an interpreter is none.
      mkdirSync(join(below, ".venv"));
      expect(pythonOf({ cwd: below })).toBe(inner);
    },
  );

  test("else the one on the PATH", () => {
    expect(pythonOf({})).toBe(process.platform === "win32" ? "python" : "python3");
  });
});

test("what is resolved is frozen, and independent of what was given", () => {
  const args = ["a"];
  const resolved = resolveOptions({ script: "x", args });
  args.push("b");
  expect(resolved.args.at(-1)).toBe("a");
  expect([resolved, resolved.args, resolved.env, resolved.restart].every(Object.isFrozen)).toBe(true);
});

test("restart: false is no policy", () => {
  expect(resolveOptions({ script: "x", restart: false }).restart).toBeUndefined();
  expect(resolveOptions({ script: "x", restart: { limit: 3 } }).restart).toEqual({
    limit: 3,
    firstDelayMs: 200,
    maxDelayMs: 30_000,
    resetAfterMs: 60_000,
  });
});
