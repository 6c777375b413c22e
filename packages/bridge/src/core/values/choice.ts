/** Type `choice`: one of a list of texts. The list is its one constraint, and there is no choice without it (VAL-7). */
import { invalidConstraint, type OperandsReader, readConstraints, violated } from "../constraints.js";
import { quoteName } from "../names.js";
import { Refusal } from "../refusal.js";
import { utf8Length } from "../text.js";
import { string } from "./string.js";
import { typeMismatch, type ValueType } from "./value-type.js";

/** Every read of the variable answers the whole list, so it is kept short. */
const MAX_CHOICES = 1_000;
const MAX_CHOICES_BYTES = 65_536;
/** How many an error text names. */
const NAMED = 10;

export const choice: ValueType<string> = {
  accept(literal) {
    return literal.kind === "string"
      ? string.accept(literal)
      : typeMismatch("choice", literal, "must be a string");
  },

  limits(constraints) {
    const read = readConstraints("choice", constraints, { choices });
    if (read instanceof Refusal) return read;
    const list = read.get("choices");
    if (list === undefined) {
      return invalidConstraint("choices", "choices is missing; a choice needs the list of its values");
    }
    const allowed = new Set(list.values.map(({ value }) => String(value)));
    const named = nameSome([...allowed]);
    return {
      constraints: [list],
      check: (value) =>
        allowed.has(value)
          ? undefined
          : violated("choices", `value ${quoteName(value)} is not one of ${named}`),
    };
  },
};

const choices: OperandsReader = (operands, key) => {
  if (operands.length === 0) return invalidConstraint(key, `${key} is empty`);
  if (operands.length > MAX_CHOICES) {
    return invalidConstraint(key, `${key} has ${operands.length} values, more than ${MAX_CHOICES}`);
  }
  const seen = new Set<string>();
  let bytes = 0;
  for (const operand of operands) {
    const value = choice.accept(operand);
    if (value instanceof Refusal) return invalidConstraint(key, `${key}: ${value.message}`);
    if (seen.has(value)) return invalidConstraint(key, `${key} has ${quoteName(value)} twice`);
    seen.add(value);
    bytes += utf8Length(value);
  }
  if (bytes > MAX_CHOICES_BYTES) {
    return invalidConstraint(key, `${key} takes ${bytes} bytes, more than ${MAX_CHOICES_BYTES}`);
  }
  return [...seen].map((value) => ({ kind: "string", value }));
};

function nameSome(values: readonly string[]): string {
  const named = values.slice(0, NAMED).map(quoteName).join(", ");
  return values.length > NAMED ? `${named} and ${values.length - NAMED} more` : named;
}
