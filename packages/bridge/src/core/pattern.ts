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
/** Repeats such as `a{1000}` are written out by the compiler, so a short pattern can mean a long compilation. */
const MAX_EXPANDED = 10_000;

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
  const expanded = expandedLength(text);
  if (expanded > MAX_EXPANDED) {
    return invalid(
      `stands for ${expanded} characters when its repeats are written out, more than ${MAX_EXPANDED}`,
    );
  }
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

const TOKEN =
  /\\[pP]\{[^}]*\}|\\x\{[^}]*\}|\\Q.*?(?:\\E|$)|\\.|\[\^?\]?(?:\[:\w+:\]|\\.|[^\]])*\]|\{(\d+)(?:,(\d*))?\}|./gsu;

/** About how long the pattern is with all its repeats written out. Counts; whether it is a pattern, others decide. */
function expandedLength(pattern: string): number {
  const open: number[] = [];
  let length = 0;
  let last = 0;
  for (const [token, least, most] of pattern.matchAll(TOKEN)) {
    if (least !== undefined) {
      const times = Math.max(Number(least), Number(most ?? 0), 1);
      length += last * (times - 1);
      last *= times;
    } else if (token === "(") {
      open.push(length);
      last = 0;
    } else if (token === ")") {
      last = length - (open.pop() ?? 0);
    } else {
      last = token.startsWith("\\Q") ? token.length : 1;
      length += last;
    }
  }
  return length;
}

function invalid(problem: string): Refusal {
  return new Refusal("INVALID_CONSTRAINT", `pattern ${problem}`, {
    constraint: "pattern",
  });
}
