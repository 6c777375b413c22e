/**
 * Values of JavaScript and the texts of JSON that json variables hold.
 *
 * `JSON.stringify` would not do: it leaves out what is undefined or a function, makes null of NaN, and asks objects for
 * another form of themselves. What is written here is read back as it was, or is refused with the place where it stands.
 */
import { errorFor } from "../core/errors.js";
import { jsonNumber, MAX_JSON_DEPTH } from "../core/json-text.js";
import type { KnownLiteral } from "../core/literal.js";
import { isWellFormed } from "../core/text.js";

/** A value that a json variable can hold. One that was read is frozen, all the way down. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** The text of a JSON value, on one line. */
export function formatJson(value: JsonValue): string {
  return write(value, "value", []);
}

/** The literal for a value of a json variable, or what is wrong with the value and where, as `value.layers[2]`. */
export function writeJson(value: unknown): Extract<KnownLiteral, { kind: "json" }> | string {
  try {
    return { kind: "json", value: write(value, "value", []) };
  } catch (error) {
    if (error instanceof NotJson) return error.message;
    throw error;
  }
}

/**
 * The value in the text of a json variable, frozen. A new one each time.
 *
 * `JSON.parse` defines the keys it reads, so `__proto__` is a key like any other and the prototype stays what it is.
 */
export function readJson(text: string): JsonValue {
  try {
    return freeze(JSON.parse(text) as JsonValue);
  } catch (cause) {
    const message = "the bridge answered with a json value that is no JSON";
    throw errorFor("PROTOCOL", message, { cause });
  }
}

/** Thrown out of the middle of a value, so that what writes reads as what it writes. */
class NotJson extends Error {}

function write(value: unknown, path: string, around: readonly object[]): string {
  switch (typeof value) {
    case "string":
      if (isWellFormed(value)) return JSON.stringify(value);
      throw new NotJson(`${path} is not well-formed Unicode (it has a lone surrogate)`);
    case "number":
      if (Number.isFinite(value)) return jsonNumber(value);
      throw new NotJson(`${path} is ${value}, which JSON has no number for: use null or a string`);
    case "boolean":
      return String(value);
    case "bigint":
      throw new NotJson(`${path} is a bigint, and JSON has whole numbers up to 2^53 − 1 only: use a string`);
    case "object":
      return value === null ? "null" : writeContainer(value, path, around);
    default:
      throw new NotJson(`${path} is ${nameOf(value)}, which JSON does not have: leave it out, or use null`);
  }
}

function writeContainer(value: object, path: string, around: readonly object[]): string {
  if (around.includes(value)) throw new NotJson(`${path} contains itself`);
  if (around.length === MAX_JSON_DEPTH) throw new NotJson(`${path} is nested deeper than ${MAX_JSON_DEPTH}`);
  const inside = [...around, value];
  if (Array.isArray(value)) {
    // Not `map`, which passes over holes.
    const items = Array.from(value, (item, place) => write(item, `${path}[${place}]`, inside));
    return `[${items.join(",")}]`;
  }
  if (!isPlain(value)) {
    throw new NotJson(
      `${path} is ${nameOf(value)}, and JSON has plain objects and arrays only: convert it first`,
    );
  }
  if (Object.getOwnPropertySymbols(value).length > 0) {
    throw new NotJson(`${path} has a symbol for a key, which JSON does not have`);
  }
  const members = Object.entries(value).map(([key, item]) => {
    if (isWellFormed(key)) return `${JSON.stringify(key)}:${write(item, path + step(key), inside)}`;
    throw new NotJson(`${path} has a key that is not well-formed Unicode (it has a lone surrogate)`);
  });
  return `{${members.join(",")}}`;
}

/** True for what `{…}` makes, also in another realm, and for objects without a prototype. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function nameOf(value: unknown): string {
  if (typeof value !== "object" || value === null)
    return value === undefined ? "undefined" : `a ${typeof value}`;
  const name: unknown = Object.getPrototypeOf(value)?.constructor?.name;
  return typeof name === "string" && name !== "" ? `an object of the class ${name}` : "an object of a class";
}

const IDENTIFIER = /^[A-Za-z_$][\w$]{0,63}$/;

/** How a key is written after what it is a key of. */
function step(key: string): string {
  return IDENTIFIER.test(key)
    ? `.${key}`
    : `[${JSON.stringify(key.length > 64 ? `${key.slice(0, 64)}…` : key)}]`;
}

function freeze(value: JsonValue): JsonValue {
  // A list of its own instead of recursion: how deep a text of a bridge is, the bridge has checked and nobody else.
  const left: unknown[] = [value];
  for (const item of left) {
    if (typeof item !== "object" || item === null) continue;
    Object.freeze(item);
    for (const part of Object.values(item)) left.push(part);
  }
  return value;
}
