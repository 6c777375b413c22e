/** Two languages and three clients at once on one server: what one writes, the others read, bit for bit. */
import {
  BatchError,
  type Bridge,
  type Client,
  ConflictError,
  connect,
  type JsonValue,
  type Session,
  startBridge,
  type VariableValue,
} from "snakepit-bridge";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { endAll } from "./processes.js";
import { bitsOf, type PythonClient, PythonDriver, type Tagged } from "./python-driver.js";

const SESSION_ID = "two-languages";

let bridge: Bridge;
let client: Client;
let session: Session;
let pythons: Readonly<Record<PythonClient, PythonDriver>>;
let python: PythonDriver;

beforeAll(async () => {
  bridge = await startBridge({ port: 0 });
  client = connect(bridge.address);
  pythons = {
    asyncio: new PythonDriver(bridge.address, SESSION_ID, "asyncio"),
    blocking: new PythonDriver(bridge.address, SESSION_ID, "blocking"),
  };
});

async function begin(): Promise<void> {
  if (await client.sessions.sessionExists(SESSION_ID)) await client.sessions.deleteSession(SESSION_ID);
  for (const each of Object.values(pythons)) await each.call("create_session");
  session = await client.session(SESSION_ID);
}

afterAll(async () => {
  for (const each of Object.values(pythons)) await each.end();
  await endAll();
  await client.close();
  await bridge.close();
});

/** Long, with every width that UTF-8 and UTF-16 have, and with what terminals and parsers stumble over. */
const LONG_TEXT = "aé€😀\u0000\u2028\u{10ffff}\ud7ff\ue000\ufeff\u0301\r\n\\\"'".repeat(20_000);

const floats = [0, -0, 1, 0.1, -1.5, 5e-324, 2 ** 53, 1.7976931348623157e308, NaN, Infinity, -Infinity];
const integers = [0n, 1n, -1n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)];
const strings = ["", "x", "12", "true", "null", "Zoë", "\u0000", "a\nb", LONG_TEXT];

/** A value, as each language has it; Python tells floats by their bits. */
const cases: [
  type: "float" | "integer" | "string" | "boolean",
  ours: VariableValue,
  sent: Tagged,
  told: Tagged,
][] = [
  ...floats.map((value): (typeof cases)[number] => [
    "float",
    value,
    { float: Object.is(value, -0) ? "-0.0" : String(value) },
    { float: bitsOf(value) },
  ]),
  ...integers.map((value): (typeof cases)[number] => [
    "integer",
    value,
    { integer: String(value) },
    { integer: String(value) },
  ]),
  ...strings.map((value): (typeof cases)[number] => ["string", value, { string: value }, { string: value }]),
  ...[true, false].map((value): (typeof cases)[number] => [
    "boolean",
    value,
    { boolean: value },
    { boolean: value },
  ]),
];

/** What our client answers for an integer: a number where one holds it. */
function asRead(value: VariableValue): VariableValue {
  return typeof value === "bigint" && Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

const zeroOf = { float: 0.5, integer: 7n, string: "first", boolean: false } as const;

describe.each(["asyncio", "blocking"] as const)("with Python's %s client", (name) => {
  beforeEach(async () => {
    await begin();
    python = pythons[name];
  });

  describe("a value", () => {
    test("of every type and at every edge goes from TypeScript to Python", async () => {
      for (const [index, [type, ours, , told]] of cases.entries()) {
        await session.register(`v${index}`, type, zeroOf[type]);
        const { version } = await session.set(`v${index}`, ours);
        expect(version).toBe(2);
        expect(await python.call("get_variable", { name: `v${index}` })).toEqual(told);
      }
      const sources = (await python.call("sources")) as Record<string, string>;
      expect(new Set(Object.values(sources))).toEqual(new Set(["typescript"]));
    });

    test("of every type and at every edge goes from Python to TypeScript", async () => {
      for (const [index, [type, ours, sent]] of cases.entries()) {
        await python.call("register", { name: `v${index}`, type, value: sent });
        await python.call("set_variable", { name: `v${index}`, value: sent });
        const reading = await session.read(`v${index}`);
        expect(reading).toMatchObject({ type, version: 2, revision: 3 + 2 * index });
        expect(Object.is(reading.value, asRead(ours)), `${type} ${String(ours).slice(0, 40)}`).toBe(true);
      }
    });

    test("of JSON is the same in both, whichever wrote it", async () => {
      await session.register("plan", "json", {});
      const nested = {
        // All but the noncharacter, which I-JSON does not have.
        text: LONG_TEXT.slice(0, 1_000).replaceAll("\u{10ffff}", ""),
        list: [null, true, -1.5, 2 ** 53 - 1, { "": [] }],
        constructor: { a: "b" },
      };
      const values: JsonValue[] = [null, [], {}, nested, [[["deep"]]]];
      values.push(JSON.parse('{"__proto__":{"a":1}}') as JsonValue);
      for (const value of values) {
        await session.set("plan", value);
        expect(await python.call("get_variable", { name: "plan" })).toEqual({ json: value });
        await session.set("plan", "in between");
        await python.call("set_variable", { name: "plan", value: { json: value } });
        expect(await session.get("plan")).toEqual(value);
      }
      const scalars: [ours: JsonValue, theirs: Tagged][] = [
        ["", { string: "" }],
        ['{"a":1}', { string: '{"a":1}' }],
        ["null", { string: "null" }],
        [7, { integer: "7" }],
        [0.1, { float: bitsOf(0.1) }],
        [-0, { float: bitsOf(-0) }],
        [2 ** 60, { float: bitsOf(2 ** 60) }],
        [true, { boolean: true }],
      ];
      for (const [ours, theirs] of scalars) {
        await session.set("plan", ours);
        expect(await python.call("get_variable", { name: "plan" })).toEqual(theirs);
        expect(await session.get("plan")).toBe(ours);
      }
      await python.call("set_variable", { name: "plan", value: { float: "3" } });
      expect(await python.call("get_variable", { name: "plan" })).toEqual({ float: bitsOf(3) });
      expect(await session.get("plan")).toBe(3);
    });

    test("that is inferred has the type of the language that wrote it first", async () => {
      await python.call("set_variable", { name: "count", value: { integer: "3" } });
      await python.call("set_variable", { name: "rate", value: { float: "3" } });
      await session.set("number", 3);
      await session.set("bigint", 3n);
      const types = Object.fromEntries((await session.list()).map(({ name, type }) => [name, type]));
      expect(types).toEqual({ bigint: "integer", count: "integer", number: "float", rate: "float" });
      expect(await python.call("get_variable", { name: "number" })).toEqual({ float: bitsOf(3) });
      expect(await session.get("count")).toBe(3);
    });
  });

  describe("a history", () => {
    test("of values that both languages set is the same in both, at every edge", async () => {
      for (const [type, name] of [
        ["float", "f"],
        ["integer", "i"],
        ["string", "s"],
        ["boolean", "b"],
      ] as const) {
        // The longest text fills a history alone.
        const values = cases.filter(([of, ours]) => of === type && ours !== LONG_TEXT);
        await session.register(name, type, zeroOf[type]);
        for (const [, ours, sent] of values) {
          await session.set(name, ours);
          await python.call("set_variable", { name, value: sent });
        }
        const { entries, compacted } = await session.history(name);
        const shown = entries.slice(0, -1).reverse();
        expect([entries.length, compacted]).toEqual([2 * values.length + 1, false]);
        for (const [i, { value, version, source }] of shown.entries()) {
          const [, ours] = values[i >> 1] as (typeof cases)[number];
          expect(Object.is(value, asRead(ours)), `${type} ${String(ours).slice(0, 40)}`).toBe(true);
          expect([version, source]).toEqual([i + 2, i % 2 === 0 ? "typescript" : "python"]);
        }
        const told = (await python.call("get_history", { name })) as [number, Tagged, string][];
        expect(told.slice(0, -1).reverse()).toEqual(
          shown.map(({ version, source }, i) => [version, values[i >> 1]?.[3], source]),
        );
      }
    });
  });

  describe("both languages", () => {
    test("count together and lose nothing", async () => {
      await session.register("hits", "integer", 0);
      const ours = async (): Promise<void> => {
        for (let i = 0; i < 200; i++) await session.increment("hits");
      };
      await Promise.all([ours(), ours(), python.call("increment", { name: "hits", times: 200 })]);
      expect(await session.get("hits")).toBe(600);
      expect(await session.read("hits")).toMatchObject({ version: 601 });
    });

    test("win one compare-and-set each time, never two", async () => {
      await session.register("owner", "string", "nobody");
      for (let version = 1; version <= 20; version++) {
        const [ours, theirs] = await Promise.all([
          session.set("owner", "typescript", { expectedVersion: version }).then(
            () => "won",
            (error: unknown) => (error instanceof ConflictError ? "lost" : error),
          ),
          python.attempt("set_variable", {
            name: "owner",
            value: { string: "python" },
            expected_version: version,
          }),
        ]);
        expect(ours).toBe(theirs.error === "ConflictError" ? "won" : "lost");
        const winner = ours === "won" ? "typescript" : "python";
        expect(await session.get("owner")).toBe(winner);
        expect(await python.call("get_variable", { name: "owner" })).toEqual({ string: winner });
      }
    });

    test("get the same verdicts with the same texts", async () => {
      await session.register("rate", "float", 1, { constraints: { min: 0, max: 2 } });
      await session.register("name", "string", "abc", { constraints: { pattern: "^[a-z]+$" } });
      await session.register("size", "integer", 8, { constraints: { min: 8, step: 8 } });
      await session.register("phase", "choice", "warm-up", { constraints: { choices: ["warm-up", "main"] } });
      await session.register("plan", "json", {});
      const wrong: [name: string, ours: VariableValue, theirs: Tagged][] = [
        ["rate", 2.5, { float: "2.5" }],
        ["rate", -0.1, { float: "-0.1" }],
        ["rate", Number.NaN, { float: "nan" }],
        ["rate", 2n ** 53n + 1n, { integer: String(2n ** 53n + 1n) }],
        ["rate", "1", { string: "1" }],
        ["name", "ABC", { string: "ABC" }],
        ["size", 12n, { integer: "12" }],
        ["size", 0n, { integer: "0" }],
        ["size", true, { boolean: true }],
        ["phase", "mian", { string: "mian" }],
        ["phase", true, { boolean: true }],
        ["phase", null, { json: null }],
        ["phase", ["main"], { json: ["main"] }],
        ["plan", "\uffff", { string: "\uffff" }],
        ["plan", 2n ** 53n, { integer: String(2n ** 53n) }],
        ["plan", Number.NaN, { float: "nan" }],
        ["plan", { a: ["\ufdd0"] }, { json: { a: ["\ufdd0"] } }],
        ["new", [1], { json: [1] }],
      ];
      for (const [name, ours, value] of wrong) {
        const error = await session.set(name, ours).catch((thrown: unknown) => thrown);
        const { error: theirs, reason, text } = await python.attempt("set_variable", { name, value });
        const { name: className, reason: ourReason, message } = error as Error & { reason: string };
        expect({ theirs, reason, text }).toEqual({ theirs: className, reason: ourReason, text: message });
      }
      expect(await session.info()).toMatchObject({ revision: 6 });
    });

    test("see a batch whole: pairs that are written together are never read apart", async () => {
      await session.setMany({ left: 0, right: 0 });
      let done = false;
      const writing = (async () => {
        for (let i = 1; i <= 300; i++) await session.setMany({ left: i, right: -i });
        done = true;
      })();
      let looks = 0;
      while (!done) {
        const pair = (await python.call("get_variables", { names: ["left", "right"] })) as Record<
          string,
          Tagged
        >;
        const [left, right] = [pair["left"], pair["right"]].map((value) =>
          floatOf(value as { float: string }),
        );
        expect(left).toBe(right === 0 ? 0 : -(right as number));
        looks++;
      }
      await writing;
      expect(looks).toBeGreaterThan(5);
    });

    test("are refused the same atomic batch, whole, with every item named", async () => {
      await session.register("rate", "float", 1, { constraints: { max: 2 } });
      await session.register("flag", "boolean", false);
      await session.register("size", "integer", 8);
      const before = (await session.info()).revision;
      const error = await session
        .setMany({ rate: 3, flag: true, size: 1.5 })
        .catch((thrown: unknown) => thrown);
      const ours = [...(error as BatchError).errors].map(([name, { reason }]) => [name, reason]);
      const theirs = await python.attempt("set_variables", {
        values: { rate: { float: "3" }, flag: { boolean: true }, size: { float: "1.5" } },
      });
      expect(error).toBeInstanceOf(BatchError);
      expect(theirs.error).toBe("BatchError");
      expect(theirs.items).toEqual(Object.fromEntries(ours));
      expect(theirs.items).toEqual({ rate: "CONSTRAINT_VIOLATED", size: "TYPE_MISMATCH" });
      expect((await session.info()).revision).toBe(before);
      expect(await python.call("get_variable", { name: "flag" })).toEqual({ boolean: false });
    });

    test("take ordinary words for names, whatever they mean in a language", async () => {
      const names = [
        "constructor",
        "hasOwnProperty",
        "__class__",
        "toString",
        "None",
        "0",
        "ключ",
        "名前 1",
        "a.b/c",
      ];
      for (const name of names) {
        await session.set(name, name);
        expect(await python.call("get_variable", { name })).toEqual({ string: name });
      }
      const { error, reason } = await python.attempt("set_variable", {
        name: "__proto__",
        value: { boolean: true },
      });
      expect({ error, reason }).toEqual({ error: "InvalidInputError", reason: "INVALID_NAME" });
      await expect(session.set("__proto__", true)).rejects.toMatchObject({ reason: "INVALID_NAME" });
      expect((await session.list()).map(({ name }) => name).sort()).toEqual([...names].sort());
    });

    test("are told that a session is gone, and do not revive it", async () => {
      await python.call("set_variable", { name: "a", value: { integer: "1" } });
      await client.sessions.deleteSession(SESSION_ID);
      const { error } = await python.attempt("set_variable", { name: "a", value: { integer: "2" } });
      expect(error).toBe("SessionNotFoundError");
      await expect(session.set("a", 2n)).rejects.toMatchObject({ reason: "SESSION_NOT_FOUND" });
      expect(await client.sessions.sessionExists(SESSION_ID)).toBe(false);
    });
  });
});

describe("all three clients", () => {
  beforeEach(begin);

  test("count together and lose nothing", async () => {
    await session.register("hits", "integer", 0);
    const ours = async (): Promise<void> => {
      for (let i = 0; i < 100; i++) await session.increment("hits");
    };
    const theirs = Object.values(pythons).map((each) => each.call("increment", { name: "hits", times: 100 }));
    await Promise.all([ours(), ...theirs]);
    expect(await session.read("hits")).toMatchObject({ value: 300, version: 301 });
  });

  test("update one variable together and lose nothing", async () => {
    await session.register("total", "integer", 0);
    const ours = async (): Promise<void> => {
      for (let i = 0; i < 30; i++) await session.update("total", (total) => Number(total) + 1);
    };
    const theirs = Object.values(pythons).map((each) => each.call("update", { name: "total", times: 30 }));
    await Promise.all([ours(), ...theirs]);
    expect(await session.read("total")).toMatchObject({ value: 90, version: 91 });
  });

  test("wait for each other", async () => {
    const first = session.waitFor("turn", (turn) => turn === 3, { timeoutMs: 30_000 });
    const second = pythons.asyncio.call("wait_for", { name: "turn", value: { integer: "2" } });
    const third = pythons.blocking.call("wait_for", { name: "turn", value: { integer: "1" } });
    await session.set("turn", 1n);
    expect(await third).toEqual({ integer: "1" });
    await pythons.blocking.call("set_variable", { name: "turn", value: { integer: "2" } });
    expect(await second).toEqual({ integer: "2" });
    await pythons.asyncio.call("set_variable", { name: "turn", value: { integer: "3" } });
    expect(await first).toBe(3);
  });
});

function floatOf({ float }: { readonly float: string }): number {
  return Buffer.from(float, "hex").readDoubleBE();
}
