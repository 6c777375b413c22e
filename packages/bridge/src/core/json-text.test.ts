import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jsonFault, jsonFloat, jsonNumber, MAX_JSON_DEPTH } from "./json-text.js";

const nested = (depth: number, inside = ""): string => "[".repeat(depth) + inside + "]".repeat(depth);

describe("what is I-JSON", () => {
  test.each([
    "null",
    "true",
    "false",
    "0",
    "-0",
    "1",
    "-9007199254740991",
    "9007199254740991",
    "1.5",
    "-0.0",
    "1E5",
    "1e+5",
    "1e-5",
    "1.7976931348623157e308",
    "9007199254740993.0",
    "9007199254740993e0",
    "1e-400",
    '""',
    '"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000"',
    '"\\ud83d\\ude00 \\uD83D\\uDE00 \u{1f600}"',
    '"\u007f\u2028\u2029\ufeff"',
    '"\\ufffd\ufffd"',
    "[]",
    "{}",
    "[[],{}]",
    '{"":0}',
    '{"a":{"a":[{"a":1},{"a":1}]},"b":1}',
    '{"__proto__":{"constructor":1},"constructor":2}',
    '{"a":1,"A":1,"\\u0000":1,"\\u00e9":1,"e\\u0301":1}',
    " \t\n\r[ \t\n\r1 \t\n\r, \t\n\r{ \t\n\r} \t\n\r] \t\n\r",
    nested(MAX_JSON_DEPTH),
    nested(MAX_JSON_DEPTH, "1"),
    `[${"1,".repeat(100)}1]`,
  ])("%j", (text) => {
    expect(jsonFault(text)).toBeUndefined();
  });
});

describe("what is not, and where", () => {
  test.each<[text: string, at: number, problem: string]>([
    ["", 0, "the text ends too early"],
    [" ", 1, "the text ends too early"],
    ["nul", 0, 'unexpected "n"'],
    ["nulls", 4, 'unexpected "s"'],
    ["True", 0, 'unexpected "T"'],
    ["undefined", 0, 'unexpected "u"'],
    ["NaN", 0, "JSON has no number NaN"],
    ['{"a":[-Infinity]}', 6, "JSON has no number -Infinity"],
    ["01", 1, 'unexpected "1"'],
    ["-01", 2, 'unexpected "1"'],
    ["+1", 0, 'unexpected "+"'],
    ["-", 0, 'unexpected "-"'],
    [".5", 0, 'unexpected "."'],
    ["5.", 2, "the text ends too early"],
    ["5.e1", 2, 'unexpected "e"'],
    ["1e", 2, "the text ends too early"],
    ["1e+", 3, "the text ends too early"],
    ["0x10", 1, 'unexpected "x"'],
    ["1_000", 1, 'unexpected "_"'],
    ["1n", 1, 'unexpected "n"'],
    ["1 2", 2, 'unexpected "2"'],
    ["'a'", 0, 'unexpected "\'"'],
    ['"a', 2, "the text ends too early"],
    ['"\\', 2, "the text ends too early"],
    ['"\\q"', 2, 'unexpected "q"'],
    ['"\\u12g4"', 2, 'unexpected "u"'],
    ['"\\u12', 2, 'unexpected "u"'],
    ['"\\U0041"', 2, 'unexpected "U"'],
    ['"a\nb"', 2, "the control character U+000A is not escaped"],
    ['"\u0000"', 1, "the control character U+0000 is not escaped"],
    ["[", 1, "the text ends too early"],
    ["[1", 2, "the text ends too early"],
    ["[1,", 3, "the text ends too early"],
    ["[1,]", 3, 'unexpected "]"'],
    ["[,1]", 1, 'unexpected ","'],
    ["[1 2]", 3, 'unexpected "2"'],
    ["[1}", 2, 'unexpected "}"'],
    ["]", 0, 'unexpected "]"'],
    ["[]]", 2, 'unexpected "]"'],
    ["{", 1, "the text ends too early"],
    ['{"a"', 4, "the text ends too early"],
    ['{"a":', 5, "the text ends too early"],
    ['{"a":1', 6, "the text ends too early"],
    ['{"a":1,}', 7, 'unexpected "}"'],
    ['{"a" 1}', 5, 'unexpected "1"'],
    ["{a:1}", 1, 'unexpected "a"'],
    ["{1:1}", 1, 'unexpected "1"'],
    ['{"a":1]', 6, 'unexpected "]"'],
    ["{,}", 1, 'unexpected ","'],
    ["// a\n1", 0, 'unexpected "/"'],
    ["\ufeff1", 0, 'unexpected "\\ufeff"'],
    ["\u00a01", 0, 'unexpected "\u00a0"'],
    ['"\u{1f600}"\u{1f600}', 3, 'unexpected "\u{1f600}"'],
    ['"\u{1f600}" 1', 4, 'unexpected "1"'],
    ['{"a":1,"a":2}', 7, 'the key "a" stands twice in its object'],
    ['{"a":1,"\\u0061":2}', 7, 'the key "a" stands twice in its object'],
    ['{"\\ud83d\\ude00":1,"\u{1f600}":2}', 18, 'the key "\u{1f600}" stands twice in its object'],
    ['{"\\/":1,"/":2}', 8, 'the key "/" stands twice in its object'],
    ['{"__proto__":1,"__proto__":2}', 15, 'the key "__proto__" stands twice in its object'],
    ['[{"":{"":1},"":2}]', 12, 'the key "" stands twice in its object'],
    ['"\\ud800"', 1, "U+D800 is half of a surrogate pair"],
    ['"\\udc00"', 1, "U+DC00 is half of a surrogate pair"],
    ['"\\ud800\\u0041"', 1, "U+D800 is half of a surrogate pair"],
    ['"\\ud800\\ud800\\udc00"', 1, "U+D800 is half of a surrogate pair"],
    ['"\\ude00\\ud83d"', 1, "U+DE00 is half of a surrogate pair"],
    ['"\ud800"', 1, "U+D800 is half of a surrogate pair"],
    ['"a\udc00"', 2, "U+DC00 is half of a surrogate pair"],
    ['"\ud83d\\ude00"', 1, "U+D83D is half of a surrogate pair"],
    ['"\\ud83d\ude00"', 1, "U+D83D is half of a surrogate pair"],
    ['{"\\ud800":1}', 2, "U+D800 is half of a surrogate pair"],
    ['"\uffff"', 1, "U+FFFF is a noncharacter"],
    ['"\\uFFFE"', 1, "U+FFFE is a noncharacter"],
    ['"\ufdd0"', 1, "U+FDD0 is a noncharacter"],
    ['"\u{1fffe}"', 1, "U+1FFFE is a noncharacter"],
    ['"\\udbff\\udfff"', 1, "U+10FFFF is a noncharacter"],
    ["9007199254740992", 0, "integer 9007199254740992 is beyond 2^53 − 1"],
    ["-9007199254740992", 0, "integer -9007199254740992 is beyond 2^53 − 1"],
    ["[10000000000000000000000]", 1, "integer 10000000000000000000000 is beyond 2^53 − 1"],
    ["1e400", 0, "number 1e400 is beyond what a double holds"],
    ["[-1.8e308]", 1, "number -1.8e308 is beyond what a double holds"],
    [nested(MAX_JSON_DEPTH + 1), MAX_JSON_DEPTH, "nested deeper than 64"],
    [`${'{"a":'.repeat(64)}[]`, 64 * 5, "nested deeper than 64"],
  ])("%j", (text, at, problem) => {
    expect(jsonFault(text)).toBe(`not I-JSON at character ${at}: ${problem}`);
  });
});

describe("hostile texts", () => {
  test("200,000 levels are refused at the 65th", () => {
    for (const opening of ["[", '{"a":', '[{"":']) {
      expect(jsonFault(opening.repeat(200_000))).toMatch(/nested deeper than 64$/);
    }
  });

  test("a million keys, a million items and a million digits are gone through once", () => {
    const keys = Array.from({ length: 1_000_000 }, (_, i) => `"${i}":0`).join(",");
    expect(jsonFault(`{${keys}}`)).toBeUndefined();
    expect(jsonFault(`{${keys},"999999":0}`)).toMatch(/the key "999999" stands twice/);
    expect(jsonFault(`[${"[],".repeat(1_000_000)}0]`)).toBeUndefined();
    expect(jsonFault(`0.${"1".repeat(1_000_000)}`)).toBeUndefined();
    expect(jsonFault(`"${"\\u0041".repeat(1_000_000)}"`)).toBeUndefined();
  });

  test("a number of 10,000 digits is refused by its beginning", () => {
    const shown = "7".repeat(40);
    expect(jsonFault("7".repeat(10_000))).toBe(
      `not I-JSON at character 0: integer ${shown}… is beyond 2^53 − 1`,
    );
    expect(jsonFault(`${"7".repeat(10_000)}.5`)).toBe(
      `not I-JSON at character 0: number ${shown}… is beyond what a double holds`,
    );
    expect(jsonFault(`1e${"9".repeat(10_000)}`)).toMatch(/is beyond what a double holds$/);
    expect(jsonFault(`${"7".repeat(10_000)}e-10000`)).toBeUndefined();
  });

  test("keys that a hash table likes least are told apart all the same", () => {
    const keys = Array.from({ length: 50_000 }, (_, i) => `"${i * 1_048_576}":0`);
    expect(jsonFault(`{${keys.join(",")}}`)).toBeUndefined();
  });
});

/** What I-JSON asks for beyond JSON. */
const BEYOND_JSON =
  /stands twice in its object|half of a surrogate pair|is a noncharacter|is beyond 2\^53 − 1|beyond what a double holds|nested deeper than/;

/** Texts of JSON, some of which I-JSON refuses. */
const space = fc.constantFrom("", "", "", " ", "\n\t\r");
const textOfString = fc.oneof(
  fc.string({ maxLength: 4 }).map((text) => JSON.stringify(text)),
  fc.string({ unit: "binary", maxLength: 3 }).map((text) => JSON.stringify(text)),
  fc.constantFrom(
    '"a"',
    '"\\u0061"',
    '"\\ud800"',
    '"\\ud83d\\ude00"',
    '"\\ude00\\ud83d"',
    '"\uffff"',
    '"\\/"',
  ),
);
const textOfNumber = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.bigInt({ min: -(2n ** 54n), max: 2n ** 54n }).map(String),
  fc.constantFrom("-0", "0e0", "1E400", "-1.5e+3", "9007199254740991", "9007199254740992", "0.1e-7"),
);
const { json } = fc.letrec<{ json: string; list: string; object: string }>((tie) => ({
  json: fc
    .tuple(
      space,
      fc.oneof(
        { depthSize: "small" },
        fc.constantFrom("null", "true", "false"),
        textOfString,
        textOfNumber,
        tie("list"),
        tie("object"),
      ),
      space,
    )
    .map((parts) => parts.join("")),
  list: fc.array(tie("json"), { maxLength: 4 }).map((items) => `[${items.join(",")}]`),
  object: fc
    .array(fc.tuple(space, textOfString, space, tie("json")), { maxLength: 4 })
    .map((members) => `{${members.map(([a, key, b, value]) => `${a}${key}${b}:${value}`).join(",")}}`),
}));

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Both say the same, save where I-JSON asks for more than JSON does. */
function expectAgreement(text: string): void {
  const fault = jsonFault(text);
  if (fault === undefined) expect(parses(text), text).toBe(true);
  else if (parses(text)) expect(fault).toMatch(BEYOND_JSON);
}

describe("the scanner and JSON.parse", () => {
  test("agree on texts of JSON", () => {
    fc.assert(
      fc.property(json, (text) => {
        expect(parses(text)).toBe(true);
        expectAgreement(text);
      }),
      { numRuns: 2_000 },
    );
  });

  test("agree on texts of JSON with something changed", () => {
    const change = fc.tuple(
      fc.nat(),
      fc.nat(2),
      fc.constantFrom(..."{}[]:,\"\\u0e-+.1 ntf\n\u0000'/", "\ud800", "\ufeff", ""),
    );
    fc.assert(
      fc.property(json, fc.array(change, { minLength: 1, maxLength: 3 }), (whole, changes) => {
        let text = whole;
        for (const [place, length, put] of changes) {
          const at = place % (text.length + 1);
          text = text.slice(0, at) + put + text.slice(at + length);
        }
        expectAgreement(text);
      }),
      { numRuns: 5_000 },
    );
  });

  test("agree on any text", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), expectAgreement));
    fc.assert(fc.property(fc.json(), expectAgreement));
  });

  test("refuse a value that stringify has written only where I-JSON asks for more", () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const fault = jsonFault(JSON.stringify(value));
        if (fault !== undefined) expect(fault).toMatch(/is beyond 2\^53 − 1|is a noncharacter|half of a/);
      }),
    );
  });
});

describe("numbers", () => {
  test("are written so that they are read back as they were, and as I-JSON", () => {
    const finite = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(Number),
    );
    fc.assert(
      fc.property(finite, fc.constantFrom(jsonNumber, jsonFloat), (value, write) => {
        expect(jsonFault(write(value))).toBeUndefined();
        expect(JSON.parse(write(value))).toBe(value);
      }),
    );
  });

  test("are floats to a reader that knows floats, if they are meant to be", () => {
    expect([0, -0, 1, -5, 0.5, 1e21, 2 ** 53].map(jsonNumber)).toEqual([
      "0",
      "-0.0",
      "1",
      "-5",
      "0.5",
      "1e+21",
      "9.007199254740992e+15",
    ]);
    expect([0, -0, 1, -5, 0.5, 1e21, 2 ** 53].map(jsonFloat)).toEqual([
      "0.0",
      "-0.0",
      "1.0",
      "-5.0",
      "0.5",
      "1e+21",
      "9.007199254740992e+15",
    ]);
  });
});
