/** How sessions begin and end. Both are commits: the first and the last of their life. */
import type { CreateSession, Revision } from "../commands.js";
import { checkMetadata, EMPTY_METADATA, type Metadata } from "../metadata.js";
import { checkSessionId } from "../names.js";
import { invalidField, Refusal } from "../refusal.js";
import type { Commit } from "./commit.js";
import type { WriteContext } from "./draft.js";
import { checkRequestId, checkSource, UNKNOWN_SOURCE } from "./form.js";

/** Ten years: a longer TTL is a mistake in the unit, and 0 is there for "never". */
const MAX_TTL_MS = 10 * 365 * 86_400_000;

/** Refuses a creation for what is wrong with it whatever sessions there are. */
export function checkCreation(command: CreateSession): Refusal | undefined {
  const { sessionId, source, requestId, ttlMs, metadata } = command;
  const fault = checkSessionId(sessionId) ?? checkSource(source) ?? checkRequestId(requestId);
  if (fault !== undefined) return fault;
  if (ttlMs !== undefined && !(ttlMs >= 0 && ttlMs <= MAX_TTL_MS)) {
    return invalidField("ttl", "has to be from 0 (never expires) to 10 years");
  }
  const checked = checkMetadata(metadata);
  return checked instanceof Refusal ? checked : undefined;
}

/** The commit that creates a session which does not exist. */
export function create(command: CreateSession, context: WriteContext): Commit | Refusal {
  const metadata = checkMetadata(command.metadata);
  const refusal = metadata instanceof Refusal ? metadata : context.refuseSession();
  if (refusal !== undefined) return refusal;
  return {
    sessionId: command.sessionId,
    incarnation: context.newIncarnation(),
    revision: 1,
    kind: "createSession",
    wallTimeMs: context.wallTimeMs,
    source: command.source ?? UNKNOWN_SOURCE,
    writer: context.writer,
    metadata: EMPTY_METADATA,
    ...(command.requestId === undefined ? {} : { requestId: command.requestId }),
    created: {
      ttlMs: command.ttlMs ?? context.defaultTtlMs,
      metadata: metadata as Metadata,
    },
    changes: [],
    refused: [],
  };
}

/** The commit that ends a session as of its last revision: deleted by a caller, or expired. */
export function end(
  sessionId: string,
  last: Revision,
  kind: "deleteSession" | "expireSession",
  by: { readonly source: string; readonly writer: string },
  wallTimeMs: number,
): Commit {
  return {
    sessionId,
    incarnation: last.incarnation,
    revision: last.number + 1,
    kind,
    wallTimeMs,
    ...by,
    metadata: EMPTY_METADATA,
    changes: [],
    refused: [],
  };
}
