/** Compares what a vector or a story expects with what came: partly, as `spec/vectors/README.md` says. */
import type { Json } from "./files.js";

/** What is compared otherwise than here; undefined: not this. */
export type Special = (expected: Json, actual: Json | undefined, path: string) => string[] | undefined;

/** What does not match, one line each, with the path to it. */
export function mismatches(
  expected: Json,
  actual: Json | undefined,
  path = "reply",
  special: Special = () => undefined,
): string[] {
  const judged = special(expected, actual, path);
  if (judged !== undefined) return judged;
  if (expected === null) {
    return actual === undefined ? [] : [`${path}: expected to be absent, is ${show(actual)}`];
  }
  if (actual === undefined) {
    return isDefault(expected) ? [] : [`${path}: expected ${show(expected)}, is absent`];
  }
  if (isList(expected)) {
    if (!isList(actual) || actual.length !== expected.length) return [differs(path, expected, actual)];
    return expected.flatMap((item, i) => mismatches(item, actual[i], `${path}[${i}]`, special));
  }
  if (typeof expected === "object") {
    if (typeof actual !== "object" || actual === null || isList(actual))
      return [differs(path, expected, actual)];
    return Object.entries(expected).flatMap(([key, value]) =>
      mismatches(value, Object.hasOwn(actual, key) ? actual[key] : undefined, `${path}.${key}`, special),
    );
  }
  // −0 and 0 are different values, and NaN travels as text.
  return Object.is(expected, actual) ? [] : [differs(path, expected, actual)];
}

function isDefault(expected: Json): boolean {
  if (isList(expected)) return expected.length === 0;
  if (typeof expected === "object" && expected !== null) return Object.keys(expected).length === 0;
  return expected === false || Object.is(expected, 0) || expected === "0" || expected === "";
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function differs(path: string, expected: Json, actual: Json): string {
  return `${path}: expected ${show(expected)}, is ${show(actual)}`;
}

function show(value: Json): string {
  const text = Object.is(value, -0) ? "-0" : JSON.stringify(value);
  return text.length > 400 ? `${text.slice(0, 400)}…` : text;
}
