/** Type `integer`: whole numbers of signed 64 bit, never rounded; `step` counts from `min`, else from 0 (VAL-3, VAL-6). */
import {
  invalidConstraint,
  type Limits,
  type OperandReader,
  one,
  operand,
  readConstraints,
  violated,
} from "../constraints.js";
import { INT64_MAX, INT64_MIN, type Literal } from "../literal.js";
import { Refusal } from "../refusal.js";
import { typeMismatch, type ValueType } from "./value-type.js";

export const integer: ValueType<bigint> = {
  accept(literal: Literal): bigint | Refusal {
    if (literal.kind === "integer" && literal.value >= INT64_MIN && literal.value <= INT64_MAX) {
      return literal.value;
    }
    // Beyond 2^53 − 1 a double stands for several integers, so taking one of them would be a guess.
    if (literal.kind === "number" && Number.isSafeInteger(literal.value)) return BigInt(literal.value);
    return typeMismatch("integer", literal, "must be an integer");
  },

  limits(constraints): Limits<bigint> | Refusal {
    const read = readConstraints("integer", constraints, {
      min: one(bound),
      max: one(bound),
      step: one(positive),
    });
    if (read instanceof Refusal) return read;
    const min = operand(read, "min", "integer");
    const max = operand(read, "max", "integer");
    const step = operand(read, "step", "integer");
    if (min !== undefined && max !== undefined && min > max) {
      return invalidConstraint("min", `min ${min} is above max ${max}`);
    }
    return {
      constraints: [...read.values()],
      check(value) {
        if (min !== undefined && value < min) {
          return violated("min", `value ${value} is below minimum ${min}`);
        }
        if (max !== undefined && value > max) {
          return violated("max", `value ${value} is above maximum ${max}`);
        }
        const from = min ?? 0n;
        if (step !== undefined && (value - from) % step !== 0n) {
          return violated("step", `value ${value} is not a multiple of step ${step} from minimum ${from}`);
        }
        return undefined;
      },
    };
  },
};

const bound: OperandReader = (literal, key) => {
  const value = integer.accept(literal);
  if (value instanceof Refusal) return invalidConstraint(key, `${key}: ${value.message}`);
  return { kind: "integer", value };
};

const positive: OperandReader = (literal, key) => {
  const read = bound(literal, key);
  if (read instanceof Refusal || read.kind !== "integer" || read.value > 0n) return read;
  return invalidConstraint(key, `${key} ${read.value} is not above 0`);
};
