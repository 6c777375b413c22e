import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../core/errors.js";
import { fromStored, toLiteral, toOperand } from "./values.js";

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

  test("a value of another kind is sent as it is, for the bridge to refuse", () => {
    expect(toLiteral("1", "x", "integer")).toEqual({ kind: "string", value: "1" });
    expect(toLiteral(1n, "x", "float")).toEqual({ kind: "integer", value: 1n });
  });
});

describe("what cannot be a value", () => {
  test.each([
    ["undefined", undefined, "not undefined: delete the variable"],
    ["null", null, "not null: delete the variable"],
    ["an object", { a: 1 }, "not an object: share its parts as variables, or its JSON as a string"],
    ["an array", [1], "not an array: share its parts"],
    ["a symbol", Symbol("s"), "not symbol: convert it first"],
    ["a function", () => 1, "not function: convert it first"],
    ["a wrapped number", Object(1), "not an object"],
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

  test("is refused as an operand by the key of its constraint", () => {
    expect(catching(() => toOperand(null, "model", "pattern", "string"))).toMatchObject({
      reason: "INVALID_CONSTRAINT",
      identifier: "model",
      field: "pattern",
    });
  });
});

test("operands are of the type they limit; numbers that limit a string are lengths", () => {
  expect(toOperand(1, "x", "min", "float")).toEqual({ kind: "float", value: 1 });
  expect(toOperand(1, "x", "min", "integer")).toEqual({ kind: "integer", value: 1n });
  expect(toOperand(1, "x", "min_length", "string")).toEqual({ kind: "integer", value: 1n });
  expect(toOperand("^a", "x", "pattern", "string")).toEqual({ kind: "string", value: "^a" });
});

test("an integer is read as a number while that is exact, and as a bigint beyond", () => {
  expect(fromStored(7n)).toBe(7);
  expect(fromStored(BigInt(SAFE))).toBe(SAFE);
  expect(fromStored(-BigInt(SAFE))).toBe(-SAFE);
  expect(fromStored(BigInt(SAFE) + 1n)).toBe(2n ** 53n);
  expect(fromStored(-BigInt(SAFE) - 1n)).toBe(-(2n ** 53n));
  expect(fromStored(0.5)).toBe(0.5);
});

function catching(act: () => unknown): InvalidInputError {
  try {
    act();
  } catch (error) {
    return error as InvalidInputError;
  }
  throw new Error("nothing was thrown");
}
