/** Type `string`: well-formed Unicode; lengths count code points; `pattern` is searched, not anchored (VAL-7). */
import {
  type Constraint,
  invalidConstraint,
  type Limits,
  type OperandReader,
  one,
  operand,
  readConstraints,
  violated,
} from "../constraints.js";
import { compilePattern } from "../pattern.js";
import { Refusal } from "../refusal.js";
import { codePointLength, isWellFormed } from "../text.js";
import { integer } from "./integer.js";
import { typeMismatch, type ValueType } from "./value-type.js";

/** No string can be longer, whatever the server's limit on values is. */
const MAX_LENGTH = 1_048_576;

export const string: ValueType<string> = {
  accept(literal) {
    if (literal.kind !== "string") return typeMismatch("string", literal, "must be a string");
    if (isWellFormed(literal.value)) return literal.value;
    return new Refusal("INVALID_VALUE", "text is not well-formed Unicode (it has a lone surrogate)");
  },

  limits(constraints): Limits<string> | Refusal {
    const read = readConstraints("string", constraints, {
      min_length: one(length),
      max_length: one(length),
      pattern: one(text),
    });
    if (read instanceof Refusal) return read;
    const min = lengthOf(read, "min_length");
    const max = lengthOf(read, "max_length");
    if (min !== undefined && max !== undefined && min > max) {
      return invalidConstraint("min_length", `min_length ${min} is above max_length ${max}`);
    }
    const source = operand(read, "pattern", "string");
    const pattern = source === undefined ? undefined : compilePattern(source, max);
    if (pattern instanceof Refusal) return pattern;
    return {
      constraints: [...read.values()],
      check(value) {
        if (min === undefined && max === undefined && pattern === undefined) return undefined;
        const points = codePointLength(value);
        if (min !== undefined && points < min) {
          return violated("min_length", `string length ${points} is below minimum ${min}`);
        }
        if (max !== undefined && points > max) {
          return violated("max_length", `string length ${points} is above maximum ${max}`);
        }
        if (pattern === undefined) return undefined;
        if (points > pattern.longest) {
          return violated(
            "pattern",
            `string length ${points} is above ${pattern.longest}, the most this pattern allows`,
          );
        }
        return pattern.found(value)
          ? undefined
          : violated("pattern", `value does not match pattern ${pattern.text}`);
      },
    };
  },
};

const length: OperandReader = (literal, key) => {
  const value = integer.accept(literal);
  if (value instanceof Refusal) return invalidConstraint(key, `${key}: ${value.message}`);
  if (value >= 0n && value <= MAX_LENGTH) return { kind: "integer", value };
  return invalidConstraint(key, `${key} ${value} is not from 0 to ${MAX_LENGTH}`);
};

const text: OperandReader = (literal, key) => {
  const value = string.accept(literal);
  return value instanceof Refusal
    ? invalidConstraint(key, `${key}: ${value.message}`)
    : { kind: "string", value };
};

function lengthOf(read: ReadonlyMap<string, Constraint>, key: string): number | undefined {
  const value = operand(read, key, "integer");
  return value === undefined ? undefined : Number(value);
}
