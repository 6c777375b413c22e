/**
 * Type `json`: any value of I-JSON, kept as its text, byte for byte as it was sent (VAL-18).
 *
 * Numbers, texts and truth values are JSON values too, so their arms are accepted and written down as JSON; a text
 * becomes a JSON string and is never read as JSON. So a client need not know that a variable is json to set it, and what
 * it reads is what it set.
 */
import { unlimited } from "../constraints.js";
import { jsonFault, jsonFloat, jsonNumber } from "../json-text.js";
import type { KnownLiteral } from "../literal.js";
import { Refusal } from "../refusal.js";
import { type ValueType, valueUnknown } from "./value-type.js";

export const json: ValueType<string> = {
  accept(literal) {
    if (literal.kind === "unknown") return valueUnknown();
    const text = textOf(literal);
    const fault = jsonFault(text);
    return fault === undefined ? text : new Refusal("INVALID_VALUE", fault);
  },

  limits: (constraints) => unlimited("json", constraints),
};

/** The JSON text that a literal stands for, whether or not it is one that is accepted. */
function textOf(literal: KnownLiteral): string {
  switch (literal.kind) {
    case "json":
      return literal.value;
    case "float":
      return jsonFloat(literal.value);
    case "number":
      return jsonNumber(literal.value);
    case "string":
      // A lone surrogate becomes an escape, which is refused as one that was sent would be.
      return JSON.stringify(literal.value);
    case "integer":
    case "boolean":
      return String(literal.value);
  }
}
