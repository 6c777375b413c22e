/** Names, values, constraints and metadata to draw from: small pools, so that draws meet, with hostile ones in each. */
import fc from "fast-check";
import type { GivenConstraint } from "../../packages/bridge/src/core/constraints.js";
import type { Literal } from "../../packages/bridge/src/core/literal.js";
import type { MetadataPairs } from "../../packages/bridge/src/core/metadata.js";
import type { Definition } from "../../packages/bridge/src/core/variable.js";
import { JSON_TEXTS } from "./json-rules.js";
import { BAD_PATTERNS, PATTERNS, TYPE_WORDS, type TypeWord } from "./rules.js";

/** `@id:NAME` as an identifier: the present id of NAME; `@old:NAME`: an id that NAME had once. */
export const ID_OF = "@id:";
export const FORMER_ID_OF = "@old:";
type Weighted<T> = { readonly weight: number; readonly arbitrary: fc.Arbitrary<T> };
export const often = <T>(weight: number, arbitrary: fc.Arbitrary<T>): Weighted<T> => ({ weight, arbitrary });
export const one = <T>(...items: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...items);

export const GOOD_SESSION_IDS = ["s", "t", "constructor", "var_a_1"] as const;
const BAD_SESSION_IDS = ["", "__proto__", " s", "s\u0000", "\ud800", "é".repeat(129)] as const;
export const sessionId = fc.oneof(
  often(36, fc.constant("s")),
  often(5, fc.constant("t")),
  often(3, one(...GOOD_SESSION_IDS)),
  often(1, one(...BAD_SESSION_IDS)),
);

export const COMMON_NAMES = ["a", "b", "n", "constructor", "😀é", "c", "j"] as const;
const EDGE_NAMES = [
  "A",
  "toString",
  "hasOwnProperty",
  "then",
  "..",
  "/",
  "*",
  "a b",
  "e\u0301",
  "é",
  "\u{10ffff}",
  "\uffff",
  "var_a_1x",
  "var__1",
  "var_a_",
  "x".repeat(256),
  "é".repeat(128),
  "😀".repeat(64),
] as const;
const BAD_NAMES = [
  "",
  "__proto__",
  " a",
  "a ",
  "\u00a0a",
  "a\u3000",
  "\u1680a",
  "a\u0000b",
  "a\u0085b",
  "a\u007fb",
  "a\nb",
  "a\u2028b",
  "a\u2029",
  "\ufeffa",
  "a\ufeffb",
  "\ud800",
  "a\udc00b",
  "x".repeat(257),
  "é".repeat(129),
  "😀".repeat(65),
  "var_a_1",
  "var___1",
  "var_1_2_3",
  "var_ a_1",
  "var___proto___1",
  "var_var_a_1_2",
] as const;
export const commonName = one(...COMMON_NAMES);
/** What the common names mostly hold, so that most commands on them get somewhere. */
export const USUAL_TYPES: Record<(typeof COMMON_NAMES)[number], TypeWord> = {
  a: "string",
  b: "float",
  n: "integer",
  constructor: "boolean",
  "😀é": "float",
  c: "choice",
  j: "json",
};
const name = fc.oneof(often(12, commonName), often(2, one(...EDGE_NAMES)), often(1, one(...BAD_NAMES)));
export const identifier = fc.oneof(
  often(16, name),
  often(
    4,
    commonName.map((n) => ID_OF + n),
  ),
  often(
    2,
    commonName.map((n) => FORMER_ID_OF + n),
  ),
);

const number = one(
  0,
  -0,
  1,
  -1,
  1.5,
  -2.5,
  5,
  7,
  100,
  150,
  1e21,
  5e-324,
  Number.MAX_VALUE,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  2 ** 53 - 1,
  2 ** 53,
  -(2 ** 53) + 1,
  0.1 + 0.2,
);
const integer = one(
  0n,
  1n,
  -1n,
  5n,
  7n,
  100n,
  150n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 53n + 1n,
  2n ** 62n,
  2n ** 63n - 1n,
  -(2n ** 63n),
);
const string = one(
  "",
  "a",
  "ab",
  "abc",
  "b",
  "a1",
  "\n",
  "a\n",
  "😀",
  "é",
  "e\u0301",
  "__proto__",
  "1",
  "\ufeff",
  "a\u0000b",
  "x".repeat(900),
  "x".repeat(3_001),
  "😀".repeat(2_500),
  "😀".repeat(2_501),
  "y".repeat(10_001),
  `${"é".repeat(5_000)}z`,
  "\ud800",
  "a\udc00",
);
const literal: fc.Arbitrary<Literal> = fc.oneof(
  often(
    4,
    number.map((value): Literal => ({ kind: "float", value })),
  ),
  often(
    3,
    number.map((value): Literal => ({ kind: "number", value })),
  ),
  often(
    4,
    integer.map((value): Literal => ({ kind: "integer", value })),
  ),
  often(
    3,
    string.map((value): Literal => ({ kind: "string", value })),
  ),
  often(
    1,
    fc.boolean().map((value): Literal => ({ kind: "boolean", value })),
  ),
  often(
    2,
    one(...JSON_TEXTS.keys()).map((value): Literal => ({ kind: "json", value })),
  ),
  often(1, fc.constant<Literal>({ kind: "unknown" })),
);
const ordinary: fc.Arbitrary<Literal> = fc.oneof(
  one(0, 1, 5, 7, 1.5, 100, 150).map((value): Literal => ({ kind: "float", value })),
  one(0, 1, 5, 7, 100, 150).map((value): Literal => ({ kind: "number", value })),
  one(0n, 1n, 5n, 7n, 10n, 100n, 150n).map((value): Literal => ({ kind: "integer", value })),
  one("a", "ab", "abc", "b").map((value): Literal => ({ kind: "string", value })),
);
export const value = fc.oneof(often(2, ordinary), often(3, literal));
export const by = fc.oneof(
  often(4, value),
  often(
    2,
    one(1n, 5n, 2n ** 62n, 2n ** 63n - 1n, -(2n ** 63n)).map(
      (value): Literal => ({ kind: "integer", value }),
    ),
  ),
);

const operand = fc.oneof(
  often(
    4,
    one(0, 1, 5, 10, 100).map((value): Literal => ({ kind: "number", value })),
  ),
  often(
    4,
    one(0n, 1n, 5n, 10n, 100n, 5_000n, 1_048_576n, 1_048_577n).map(
      (value): Literal => ({ kind: "integer", value }),
    ),
  ),
  often(
    2,
    one(0, 1.5, 100).map((value): Literal => ({ kind: "float", value })),
  ),
  often(
    2,
    one(...PATTERNS.keys()).map((value): Literal => ({ kind: "string", value })),
  ),
  often(
    1,
    one(...BAD_PATTERNS, "\ud800").map((value): Literal => ({ kind: "string", value })),
  ),
  often(1, literal),
);
const key = fc.oneof(
  often(12, one("min", "max", "step", "min_length", "max_length", "pattern", "choices")),
  often(1, one("", "Min", "choice", "__proto__", "constructor", "toString")),
);
const listed = one("a", "ab", "abc", "b", "", "😀", "x".repeat(100), "\ud800").map(
  (value): Literal => ({ kind: "string", value }),
);
const hostileConstraints: fc.Arbitrary<readonly GivenConstraint[]> = fc.array(
  fc.record({
    key,
    values: fc.oneof(
      often(
        9,
        operand.map((o) => [o]),
      ),
      often(1, fc.array(operand, { maxLength: 2 })),
      often(4, fc.array(listed, { maxLength: 12 })),
    ),
  }),
  { maxLength: 3 },
);

const bound = (key: string, ...values: readonly Literal[]): fc.Arbitrary<readonly GivenConstraint[]> =>
  fc.oneof(
    fc.constant([]),
    one(...values).map((v) => [{ key, values: [v] }]),
  );
const int = (value: bigint): Literal => ({ kind: "integer", value });
const constraintsFor: Record<string, fc.Arbitrary<readonly GivenConstraint[]>> = {
  float: both(
    bound("min", int(0n), { kind: "float", value: 1 }),
    bound("max", int(100n), { kind: "number", value: 1.5 }),
  ),
  integer: both(
    both(bound("min", int(0n), int(1n)), bound("max", int(100n), { kind: "number", value: 10 })),
    bound("step", int(5n), int(2n)),
  ),
  string: both(
    both(bound("min_length", int(1n), int(2n)), bound("max_length", int(3n), int(5_000n))),
    bound("pattern", ...["^a", "b$", "(x{100}){9}"].map((value): Literal => ({ kind: "string", value }))),
  ),
  boolean: fc.constant([]),
  choice: one(["a", "ab", "abc"], ["abc", "ab", "a"], ["a", "ab", "abc", "b", "1"]).map((texts) => [
    { key: "choices", values: texts.map((value): Literal => ({ kind: "string", value })) },
  ]),
  json: fc.constant([]),
};
function both<T>(a: fc.Arbitrary<readonly T[]>, b: fc.Arbitrary<readonly T[]>): fc.Arbitrary<readonly T[]> {
  return fc.tuple(a, b).map(([x, y]) => [...y, ...x]);
}

export const firstValue: Record<string, fc.Arbitrary<Literal>> = {
  float: one(1, 1.5, 100).map((value): Literal => ({ kind: "float", value })),
  integer: one(10n, 0n, 5n, 2n ** 63n - 1n, -(2n ** 63n)).map(
    (value): Literal => ({ kind: "integer", value }),
  ),
  string: one("ab", "abc", "a").map((value): Literal => ({ kind: "string", value })),
  boolean: fc.boolean().map((value): Literal => ({ kind: "boolean", value })),
  // The last of them is on some lists only.
  choice: one("ab", "ab", "abc", "abc", "a", "a", "b").map((value): Literal => ({ kind: "string", value })),
  json: one<Literal>(
    { kind: "json", value: "null" },
    { kind: "json", value: ' { "b" : 1.0 ,\t"a" : [ ] }' },
    { kind: "string", value: "ab" },
    { kind: "number", value: -0 },
    { kind: "float", value: 7 },
    { kind: "integer", value: 7n },
    { kind: "boolean", value: true },
  ),
};

const goodMetadata: fc.Arbitrary<MetadataPairs> = one<MetadataPairs>(
  [["k", "1"]],
  [
    ["k", "2"],
    ["a", ""],
  ],
  [
    ["😀", "é"],
    ["\uffff", "x"],
  ],
  [["constructor", "x"]],
);
const badMetadata: fc.Arbitrary<MetadataPairs> = one<MetadataPairs>(
  [["__proto__", "x"]],
  [["source", "x"]],
  [["created_at", "x"]],
  [["", "x"]],
  [
    ["k", "1"],
    ["k", "1"],
  ],
  [["k", "\ud800"]],
  [["x".repeat(257), ""]],
  [["k", "x".repeat(4_096)]],
  Array.from({ length: 33 }, (_, i): [string, string] => [`k${i}`, ""]),
);
export const metadata: fc.Arbitrary<MetadataPairs> = fc.oneof(
  often(24, fc.constant<MetadataPairs>([])),
  often(8, goodMetadata),
  often(1, badMetadata),
  often(
    1,
    one<MetadataPairs>(
      [["x".repeat(256), "x".repeat(3_840)]],
      Array.from({ length: 32 }, (_, i): [string, string] => [`k${i}`, "é"]),
    ),
  ),
);

const typeWord = one(...TYPE_WORDS);
export const goodDefinition: fc.Arbitrary<Definition> = fc
  .tuple(commonName, fc.oneof(often(4, fc.constant(undefined)), often(1, typeWord)))
  .chain(([named, other]) => definitionOf(named, other ?? USUAL_TYPES[named]));
function definitionOf(named: string, type: string): fc.Arbitrary<Definition> {
  return fc.record({
    name: fc.constant(named),
    type: fc.constant(type),
    initialValue: firstValue[type] as fc.Arbitrary<Literal>,
    constraints: constraintsFor[type] as fc.Arbitrary<readonly GivenConstraint[]>,
    metadata: fc.oneof(fc.constant<MetadataPairs>([]), goodMetadata),
  });
}
const hostileDefinition: fc.Arbitrary<Definition> = fc.record({
  name,
  type: fc.oneof(
    often(8, typeWord),
    often(1, one("", "Float", "tensor", "__proto__", "constructor", "toString")),
  ),
  initialValue: value,
  constraints: fc.oneof(fc.constant([]), hostileConstraints),
  metadata,
});
export const definition = fc.oneof(often(3, goodDefinition), often(2, hostileDefinition));
