import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compilePattern, type Pattern } from "./pattern.js";
import { Refusal } from "./refusal.js";

function compiled(text: string, maxLength?: number): Pattern {
  const pattern = compilePattern(text, maxLength);
  if (pattern instanceof Refusal) throw new Error(pattern.message);
  return pattern;
}

describe("a pattern", () => {
  test.for([
    ["^a", "abc"],
    ["b", "abc"],
    ["c$", "abc"],
    ["^$", ""],
    ["", "anything"],
    ["^.$", "\u{1f600}"],
    ["^\\pL+$", "Ünïcode"],
    ["(?i)ABC", "xabcx"],
    ["(?s)a.b", "a\nb"],
    ["(?m)^b", "a\nb"],
    ["a{1000}", "a".repeat(1_000)],
    ["\\x{1F600}", "\u{1f600}"],
    ["(?P<name>a)", "a"],
  ] as const)("%j is found in %j", ([pattern, text]) => {
    expect(compiled(pattern).found(text)).toBe(true);
  });

  test.for([
    ["^a", "ba"],
    ["c$", "c\n"],
    ["a.b", "a\nb"],
    ["^b", "a\nb"],
    ["^..$", "\u{1f600}"],
    ["A", "a"],
    ["^\\w$", "é"],
    ["\\d", "\u0661"],
    ["^é$", "e\u0301"],
  ] as const)("%j is not found in %j", ([pattern, text]) => {
    expect(compiled(pattern).found(text)).toBe(false);
  });

  test.for([
    "(",
    ")",
    "[",
    "a**",
    "*",
    "+a",
    "a{1001}",
    "a{2,1}",
    "(?=a)",
    "(?!a)",
    "(?<=a)b",
    "(?<!a)b",
    "(a)\\1",
    "\\k<a>",
    "a++",
    "a*+",
    "(?>a)",
    "\\C\\z\\G",
    "(?#comment)",
    "\\",
    "[b-a]",
    "\\p{NoSuchClass}",
    "(?P<a>x)(?P<a>y)",
  ])("%j is refused", (pattern) => {
    const refusal = compilePattern(pattern, undefined);
    expect(refusal).toBeInstanceOf(Refusal);
    expect((refusal as Refusal).reason).toBe("INVALID_CONSTRAINT");
    expect((refusal as Refusal).details.constraint).toBe("pattern");
  });

  test("may have 1,000 code points and no more", () => {
    expect(compilePattern("\u{1f600}".repeat(1_000), undefined)).not.toBeInstanceOf(Refusal);
    expect(compilePattern("a".repeat(1_001), undefined)).toBeInstanceOf(Refusal);
  });

  test("is refused when its repeats stand for more than 10,000 characters, however they are nested", () => {
    for (const pattern of [
      "((a{100}){100}){100}",
      "(a{1000}){11}",
      "((a|b){500}c){21}",
      "[ab]{1000}".repeat(11),
    ])
      expect(compilePattern(pattern, undefined), pattern).toBeInstanceOf(Refusal);
    for (const pattern of ["(a{100}){10}", "[ab]{1000}".repeat(5)])
      expect(compilePattern(pattern, undefined), pattern).not.toBeInstanceOf(Refusal);
  });

  test("is refused for a max_length with which one match could cost too much, and the text names what can be", () => {
    const { longest } = compiled("[a-z]+@[a-z]+");
    expect(compilePattern("[a-z]+@[a-z]+", longest)).not.toBeInstanceOf(Refusal);
    const refusal = compilePattern("[a-z]+@[a-z]+", longest + 1);
    expect((refusal as Refusal).message).toContain(String(longest));
  });

  test("allows no longer texts the larger its program is", () => {
    const few = compiled("a{10}").longest;
    const many = compiled("a{900}").longest;
    expect(many).toBeLessThan(few);
    expect(many).toBeGreaterThan(100);
    expect(compiled("a{900}", 50).longest).toBe(50);
  });

  // Were any of these run by backtracking, the test would not end.
  test.for(["(a+)+$", "(a|a)*b", "(a|aa)+$", "(.*a){25}$", "(.*)*(.*)*(.*)*b$", "(a*)*(a*)*b", "(x+x+)+y"])(
    "%j takes no time that grows with anything but the text",
    (text) => {
      const pattern = compiled(text);
      const length = Math.min(pattern.longest, 20_000);
      expect(pattern.found(`${"a".repeat(length - 1)}!`)).toBe(false);
    },
  );

  test("is compiled or refused, whatever it is", () => {
    const part = fc.constantFrom(
      "a",
      "(",
      ")",
      "[",
      "]",
      "{",
      "}",
      "*",
      "+",
      "?",
      "|",
      "\\",
      "^",
      "$",
      ".",
      "1",
      ",",
      "-",
      ":",
      "\u{1f600}",
      "\ud800",
      "p",
    );
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 12 }).map((parts) => parts.join("")),
        (text) => {
          const pattern = compilePattern(text, 100);
          if (pattern instanceof Refusal) expect(pattern.details.constraint).toBe("pattern");
          else expect(pattern.found("a1-a")).toBeTypeOf("boolean");
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
