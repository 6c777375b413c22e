import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jsonFault } from "../core/json-text.js";
import { formatJson, type JsonValue, readJson, writeJson } from "./json.js";

function written(value: unknown): string {
  const literal = writeJson(value);
  if (typeof literal === "string") throw new Error(literal);
  return literal.value;
}

class Point {
  x = 1;
}

describe("a value is written", () => {
  test.each<[string, unknown]>([
    ["null", null],
    ["0.5", 0.5],
    ["-0.0", -0],
    ["9007199254740991", Number.MAX_SAFE_INTEGER],
    ["9.007199254740992e+15", 2 ** 53],
    ["1e-7", 1e-7],
    ['"a\\n\u2028"', "a\n\u2028"],
    ['{"b":1,"a":[true,null,{}]}', { b: 1, a: [true, null, {}] }],
    ['{"__proto__":1}', JSON.parse('{"__proto__":1}')],
    ['{"a":1}', Object.assign(Object.create(null), { a: 1 })],
    ['{"a":[1]}', runInNewContext("({ a: [1] })")],
  ])("as %s", (text, value) => {
    expect(written(value)).toBe(text);
    expect(jsonFault(text)).toBeUndefined();
  });

  test("with the same thing in two places, which is no circle", () => {
    const shared = { a: 1 };
    expect(written([shared, shared, [shared]])).toBe('[{"a":1},{"a":1},[{"a":1}]]');
  });

  test("as stringify writes it, save for numbers that it does not keep", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(written(value))).toEqual(value);
      }),
    );
  });

  test("as the bridge takes it, whatever it is", () => {
    const text = fc.string({ unit: "grapheme" });
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { depthSize: "small" },
        fc.constantFrom(null, true, false),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.bigInt({ min: -(2n ** 60n), max: 2n ** 60n }).map(Number),
        text,
        fc.array(tie("value")),
        fc.dictionary(fc.oneof(text, fc.constantFrom("__proto__", "toJSON", "1")), tie("value")),
      ),
    }));
    fc.assert(
      fc.property(value, (any) => {
        expect(jsonFault(written(any))).toBeUndefined();
      }),
    );
  });
});

describe("what JSON does not have is refused with its place", () => {
  const circle: { inside: unknown[] } = { inside: [] };
  circle.inside.push(0, circle);
  let deep: unknown = 1;
  for (let i = 0; i < 65; i++) deep = [deep];
  test.each<[string, unknown]>([
    ["value is undefined, which JSON does not have: leave it out, or use null", undefined],
    ["value.a is undefined, which JSON does not have: leave it out, or use null", { a: undefined }],
    // biome-ignore lint/suspicious/noSparseArray: the hole is what is tested
    ["value[1] is undefined, which JSON does not have: leave it out, or use null", [1, , 2]],
    ["value.f is a function, which JSON does not have: leave it out, or use null", { f: () => 1 }],
    ["value.s is a symbol, which JSON does not have: leave it out, or use null", { s: Symbol("s") }],
    ["value has a symbol for a key, which JSON does not have", { [Symbol("s")]: 1 }],
    ["value.n is a bigint, and JSON has whole numbers up to 2^53 − 1 only: use a string", { n: 1n }],
    ["value[0] is NaN, which JSON has no number for: use null or a string", [Number.NaN]],
    ["value is -Infinity, which JSON has no number for: use null or a string", -Infinity],
    ["value[0] is not well-formed Unicode (it has a lone surrogate)", ["\ud800"]],
    ["value.a has a key that is not well-formed Unicode (it has a lone surrogate)", { a: { "\udc00": 1 } }],
    ["value.inside[1] contains itself", circle],
    [`value${"[0]".repeat(64)} is nested deeper than 64`, deep],
    [
      "value.at is an object of the class Date, and JSON has plain objects and arrays only: convert it first",
      { at: new Date(0) },
    ],
    [
      "value[0] is an object of the class Map, and JSON has plain objects and arrays only: convert it first",
      [new Map()],
    ],
    [
      "value is an object of the class Point, and JSON has plain objects and arrays only: convert it first",
      new Point(),
    ],
    [
      "value.toJSON is a function, which JSON does not have: leave it out, or use null",
      { toJSON: () => "secret" },
    ],
    [
      'value["a b"].c is undefined, which JSON does not have: leave it out, or use null',
      { "a b": { c: undefined } },
    ],
  ])("%s", (problem, value) => {
    expect(writeJson(value)).toBe(problem);
  });

  test("however deep it goes", () => {
    let endless: unknown = [];
    for (let i = 0; i < 200_000; i++) endless = [endless];
    expect(writeJson(endless)).toBe(`value${"[0]".repeat(64)} is nested deeper than 64`);
  });

  test("and never in words that are longer than people read", () => {
    expect(String(writeJson({ ["k".repeat(100_000)]: undefined })).length).toBeLessThan(200);
  });

  test("but what a getter throws is the caller's own", () => {
    const value = {
      get a(): never {
        throw new RangeError("mine");
      },
    };
    expect(() => writeJson(value)).toThrow(new RangeError("mine"));
  });
});

describe("a text is read", () => {
  test("as a value that is frozen all the way down, and a new one each time", () => {
    const text = '{"a":[{"b":{}}],"__proto__":{"c":[]}}';
    const value = readJson(text) as { a: { b: object }[]; ["__proto__"]: { c: unknown[] } };
    const own = Object.getOwnPropertyDescriptor(value, "__proto__")?.value;
    for (const part of [value, value.a, value.a[0], value.a[0]?.b, own, own.c])
      expect(Object.isFrozen(part)).toBe(true);
    expect(() => value.a.push({ b: {} })).toThrow(TypeError);
    expect(readJson(text)).not.toBe(value);
  });

  test("with __proto__ as a key like any other", () => {
    const value = readJson('{"__proto__":{"polluted":true}}') as object;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.keys(value)).toEqual(["__proto__"]);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect(formatJson(value as JsonValue)).toBe('{"__proto__":{"polluted":true}}');
  });

  test("and what is no JSON is the bridge's bug", () => {
    expect(() => readJson("{a}")).toThrow(
      expect.objectContaining({ name: "InternalError", reason: "PROTOCOL" }),
    );
  });

  test("however deep it goes", () => {
    // No bridge keeps such a text, but one that does must not bring its clients down.
    const value = readJson("[".repeat(100_000) + "]".repeat(100_000));
    expect(Object.isFrozen(value)).toBe(true);
  });

  test("as it was written", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(readJson(written(value))).toEqual(value);
      }),
    );
  });
});
