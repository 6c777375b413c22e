import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { INT64_MAX, INT64_MIN, type Literal, type Stored } from "../literal.js";
import { Refusal } from "../refusal.js";
import { isTypeName, TYPE_NAMES, type TypeName, valueType } from "./registry.js";
import { armOf, literalOf } from "./types.js";

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

/** What other arms are told; json has a value for each of them. */
const NOT_A: Record<Exclude<TypeName, "json">, string> = {
  float: "must be a number",
  integer: "must be an integer",
  string: "must be a string",
  boolean: "must be a boolean",
  choice: "must be a string",
};

describe("the types", () => {
  test("are six and nothing that objects have", () => {
    expect(TYPE_NAMES).toEqual(["float", "integer", "string", "boolean", "choice", "json"]);
    for (const name of ["", "Float", "tensor", "constructor", "toString", "__proto__", "hasOwnProperty"])
      expect(isTypeName(name), name).toBe(false);
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

describe("json", () => {
  test("keeps a text of JSON as it is, white space and all", () => {
    for (const value of [' { "b" : 1.0 , "a" : [ ] }\n', '"\\u0061"', "null", "-0", "1e5"])
      expect(accepted("json", { kind: "json", value })).toBe(value);
  });

  test("refuses what is no JSON, and says where", () => {
    const { reason, message } = refusalOf("json", { kind: "json", value: '{"a":1,"a":2}' });
    expect([reason, message]).toEqual([
      "INVALID_VALUE",
      'not I-JSON at character 7: the key "a" stands twice in its object',
    ]);
  });

  test.for<[string, Literal]>([
    ['"{\\"a\\":1}"', { kind: "string", value: '{"a":1}' }],
    ['"\\u0000\u2028\u{1f600}"', { kind: "string", value: "\u0000\u2028\u{1f600}" }],
    ["false", { kind: "boolean", value: false }],
    ["-9007199254740991", { kind: "integer", value: -(2n ** 53n) + 1n }],
    ["1.0", { kind: "float", value: 1 }],
    ["-0.0", { kind: "float", value: -0 }],
    ["1.152921504606847e+18", { kind: "float", value: 2 ** 60 }],
    ["1", { kind: "number", value: 1 }],
    ["-0.0", { kind: "number", value: -0 }],
    ["0.1", { kind: "number", value: 0.1 }],
  ])("writes a value of another arm as JSON: %s", ([text, literal]) => {
    expect(accepted("json", literal)).toBe(text);
  });

  test.for<[string, Literal]>([
    ["not I-JSON at character 0: JSON has no number NaN", { kind: "float", value: Number.NaN }],
    [
      "not I-JSON at character 0: JSON has no number -Infinity",
      { kind: "number", value: Number.NEGATIVE_INFINITY },
    ],
    [
      "not I-JSON at character 0: integer 9007199254740992 is beyond 2^53 − 1",
      { kind: "integer", value: 2n ** 53n },
    ],
    ["not I-JSON at character 2: U+D800 is half of a surrogate pair", { kind: "string", value: "a\ud800" }],
  ])("refuses what is no JSON in any arm: %s", ([message, literal]) => {
    expect(refusalOf("json", literal)).toMatchObject({ reason: "INVALID_VALUE", message });
  });

  test("has a number for every finite double, which reads back as it was", () => {
    const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(finite, fc.constantFrom("float" as const, "number" as const), (value, kind) => {
        expect(JSON.parse(String(accepted("json", { kind, value })))).toBe(value);
      }),
    );
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
    { kind: "json", value: "1" },
  ];
  const TAKES: Record<TypeName, readonly Literal["kind"][]> = {
    float: ["float", "number", "integer"],
    integer: ["number", "integer"],
    string: ["string"],
    boolean: ["boolean"],
    choice: ["string"],
    json: ["float", "number", "integer", "string", "boolean", "json"],
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
        expect([reason, message]).toEqual(["TYPE_MISMATCH", NOT_A[type as keyof typeof NOT_A]]);
        expect(details.typeMismatch).toEqual({ expected: type, actual: literal.kind });
      }
    },
  );

  test.for(TYPE_NAMES)("%s refuses what is no value as INVALID_VALUE", (type) => {
    expect(refusalOf(type, { kind: "unknown" }).reason).toBe("INVALID_VALUE");
  });

  test.for(TYPE_NAMES.filter((type) => type !== "json"))("%s has no null", (type) => {
    for (const value of ["null", " null\n"]) {
      expect(refusalOf(type, { kind: "json", value })).toMatchObject({
        reason: "INVALID_VALUE",
        message: `null is no ${type}; a variable always has a value, so delete it if it has none any more`,
      });
    }
  });

  test("sends a value as a literal that gives it back", () => {
    const values: Record<TypeName, readonly Stored[]> = {
      float: [0, -0, Number.NaN, Number.NEGATIVE_INFINITY, 1.5],
      integer: [INT64_MIN, 0n, INT64_MAX],
      string: ["", "\u{1f600}"],
      boolean: [true, false],
      choice: ["", "a"],
      json: ["null", "[1.0]"],
    };
    for (const type of TYPE_NAMES) {
      for (const value of values[type]) {
        const literal = literalOf(type, value);
        expect(literal.kind).toBe(armOf(type));
        expect(accepted(type, literal)).toBe(value);
      }
    }
  });
});
