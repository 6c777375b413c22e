/** Compares what a story expects with what a client gave; the same for every client. `spec/scenarios/README.md` has the rules. */
import { isSame } from "../tagged.js";
import type { Json, JsonObject } from "../vectors/files.js";
import { mismatches } from "../vectors/match.js";
import type { Answer } from "./driver.js";
import type { Outcome } from "./stories.js";

/** What differs, one line each. */
export function faultsOf(expected: Outcome, actual: Answer): string[] {
  if ("fails" in expected) {
    if (actual.fails === undefined) return [`has to fail, and gives ${JSON.stringify(actual.gives)}`];
    return mismatches(expected.fails, actual.fails, "error", valueFaults);
  }
  if (actual.fails !== undefined)
    return [`has to succeed: ${actual.fails["class"]}: ${actual.fails["text"]}`];
  if (expected.gives === null) return actual.gives === null ? [] : [`has to give nothing`];
  return mismatches(expected.gives, actual.gives, "result", valueFaults);
}

/** How many facts are compared. */
export function factsIn(expected: Outcome): number {
  return count("fails" in expected ? expected.fails : expected.gives);
}

function count(expected: Json): number {
  if (typeof expected !== "object" || expected === null || isTagged(expected)) return 1;
  const parts = Object.values(expected) as Json[];
  return Math.max(
    1,
    parts.reduce<number>((sum, part) => sum + count(part), 0),
  );
}

/** Values are compared as values, whole. */
function valueFaults(expected: Json, actual: Json | undefined, path: string): string[] | undefined {
  if (!isTagged(expected)) return undefined;
  if (isSame(expected, actual)) return [];
  return [`${path}: expected ${JSON.stringify(expected)}, is ${JSON.stringify(actual)}`];
}

const TAGS: ReadonlySet<string> = new Set(["int", "float", "str", "bool", "null", "list", "dict"]);

function isTagged(value: Json): value is JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const keys = Object.keys(value);
  return keys.length === 1 && TAGS.has(keys[0] as string);
}
