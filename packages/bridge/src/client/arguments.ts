/**
 * What callers give beside values, made ready to be sent. Only what a message could not carry whole is refused here;
 * every other verdict on names, metadata and numbers is the engine's, so that it is the same over every transport.
 */
import { errorFor } from "../core/errors.js";
import type { MetadataPairs } from "../core/metadata.js";
import type { Reason } from "../core/refusal.js";
import { isWellFormed } from "../core/text.js";

/** Free text for a session, a registration or a commit: at most 32 keys and 4 KiB. */
export type MetadataInput = Readonly<Record<string, string>> | ReadonlyMap<string, string>;

/** Many values by name or id. */
export type Updates<V> = Readonly<Record<string, V>> | Iterable<readonly [identifier: string, value: V]>;

/** Checks a text that is sent as it is. */
export function checkText(text: unknown, what: string, reason: Reason, field: string): string {
  if (typeof text !== "string")
    throw errorFor(reason, `${what} has to be a string, not ${typeof text}`, { field });
  if (isWellFormed(text)) return text;
  throw errorFor(reason, `${what} is not well-formed Unicode (it has a lone surrogate)`, { field });
}

/** Checks the id of a session. */
export function checkSessionId(id: unknown): string {
  return checkText(id, "the session id", "INVALID_NAME", "session_id");
}

/** Checks the name or id of a variable. */
export function checkIdentifier(identifier: unknown): string {
  return checkText(identifier, "the variable's name or id", "INVALID_NAME", "identifier");
}

/** Checks names of variables. One string is an iterable of characters, which nobody means. */
export function checkNames(names: Iterable<string>): readonly string[] {
  if (typeof names !== "object" || names === null || !(Symbol.iterator in names))
    throw new TypeError(`names is a list of names, not one ${typeof names}`);
  return Array.from(names, checkIdentifier);
}

/** Checks what narrows a list down, if it is given. */
export function checkFilter(field: string, text: unknown): string | undefined {
  return text === undefined ? undefined : checkText(text, `the ${field}`, "INVALID_ARGUMENT", field);
}

/** The pairs of metadata. */
export function toMetadata(given: MetadataInput | undefined): MetadataPairs {
  if (given === undefined) return [];
  return entriesOf<string>(given).map(([key, value]): readonly [string, string] => [
    checkText(key, "a metadata key", "INVALID_METADATA", "metadata"),
    checkText(value, `metadata ${JSON.stringify(key)}`, "INVALID_METADATA", "metadata"),
  ]);
}

/** The pairs of an object, a Map or a list of pairs. */
export function entriesOf<V>(given: Updates<V>): (readonly [string, V])[] {
  return Symbol.iterator in given
    ? [...(given as Iterable<readonly [string, V]>)]
    : Object.entries(given as Readonly<Record<string, V>>);
}

/** A whole number from 0 on, if it is given. */
export function checkWhole(field: string, value: number | undefined): number | undefined {
  if (value === undefined || (Number.isSafeInteger(value) && value >= 0)) return value;
  throw errorFor("INVALID_ARGUMENT", `${field}: has to be a whole number from 0 on, not ${value}`, { field });
}
