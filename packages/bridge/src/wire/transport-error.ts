/** What it means that a call ended without an answer, and without a word of a bridge. */
import { type BridgeError, type ErrorReason, errorFor } from "../core/errors.js";
import { CODES } from "./errors.js";

/** How a call ends that does not end with an answer. */
export interface CallStatus {
  readonly code: number;
  readonly message: string;
  /** The content of `grpc-status-details-bin`; absent if there was none. */
  readonly details?: Uint8Array;
}

/**
 * The error for a status that carries no refusal. Whether a write was carried out it does not know: that a call was
 * never answered makes the outcome of a write unknown (ORD-16), and only the client knows whether it was a write.
 */
export function transportError({ code, message }: CallStatus, cause?: unknown): BridgeError {
  const { reason, says } = TRANSPORT.get(code) ?? NONSENSE;
  return errorFor(reason, message === "" ? says : `${says}: ${message}`, { cause });
}

/** What a code means that comes without a refusal. */
interface Meaning {
  readonly reason: ErrorReason;
  readonly says: string;
}

const UNREACHABLE: Meaning = { reason: "UNAVAILABLE", says: "the bridge did not answer" };
const NONSENSE: Meaning = { reason: "PROTOCOL", says: "the answer is not one of a bridge" };
const TRANSPORT: ReadonlyMap<number, Meaning> = new Map<number, Meaning>([
  // A server that shuts down cancels what it no longer waits for.
  [CODES.CANCELLED, UNREACHABLE],
  [CODES.UNAVAILABLE, UNREACHABLE],
  [CODES.DEADLINE_EXCEEDED, { reason: "DEADLINE_EXCEEDED", says: "the call ran out of time" }],
  [CODES.RESOURCE_EXHAUSTED, { reason: "TOO_LARGE", says: "the message is too large" }],
  [CODES.UNAUTHENTICATED, { reason: "UNAUTHENTICATED", says: "not authenticated" }],
  [CODES.PERMISSION_DENIED, { reason: "PERMISSION_DENIED", says: "not allowed" }],
  [
    CODES.UNIMPLEMENTED,
    {
      reason: "PROTOCOL",
      says: "the server is not a bridge, or one of an older version that cannot do this",
    },
  ],
]);
