/** Values as people write and read them on a command line. */
import type { JsonValue, VariableValue } from "../client/index.js";
import { formatJson } from "../client/json.js";
import { INT64_MAX, INT64_MIN, type KnownLiteral } from "../core/literal.js";
import { formatNumber } from "../core/text.js";
import { armOf, type TypeName } from "../core/values/types.js";

const INTEGER = /^[+-]?\d+$/;
const NUMBER = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|Infinity)$|^NaN$/;

/**
 * The value that a text stands for. Without a type, what looks like a number is one, of no particular type (VAL-3);
 * `true` and `false` are booleans; all else is text. Answers what is wrong with it if it is none.
 */
export function readValue(text: string, type?: TypeName): KnownLiteral | string {
  switch (type && armOf(type)) {
    case "float":
      return NUMBER.test(text) ? { kind: "float", value: Number(text) } : `${quote(text)} is not a number`;
    case "integer":
      return readInteger(text);
    case "boolean":
      return text === "true" || text === "false"
        ? { kind: "boolean", value: text === "true" }
        : `${quote(text)} is neither true nor false`;
    case "string":
      return { kind: "string", value: text };
    case "json":
      // Whether it is JSON the bridge says, which looks closer than a parser would.
      return { kind: "json", value: text };
    case undefined:
      return guess(text);
  }
}

function guess(text: string): KnownLiteral | string {
  if (text === "true" || text === "false") return { kind: "boolean", value: text === "true" };
  if (!NUMBER.test(text)) return { kind: "string", value: text };
  // A number that stands for several integers is none of them; what was written is exact.
  if (INTEGER.test(text) && !Number.isSafeInteger(Number(text))) return readInteger(text);
  return { kind: "number", value: Number(text) };
}

function readInteger(text: string): KnownLiteral | string {
  if (!INTEGER.test(text)) return `${quote(text)} is not a whole number`;
  const value = BigInt(text.replace(/^\+/, ""));
  return value >= INT64_MIN && value <= INT64_MAX
    ? { kind: "integer", value }
    : `${text} does not fit into signed 64 bit`;
}

/** A value on one line: text in quotes, so that it is told from a number. */
export function showValue(value: VariableValue): string {
  return typeof value === "string" ? quote(value) : plainValue(value);
}

/** A value by itself: text as it is. */
export function plainValue(value: VariableValue): string {
  if (typeof value === "object") return formatJson(value);
  return typeof value === "number" || typeof value === "bigint" ? formatNumber(value) : String(value);
}

/** A value for JSON, where what JSON has no number for is a string (DOOR-6). */
export function jsonValue(value: VariableValue): JsonValue {
  if (typeof value === "bigint") return String(value);
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
