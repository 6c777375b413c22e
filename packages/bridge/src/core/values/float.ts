/** Type `float`: binary64, every bit pattern of it kept; `min` and `max` are inclusive and refuse NaN (VAL-2, VAL-6). */
import {
  invalidConstraint,
  type Limits,
  type OperandReader,
  one,
  operand,
  readConstraints,
  violated,
} from "../constraints.js";
import type { Literal } from "../literal.js";
import { Refusal } from "../refusal.js";
import { formatNumber } from "../text.js";
import { typeMismatch, type ValueType } from "./value-type.js";

export const float: ValueType<number> = {
  accept(literal: Literal): number | Refusal {
    switch (literal.kind) {
      case "float":
      case "number":
        return literal.value;
      case "integer": {
        const value = Number(literal.value);
        if (BigInt(value) === literal.value) return value;
        return typeMismatch("float", literal, `integer ${literal.value} is not exact as a float`);
      }
      default:
        return typeMismatch("float", literal, "must be a number");
    }
  },

  limits(constraints): Limits<number> | Refusal {
    const read = readConstraints("float", constraints, {
      min: one(bound),
      max: one(bound),
    });
    if (read instanceof Refusal) return read;
    const min = operand(read, "min", "float");
    const max = operand(read, "max", "float");
    if (min !== undefined && max !== undefined && min > max) {
      return invalidConstraint("min", `min ${formatNumber(min)} is above max ${formatNumber(max)}`);
    }
    return {
      constraints: [...read.values()],
      check(value) {
        // Written as "not within", because NaN compares false with everything and must fail every bound.
        if (min !== undefined && !(value >= min)) {
          return violated("min", `value ${formatNumber(value)} is below minimum ${formatNumber(min)}`);
        }
        if (max !== undefined && !(value <= max)) {
          return violated("max", `value ${formatNumber(value)} is above maximum ${formatNumber(max)}`);
        }
        return undefined;
      },
    };
  },
};

const bound: OperandReader = (literal, key) => {
  const value = float.accept(literal);
  if (value instanceof Refusal) return invalidConstraint(key, `${key}: ${value.message}`);
  if (Number.isNaN(value)) return invalidConstraint(key, `${key} is NaN, which bounds nothing`);
  return { kind: "float", value };
};
