/**
 * Values of JavaScript and the bridge's literals, both ways.
 *
 * The arm that a value travels in is a claim and the variable's type decides (VAL-3). JavaScript has one type for what
 * are two here, so a number goes as `number` unless a definition says what it is meant to be. Nothing is coerced and
 * no constraint is looked at: the engine is the one judge (VAL-1). Only what cannot be a value at all is refused here,
 * before anything is sent. null, arrays and plain objects go as JSON, unless a definition says that they are meant to be
 * something else.
 */
import { type BridgeError, errorFor } from "../core/errors.js";
import { INT64_MAX, INT64_MIN, type KnownLiteral, type Stored } from "../core/literal.js";
import { quoteName } from "../core/names.js";
import { isWellFormed } from "../core/text.js";
import { literalOf, type TypeName } from "../core/values/types.js";
import { type JsonValue, readJson, writeJson } from "./json.js";

/**
 * What a variable holds. An integer is a number while a number holds it exactly (up to 2^53 − 1 in size) and a bigint
 * beyond that; it is never rounded. A json variable holds any {@link JsonValue}, all others numbers, strings and booleans.
 */
export type VariableValue = bigint | JsonValue;

/**
 * The literal for a value of a variable.
 *
 * @param type the type that the sender's definition gives the variable, if there is one
 */
export function toLiteral(value: unknown, identifier: string, type?: string): KnownLiteral {
  const isJson = type === "json" || (type === undefined && typeof value === "object");
  return checked(isJson ? writeJson(value) : read(value, type), identifier);
}

/** The literal for what is added to a variable: a number, and never JSON. */
export function toAmount(by: unknown, identifier: string, type?: string): KnownLiteral {
  return checked(read(by, type), identifier);
}

function checked(literal: KnownLiteral | string, identifier: string): KnownLiteral {
  if (typeof literal === "string") throw invalidValue(identifier, literal);
  return literal;
}

/** The literals for the operands of a constraint, one or a list of them. */
export function toOperands(
  operands: unknown,
  identifier: string,
  key: string,
  type: string,
): readonly KnownLiteral[] {
  const list: readonly unknown[] = Array.isArray(operands) ? operands : [operands];
  return list.map((operand) => toOperand(operand, identifier, key, type));
}

/** The literal for an operand of a constraint. A number that limits a string is a length. */
function toOperand(operand: unknown, identifier: string, key: string, type: string): KnownLiteral {
  const literal = read(operand, type === "string" ? "integer" : type);
  if (typeof literal !== "string") return literal;
  throw errorFor("INVALID_CONSTRAINT", `${quoteName(identifier)}: ${key}: ${literal}`, {
    identifier,
    constraint: key,
  });
}

/** The literal, or what is wrong with the value. */
function read(value: unknown, type: string | undefined): KnownLiteral | string {
  switch (typeof value) {
    case "number":
      return readNumber(value, type);
    case "bigint":
      return value >= INT64_MIN && value <= INT64_MAX
        ? { kind: "integer", value }
        : "the integer does not fit into signed 64 bit: share it as a string";
    case "string":
      return isWellFormed(value)
        ? { kind: "string", value }
        : "the text is not well-formed Unicode (it has a lone surrogate)";
    case "boolean":
      return { kind: "boolean", value };
    default:
      return `a value is a number, bigint, string or boolean, not ${nameKind(value)}: ${adviceFor(value)}`;
  }
}

function readNumber(value: number, type: string | undefined): KnownLiteral | string {
  if (type === "float") return { kind: "float", value };
  if (type !== "integer") return { kind: "number", value };
  // A fraction is sent as what it is, and the engine says that the variable takes none.
  if (!Number.isInteger(value)) return { kind: "float", value };
  return Number.isSafeInteger(value)
    ? { kind: "integer", value: BigInt(value) }
    : `the number ${value} is beyond 2^53 − 1, where one number stands for several integers: pass a bigint`;
}

/** The value that a variable of a type holds. Of json a new and frozen one each time. */
export function fromStored(type: TypeName, stored: Stored): VariableValue {
  return fromLiteral(literalOf(type, stored));
}

/** The value that a literal means. */
export function fromLiteral(literal: KnownLiteral): VariableValue {
  return literal.kind === "json" ? readJson(literal.value) : fromScalar(literal);
}

/** A value that is not JSON. */
export type Scalar = number | bigint | string | boolean;

/** The value that a literal means which is not JSON. */
export function fromScalar({ kind, value }: Exclude<KnownLiteral, { kind: "json" }>): Scalar {
  return kind === "integer" && isSafe(value) ? Number(value) : value;
}

/** True if a number holds the integer exactly and stands for no other. */
export function isSafe(value: bigint): boolean {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER;
}

/** The error for a value that is none, or that cannot be handed over whole. */
export function invalidValue(identifier: string, problem: string): BridgeError {
  return errorFor("INVALID_VALUE", `${quoteName(identifier)}: ${problem}`, { identifier });
}

function nameKind(value: unknown): string {
  if (value === null) return "null";
  if (typeof value !== "object") return typeof value;
  return Array.isArray(value) ? "an array" : "an object";
}

function adviceFor(value: unknown): string {
  if (value === undefined || value === null) return "delete the variable if it has none any more";
  if (typeof value === "object") return "share its parts as variables, or make the variable one of type json";
  return "convert it first";
}
