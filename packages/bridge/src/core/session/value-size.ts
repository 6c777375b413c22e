/** How much room values and variables take (VAL-20). */
import type { BridgeLimits } from "../limits.js";
import type { KnownLiteral, Stored } from "../literal.js";
import type { Metadata } from "../metadata.js";
import { overLimit, type Refusal } from "../refusal.js";
import { utf8Length } from "../text.js";
import type { Variable } from "../variable.js";

/** The bytes a value takes, apart from what every variable takes. */
export function valueBytes(value: Stored): number {
  return typeof value === "string" ? utf8Length(value) : 8;
}

/** About the bytes that a variable takes in an answer. */
export function variableBytes({ name, value, limits, registered, latest }: Variable): number {
  const constraints = limits.constraints.reduce((sum, { values }) => sum + 32 + literalBytes(values), 0);
  return (
    128 +
    2 * utf8Length(name) +
    valueBytes(value) +
    constraints +
    metadataBytes(registered) +
    metadataBytes(latest)
  );
}

/** About the bytes that metadata takes in an answer. */
export function metadataBytes(metadata: Metadata): number {
  let bytes = 0;
  for (const [key, value] of metadata) bytes += 8 + utf8Length(key) + utf8Length(value);
  return bytes;
}

function literalBytes(values: readonly KnownLiteral[]): number {
  return values.reduce((sum, { value }) => sum + valueBytes(value), 0);
}

/** Refuses a value over the limit. */
export function checkSize(value: Stored, { maxValueBytes }: BridgeLimits): Refusal | undefined {
  if (mostBytes(value) <= maxValueBytes) return undefined;
  const bytes = valueBytes(value);
  if (bytes <= maxValueBytes) return undefined;
  const message = `the value takes ${bytes} bytes, more than ${maxValueBytes}`;
  return overLimit("TOO_LARGE", message, "max-value-bytes", maxValueBytes, bytes);
}

/** At most the bytes that a value takes; for text without counting, which settles nearly all cases. */
export function mostBytes(value: Stored): number {
  return typeof value === "string" ? value.length * 3 : 8;
}
