/** How large a value may be (VAL-20). */
import type { BridgeLimits } from "../limits.js";
import type { Stored } from "../literal.js";
import { overLimit, type Refusal } from "../refusal.js";
import { utf8Length } from "../text.js";

/** The bytes a value takes, apart from what every variable takes. */
export function valueBytes(value: Stored): number {
  return typeof value === "string" ? utf8Length(value) : 8;
}

/** Refuses a value over the limit. */
export function checkSize(value: Stored, { maxValueBytes }: BridgeLimits): Refusal | undefined {
  // A text of n units takes at least n bytes and at most 3 n, which settles nearly all cases without counting.
  if (typeof value !== "string" || value.length * 3 <= maxValueBytes) return undefined;
  const bytes = valueBytes(value);
  if (bytes <= maxValueBytes) return undefined;
  const message = `the value takes ${bytes} bytes, more than ${maxValueBytes}`;
  return overLimit("TOO_LARGE", message, "max-value-bytes", maxValueBytes, bytes);
}
