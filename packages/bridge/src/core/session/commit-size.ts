/** How much room the values of one commit may take, and those of a session with that commit (VAL-20). */
import type { BridgeLimits } from "../limits.js";
import type { Stored } from "../literal.js";
import { overLimit, type Refusal } from "../refusal.js";
import type { Change } from "./commit.js";
import type { SessionState } from "./state.js";
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

/**
 * Refuses changes by which a session would outgrow its bound: all of a session is read, written and kept in memory at once.
 * What makes nothing larger is accepted in any session.
 */
export function checkSessionSize(
  state: SessionState | undefined,
  changes: readonly Change[],
  { maxSessionBytes }: BridgeLimits,
): Refusal | undefined {
  const before = state?.valueBytes ?? 0;
  if (before + sumOfValues(changes, mostBytes) <= maxSessionBytes) return undefined;
  const bytes = before + sumOfValues(changes, valueBytes) - replacedBytes(state, changes);
  if (bytes <= Math.max(before, maxSessionBytes)) return undefined;
  const message = `the values of the session would take ${bytes} bytes, more than ${maxSessionBytes}`;
  return overLimit("TOO_LARGE", message, "max-session-bytes", maxSessionBytes, bytes);
}

/** The bytes of the values that changes take the place of. */
function replacedBytes(state: SessionState | undefined, changes: readonly Change[]): number {
  let sum = 0;
  for (const change of changes) {
    const before = state?.variables.get(change.kind === "define" ? change.variable.name : change.name);
    if (before !== undefined) sum += valueBytes(before.value);
  }
  return sum;
}

function sumOfValues(changes: readonly Change[], sizeOf: (value: Stored) => number): number {
  let sum = 0;
  for (const change of changes) {
    if (change.kind === "set") sum += sizeOf(change.value);
    else if (change.kind === "define") sum += sizeOf(change.variable.value);
  }
  return sum;
}
