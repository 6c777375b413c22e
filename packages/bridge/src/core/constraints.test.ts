import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type GivenConstraint, type Limits, sameConstraints } from "./constraints.js";
import { INT64_MAX, INT64_MIN, type Literal, type Stored } from "./literal.js";
import { Refusal } from "./refusal.js";
import { TYPE_NAMES, type TypeName, valueType } from "./values/registry.js";

const integer = (value: bigint): Literal => ({ kind: "integer", value });
const float = (value: number): Literal => ({ kind: "float", value });
const number = (value: number): Literal => ({ kind: "number", value });
const string = (value: string): Literal => ({ kind: "string", value });
const given = (key: string, ...values: Literal[]): GivenConstraint => ({ key, values });

function limits(type: TypeName, ...constraints: GivenConstraint[]): Limits<Stored> {
  const made = valueType(type).limits(constraints);
  if (made instanceof Refusal) throw new Error(made.message);
  return made;
}

function refusalOf(type: TypeName, ...constraints: GivenConstraint[]): Refusal {
  const made = valueType(type).limits(constraints);
  if (!(made instanceof Refusal)) throw new Error("was accepted");
  expect(made.reason).toBe("INVALID_CONSTRAINT");
  return made;
}

const numbered = (count: number): Literal[] => Array.from({ length: count }, (_, i) => string(`c${i}`));

describe("constraints as they are given", () => {
  test.for<[TypeName, string, GivenConstraint]>([
    ["float", "a float", given("min", float(1.5))],
    ["float", "an infinity", given("max", float(Number.POSITIVE_INFINITY))],
    ["float", "an integer that a double holds exactly", given("min", integer(2n ** 60n))],
    ["float", "a number", given("max", number(-0))],
    ["integer", "an integer", given("min", integer(INT64_MIN))],
    ["integer", "a whole number", given("max", number(2 ** 53 - 1))],
    ["integer", "a step of one", given("step", integer(1n))],
    ["string", "a length of zero", given("min_length", integer(0n))],
    ["string", "the greatest length", given("max_length", number(1_048_576))],
    ["string", "a pattern", given("pattern", string("^a"))],
    ["choice", "one choice", given("choices", string("a"))],
    ["choice", "the empty text", given("choices", string(""), string(" "))],
    ["choice", "1,000 choices", given("choices", ...numbered(1_000))],
    ["choice", "64 KiB of choices", given("choices", string("é".repeat(32_768)))],
  ])("%s takes %s", ([type, , constraint]) => {
    expect(limits(type, constraint).constraints).toHaveLength(1);
  });

  test.for<[TypeName, string, string, GivenConstraint[]]>([
    ["float", "a step", "step", [given("step", integer(1n))]],
    ["float", "NaN", "min", [given("min", float(Number.NaN))]],
    ["float", "an integer that no double holds", "max", [given("max", integer(2n ** 53n + 1n))]],
    ["float", "a string", "min", [given("min", string("1"))]],
    ["float", "min above max", "min", [given("min", float(2)), given("max", float(1))]],
    ["integer", "a float, also if whole", "min", [given("min", float(1))]],
    ["integer", "a number that is not whole", "min", [given("min", number(1.5))]],
    ["integer", "a number beyond 2^53 − 1", "max", [given("max", number(2 ** 53))]],
    ["integer", "a step of zero", "step", [given("step", integer(0n))]],
    ["integer", "a step below zero", "step", [given("step", integer(-1n))]],
    ["integer", "a truth value", "max", [given("max", { kind: "boolean", value: true })]],
    ["integer", "min above max", "min", [given("max", integer(1n)), given("min", integer(2n))]],
    ["integer", "a length", "max_length", [given("max_length", integer(1n))]],
    ["string", "a length below zero", "min_length", [given("min_length", integer(-1n))]],
    ["string", "a length beyond the greatest", "max_length", [given("max_length", integer(1_048_577n))]],
    ["string", "a float as length", "max_length", [given("max_length", float(1))]],
    [
      "string",
      "min_length above max_length",
      "min_length",
      [given("min_length", integer(2n)), given("max_length", integer(1n))],
    ],
    ["string", "a number as pattern", "pattern", [given("pattern", number(1))]],
    ["string", "a pattern that is none", "pattern", [given("pattern", string("("))]],
    ["string", "a pattern with a lone surrogate", "pattern", [given("pattern", string("\ud800"))]],
    ["string", "a bound", "min", [given("min", integer(1n))]],
    ["boolean", "anything", "min", [given("min", integer(0n))]],
    ["json", "anything", "choices", [given("choices", string("a"))]],
    ["string", "choices", "choices", [given("choices", string("a"))]],
    ["choice", "nothing at all", "choices", []],
    ["choice", "an empty list", "choices", [given("choices")]],
    ["choice", "a choice that stands twice", "choices", [given("choices", string("a"), string("a"))]],
    ["choice", "a choice that is no text", "choices", [given("choices", string("1"), number(1))]],
    ["choice", "a list in a list", "choices", [given("choices", { kind: "json", value: '["a"]' })]],
    ["choice", "null", "choices", [given("choices", { kind: "json", value: "null" })]],
    ["choice", "half of a surrogate pair", "choices", [given("choices", string("\ud800"))]],
    ["choice", "more than 1,000 choices", "choices", [given("choices", ...numbered(1_001))]],
    [
      "choice",
      "more than 64 KiB of them",
      "choices",
      [given("choices", string("a"), string("é".repeat(32_768)))],
    ],
    ["choice", "a pattern", "pattern", [given("choices", string("a")), given("pattern", string("a"))]],
    ["choice", "choices twice", "choices", [given("choices", string("a")), given("choices", string("b"))]],
    ["integer", "no operand", "min", [given("min")]],
    ["integer", "two operands", "min", [given("min", integer(1n), integer(2n))]],
    ["integer", "an operand of no known kind", "min", [given("min", { kind: "unknown" })]],
    ["integer", "a key twice", "min", [given("min", integer(1n)), given("min", integer(1n))]],
    ["integer", "an empty key", "", [given("", integer(1n))]],
    ["integer", "a key in capitals", "Min", [given("Min", integer(1n))]],
    ["integer", "the key __proto__", "__proto__", [given("__proto__", integer(1n))]],
    ["integer", "the key constructor", "constructor", [given("constructor", integer(1n))]],
    ["string", "the key toString", "toString", [given("toString", string("x"))]],
  ])("%s refuses %s, naming the key", ([type, , key, constraints]) => {
    expect(refusalOf(type, ...constraints).details.constraint).toBe(key);
  });

  test("a max_length too great for the pattern is refused", () => {
    const refusal = refusalOf(
      "string",
      given("pattern", string("a+b")),
      given("max_length", integer(1_000_000n)),
    );
    expect(["max_length", "pattern"]).toContain(refusal.details.constraint);
  });

  test("they are kept in the order of their keys, in the arm of the type", () => {
    expect(
      limits("integer", given("step", number(5)), given("min", number(-0)), given("max", integer(10n)))
        .constraints,
    ).toEqual([
      { key: "max", values: [integer(10n)] },
      { key: "min", values: [integer(0n)] },
      { key: "step", values: [integer(5n)] },
    ]);
    expect(limits("float", given("min", integer(1n)), given("max", number(2))).constraints).toEqual([
      { key: "max", values: [float(2)] },
      { key: "min", values: [float(1)] },
    ]);
    expect(limits("string", given("min_length", number(1))).constraints).toEqual([
      { key: "min_length", values: [integer(1n)] },
    ]);
  });

  test("what is kept, given again, gives the same", () => {
    const good = limits(
      "string",
      given("pattern", string("^a")),
      given("min_length", number(1)),
      given("max_length", number(9)),
    );
    expect(limits("string", ...good.constraints).constraints).toEqual(good.constraints);
  });

  test("choices keep the order they are given in", () => {
    const kept = limits("choice", given("choices", string("b"), string("a"))).constraints;
    expect(kept).toEqual([given("choices", string("b"), string("a"))]);
  });

  const needsNone = TYPE_NAMES.filter((type) => type !== "choice");
  test.for(needsNone)("no constraints are fine for %s and refuse nothing", (type) => {
    const values: Record<Exclude<TypeName, "choice">, Stored> = {
      float: Number.NaN,
      integer: INT64_MIN,
      string: "",
      boolean: false,
      json: "null",
    };
    expect(limits(type).constraints).toEqual([]);
    expect(limits(type).check(values[type])).toBeUndefined();
  });
});

describe("values under constraints", () => {
  const message = (type: TypeName, value: Stored, ...constraints: GivenConstraint[]): string | undefined =>
    limits(type, ...constraints).check(value)?.message;

  test.for<[TypeName, Stored, GivenConstraint[], string | undefined]>([
    ["float", 1, [given("min", float(1))], undefined],
    ["float", 0, [given("min", integer(1n))], "value 0 is below minimum 1"],
    ["float", -0, [given("min", float(5e-324))], "value -0 is below minimum 5e-324"],
    ["float", -0, [given("min", float(0))], undefined],
    ["float", 150, [given("max", float(100))], "value 150 is above maximum 100"],
    ["float", 1e21, [given("max", float(0.1 + 0.2))], "value 1e+21 is above maximum 0.30000000000000004"],
    ["float", Number.NaN, [given("min", float(0))], "value NaN is below minimum 0"],
    ["float", Number.NaN, [given("max", float(0))], "value NaN is above maximum 0"],
    [
      "float",
      Number.POSITIVE_INFINITY,
      [given("max", float(Number.MAX_VALUE))],
      "value Infinity is above maximum 1.7976931348623157e+308",
    ],
    ["float", Number.NEGATIVE_INFINITY, [given("min", float(Number.NEGATIVE_INFINITY))], undefined],
    [
      "integer",
      INT64_MIN,
      [given("min", integer(INT64_MIN + 1n))],
      "value -9223372036854775808 is below minimum -9223372036854775807",
    ],
    ["integer", INT64_MAX, [given("max", integer(INT64_MAX))], undefined],
    [
      "integer",
      7n,
      [given("min", integer(0n)), given("step", integer(5n))],
      "value 7 is not a multiple of step 5 from minimum 0",
    ],
    ["integer", 7n, [given("min", integer(2n)), given("step", integer(5n))], undefined],
    ["integer", -7n, [given("step", integer(5n))], "value -7 is not a multiple of step 5 from minimum 0"],
    [
      "integer",
      INT64_MAX,
      [given("min", integer(INT64_MIN)), given("step", integer(INT64_MAX))],
      "value 9223372036854775807 is not a multiple of step 9223372036854775807 from minimum -9223372036854775808",
    ],
    [
      "integer",
      INT64_MAX - 1n,
      [given("min", integer(INT64_MIN)), given("step", integer(INT64_MAX))],
      undefined,
    ],
    [
      "integer",
      101n,
      [given("max", integer(100n)), given("step", integer(5n))],
      "value 101 is above maximum 100",
    ],
    [
      "integer",
      -1n,
      [given("min", integer(0n)), given("max", integer(100n)), given("step", integer(5n))],
      "value -1 is below minimum 0",
    ],
    ["string", "ab", [given("min_length", integer(3n))], "string length 2 is below minimum 3"],
    [
      "string",
      "\u{1f600}\u{1f600}",
      [given("min_length", integer(2n)), given("max_length", integer(2n))],
      undefined,
    ],
    ["string", "e\u0301", [given("max_length", integer(1n))], "string length 2 is above maximum 1"],
    ["string", "bad", [given("pattern", string("^a"))], "value does not match pattern ^a"],
    [
      "string",
      "b",
      [given("pattern", string("^a")), given("min_length", integer(2n))],
      "string length 1 is below minimum 2",
    ],
    [
      "string",
      "bbb",
      [given("pattern", string("^a")), given("max_length", integer(2n))],
      "string length 3 is above maximum 2",
    ],
    ["choice", "green", [given("choices", string("red"), string("green"))], undefined],
    [
      "choice",
      "blue",
      [given("choices", string("red"), string("green"))],
      'value "blue" is not one of "red", "green"',
    ],
    ["choice", "Red", [given("choices", string("red"))], 'value "Red" is not one of "red"'],
    ["choice", "", [given("choices", string("\n"), string("é"))], 'value "" is not one of "\\n", "é"'],
    ["choice", "e\u0301", [given("choices", string("é"))], 'value "e\u0301" is not one of "é"'],
    [
      "choice",
      "x",
      [given("choices", ...numbered(10))],
      'value "x" is not one of "c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9"',
    ],
    [
      "choice",
      "x",
      [given("choices", ...numbered(1_000))],
      'value "x" is not one of "c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9" and 990 more',
    ],
  ])("of a %s: %s", ([type, value, constraints, text]) => {
    expect(message(type, value, ...constraints)).toBe(text);
  });

  test("a text longer than the pattern's cost allows is refused by the pattern, with its length and the bound", () => {
    const { check } = limits("string", given("pattern", string("(x{100}){9}")));
    const refusal = check("x".repeat(100_000));
    expect(refusal?.reason).toBe("CONSTRAINT_VIOLATED");
    expect(refusal?.details.constraint).toBe("pattern");
    const [, length, bound] = /length (\d+) .* (\d+)/.exec(refusal?.message ?? "") ?? [];
    expect(length).toBe("100000");
    expect(check("x".repeat(Number(bound)))).toBeUndefined();
    expect(check("x".repeat(Number(bound) + 1))).toBeDefined();
  });

  test("a text about a choice is short, however long the choices and the value are", () => {
    const long = Array.from({ length: 16 }, (_, i) => string(`${i}${"\u{1f600}".repeat(1_000)}`));
    const text = message("choice", "y".repeat(1_000_000), given("choices", ...long)) ?? "";
    expect([...text].length).toBeLessThan(11 * 72 + 40);
    expect(text).toMatch(/^value "y{64}…" is not one of "0.*…", .* and 6 more$/u);
  });

  test("an integer satisfies min, max and step as arithmetic without bounds says", () => {
    const edge = fc.oneof(
      fc.bigInt({ min: INT64_MIN, max: INT64_MAX }),
      fc.constantFrom(INT64_MIN, INT64_MAX, 0n, 1n, -1n, 5n),
    );
    fc.assert(
      fc.property(
        edge,
        edge,
        edge,
        fc.oneof(fc.constantFrom(1n, 2n, 3n, INT64_MAX), fc.bigInt({ min: 1n, max: INT64_MAX })),
        (value, a, b, step) => {
          const [min, max] = a < b ? [a, b] : [b, a];
          const { check } = limits(
            "integer",
            given("min", integer(min)),
            given("max", integer(max)),
            given("step", integer(step)),
          );
          const fine = value >= min && value <= max && (value - min) % step === 0n;
          expect(check(value) === undefined).toBe(fine);
        },
      ),
    );
  });

  test("a float satisfies min and max as comparing says, and NaN neither", () => {
    fc.assert(
      fc.property(fc.double(), fc.double({ noNaN: true }), fc.double({ noNaN: true }), (value, a, b) => {
        const [min, max] = a <= b ? [a, b] : [b, a];
        const { check } = limits("float", given("min", float(min)), given("max", float(max)));
        expect(check(value) === undefined).toBe(value >= min && value <= max);
      }),
    );
  });
});

describe("sameConstraints", () => {
  test("tells whether type, keys and operands are the same, whatever order and arm they came in", () => {
    const a = limits("integer", given("min", number(1)), given("max", integer(5n))).constraints;
    const b = limits("integer", given("max", number(5)), given("min", integer(1n))).constraints;
    const c = limits("integer", given("max", number(5)), given("min", integer(2n))).constraints;
    const d = limits("integer", given("max", number(5))).constraints;
    expect([
      sameConstraints(a, b),
      sameConstraints(a, c),
      sameConstraints(a, d),
      sameConstraints([], []),
    ]).toEqual([true, false, false, true]);
  });
});
