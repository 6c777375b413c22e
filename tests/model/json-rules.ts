/** What json variables take and how they keep it (VAL-18): texts whose verdict is written out by hand, so no parser is involved. */
import type { KnownLiteral } from "../../packages/bridge/src/core/literal.js";
import type { Refused } from "./rules.js";

const deep = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);

/** Texts that the test sends as JSON: undefined where they are, else where and why they are not. */
export const JSON_TEXTS: ReadonlyMap<string, string | undefined> = new Map([
  ["null", undefined],
  [" null\n", undefined],
  ["{}", undefined],
  ["7", undefined],
  ["true", undefined],
  ['"ab"', undefined],
  [' { "b" : 1.0 ,\t"a" : [ ] }', undefined],
  ['{"__proto__":{"a":1},"constructor":"\\u0000","":"\\ud83d\\ude00😀"}', undefined],
  ["[9007199254740991,-0,1e308,1e-400]", undefined],
  [deep(64), undefined],
  [`"${"x".repeat(9_998)}"`, undefined],
  [`"${"x".repeat(9_999)}"`, undefined],
  ["", "character 0: the text ends too early"],
  ["{", "character 1: the text ends too early"],
  ["[1,]", 'character 3: unexpected "]"'],
  ["NaN", "character 0: JSON has no number NaN"],
  ['{"a":1,"\\u0061":2}', 'character 7: the key "a" stands twice in its object'],
  ['{"__proto__":1,"__proto__":2}', 'character 15: the key "__proto__" stands twice in its object'],
  ["[9007199254740992]", "character 1: integer 9007199254740992 is beyond 2^53 − 1"],
  ["1e400", "character 0: number 1e400 is beyond what a double holds"],
  ['"\\ud800"', "character 1: U+D800 is half of a surrogate pair"],
  ['"\ud800"', "character 1: U+D800 is half of a surrogate pair"],
  ['"\uffff"', "character 1: U+FFFF is a noncharacter"],
  [deep(65), "character 64: nested deeper than 64"],
]);

const SAFE = 2 ** 53 - 1;

/** The text that a json variable keeps of a value, or why it keeps none. */
export function asJson({ kind, value }: KnownLiteral): string | Refused {
  const no = (problem: string): Refused => ({
    reasons: ["INVALID_VALUE"],
    message: `not I-JSON at ${problem}`,
  });
  switch (kind) {
    case "json": {
      if (!JSON_TEXTS.has(value)) throw new Error(`the model does not know whether ${value} is JSON`);
      const problem = JSON_TEXTS.get(value);
      return problem === undefined ? value : no(problem);
    }
    case "boolean":
      return value ? "true" : "false";
    case "integer":
      return value >= -SAFE && value <= SAFE
        ? value.toString()
        : no(`character 0: integer ${value} is beyond 2^53 − 1`);
    case "float":
    case "number":
      if (!Number.isFinite(value)) return no(`character 0: JSON has no number ${value}`);
      if (Object.is(value, -0)) return "-0.0";
      if (!Number.isInteger(value)) return value.toString();
      if (Math.abs(value) > SAFE) return value.toExponential();
      return kind === "float" ? `${value}.0` : value.toString();
    case "string": {
      const bad = [...value].findIndex((c) => c >= "\ud800" && c <= "\udfff" && c.length === 1);
      return bad === -1 ? JSON.stringify(value) : { reasons: ["INVALID_VALUE"] };
    }
  }
}
