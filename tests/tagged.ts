/** Tagged values, as `spec/vectors/README.md` describes them, and the values of JavaScript that they mean. */
import type { Json, JsonObject } from "./vectors/files.js";

/** The value of JavaScript that a tagged value means. */
export function untag(tagged: Json): unknown {
  const [[name, content] = unknown("a tag")] = Object.entries(tagged as JsonObject);
  switch (name) {
    case "number":
    case "float":
      return Number(content);
    case "int":
    case "bigint":
      return BigInt(content as string);
    case "str":
    case "bool":
    case "null":
      return content;
    case "undefined":
      return undefined;
    case "list":
      return (content as Json[]).map(untagPart);
    case "dict":
      // Which defines its keys, so that none of them can reach the prototype.
      return Object.fromEntries((content as [string, Json][]).map(([key, item]) => [key, untagPart(item)]));
    case "nested":
      return Array.from({ length: (content as number) - 1 }).reduce<unknown[]>((inside) => [inside], []);
    case "bytes":
      return Uint8Array.from(Buffer.from(content as string, "hex"));
    default:
      return unknown(`the tag ${name}`);
  }
}

/** JSON has no bigints, so within it JavaScript has one type for all numbers. */
function untagPart(tagged: Json): unknown {
  const value = untag(tagged);
  return Object.hasOwn(tagged as JsonObject, "int") ? Number(value) : value;
}

/** The tagged value for a value of JavaScript. Of a number it does not say whether it is an integer or a float. */
export function tag(value: unknown): JsonObject {
  switch (typeof value) {
    case "number":
      return { number: Object.is(value, -0) ? "-0" : String(value) };
    case "bigint":
      return { bigint: String(value) };
    case "string":
      return { str: value };
    case "boolean":
      return { bool: value };
    case "object":
      if (value === null) return { null: null };
      if (Array.isArray(value)) return { list: value.map(tag) };
      return { dict: Object.entries(value).map(([key, item]) => [key, tag(item)]) };
    default:
      return unknown(`a ${typeof value}`);
  }
}

/**
 * True if a client gave the value that is expected. JavaScript's `number` is an `int` or a `float`, whichever is expected, and its
 * `bigint` an `int`; the sign of a zero counts, and every NaN is one.
 */
export function isSame(expected: Json, actual: Json | undefined): boolean {
  const [tagOf, content] = only(expected);
  const [actualTag, actualContent] = only(actual);
  switch (tagOf) {
    case "int":
      return INTEGERS.has(actualTag) && content === actualContent;
    case "float":
      return FLOATS.has(actualTag) && Object.is(Number(content), Number(actualContent));
    case "list":
      return tagOf === actualTag && areSame(content as Json[], actualContent as Json[]);
    case "dict": {
      const [members, found] = [content, actualContent] as [[string, Json][], [string, Json][]];
      return (
        tagOf === actualTag &&
        String(members.map(([key]) => key)) === String(found.map(([key]) => key)) &&
        areSame(
          members.map(([, value]) => value),
          found.map(([, value]) => value),
        )
      );
    }
    default:
      return tagOf === actualTag && content === actualContent;
  }
}

const INTEGERS: ReadonlySet<string> = new Set(["int", "number", "bigint"]);
const FLOATS: ReadonlySet<string> = new Set(["float", "number"]);

function areSame(expected: readonly Json[], actual: readonly Json[]): boolean {
  return expected.length === actual.length && expected.every((value, i) => isSame(value, actual[i]));
}

/** The tag and the content. */
function only(tagged: Json | undefined): readonly [string, Json | undefined] {
  const entries = typeof tagged === "object" && tagged !== null ? Object.entries(tagged) : [];
  return entries.length === 1 ? (entries[0] as [string, Json]) : ["", undefined];
}

function unknown(what: string): never {
  throw new Error(`tagged values do not know ${what}`);
}
