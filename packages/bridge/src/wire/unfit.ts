/**
 * What cannot cross the wire: text that UTF-8 cannot carry, a number that its field cannot hold, a part that has to be
 * set and is not. Deep inside a conversion it is thrown, so that conversions read as what they convert; every door of
 * this folder returns it as a refusal, and none lets it out.
 */
import { invalidField, Refusal } from "../core/refusal.js";
import { isWellFormed } from "../core/text.js";

/** A refusal on its way to the door of this folder. */
export class Unfit extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.message);
    this.name = "Unfit";
    this.refusal = refusal;
  }
}

/** What a conversion gives, or the refusal it ran into. */
export function fitting<T>(convert: () => T): T | Refusal {
  try {
    return convert();
  } catch (error) {
    if (error instanceof Unfit) return error.refusal;
    throw error;
  }
}

/** Stops a conversion at a field that has no meaning. */
export function unfitField(field: string, problem: string): never {
  throw new Unfit(invalidField(field, problem));
}

/** The field's content, which has to be set. */
export function required<T>(content: T | undefined, field: string): T {
  return content ?? unfitField(field, "is not set");
}

/** Text as it is. The runtime would put U+FFFD for a lone surrogate without a word, so it is stopped here. */
export function encodable(text: string, field: string): string {
  return isWellFormed(text) ? text : unfitField(field, ILL_FORMED);
}

/** Stops a conversion at text that is not Unicode, as the domain would refuse it. */
export function encodableAs(
  text: string,
  reason: "INVALID_NAME" | "INVALID_VALUE" | "INVALID_METADATA",
): string {
  if (isWellFormed(text)) return text;
  throw new Unfit(new Refusal(reason, `text ${ILL_FORMED}`));
}

/** A number for a field of 64 bits without a sign. */
export function toUint64(value: number, field: string): bigint {
  return Number.isSafeInteger(value) && value >= 0
    ? BigInt(value)
    : unfitField(field, "has to be a whole number from 0 to 2^53 − 1");
}

/** A number for a field of 32 bits without a sign. */
export function toUint32(value: number, field: string): number {
  return value === value >>> 0 ? value : unfitField(field, "has to be a whole number from 0 to 2^32 − 1");
}

/** The number in a field of 64 bits without a sign; one that a double cannot hold is not rounded. */
export function fromUint64(value: bigint, field: string): number {
  return value <= Number.MAX_SAFE_INTEGER
    ? Number(value)
    : unfitField(field, "is above 2^53 − 1, the most this bridge counts to");
}

/** An optional property: absent, and not undefined, if there is nothing to put there. */
export function optional<K extends string, T>(key: K, value: T | undefined): { readonly [P in K]?: T } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]: T });
}

/** Names the type argument only if it is true: a list of the domain and one of the contract are the same. */
export type Assert<T extends true> = T;
/** True if two unions have the same members; else it is no type that {@link Assert} takes. */
export type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : Exclude<B, A>) : Exclude<A, B>;

const ILL_FORMED = "is not well-formed Unicode (it has a lone surrogate)";
