import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileGlob, type GlobMatcher } from "./glob.js";
import { Refusal } from "./refusal.js";

function compiled(glob: string): GlobMatcher {
  const matcher = compileGlob(glob);
  if (matcher instanceof Refusal) throw new Error(matcher.message);
  return matcher;
}

/** What the rule says, by trying everything. */
function naive(glob: readonly string[], name: readonly string[]): boolean {
  const [first, ...rest] = glob;
  if (first === undefined) return name.length === 0;
  if (first === "*") return naive(rest, name) || (name.length > 0 && naive(glob, name.slice(1)));
  if (name.length === 0) return false;
  if (first === "\\") return rest[0] === name[0] && naive(rest.slice(1), name.slice(1));
  return (first === "?" || first === name[0]) && naive(rest, name.slice(1));
}

const point = fc.constantFrom("a", "b", "\u{1f600}", "\\", "*", "?", ".", "[");
const glob = fc
  .array(fc.oneof({ weight: 4, arbitrary: point }, { weight: 3, arbitrary: fc.constantFrom("*", "?") }), {
    maxLength: 9,
  })
  .map((points) => points.join(""))
  .filter((text) => !(compileGlob(text) instanceof Refusal));
const name = fc.array(point, { maxLength: 9 }).map((points) => points.join(""));

describe("a glob", () => {
  test("matches what trying everything matches", () => {
    fc.assert(
      fc.property(glob, name, (pattern, text) => {
        expect(compiled(pattern)(text)).toBe(naive([...pattern], [...text]));
      }),
      { numRuns: 3_000 },
    );
  });

  test("matches a name that was made from it", () => {
    const piece = fc.oneof(
      point.map((c) => [`\\${c}`, c]),
      fc.tuple(fc.constant("?"), point),
      fc.tuple(fc.constant("*"), name),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const pattern = pieces.map(([part]) => part).join("");
        const text = pieces.map(([, part]) => part).join("");
        expect(compiled(pattern)(text)).toBe(true);
      }),
    );
  });

  test.for([
    ["", ""],
    ["*", ""],
    ["**", "anything"],
    ["?", "\u{1f600}"],
    ["a*c", "abbbc"],
    ["a*c", "ac"],
    ["\\*", "*"],
    ["\\\\", "\\"],
    ["\\a", "a"],
    ["[ab]", "[ab]"],
    ["a.b", "a.b"],
    ["*\u{1f600}*", "a\u{1f600}b"],
    ["*aab", "aaaaaab"],
  ] as const)("%j matches %j", ([pattern, text]) => {
    expect(compiled(pattern)(text)).toBe(true);
  });

  test.for([
    ["", "a"],
    ["?", ""],
    ["?", "ab"],
    ["??", "\u{1f600}"],
    ["a", "A"],
    ["\\*", "a"],
    ["[ab]", "a"],
    ["a.b", "axb"],
    ["é", "e\u0301"],
    ["a*", "ba"],
    ["*a", "ab"],
    ["a*a", "a"],
  ] as const)("%j does not match %j", ([pattern, text]) => {
    expect(compiled(pattern)(text)).toBe(false);
  });

  test.for(["\\", "a\\", "*\\", "\\\\\\"])("%j, which ends in a lone backslash, is refused", (pattern) => {
    const refusal = compileGlob(pattern);
    expect(refusal).toBeInstanceOf(Refusal);
    expect((refusal as Refusal).reason).toBe("INVALID_ARGUMENT");
    expect((refusal as Refusal).details.field).toBe("glob");
  });

  test("may have 1,024 characters and no more", () => {
    expect(compileGlob("x".repeat(1_024))).toBeTypeOf("function");
    expect((compileGlob("x".repeat(1_025)) as Refusal).details.field).toBe("glob");
  });

  test("counts characters as code points, as all rules do", () => {
    expect(compileGlob("\u{1f600}".repeat(1_024))).toBeTypeOf("function");
  });

  test("does not try more than pattern times name, for patterns made to go astray", () => {
    const matches = compiled("*a".repeat(512));
    // Backtracking over every star would not end within the age of the universe.
    expect(matches(`${"a".repeat(255)}b`)).toBe(false);
  });
});
