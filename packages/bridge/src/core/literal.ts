/** A value together with what its sender knows about its type. The variable's type decides what it becomes. */
export type Literal = KnownLiteral | UnknownLiteral;

/** A value of a kind that this version knows. */
export type KnownLiteral =
  | { readonly kind: "float"; readonly value: number }
  /** A whole number of the signed 64 bit range; a sender of anything wider is refused before a Literal is made. */
  | { readonly kind: "integer"; readonly value: bigint }
  /** A number from a sender without an integer type (VAL-3). */
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "boolean"; readonly value: boolean }
  /** The text of a JSON value, whose sender does not answer for it: only json variables take it, once it is checked. */
  | { readonly kind: "json"; readonly value: string };

/** No value was given, or one of a kind that this version does not know. It is judged, and refused, with its item. */
export interface UnknownLiteral {
  readonly kind: "unknown";
}

/** What a variable holds: a number for float, a bigint for integer, a boolean, or text for string, choice and json. */
export type Stored = KnownLiteral["value"];

/** The least and the greatest integer (signed 64 bit). */
export const INT64_MIN = -(2n ** 63n);
export const INT64_MAX = 2n ** 63n - 1n;
