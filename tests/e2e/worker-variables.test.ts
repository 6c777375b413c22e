/**
 * The integration cases of the specification, each with a TypeScript host and a Python worker that it starts: what
 * TypeScript writes Python sees, and what Python writes TypeScript sees.
 *
 * The cases: a value in each direction · batches · types and constraints across the languages · the operations of the Python
 * context, on variables that nobody has registered · its cache · errors and defaults · changes seen at once · clean-up.
 */
import { type Bridge, type Session, SessionNotFoundError, startBridge } from "snakepit-bridge";
import { startWorker } from "snakepit-bridge/worker";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { python } from "./processes.js";
import { WorkerRecord } from "./workers.js";

const script = new URL("worker_cases.py", import.meta.url);

let bridge: Bridge;
let session: Session;
let number = 0;

beforeAll(async () => {
  bridge = await startBridge({ port: 0, logger: "silent" });
});
afterAll(() => bridge.close());

beforeEach(async () => {
  session = await bridge.session(`case ${++number}`);
});

/** A case that Python plays; `result` is what it printed. */
interface Playing {
  readonly result: Promise<unknown>;
}

/** Has Python begin a case: with `said`, up to where it says so. */
async function begin(name: string, ready: "said" | "started" = "said"): Promise<Playing> {
  const record = new WorkerRecord();
  const settings = { python, bridge, sessionId: session.id, restart: false, ready, ...record } as const;
  const worker = await startWorker({ script, args: [name], ...settings });
  const result = worker.ended.then((end) => {
    expect(end, record.texts.join("\n")).toEqual({ reason: "finished" });
    return JSON.parse(record.texts.at(-1) ?? "") as unknown;
  });
  return { result };
}

/** Has Python play a case, and gives its result. */
async function play(name: string): Promise<unknown> {
  return (await begin(name, "started")).result;
}

/** Waits until Python has written this. */
async function until(name: string, wanted: unknown): Promise<void> {
  const look = async () => expect(await session.get(name, { default: undefined })).toBe(wanted);
  await vi.waitFor(look, { interval: 1, timeout: 20_000 });
}

async function typesAndSources(): Promise<Record<string, string>> {
  const list = await session.list();
  return Object.fromEntries(list.map(({ name, type, source }) => [name, `${type} of ${source}`]));
}

describe("a variable", () => {
  test("that TypeScript has registered, Python reads, by name and by id", async () => {
    await session.register("temperature", "float", 0.7, {
      constraints: { min: 0, max: 2 },
      metadata: { description: "How bold" },
    });
    expect(await play("read_temperature")).toEqual({
      value: ["float", "0.7"],
      "by id": ["float", "0.7"],
      type: "float",
      source: "typescript",
      constraints: { min: 0, max: 2 },
      metadata: { description: "How bold" },
      version: 1,
    });
  });

  test("that Python sets, TypeScript reads, and knows who it was", async () => {
    await session.register("max_tokens", "integer", 256);
    expect(await play("write_max_tokens")).toEqual({ version: 2, own: ["int", "512"] });
    expect(await session.get("max_tokens")).toBe(512);
    const [variable] = await session.list();
    expect(variable).toMatchObject({ value: 512, version: 2, source: "python" });
    expect(variable?.metadata.get("why")).toBe("longer answers");
  });

  test("is created, read, changed and deleted from Python as from TypeScript", async () => {
    expect(await play("create_variables")).toEqual([
      "AlreadyExistsError",
      "VARIABLE_EXISTS",
      expect.stringContaining('variable "rate" exists already'),
    ]);
    expect(await typesAndSources()).toEqual({
      flag: "boolean of python",
      inferred: "integer of python",
      rate: "float of python",
      size: "integer of python",
    });
    expect(await session.getMany(["flag", "inferred", "rate", "size"])).toEqual({
      flag: true,
      inferred: 7,
      rate: 1,
      size: 24,
    });
    await expect(session.set("size", 25n)).rejects.toMatchObject({
      name: "ConstraintError",
      constraint: "step",
    });
    await expect(session.set("rate", 0)).rejects.toMatchObject({ constraint: "min" });
  });

  test("of every type arrives in Python as it was written in TypeScript", async () => {
    await session.setMany({
      float: 0.1,
      whole_float: 150,
      negative_zero: -0,
      nan: Number.NaN,
      infinity: Number.NEGATIVE_INFINITY,
      integer: 42n,
      large: 2n ** 63n - 1n,
      text: "Zoë 😀\n",
      empty: "",
      yes: true,
    });
    expect(await play("read_everything")).toEqual({
      float: ["float", "0.1"],
      whole_float: ["float", "150.0"],
      negative_zero: ["float", "-0.0"],
      nan: ["float", "nan"],
      infinity: ["float", "-inf"],
      integer: ["int", "42"],
      large: ["int", "9223372036854775807"],
      text: ["str", "'Zoë 😀\\n'"],
      empty: ["str", "''"],
      yes: ["bool", "True"],
    });
  });

  test("of every type arrives in TypeScript as it was written in Python", async () => {
    const results = (await play("write_everything")) as Record<string, unknown>;
    expect(new Set(Object.values(results))).toEqual(new Set([true]));
    const expected = {
      float: 0.1,
      whole_float: 150,
      negative_zero: -0,
      nan: Number.NaN,
      infinity: Number.NEGATIVE_INFINITY,
      integer: 42,
      large: 2n ** 63n - 1n,
      text: "Zoë 😀\n\0",
      empty: "",
      yes: true,
      no: false,
    };
    expect(await session.getMany(Object.keys(expected))).toEqual(expected);
    expect(new Set(Object.values(await typesAndSources()))).toEqual(
      new Set(["boolean of python", "float of python", "integer of python", "string of python"]),
    );
  });
});

describe("a batch", () => {
  beforeEach(async () => {
    await session.register("var1", "string", "hello");
    await session.register("var2", "integer", 42, { constraints: { max: 100 } });
    await session.register("var3", "boolean", true);
  });

  test("of TypeScript is read by Python, in the order asked for, with defaults for what is missing", async () => {
    expect(Object.entries((await play("read_batch")) as object)).toEqual([
      ["var3", ["bool", "True"]],
      ["nobody", ["NoneType", "None"]],
      ["var1", ["str", "'hello'"]],
      ["var2", ["int", "42"]],
    ]);
  });

  test("of Python is one commit for TypeScript", async () => {
    const { revision } = await session.info();
    expect(await play("write_batch")).toEqual({ var1: true, var2: true });
    expect(await session.getMany(["var1", "var2", "var3"])).toEqual({ var1: "world", var2: 100, var3: true });
    expect((await session.info()).revision).toBe(revision + 1);
  });

  test("that is refused says why of each item, and changes nothing if it is atomic", async () => {
    expect(await play("refused_batches")).toEqual({
      atomic: {
        var1: "not applied: the batch was refused",
        var2: "value 1000 is above maximum 100",
        var3: "must be a boolean",
      },
      after: { var1: "hello", var2: 42, var3: true },
      partial: { var1: true, var2: "value 1000 is above maximum 100", var3: "must be a boolean" },
      raised: { var2: "CONSTRAINT_VIOLATED", var3: "TYPE_MISMATCH" },
    });
    expect(await session.getMany(["var1", "var2", "var3"])).toEqual({ var1: "new", var2: 42, var3: true });
  });
});

describe("types and constraints", () => {
  test("hold for Python as TypeScript has defined them, with its own words, and the value stays", async () => {
    await session.register("strict_int", "integer", 10, { constraints: { min: 0, max: 100, step: 5 } });
    await session.register("ratio", "float", 0.5, { constraints: { max: 1 } });
    await session.register("word", "string", "abc", {
      constraints: { min_length: 3, max_length: 5, pattern: "^[a-z]+$" },
    });
    await session.register("flag", "boolean", true);
    const { revision } = await session.info();
    const refusals = (await play("break_rules")) as string[][];
    expect(refusals.map(([name, , , text]) => `${name}: ${text}`)).toEqual([
      "strict_int: value 150 is above maximum 100",
      "strict_int: value -1 is below minimum 0",
      "strict_int: value 7 is not a multiple of step 5 from minimum 0",
      "strict_int: must be an integer",
      "strict_int: must be an integer",
      "strict_int: must be an integer",
      "ratio: value 2.5 is above maximum 1",
      "ratio: must be a number",
      "word: string length 2 is below minimum 3",
      "word: string length 6 is above maximum 5",
      "word: value does not match pattern ^[a-z]+$",
      "word: must be a string",
      "flag: must be a boolean",
      "flag: must be a boolean",
    ]);
    expect(new Set(refusals.map(([, name, reason]) => `${name} ${reason}`))).toEqual(
      new Set(["ConstraintError CONSTRAINT_VIOLATED", "TypeMismatchError TYPE_MISMATCH"]),
    );
    const values = { strict_int: 10, ratio: 0.5, word: "abc", flag: true };
    expect(await session.getMany(Object.keys(values))).toEqual(values);
    expect((await session.info()).revision).toBe(revision);
  });
});

describe("what is missing", () => {
  test("is an error of its own class in Python, or the default, which may be None", async () => {
    expect(await play("miss")).toEqual({
      get: ["VariableNotFoundError", "VARIABLE_NOT_FOUND", "Variable not found: nobody"],
      default: ["NoneType", "None"],
      batch: {},
      delete: ["VariableNotFoundError", "VARIABLE_NOT_FOUND", "Variable not found: nobody"],
      "is KeyError": true,
      "session, get": ["SessionNotFoundError", "SESSION_NOT_FOUND", "Session not found: no such session"],
      "session, default": ["float", "0.5"],
      "session, set": ["SessionNotFoundError", "SESSION_NOT_FOUND", "Session not found: no such session"],
      "strict, set": ["VariableNotFoundError", "VARIABLE_NOT_FOUND", "Variable not found: nobody"],
    });
    expect(await session.list()).toEqual([]);
  });
});

describe("changes", () => {
  test("are seen at once in both directions", async () => {
    const { result } = await begin("follow");
    for (let count = 1; count <= 50; count++) {
      await session.set("from_typescript", count);
      await until("from_python", count);
    }
    expect(await result).toBe("seen");
    // Each is a version: none was lost, and none was made twice.
    expect(await session.read("from_python")).toMatchObject({ value: 50, version: 50 });
    expect(await session.read("from_typescript")).toMatchObject({ value: 50, version: 50 });
  });

  test("of both at the same variable are told apart by its version", async () => {
    await session.register("owner", "string", "nobody");
    const { result } = await begin("lose_a_race");
    await until("go", true);
    await session.set("owner", "typescript");
    expect(await result).toEqual({ expected: 1, current: 2 });
    expect(await session.get("owner")).toBe("typescript");
  });
});

describe("the cache in Python", () => {
  test("answers for the server, and never with what the program itself has replaced", async () => {
    expect(await play("use_the_cache")).toEqual({ values: [42, 100, 100], hits: true, fetches: [0, 1] });
    expect(await session.read("test_var")).toMatchObject({ value: 100, type: "integer", version: 2 });
  });

  test("does not know what TypeScript writes until it is asked to look, nor what was refused", async () => {
    await session.register("x", "integer", 1, { constraints: { max: 100 } });
    const { result } = await begin("see_behind_the_cache");
    await session.setMany({ x: 2, go: true });
    expect(await result).toEqual([1, 1, 2, 2, 2, 4]);
  });
});

describe("a session", () => {
  test("that TypeScript deletes is gone for Python, which does not revive it unasked", async () => {
    await session.set("x", 1);
    const { result } = await begin("outlive_the_session");
    await bridge.sessions.deleteSession(session.id);
    const gone = ["SessionNotFoundError", "SESSION_NOT_FOUND", `Session not found: ${session.id}`];
    expect(await result).toEqual({
      before: 1,
      get: gone,
      set: gone,
      list: gone,
      "created again": true,
      variables: {},
    });
    expect(await bridge.sessions.sessionExists(session.id)).toBe(true);
  });

  test("that Python deletes is gone for TypeScript", async () => {
    await session.set("x", 1);
    expect(await play("end_the_session")).toEqual([
      "SessionNotFoundError",
      "SESSION_NOT_FOUND",
      `Session not found: ${session.id}`,
    ]);
    await expect(session.get("x")).rejects.toThrow(SessionNotFoundError);
    expect(await bridge.sessions.sessionExists(session.id)).toBe(false);
  });
});
