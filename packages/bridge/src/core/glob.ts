/**
 * Globs over names (VAL-9): the whole name; `*` any run of characters, `?` one code point, `\` takes the next character
 * as it is; nothing else is special. Matching never backtracks over more than the last `*`, so its time is bounded by
 * pattern × name, and both are short.
 */
import { invalidField, type Refusal } from "./refusal.js";
import { codePointLength } from "./text.js";

const ANY_RUN = Symbol("any run");
const ANY_ONE = Symbol("any one");

/** A longer glob is refused: it could only name what no name can be. */
const MAX_LENGTH = 1024;

/** Answers whether a name matches. */
export type GlobMatcher = (name: string) => boolean;

/** Compiles a glob, or refuses one that ends in a lone `\` or is too long. */
export function compileGlob(glob: string): GlobMatcher | Refusal {
  if (codePointLength(glob) > MAX_LENGTH)
    return invalidField("glob", `has more than ${MAX_LENGTH} characters`);
  const tokens: (string | symbol)[] = [];
  let escaped = false;
  for (const char of glob) {
    if (escaped) {
      tokens.push(char);
      escaped = false;
    } else if (char === "\\") escaped = true;
    else if (char === "?") tokens.push(ANY_ONE);
    else if (char !== "*") tokens.push(char);
    else if (tokens.at(-1) !== ANY_RUN) tokens.push(ANY_RUN);
  }
  if (escaped) return invalidField("glob", "ends in a lone \\; write \\\\ for a backslash");
  return (name) => matches(tokens, [...name]);
}

/** Tries the shortest run for each `*` and lengthens only the last one, which is enough. */
function matches(tokens: readonly (string | symbol)[], name: readonly string[]): boolean {
  let t = 0;
  let n = 0;
  let lastRun = -1;
  let runEnd = 0;
  while (n < name.length) {
    const token = tokens[t];
    if (token === ANY_RUN) {
      lastRun = t++;
      runEnd = n;
    } else if (token === ANY_ONE || (token !== undefined && token === name[n])) {
      t++;
      n++;
    } else if (lastRun >= 0) {
      t = lastRun + 1;
      n = ++runEnd;
    } else {
      return false;
    }
  }
  while (tokens[t] === ANY_RUN) t++;
  return t === tokens.length;
}
