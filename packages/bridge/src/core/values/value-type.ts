/** What a type of variables is. Each type is one file beside this one, and a line in `types.ts` and in `registry.ts`. */
import type { GivenConstraint, Limits } from "../constraints.js";
import type { Literal, Stored } from "../literal.js";
import { Refusal } from "../refusal.js";

export interface ValueType<V extends Stored = Stored> {
  /** The value that a literal means to this type, or TYPE_MISMATCH. Nothing is coerced or rounded. */
  accept(literal: Literal): V | Refusal;
  /** Checks the constraints themselves, and makes of them the check that values go through. */
  limits(constraints: readonly GivenConstraint[]): Limits<V> | Refusal;
}

/** Refuses a literal that a type does not accept. */
export function typeMismatch(expected: string, literal: Literal, text: string): Refusal {
  if (literal.kind === "unknown") return valueUnknown();
  // What sends null means "no value" and not a value of another type.
  if (literal.kind === "json" && literal.value.trim() === "null") return nullRefused(expected);
  return new Refusal("TYPE_MISMATCH", text, {
    typeMismatch: { expected, actual: literal.kind },
  });
}

/** Refuses what is no value to this version. */
export function valueUnknown(): Refusal {
  return new Refusal(
    "INVALID_VALUE",
    "no value is given, or one of a kind that this version does not know; upgrade the bridge if it is newer",
  );
}

function nullRefused(type: string): Refusal {
  return new Refusal(
    "INVALID_VALUE",
    `null is no ${type}; a variable always has a value, so delete it if it has none any more`,
  );
}
