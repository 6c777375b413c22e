/** How much room the values of one commit may take (VAL-20). */
import type { BridgeLimits } from "../limits.js";
import type { Stored } from "../literal.js";
import { overLimit, type Refusal } from "../refusal.js";
import type { Change } from "./commit.js";
import { mostBytes, valueBytes } from "./value-size.js";

/**
 * Refuses changes whose values together would not fit a message: a commit is one record and one answer, however it came, and
 * a definition that changes brings the value of its variable along.
 */
export function checkCommitSize(
  changes: readonly Change[],
  { maxMessageBytes }: BridgeLimits,
): Refusal | undefined {
  if (sumOfValues(changes, mostBytes) <= maxMessageBytes) return undefined;
  const bytes = sumOfValues(changes, valueBytes);
  if (bytes <= maxMessageBytes) return undefined;
  const message = `the values take ${bytes} bytes, more than ${maxMessageBytes}, the most of one commit`;
  return overLimit("TOO_LARGE", message, "max-message-bytes", maxMessageBytes, bytes);
}

function sumOfValues(changes: readonly Change[], sizeOf: (value: Stored) => number): number {
  let sum = 0;
  for (const change of changes) {
    if (change.kind === "set") sum += sizeOf(change.value);
    else if (change.kind === "define") sum += sizeOf(change.variable.value);
  }
  return sum;
}
