/** What the reader of a watch is told that was not begun, or has ended. */
import { type BridgeError, errorFor, errorFrom } from "../../core/errors.js";
import { transportError } from "../../wire/transport-error.js";
import { INDEFINITE } from "../outcome.js";
import type { Failed } from "./errand.js";

export function watchEnding({ status, details, refusal }: Failed, address: string): BridgeError {
  if (refusal !== undefined) return errorFrom(refusal);
  if (status === undefined) return errorFor("UNAVAILABLE", `no bridge answers at ${address}`);
  return INDEFINITE.has(status)
    ? errorFor("UNAVAILABLE", `the bridge at ${address} is gone (${details})`)
    : transportError({ code: status, message: `${details} (from ${address})` });
}
