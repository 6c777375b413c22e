/** What every write says about itself, checked (VAL-16, ORD-15). */
import type { RequestId } from "../commands.js";
import { invalidField, Refusal } from "../refusal.js";

/** The source of a write that names none. */
export const UNKNOWN_SOURCE = "unknown";

const SOURCE = /^[a-z0-9_-]{1,32}$/;

/** Refuses a source that is not a short lower-case word. */
export function checkSource(source: string | undefined): Refusal | undefined {
  if (source === undefined || SOURCE.test(source)) return undefined;
  return invalidField("source", "has to be 1 to 32 of a–z, 0–9, - and _");
}

const CLIENT_ID = /^[0-9a-f]{32}$/;

/** Refuses a request id that names no client or no write. */
export function checkRequestId(id: RequestId | undefined): Refusal | undefined {
  if (id === undefined) return undefined;
  if (!CLIENT_ID.test(id.clientId)) return invalidField("request_id", "client_id has to be 16 bytes");
  if (Number.isSafeInteger(id.sequence) && id.sequence >= 1) return undefined;
  return invalidField("request_id", "sequence has to be from 1 to 2^53 − 1");
}

/** The answer when a request is older than what is remembered. */
export function forgotten(): Refusal {
  return new Refusal(
    "OUTCOME_UNKNOWN",
    "this request is too old to tell whether it was carried out; read and decide",
  );
}
