/**
 * Messages as JSON, for those who write requests by hand (DOOR-6): JSON to the bytes of a message and back, so that everything
 * behind it knows bytes only. It is the JSON that protobuf defines, but that nothing is rounded and no text replaced.
 */
import {
  type DescField,
  type DescMessage,
  fromJson,
  type JsonValue,
  ScalarType,
  toJson,
} from "@bufbuild/protobuf";
import { base64Encode } from "@bufbuild/protobuf/wire";
import { invalidField, Refusal } from "../core/refusal.js";
import { cut, isWellFormed } from "../core/text.js";
import { decode, encode } from "./bytes.js";
import { type ConnectError, wordOf } from "./connect.js";
import { CODES, type CodeName, codeOf, refusalToProto } from "./errors.js";
import { ErrorDetailSchema } from "./gen/snakepit/bridge/v1/errors_pb.js";
import { MAX_DETAIL_BYTES, trimmed } from "./status.js";
import { fitting, Unfit } from "./unfit.js";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The most of what the runtime says of a text that is none; it has parts of that text in it (VAL-2). */
const MOST_OF_PROBLEM = 256;

/** The bytes of the message that a JSON text is, or why it is none. */
export function bytesFromJson(schema: DescMessage, text: Uint8Array): Uint8Array | Refusal {
  try {
    const json: JsonValue = JSON.parse(decoder.decode(text));
    return fitting(() => {
      assertExact(schema, json);
      return encode(schema, fromJson(schema, json));
    });
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return new Refusal("INVALID_ARGUMENT", `the JSON is no ${schema.name}: ${cut(problem, MOST_OF_PROBLEM)}`);
  }
}

/** The JSON text of a message of our own. */
export function jsonFromBytes(schema: DescMessage, bytes: Uint8Array): Uint8Array {
  const message = decode(schema, bytes);
  if (message instanceof Refusal) throw new Error(message.message);
  return new TextEncoder().encode(written(toJson(schema, message)));
}

/** JSON as text. The runtime would write −0 as 0. */
function written(json: JsonValue): string {
  if (Object.is(json, -0)) return "-0";
  if (json === null || typeof json !== "object") return JSON.stringify(json);
  if (Array.isArray(json)) return `[${json.map(written).join(",")}]`;
  const members = Object.entries(json).map(([key, value]) => `${JSON.stringify(key)}:${written(value)}`);
  return `{${members.join(",")}}`;
}

/** Integers of 64 bits that JSON carries as strings; as a number only what a double holds exactly. */
const OF_64_BITS: ReadonlySet<ScalarType | undefined> = new Set([
  ScalarType.INT64,
  ScalarType.UINT64,
  ScalarType.SINT64,
  ScalarType.FIXED64,
  ScalarType.SFIXED64,
]);

const WHOLE: ReadonlySet<ScalarType | undefined> = new Set([
  ...OF_64_BITS,
  ScalarType.INT32,
  ScalarType.UINT32,
  ScalarType.SINT32,
  ScalarType.FIXED32,
  ScalarType.SFIXED32,
]);

/**
 * How numbers are written in strings. JavaScript, which reads them, would take more for one: `0x10`, `+5`, or a space; and it
 * would be long about digits that are more than any whole number has.
 */
const DIGITS = /^-?\d{1,20}$/;
const DECIMAL = /^(-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?|NaN|-?Infinity)$/;

/**
 * Stops at what would be rounded or replaced on its way, integers beyond 2^53 − 1 as numbers and lone surrogates, and at
 * strings for numbers that are none.
 */
function assertExact(schema: DescMessage, json: JsonValue): void {
  if (json === null || typeof json !== "object" || Array.isArray(json)) return;
  for (const field of schema.fields) {
    for (const key of new Set([field.jsonName, field.name])) {
      if (!Object.hasOwn(json, key)) continue;
      const value = json[key];
      for (const each of Array.isArray(value) ? value : [value]) assertFieldExact(field, each as JsonValue);
    }
  }
}

function assertFieldExact(field: DescField, value: JsonValue): void {
  if (field.message !== undefined) return assertExact(field.message, value);
  if (typeof value === "number" && OF_64_BITS.has(field.scalar) && !Number.isSafeInteger(value))
    // What was written is not known any more: it was rounded already.
    throw new Unfit(
      invalidField(field.name, "has to be a whole number, and beyond 2^53 − 1 a string of digits"),
    );
  if (typeof value !== "string") return;
  if (WHOLE.has(field.scalar) && !DIGITS.test(value))
    throw new Unfit(
      invalidField(field.name, "has to be a whole number, in a string one of at most 20 decimal digits"),
    );
  if (field.scalar === ScalarType.DOUBLE && !DECIMAL.test(value))
    throw new Unfit(
      invalidField(
        field.name,
        'has to be a number, in a string one as JSON writes it, or "NaN", "Infinity" or "-Infinity"',
      ),
    );
  if (!isWellFormed(value))
    throw new Unfit(invalidField(field.name, "is not well-formed Unicode (it has a lone surrogate)"));
}

/** A refusal as Connect writes it: the detail as it is everywhere, and beside it as JSON for people. */
export function refusalJson(refusal: Refusal): ConnectError {
  const { reason, message } = refusal;
  const detail = refusalToProto(trimmed(refusal, MAX_DETAIL_BYTES));
  return {
    code: wordOf(codeOf(reason)),
    message: message.replace(/\p{Surrogate}/gu, "\ufffd"),
    details: [
      {
        type: ErrorDetailSchema.typeName,
        // Connect leaves the padding out.
        value: base64Encode(encode(ErrorDetailSchema, detail), "std_raw"),
        debug: toJson(ErrorDetailSchema, detail),
      },
    ],
  };
}

/** What a request to no RPC is answered. */
export function plainJson(code: CodeName, message: string): ConnectError {
  return { code: wordOf(code), message };
}

/** The HTTP status that a code travels with. */
export function httpStatusOf(code: CodeName): number {
  return HTTP_STATUS.get(CODES[code]) ?? 500;
}

const HTTP_STATUS: ReadonlyMap<number, number> = new Map([
  [CODES.CANCELLED, 499],
  [CODES.INVALID_ARGUMENT, 400],
  [CODES.DEADLINE_EXCEEDED, 504],
  [CODES.NOT_FOUND, 404],
  [CODES.ALREADY_EXISTS, 409],
  [CODES.PERMISSION_DENIED, 403],
  [CODES.RESOURCE_EXHAUSTED, 429],
  [CODES.FAILED_PRECONDITION, 400],
  [CODES.ABORTED, 409],
  [CODES.OUT_OF_RANGE, 400],
  [CODES.UNIMPLEMENTED, 501],
  [CODES.UNAVAILABLE, 503],
  [CODES.UNAUTHENTICATED, 401],
]);
