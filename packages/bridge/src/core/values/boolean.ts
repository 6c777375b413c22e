/** Type `boolean`: true and false only; nothing else is truthy or falsy here, and nothing limits it. */
import { unlimited } from "../constraints.js";
import { typeMismatch, type ValueType } from "./value-type.js";

export const boolean: ValueType<boolean> = {
  accept(literal) {
    return literal.kind === "boolean" ? literal.value : typeMismatch("boolean", literal, "must be a boolean");
  },

  limits: (constraints) => unlimited("boolean", constraints),
};
