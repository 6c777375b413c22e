import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../core/errors.js";
import { fromLiteral, fromStored, toAmount, toLiteral, toOperands } from "./values.js";

const SAFE = Number.MAX_SAFE_INTEGER;

describe("without a definition", () => {
  test("a number does not claim to be a float or an integer [VAL-3]", () => {
    for (const value of [0.5, 1, -0, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60]) {
      expect(toLiteral(value, "x")).toStrictEqual({ kind: "number", value });
    }
  });

  test("a bigint is an integer, a string a string and a boolean a boolean [VAL-4]", () => {
    expect(toLiteral(5n, "x")).toEqual({ kind: "integer", value: 5n });
    expect(toLiteral("5", "x")).toEqual({ kind: "string", value: "5" });
    expect(toLiteral(true, "x")).toEqual({ kind: "boolean", value: true });
  });

  test("null, an array and a plain object are JSON [VAL-18]", () => {
    expect(toLiteral(null, "x")).toEqual({ kind: "json", value: "null" });
    expect(toLiteral([1, "a"], "x")).toEqual({ kind: "json", value: '[1,"a"]' });
    expect(toLiteral({ a: {} }, "x")).toEqual({ kind: "json", value: '{"a":{}}' });
  });
});

describe("with a definition", () => {
  test("a number is of the type defined", () => {
    expect(toLiteral(1, "x", "float")).toEqual({ kind: "float", value: 1 });
    expect(toLiteral(1, "x", "integer")).toEqual({ kind: "integer", value: 1n });
    expect(toLiteral(-0, "x", "integer")).toEqual({ kind: "integer", value: 0n });
    expect(toLiteral(-SAFE, "x", "integer")).toEqual({ kind: "integer", value: BigInt(-SAFE) });
  });

  test("a fraction for an integer is sent as it is, for the bridge to refuse", () => {
    expect(toLiteral(1.5, "x", "integer")).toEqual({ kind: "float", value: 1.5 });
    expect(toLiteral(Number.NaN, "x", "integer")).toStrictEqual({ kind: "float", value: Number.NaN });
  });

  test("a number that stands for several integers is refused with what to do", () => {
    expect(() => toLiteral(2 ** 53, "count", "integer")).toThrow(
      '"count": the number 9007199254740992 is beyond 2^53 − 1, where one number stands for several integers: pass a bigint',
    );
  });

  test("everything is JSON for json, and a text is a JSON string", () => {
    expect(toLiteral("1", "x", "json")).toEqual({ kind: "json", value: '"1"' });
    expect(toLiteral(1, "x", "json")).toEqual({ kind: "json", value: "1" });
    expect(toLiteral(true, "x", "json")).toEqual({ kind: "json", value: "true" });
    expect(toLiteral({ a: [null] }, "x", "json")).toEqual({ kind: "json", value: '{"a":[null]}' });
  });

  test("a choice is a string", () => {
    expect(toLiteral("red", "x", "choice")).toEqual({ kind: "string", value: "red" });
    expect(toLiteral(1, "x", "choice")).toEqual({ kind: "number", value: 1 });
  });

  test("a value of another kind is sent as it is, for the bridge to refuse", () => {
    expect(toLiteral("1", "x", "integer")).toEqual({ kind: "string", value: "1" });
    expect(toLiteral(1n, "x", "float")).toEqual({ kind: "integer", value: 1n });
  });
});

describe("what cannot be a value", () => {
  test.each([
    ["undefined", undefined, "not undefined: delete the variable"],
    ["a symbol", Symbol("s"), "not symbol: convert it first"],
    ["a function", () => 1, "not function: convert it first"],
    ["a wrapped number", Object(1), "value is an object of the class Number"],
    ["bytes", new Uint8Array(1), "value is an object of the class Uint8Array"],
    ["an object with a hole", { a: undefined }, "value.a is undefined"],
    ["a lone surrogate", "a\ud800", "lone surrogate"],
    ["an integer above 64 bit", 2n ** 63n, "does not fit into signed 64 bit"],
    ["an integer below 64 bit", -(2n ** 63n) - 1n, "does not fit into signed 64 bit"],
  ])("%s is refused by the name of its variable [VAL-1]", (_, value, text) => {
    const refused = catching(() => toLiteral(value, "model"));
    expect(refused).toBeInstanceOf(InvalidInputError);
    expect(refused).toMatchObject({ reason: "INVALID_VALUE", identifier: "model" });
    expect(refused.message).toContain(text);
    expect(refused.message).toMatch(/^"model": /);
  });

  test.each([
    ["null", null, "not null: delete the variable"],
    [
      "an object",
      { a: 1 },
      "not an object: share its parts as variables, or make the variable one of type json",
    ],
    ["an array", [1], "not an array: share its parts"],
  ])("%s is none where another type is defined, nor as what is added", (_, value, text) => {
    for (const attempt of [
      () => toLiteral(value, "model", "string"),
      () => toLiteral(value, "model", "choice"),
      () => toAmount(value, "model"),
    ]) {
      const refused = catching(attempt);
      expect(refused).toMatchObject({ reason: "INVALID_VALUE", identifier: "model" });
      expect(refused.message).toContain(text);
    }
  });

  test("is refused as an operand by the key of its constraint", () => {
    expect(catching(() => toOperands(null, "model", "pattern", "string"))).toMatchObject({
      reason: "INVALID_CONSTRAINT",
      identifier: "model",
      field: "pattern",
    });
  });
});

test("operands are of the type they limit; numbers that limit a string are lengths", () => {
  expect(toOperands(1, "x", "min", "float")).toEqual([{ kind: "float", value: 1 }]);
  expect(toOperands(1, "x", "min", "integer")).toEqual([{ kind: "integer", value: 1n }]);
  expect(toOperands(1, "x", "min_length", "string")).toEqual([{ kind: "integer", value: 1n }]);
  expect(toOperands("^a", "x", "pattern", "string")).toEqual([{ kind: "string", value: "^a" }]);
});

test("a list of operands is as many of them, and one that is no value is refused", () => {
  expect(toOperands(["a", "b"], "x", "choices", "choice")).toEqual([
    { kind: "string", value: "a" },
    { kind: "string", value: "b" },
  ]);
  expect(toOperands([], "x", "choices", "choice")).toEqual([]);
  expect(() => toOperands(["a", ["b"]], "x", "choices", "choice")).toThrow(
    /^"x": choices: a value is a number/,
  );
});

test("an integer is read as a number while that is exact, and as a bigint beyond", () => {
  expect(fromStored("integer", 7n)).toBe(7);
  expect(fromStored("integer", BigInt(SAFE))).toBe(SAFE);
  expect(fromStored("integer", -BigInt(SAFE))).toBe(-SAFE);
  expect(fromStored("integer", BigInt(SAFE) + 1n)).toBe(2n ** 53n);
  expect(fromStored("integer", -BigInt(SAFE) - 1n)).toBe(-(2n ** 53n));
  expect(fromStored("float", 0.5)).toBe(0.5);
});

test("a text is read as JSON only where it is JSON", () => {
  expect(fromStored("string", '{"a":1}')).toBe('{"a":1}');
  expect(fromStored("choice", "null")).toBe("null");
  expect(fromStored("json", '{"a":1}')).toEqual({ a: 1 });
  expect(fromStored("json", '"a"')).toBe("a");
  expect(fromLiteral({ kind: "json", value: "null" })).toBeNull();
});

function catching(act: () => unknown): InvalidInputError {
  try {
    act();
  } catch (error) {
    return error as InvalidInputError;
  }
  throw new Error("nothing was thrown");
}
