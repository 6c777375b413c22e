import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { INT64_MAX, INT64_MIN, type Literal, type Stored } from "../literal.js";
import { Refusal } from "../refusal.js";
import { isTypeName, TYPE_NAMES, type TypeName, valueType } from "./registry.js";

function accepted(type: TypeName, literal: Literal): Stored {
  const value = valueType(type).accept(literal);
  if (value instanceof Refusal) throw new Error(value.message);
  return value;
}

function refusalOf(type: TypeName, literal: Literal): Refusal {
  const value = valueType(type).accept(literal);
  if (!(value instanceof Refusal)) throw new Error(`accepted ${String(value)}`);
  return value;
}

const NOT_A: Record<TypeName, string> = {
  float: "must be a number",
  integer: "must be an integer",
  string: "must be a string",
  boolean: "must be a boolean",
};

describe("the registry", () => {
  test("knows four types and nothing that objects have", () => {
    expect(TYPE_NAMES).toEqual(["float", "integer", "string", "boolean"]);
    for (const name of ["", "Float", "tensor", "constructor", "toString", "__proto__", "hasOwnProperty"])
      expect(isTypeName(name), name).toBe(false);
  });

  test("each type is found by its own name", () => {
    for (const name of TYPE_NAMES) expect(valueType(name).name).toBe(name);
  });
});

describe("float", () => {
  test("keeps every double that is given as a float or as a number, bit for bit", () => {
    const double = fc.oneof(fc.double(), fc.constantFrom(-0, Number.NaN, 5e-324, Number.MAX_VALUE));
    fc.assert(
      fc.property(double, fc.constantFrom("float" as const, "number" as const), (value, kind) => {
        expect(accepted("float", { kind, value })).toBe(value);
      }),
    );
  });

  test("takes an integer exactly where a double holds it, and says the integer where not", () => {
    const whole = fc.oneof(
      fc.bigInt({ min: INT64_MIN, max: INT64_MAX }),
      fc.bigInt({ min: 2n ** 53n - 3n, max: 2n ** 53n + 3n }),
      fc.bigInt({ min: 0n, max: 1_023n }).map((n) => n << 53n),
    );
    fc.assert(
      fc.property(whole, (value) => {
        fc.pre(value <= INT64_MAX);
        if (BigInt(Number(value)) === value) {
          expect(accepted("float", { kind: "integer", value })).toBe(Number(value));
        } else {
          const { reason, message } = refusalOf("float", { kind: "integer", value });
          expect([reason, message]).toEqual(["TYPE_MISMATCH", `integer ${value} is not exact as a float`]);
        }
      }),
    );
  });
});

describe("integer", () => {
  test("takes the integers of signed 64 bit as they are", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: INT64_MIN, max: INT64_MAX }), (value) => {
        expect(accepted("integer", { kind: "integer", value })).toBe(value);
      }),
    );
    for (const value of [INT64_MIN, INT64_MAX])
      expect(accepted("integer", { kind: "integer", value })).toBe(value);
  });

  test("takes a number that is whole and no greater than 2^53 − 1 in size, and no other", () => {
    fc.assert(
      fc.property(fc.oneof(fc.double(), fc.integer(), fc.maxSafeInteger()), (value) => {
        const literal: Literal = { kind: "number", value };
        if (Number.isSafeInteger(value)) expect(accepted("integer", literal)).toBe(BigInt(value));
        else expect(refusalOf("integer", literal).message).toBe("must be an integer");
      }),
    );
    expect(accepted("integer", { kind: "number", value: -0 })).toBe(0n);
    expect(accepted("integer", { kind: "number", value: -(2 ** 53 - 1) })).toBe(-(2n ** 53n) + 1n);
    for (const value of [2 ** 53, -(2 ** 53), 0.5, Number.NaN, Number.POSITIVE_INFINITY])
      refusalOf("integer", { kind: "number", value });
  });

  test("takes no float, not even a whole one", () => {
    for (const value of [0, 1, -0, 2 ** 53, 1.5, Number.NaN]) {
      expect(refusalOf("integer", { kind: "float", value }).details.typeMismatch).toEqual({
        expected: "integer",
        actual: "float",
      });
    }
  });
});

describe("string", () => {
  test("keeps well-formed text as it is, without normalising", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (value) => {
        expect(accepted("string", { kind: "string", value })).toBe(value);
      }),
    );
    for (const value of ["é", "e\u0301", "\u0000", "\ufeff", "\r\n"])
      expect(accepted("string", { kind: "string", value })).toBe(value);
  });

  test("refuses a lone surrogate as no value at all", () => {
    for (const value of ["\ud800", "a\udc00b", "\udc00\ud800"])
      expect(refusalOf("string", { kind: "string", value }).reason).toBe("INVALID_VALUE");
  });
});

describe("every type", () => {
  const samples: readonly Literal[] = [
    { kind: "float", value: 1 },
    { kind: "number", value: 1 },
    { kind: "integer", value: 1n },
    { kind: "string", value: "1" },
    { kind: "string", value: "true" },
    { kind: "boolean", value: true },
  ];
  const TAKES: Record<TypeName, readonly Literal["kind"][]> = {
    float: ["float", "number", "integer"],
    integer: ["number", "integer"],
    string: ["string"],
    boolean: ["boolean"],
  };

  test.for(TYPE_NAMES)(
    "%s coerces nothing: what is of another kind is refused with both kinds named",
    (type) => {
      for (const literal of samples) {
        if (TAKES[type].includes(literal.kind)) {
          accepted(type, literal);
          continue;
        }
        const { reason, message, details } = refusalOf(type, literal);
        expect([reason, message]).toEqual(["TYPE_MISMATCH", NOT_A[type]]);
        expect(details.typeMismatch).toEqual({ expected: type, actual: literal.kind });
      }
    },
  );

  test.for(TYPE_NAMES)("%s refuses what is no value as INVALID_VALUE", (type) => {
    expect(refusalOf(type, { kind: "unknown" }).reason).toBe("INVALID_VALUE");
  });

  test("sends a value as a literal that gives it back", () => {
    const values: Record<TypeName, readonly Stored[]> = {
      float: [0, -0, Number.NaN, Number.NEGATIVE_INFINITY, 1.5],
      integer: [INT64_MIN, 0n, INT64_MAX],
      string: ["", "\u{1f600}"],
      boolean: [true, false],
    };
    for (const type of TYPE_NAMES) {
      for (const value of values[type]) {
        const literal = valueType(type).literal(value);
        expect(literal.kind).toBe(type);
        expect(accepted(type, literal)).toBe(value);
      }
    }
  });
});
