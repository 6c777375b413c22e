/** Names for writes, so that a retry is carried out once (ORD-15): a client is 128 random bits, its writes are counted. */
import type { RequestId } from "../core/commands.js";

/** Gives the next write its name. */
export type NextRequestId = () => RequestId;

/** Begins the count of a new client. */
export function createRequestIds(): NextRequestId {
  const bits = globalThis.crypto.getRandomValues(new Uint8Array(16));
  const clientId = Array.from(bits, (byte) => byte.toString(16).padStart(2, "0")).join("");
  let sequence = 0;
  return () => ({ clientId, sequence: ++sequence });
}
