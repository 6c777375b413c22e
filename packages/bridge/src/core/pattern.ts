/**
 * Patterns that users give (VAL-7), in RE2 syntax, run by a linear-time engine: no pattern can hang the server by
 * backtracking. Linear is not yet bounded, since its time grows with program size × text length; so that product is
 * bounded here, and with it the time one match can take.
 */
import { RE2JS } from "re2js";
import { Refusal } from "./refusal.js";
import { codePointLength } from "./text.js";

const MAX_PATTERN_LENGTH = 1000;
const MAX_COST = 1_000_000;

/** A compiled pattern. */
export interface Pattern {
  readonly text: string;
  /** The longest text, in code points, that may be matched. */
  readonly longest: number;
  /** True if the pattern is found anywhere in the text. */
  found(text: string): boolean;
}

/** Compiles a pattern for texts of at most `maxLength` code points; undefined: as long as the cost allows. */
export function compilePattern(text: string, maxLength: number | undefined): Pattern | Refusal {
  const length = codePointLength(text);
  if (length > MAX_PATTERN_LENGTH)
    return invalid(`has ${length} characters, more than ${MAX_PATTERN_LENGTH}`);
  let program: RE2JS;
  try {
    program = RE2JS.compile(text);
  } catch (error) {
    return invalid(`is not RE2 syntax: ${(error as Error).message}`);
  }
  const longest = Math.floor(MAX_COST / program.programSize());
  if (maxLength !== undefined && maxLength > longest) {
    return invalid(
      `is too costly for texts of up to ${maxLength} characters; set max_length to ${longest} or less`,
    );
  }
  return {
    text,
    longest: maxLength ?? longest,
    found: (subject) => program.test(subject),
  };
}

function invalid(problem: string): Refusal {
  return new Refusal("INVALID_CONSTRAINT", `pattern ${problem}`, {
    constraint: "pattern",
  });
}
