/** Checks JSON against the part of JSON Schema that `spec/vector.schema.json` uses; any other keyword is an error. */
import type { Json, JsonObject } from "./files.js";

/** Where a value breaks its schema, one line each, with the path to it. */
export function schemaFaults(
  schema: JsonObject,
  value: Json,
  whole: JsonObject = schema,
  path = "$",
): string[] {
  return Object.entries(schema).flatMap(([keyword, operand]) => {
    const check = KEYWORDS[keyword];
    if (check === undefined) throw new Error(`the schema uses ${keyword}, which nothing checks`);
    return check({ operand, value, schema, whole, path });
  });
}

interface Question {
  readonly operand: Json;
  readonly value: Json;
  readonly schema: JsonObject;
  readonly whole: JsonObject;
  readonly path: string;
}
type Check = (question: Question) => string[];

const nothing: Check = () => [];

const KEYWORDS: Readonly<Record<string, Check>> = {
  $schema: nothing,
  $defs: nothing,
  title: nothing,
  description: nothing,
  $ref: ({ operand, value, whole, path }) =>
    schemaFaults(pointed(whole, operand as string), value, whole, path),
  type: ({ operand, value, path }) => {
    const types = Array.isArray(operand) ? operand : [operand];
    return types.some((type) => isOfType(value, type as string))
      ? []
      : [`${path}: is not ${types.join(" or ")}`];
  },
  enum: ({ operand, value, path }) =>
    (operand as Json[]).includes(value) ? [] : [`${path}: is not one of ${JSON.stringify(operand)}`],
  const: ({ operand, value, path }) =>
    operand === value ? [] : [`${path}: is not ${JSON.stringify(operand)}`],
  pattern: ({ operand, value, path }) =>
    typeof value !== "string" || new RegExp(operand as string, "u").test(value)
      ? []
      : [`${path}: is not ${operand}`],
  minLength: ({ operand, value, path }) =>
    atLeast(typeof value === "string" ? value.length : undefined, operand, path),
  minimum: ({ operand, value, path }) =>
    atLeast(typeof value === "number" ? value : undefined, operand, path),
  minItems: ({ operand, value, path }) =>
    atLeast(Array.isArray(value) ? value.length : undefined, operand, path),
  maxItems: ({ operand, value, path }) =>
    atMost(Array.isArray(value) ? value.length : undefined, operand, path),
  minProperties: ({ operand, value, path }) => atLeast(keys(value)?.length, operand, path),
  maxProperties: ({ operand, value, path }) => atMost(keys(value)?.length, operand, path),
  required: ({ operand, value, path }) =>
    (operand as string[])
      .filter((key) => keys(value)?.includes(key) === false)
      .map((key) => `${path}: has no ${key}`),
  properties: ({ operand, value, whole, path }) =>
    (keys(value) ?? [])
      .filter((key) => Object.hasOwn(operand as JsonObject, key))
      .flatMap((key) =>
        schemaFaults(
          (operand as JsonObject)[key] as JsonObject,
          (value as JsonObject)[key] as Json,
          whole,
          `${path}.${key}`,
        ),
      ),
  additionalProperties: ({ operand, value, schema, path }) => {
    if (operand !== false) throw new Error("additionalProperties has to be false");
    const known = Object.keys((schema["properties"] ?? {}) as JsonObject);
    return (keys(value) ?? [])
      .filter((key) => !known.includes(key))
      .map((key) => `${path}: has an unknown key ${key}`);
  },
  items: ({ operand, value, whole, path }) =>
    Array.isArray(value)
      ? value.flatMap((item, i) => schemaFaults(operand as JsonObject, item, whole, `${path}[${i}]`))
      : [],
  anyOf: (question) => alternatives(question, (good) => good > 0),
  oneOf: (question) => alternatives(question, (good) => good === 1),
};

function alternatives(
  { operand, value, whole, path }: Question,
  enough: (good: number) => boolean,
): string[] {
  const tried = (operand as JsonObject[]).map((schema) => schemaFaults(schema, value, whole, path));
  if (enough(tried.filter((faults) => faults.length === 0).length)) return [];
  // The alternative that came closest says what is wrong.
  const closest = tried.filter((faults) => faults.length > 0).sort((a, b) => a.length - b.length)[0];
  return closest ?? [`${path}: fits more than one alternative`];
}

function pointed(whole: JsonObject, pointer: string): JsonObject {
  const steps = pointer.replace(/^#\//, "").split("/");
  return steps.reduce<JsonObject>((part, key) => part[key] as JsonObject, whole);
}

function keys(value: Json): string[] | undefined {
  return isOfType(value, "object") ? Object.keys(value as JsonObject) : undefined;
}

function isOfType(value: Json, type: string): boolean {
  switch (type) {
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    case "integer":
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}

function atLeast(size: number | undefined, operand: Json, path: string): string[] {
  return size === undefined || size >= (operand as number) ? [] : [`${path}: is less than ${operand}`];
}

function atMost(size: number | undefined, operand: Json, path: string): string[] {
  return size === undefined || size <= (operand as number) ? [] : [`${path}: is more than ${operand}`];
}
