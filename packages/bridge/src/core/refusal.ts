/**
 * Why a command was not carried out, as a value.
 *
 * The domain returns refusals and throws nothing: a refusal is an ordinary answer, costs no stack trace, and must reach
 * the caller whole. Clients turn it into the error class a caller would catch (`errors.ts`).
 */

/** The closed list of reasons a bridge gives. The same words as `ErrorReason` in the contract. */
export const REASONS = [
  "SESSION_NOT_FOUND",
  "VARIABLE_NOT_FOUND",
  "VARIABLE_EXISTS",
  "DEFINITION_CONFLICT",
  "TYPE_MISMATCH",
  "CONSTRAINT_VIOLATED",
  "BATCH_REFUSED",
  "INVALID_NAME",
  "INVALID_VALUE",
  "INVALID_CONSTRAINT",
  "UNKNOWN_TYPE",
  "DUPLICATE_ITEM",
  "INVALID_METADATA",
  "INVALID_ARGUMENT",
  "VERSION_CONFLICT",
  "TOO_LARGE",
  "TOO_MANY_VARIABLES",
  "TOO_MANY_SESSIONS",
  "TOO_MANY_ITEMS",
  "DEADLINE_EXCEEDED",
  "SHUTTING_DOWN",
  "OUTCOME_UNKNOWN",
  "INTERNAL",
  "VERSION_MISMATCH",
  "HISTORY_COMPACTED",
  "WATCH_GAP",
  "WATCH_OVERFLOW",
  "TOO_MANY_WATCHES",
] as const;

/** One of {@link REASONS}. */
export type Reason = (typeof REASONS)[number];

/** The typed fields of a refusal; which of them are set depends on the reason. */
export interface RefusalDetails {
  /** The session asked for. */
  readonly sessionId?: string;
  /** The variable, as the caller identified it: by name or id. */
  readonly identifier?: string;
  /** With TYPE_MISMATCH: the variable's type and the kind of the refused value. */
  readonly typeMismatch?: {
    readonly expected: string;
    readonly actual: string;
  };
  /** With CONSTRAINT_VIOLATED and INVALID_CONSTRAINT: the key of the constraint. */
  readonly constraint?: string;
  /** With VERSION_CONFLICT: what the caller expected (0: must not exist) and what was found. */
  readonly versionConflict?: {
    readonly expected: number;
    readonly current: number;
  };
  /** With TOO_LARGE and TOO_MANY_…: the server's setting, its value, and what would have been needed. */
  readonly limit?: {
    readonly setting: string;
    readonly limit: number;
    readonly actual?: number;
  };
  /** With BATCH_REFUSED: the items at fault, in the order of the request. */
  readonly items?: readonly ItemRefusal[];
  /** With INVALID_ARGUMENT: the field of the request that has no meaning. */
  readonly field?: string;
}

/** The refusal of one item of a batch. */
export interface ItemRefusal {
  /** The item's place in the request, from 0. */
  readonly index: number;
  /** The identifier as the caller gave it. */
  readonly identifier: string;
  /** Why. */
  readonly refusal: Refusal;
}

/** The refusal of one command or of one item. */
export class Refusal {
  readonly reason: Reason;
  /** One sentence for people. Nothing may branch on it. */
  readonly message: string;
  readonly details: RefusalDetails;

  constructor(reason: Reason, message: string, details: RefusalDetails = {}) {
    this.reason = reason;
    this.message = message;
    this.details = details;
  }

  /** The same refusal with where it happened; fields that are set already are kept. */
  at(where: Pick<RefusalDetails, "sessionId" | "identifier">): Refusal {
    return new Refusal(this.reason, this.message, {
      ...where,
      ...this.details,
    });
  }
}

/** Refuses a field of the request that has no meaning. */
export function invalidField(field: string, problem: string): Refusal {
  return new Refusal("INVALID_ARGUMENT", `${field}: ${problem}`, { field });
}

/** Refuses what goes over one of the server's limits. */
export function overLimit(
  reason: "TOO_LARGE" | "TOO_MANY_VARIABLES" | "TOO_MANY_SESSIONS" | "TOO_MANY_ITEMS" | "TOO_MANY_WATCHES",
  message: string,
  setting: string,
  limit: number,
  actual?: number,
): Refusal {
  return new Refusal(reason, message, {
    limit: actual === undefined ? { setting, limit } : { setting, limit, actual },
  });
}

/** Refuses a command on a session that does not exist. */
export function sessionNotFound(sessionId: string): Refusal {
  return new Refusal("SESSION_NOT_FOUND", `Session not found: ${sessionId}`, {
    sessionId,
  });
}

/** Refuses a command on a variable that does not exist. */
export function variableNotFound(identifier: string): Refusal {
  return new Refusal("VARIABLE_NOT_FOUND", `Variable not found: ${identifier}`, { identifier });
}
