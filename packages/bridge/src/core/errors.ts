/**
 * The errors a caller catches. All derive from BridgeError; a class exists where a caller would catch it separately.
 *
 *   BridgeError
 *   ├─ SessionNotFoundError      no such session: never created, deleted or expired
 *   ├─ VariableNotFoundError     no such variable in the session
 *   ├─ AlreadyExistsError        the name is taken
 *   ├─ DefinitionConflictError   the variable stands with another definition
 *   ├─ TypeMismatchError         the value is not of the variable's type
 *   ├─ ConstraintError           the value breaks a constraint
 *   ├─ InvalidInputError         wrong whatever the state of the session is: name, value, constraint, metadata, …
 *   ├─ BatchError                an atomic batch was refused; it names every item at fault
 *   ├─ ConflictError             compare-and-set found another version; read again and retry
 *   ├─ LimitError                over one of the server's limits
 *   ├─ UnavailableError          no bridge answered; nothing was carried out
 *   ├─ DeadlineError             out of time; nothing was carried out, or it was a read
 *   ├─ WatchGapError             a watch cannot go on where it was; read again
 *   ├─ OutcomeUnknownError       a write may or may not have been carried out
 *   ├─ AuthError                 not allowed
 *   ├─ VersionMismatchError      client and bridge are of versions that do not work together
 *   ├─ NotReadyError             there is no current copy of the session to look at without waiting
 *   ├─ ClosedError               used after close()
 *   └─ InternalError             a bug on the other side, or an answer that makes no sense
 */
import type { ItemRefusal, Reason, Refusal, RefusalDetails } from "./refusal.js";

/** Reasons that only a client gives, because no bridge was asked, or none answered. */
export const CLIENT_REASONS = [
  "UNAVAILABLE",
  "UNAUTHENTICATED",
  "PERMISSION_DENIED",
  "NOT_READY",
  "CLOSED",
  "PROTOCOL",
] as const;

/** Every reason an error can have. */
export type ErrorReason = Reason | (typeof CLIENT_REASONS)[number];

/** What the base class is built from. */
export interface BridgeErrorOptions extends RefusalDetails {
  readonly cause?: unknown;
}

/** The base of everything the bridge and its clients throw on purpose at run time. */
export class BridgeError extends Error {
  /** What happened. Branch on this or on the class, never on the message. */
  readonly reason: ErrorReason;
  /** True if the same call may succeed later without any change by the caller. */
  readonly retryable: boolean;
  /** The session asked for, where the error is about one. */
  readonly sessionId: string | undefined;
  /** The variable as the caller identified it, where the error is about one. */
  readonly identifier: string | undefined;

  constructor(reason: ErrorReason, message: string, options: BridgeErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.reason = reason;
    this.retryable = RETRYABLE.has(reason);
    this.sessionId = options.sessionId;
    this.identifier = options.identifier;
  }
}

/** No session of this id exists. */
export class SessionNotFoundError extends BridgeError {}
/** No variable of this name or id exists in the session. */
export class VariableNotFoundError extends BridgeError {}
/** `register` is exclusive and the name is taken; `ensure` accepts an existing variable. */
export class AlreadyExistsError extends BridgeError {}
/** The variable stands with a definition that the given one cannot replace. */
export class DefinitionConflictError extends BridgeError {}

/** The value is not of the variable's type; nothing is coerced. */
export class TypeMismatchError extends BridgeError {
  /** The variable's type. */
  readonly expected: string;
  /** The kind of the refused value. */
  readonly actual: string;

  constructor(reason: ErrorReason, message: string, options: BridgeErrorOptions = {}) {
    super(reason, message, options);
    this.expected = options.typeMismatch?.expected ?? "";
    this.actual = options.typeMismatch?.actual ?? "";
  }
}

/** The value breaks one of the variable's constraints. */
export class ConstraintError extends BridgeError {
  /** The key of the constraint, as `max`. */
  readonly constraint: string;

  constructor(reason: ErrorReason, message: string, options: BridgeErrorOptions = {}) {
    super(reason, message, options);
    this.constraint = options.constraint ?? "";
  }
}

/** The request is wrong whatever the state of the session is. */
export class InvalidInputError extends BridgeError {
  /** The field or constraint key at fault, where there is one. */
  readonly field: string | undefined;

  constructor(reason: ErrorReason, message: string, options: BridgeErrorOptions = {}) {
    super(reason, message, options);
    this.field = options.field ?? options.constraint;
  }
}

/** An atomic batch was refused. Nothing of it was applied. */
export class BatchError extends BridgeError {
  /** The items at fault: the identifier as given, and why. An identifier given twice has its first fault here. */
  readonly errors: ReadonlyMap<string, BridgeError>;

  constructor(reason: ErrorReason, message: string, options: BridgeErrorOptions = {}) {
    super(reason, message, options);
    this.errors = errorsByIdentifier(options.items ?? [], options.sessionId);
  }
}

/** Compare-and-set found another version. */
export class ConflictError extends BridgeError {
  /** The version the caller expected; 0: must not exist. */
  readonly expected: number;
  /** The version found. */
  readonly current: number;

  constructor(reason: ErrorReason, message: string, options: BridgeErrorOptions = {}) {
    super(reason, message, options);
    this.expected = options.versionConflict?.expected ?? 0;
    this.current = options.versionConflict?.current ?? 0;
  }
}

/** Over one of the server's limits. */
export class LimitError extends BridgeError {
  /** The server's setting, as in `serve --limit NAME=N`; empty if the transport refused before the bridge could. */
  readonly setting: string;
  /** Its value; undefined if not known. */
  readonly limit: number | undefined;
  /** What the request would have needed; undefined if not known. */
  readonly actual: number | undefined;

  constructor(reason: ErrorReason, message: string, options: BridgeErrorOptions = {}) {
    super(reason, message, options);
    this.setting = options.limit?.setting ?? "";
    this.limit = options.limit?.limit;
    this.actual = options.limit?.actual;
  }
}

/** No bridge answered, and nothing was carried out. */
export class UnavailableError extends BridgeError {}
/** Out of time. Nothing was carried out, or the call was a read. */
export class DeadlineError extends BridgeError {}
/** A write was handed over and never answered: it may or may not have been carried out. */
export class OutcomeUnknownError extends BridgeError {}
/** A watch cannot go on from where it was: some of what happened cannot be told any more. Read the session, then watch again. */
export class WatchGapError extends BridgeError {}
/** Not allowed. */
export class AuthError extends BridgeError {}
/** Client and bridge are of versions that do not work together. Nothing was carried out. */
export class VersionMismatchError extends BridgeError {}
/** There is no current copy of the session to look at without waiting, or the value is not in it. */
export class NotReadyError extends BridgeError {}
/** The client or server was used after it was closed. */
export class ClosedError extends BridgeError {}
/** A bug on the other side, or an answer that makes no sense. */
export class InternalError extends BridgeError {}

type ErrorClass = new (reason: ErrorReason, message: string, options?: BridgeErrorOptions) => BridgeError;

const CLASSES: Record<ErrorReason, ErrorClass> = {
  SESSION_NOT_FOUND: SessionNotFoundError,
  VARIABLE_NOT_FOUND: VariableNotFoundError,
  VARIABLE_EXISTS: AlreadyExistsError,
  DEFINITION_CONFLICT: DefinitionConflictError,
  TYPE_MISMATCH: TypeMismatchError,
  CONSTRAINT_VIOLATED: ConstraintError,
  BATCH_REFUSED: BatchError,
  INVALID_NAME: InvalidInputError,
  INVALID_VALUE: InvalidInputError,
  INVALID_CONSTRAINT: InvalidInputError,
  UNKNOWN_TYPE: InvalidInputError,
  DUPLICATE_ITEM: InvalidInputError,
  INVALID_METADATA: InvalidInputError,
  INVALID_ARGUMENT: InvalidInputError,
  VERSION_CONFLICT: ConflictError,
  TOO_LARGE: LimitError,
  TOO_MANY_VARIABLES: LimitError,
  TOO_MANY_SESSIONS: LimitError,
  TOO_MANY_ITEMS: LimitError,
  DEADLINE_EXCEEDED: DeadlineError,
  SHUTTING_DOWN: UnavailableError,
  OUTCOME_UNKNOWN: OutcomeUnknownError,
  INTERNAL: InternalError,
  VERSION_MISMATCH: VersionMismatchError,
  HISTORY_COMPACTED: WatchGapError,
  WATCH_GAP: WatchGapError,
  WATCH_OVERFLOW: WatchGapError,
  TOO_MANY_WATCHES: LimitError,
  UNAVAILABLE: UnavailableError,
  UNAUTHENTICATED: AuthError,
  PERMISSION_DENIED: AuthError,
  NOT_READY: NotReadyError,
  CLOSED: ClosedError,
  PROTOCOL: InternalError,
};

const RETRYABLE: ReadonlySet<ErrorReason> = new Set<ErrorReason>([
  "VERSION_CONFLICT",
  "TOO_MANY_SESSIONS",
  "TOO_MANY_WATCHES",
  "WATCH_OVERFLOW",
  "SHUTTING_DOWN",
  "DEADLINE_EXCEEDED",
  "UNAVAILABLE",
  "NOT_READY",
]);

/** The error for a reason: of the class that the reason belongs to. */
export function errorFor(
  reason: ErrorReason,
  message: string,
  options: BridgeErrorOptions = {},
): BridgeError {
  return new CLASSES[reason](reason, message, options);
}

/** The error for a refusal, with all that the refusal tells. */
export function errorFrom(refusal: Refusal): BridgeError {
  return errorFor(refusal.reason, refusal.message, refusal.details);
}

/** The errors of the items of a batch, by identifier; of an identifier refused twice, the first. */
export function errorsByIdentifier(
  items: readonly ItemRefusal[],
  sessionId?: string,
): Map<string, BridgeError> {
  const where = sessionId === undefined ? {} : { sessionId };
  const errors = new Map<string, BridgeError>();
  for (const { identifier, refusal } of items) {
    if (!errors.has(identifier)) errors.set(identifier, errorFrom(refusal.at({ ...where, identifier })));
  }
  return errors;
}
