import { describe, expect, test } from "vitest";
import {
  AlreadyExistsError,
  AuthError,
  BatchError,
  BridgeError,
  CLIENT_REASONS,
  ClosedError,
  ConflictError,
  ConstraintError,
  DeadlineError,
  DefinitionConflictError,
  type ErrorReason,
  errorFor,
  errorFrom,
  InternalError,
  InvalidInputError,
  LimitError,
  NotReadyError,
  OutcomeUnknownError,
  SessionNotFoundError,
  TypeMismatchError,
  UnavailableError,
  VariableNotFoundError,
  VersionMismatchError,
  WatchGapError,
} from "./errors.js";
import { REASONS, Refusal } from "./refusal.js";

type ErrorClass = typeof BridgeError;

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
  VERSION_MISMATCH: VersionMismatchError,
  OUTCOME_UNKNOWN: OutcomeUnknownError,
  INTERNAL: InternalError,
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

describe("the error of a refusal", () => {
  test.for([...REASONS, ...CLIENT_REASONS])(
    "%s is of the class that its reason belongs to, and named after it",
    (reason) => {
      const error = errorFor(reason, "what happened");
      expect(error).toBeInstanceOf(CLASSES[reason]);
      expect(error.constructor).toBe(CLASSES[reason]);
      expect(error).toBeInstanceOf(BridgeError);
      expect([error.name, error.reason, error.message]).toEqual([
        CLASSES[reason].name,
        reason,
        "what happened",
      ]);
    },
  );

  test("carries what the refusal tells", () => {
    const from = (refusal: Refusal): BridgeError =>
      errorFrom(refusal.at({ sessionId: "s", identifier: "a" }));
    expect(from(new Refusal("VARIABLE_NOT_FOUND", "m"))).toMatchObject({ sessionId: "s", identifier: "a" });
    expect(
      from(new Refusal("TYPE_MISMATCH", "m", { typeMismatch: { expected: "float", actual: "string" } })),
    ).toMatchObject({
      expected: "float",
      actual: "string",
    });
    expect(from(new Refusal("CONSTRAINT_VIOLATED", "m", { constraint: "max" }))).toMatchObject({
      constraint: "max",
    });
    expect(
      from(new Refusal("VERSION_CONFLICT", "m", { versionConflict: { expected: 0, current: 7 } })),
    ).toMatchObject({
      expected: 0,
      current: 7,
    });
    expect(
      from(new Refusal("TOO_LARGE", "m", { limit: { setting: "max-value-bytes", limit: 5, actual: 6 } })),
    ).toMatchObject({
      setting: "max-value-bytes",
      limit: 5,
      actual: 6,
    });
    expect(from(new Refusal("INVALID_ARGUMENT", "m", { field: "ttl" }))).toMatchObject({ field: "ttl" });
    expect(from(new Refusal("INVALID_CONSTRAINT", "m", { constraint: "step" }))).toMatchObject({
      field: "step",
    });
  });

  test("of a batch holds one error for each identifier, the first where there were two", () => {
    const error = errorFrom(
      new Refusal("BATCH_REFUSED", "m", {
        items: [
          {
            index: 0,
            identifier: "a",
            refusal: new Refusal("CONSTRAINT_VIOLATED", "too much", { constraint: "max" }),
          },
          { index: 1, identifier: "a", refusal: new Refusal("DUPLICATE_ITEM", "twice") },
          { index: 3, identifier: "__proto__", refusal: new Refusal("INVALID_NAME", "reserved") },
        ],
      }),
    );
    if (!(error instanceof BatchError)) throw new Error("no BatchError");
    expect([...error.errors].map(([identifier, { reason }]) => [identifier, reason])).toEqual([
      ["a", "CONSTRAINT_VIOLATED"],
      ["__proto__", "INVALID_NAME"],
    ]);
    expect(error.errors.get("a")?.identifier).toBe("a");
  });

  test("can be retried only where nothing was done and the same call may succeed later", () => {
    const retryable = [...REASONS, ...CLIENT_REASONS].filter((reason) => errorFor(reason, "").retryable);
    expect(retryable.sort()).toEqual(
      [
        "DEADLINE_EXCEEDED",
        "NOT_READY",
        "SHUTTING_DOWN",
        "TOO_MANY_SESSIONS",
        "TOO_MANY_WATCHES",
        "UNAVAILABLE",
        "VERSION_CONFLICT",
        "WATCH_OVERFLOW",
      ].sort(),
    );
  });
});

describe("a refusal", () => {
  test("is told where it happened, and keeps what it knew before", () => {
    const refusal = new Refusal("INVALID_NAME", "m", { identifier: "mine" });
    const placed = refusal.at({ sessionId: "s", identifier: "other" });
    expect(placed.details).toEqual({ sessionId: "s", identifier: "mine" });
    expect(refusal.details).toEqual({ identifier: "mine" });
  });
});
