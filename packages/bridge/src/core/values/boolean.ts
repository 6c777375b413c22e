/** Type `boolean`: true and false only; nothing else is truthy or falsy here, and nothing limits it. */
import { readConstraints } from "../constraints.js";
import { Refusal } from "../refusal.js";
import { typeMismatch, type ValueType } from "./value-type.js";

export const boolean: ValueType<boolean> = {
  name: "boolean",

  accept(literal) {
    return literal.kind === "boolean" ? literal.value : typeMismatch("boolean", literal, "must be a boolean");
  },

  literal: (value) => ({ kind: "boolean", value }),

  limits(constraints) {
    const read = readConstraints("boolean", constraints, {});
    return read instanceof Refusal ? read : { constraints: [], check: () => undefined };
  },
};
