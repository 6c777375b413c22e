import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { titled, titleOf } from "../testing/titled.contract.js";
import { checkName, checkSessionId, parseIdentifier, quoteName, variableId } from "./names.js";
import { Refusal } from "./refusal.js";

const GOOD = [
  "a",
  "A",
  "temperature",
  "a b",
  "a\u00a0b",
  "..",
  "/",
  "{}",
  "*",
  "constructor",
  "prototype",
  "hasOwnProperty",
  "toString",
  "then",
  "_proto__",
  "__proto__x",
  "é",
  "e\u0301",
  "\u202ea",
  "\u200b",
  "\u{1f600}",
  "\u{10ffff}",
  "\uffff",
  "x".repeat(256),
  "é".repeat(128),
  "\u{1f600}".repeat(64),
  "var",
  "var_",
  "var_a",
  "var_a_",
  "var_a_1x",
  "var_a_1 x",
  "var__1",
  "var_1",
  "var_a_\u0661",
  "Var_a_1",
  "xvar_a_1",
];

const BAD = (
  [
    ["", "is empty"],
    ["__proto__", "is reserved"],
    ["x".repeat(257), "takes 257 bytes"],
    ["é".repeat(129), "takes 258 bytes"],
    ["\u{1f600}".repeat(65), "takes 260 bytes"],
    ["\ud800", "not well-formed"],
    ["a\udc00b", "not well-formed"],
    ["\u0000", "control"],
    ["a\u001fb", "control"],
    ["a\u007fb", "control"],
    ["a\u0080b", "control"],
    ["a\u009fb", "control"],
    ["a\u0085b", "control"],
    ["a\nb", "control"],
    ["a\u2028b", "separator"],
    ["\u2029a", "separator"],
    ["\ufeffa", "byte order mark"],
    ["a\ufeffb", "byte order mark"],
    [" a", "white space"],
    ["a ", "white space"],
    ["\u00a0a", "white space"],
    ["a\u1680", "white space"],
    ["\u2000a", "white space"],
    ["a\u200a", "white space"],
    ["\u202fa", "white space"],
    ["\u205fa", "white space"],
    ["a\u3000", "white space"],
    [" ", "white space"],
  ] as const
).map(([name, what]) => [titleOf(name), what, name] as const);

describe("checkName", () => {
  test.for(titled(GOOD))("accepts %s", ([, name]) => {
    expect(checkName(name)).toBeUndefined();
  });

  test.for(BAD)("refuses %s, which %s", ([, what, name]) => {
    const refusal = checkName(name);
    expect(refusal?.reason).toBe("INVALID_NAME");
    expect(refusal?.message).toContain(what);
    expect(refusal?.details).toEqual({ identifier: name });
  });

  test.for(titled(["var_a_1", "var_a_007", "var___1", "var_a_b_12", "var_\u{1f600}_0", "var_a b_1"]))(
    "refuses %s, which has the form of an id",
    ([, name]) => expect(checkName(name)?.message).toContain("form of a variable id"),
  );

  test("counts bytes and not characters, at the border exactly", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("a", "é", "€", "\u{1f600}"), minLength: 1, maxLength: 300 }),
        (name) => {
          expect(checkName(name) === undefined).toBe(Buffer.byteLength(name) <= 256);
        },
      ),
    );
  });
});

describe("checkSessionId", () => {
  test.for(titled([...GOOD, "var_a_1", "var___1"]))("accepts %s", ([, id]) => {
    expect(checkSessionId(id)).toBeUndefined();
  });

  test.for(BAD)("refuses %s, which %s", ([, , id]) => {
    const refusal = checkSessionId(id);
    expect(refusal?.reason).toBe("INVALID_NAME");
    expect(refusal?.details).toEqual({ sessionId: id });
  });
});

describe("parseIdentifier", () => {
  test.for(titled(GOOD))("takes %s for a name", ([, name]) => {
    expect(parseIdentifier(name)).toEqual({ name });
  });

  test.each([
    ["var_a_1", "a"],
    ["var_a_b_12", "a_b"],
    ["var___1", "_"],
    ["var_a b_1", "a b"],
    [`var_${"x".repeat(256)}_9007199254740991`, "x".repeat(256)],
  ] as const)("takes the id of a variable apart (%#)", (id, name) => {
    expect(parseIdentifier(id)).toEqual({ name, id });
  });

  test.for(
    titled([
      "var_ a_1",
      "var___proto___1",
      `var_${"x".repeat(257)}_1`,
      "var_a\n_1",
      "var_\ud800_1",
      "var_var_a_1_2",
    ]),
  )("refuses %s, in whose middle stands no name, under the identifier as it was given", ([, identifier]) => {
    const refusal = parseIdentifier(identifier);
    expect(refusal).toBeInstanceOf(Refusal);
    expect((refusal as Refusal).reason).toBe("INVALID_NAME");
    expect((refusal as Refusal).details.identifier).toBe(identifier);
  });

  test("finds the name again in every id that is made of one", () => {
    const name = fc
      .string({ unit: "grapheme", minLength: 1, maxLength: 40 })
      .filter((s) => checkName(s) === undefined);
    fc.assert(
      fc.property(name, fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (given, revision) => {
        const id = variableId(given, revision);
        expect(parseIdentifier(id)).toEqual({ name: given, id });
        expect(checkName(id)).toBeDefined();
      }),
    );
  });
});

describe("quoteName", () => {
  test("keeps texts short, whatever the name is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 2_000 }), (name) => {
        expect([...quoteName(name)].length).toBeLessThanOrEqual(64 * 6 + 3);
      }),
    );
    expect(quoteName("\u{1f600}".repeat(65))).toBe(`"${"\u{1f600}".repeat(64)}…"`);
  });

  test("lets no control character through, of C0 or C1", () => {
    const names = Array.from({ length: 0xa0 }, (_, code) => String.fromCharCode(code)).filter(
      (c) => c < " " || c > "~",
    );
    expect(names.filter((name) => /\p{Cc}/u.test(quoteName(name)))).toEqual([]);
  });

  test("stays on one line", () => {
    for (const name of ["a\nb", "a\rb", "a\u2028b", "a\u2029b", "a\u0085b"])
      expect(quoteName(name)).not.toMatch(/[\n\r\u2028\u2029\u0085]/);
  });
});
