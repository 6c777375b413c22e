/** Refusals, between the domain and the contract. The one place that knows which reason has which number and gRPC code. */
import { type ItemRefusal, type Reason, Refusal, type RefusalDetails } from "../core/refusal.js";
import {
  type ErrorDetail,
  ErrorReason,
  type ItemRefusal as PbItemRefusal,
} from "./gen/snakepit/bridge/v1/errors_pb.js";
import { type Assert, fromUint64, optional, required, type Same, toUint64 } from "./unfit.js";
import { typeFromProto, typeToProto } from "./values.js";

/** The reasons of the domain are those of the contract. */
export type ReasonsAgree = Assert<Same<Reason | "UNSPECIFIED", keyof typeof ErrorReason>>;

const REASONS = new Map<number, Reason>(
  Object.entries(ErrorReason).flatMap(([reason, number]) =>
    number === ErrorReason.UNSPECIFIED ? [] : [[number, reason as Reason]],
  ),
);

/** The gRPC status codes. */
export const CODES = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;
export type CodeName = keyof typeof CODES;

const CODE_OF: Readonly<Record<Reason, CodeName>> = {
  SESSION_NOT_FOUND: "NOT_FOUND",
  VARIABLE_NOT_FOUND: "NOT_FOUND",
  VARIABLE_EXISTS: "ALREADY_EXISTS",
  DEFINITION_CONFLICT: "FAILED_PRECONDITION",
  TYPE_MISMATCH: "FAILED_PRECONDITION",
  CONSTRAINT_VIOLATED: "FAILED_PRECONDITION",
  BATCH_REFUSED: "FAILED_PRECONDITION",
  INVALID_NAME: "INVALID_ARGUMENT",
  INVALID_VALUE: "INVALID_ARGUMENT",
  INVALID_CONSTRAINT: "INVALID_ARGUMENT",
  UNKNOWN_TYPE: "INVALID_ARGUMENT",
  DUPLICATE_ITEM: "INVALID_ARGUMENT",
  INVALID_METADATA: "INVALID_ARGUMENT",
  INVALID_ARGUMENT: "INVALID_ARGUMENT",
  VERSION_CONFLICT: "ABORTED",
  TOO_LARGE: "RESOURCE_EXHAUSTED",
  TOO_MANY_VARIABLES: "RESOURCE_EXHAUSTED",
  TOO_MANY_SESSIONS: "RESOURCE_EXHAUSTED",
  TOO_MANY_ITEMS: "RESOURCE_EXHAUSTED",
  DEADLINE_EXCEEDED: "DEADLINE_EXCEEDED",
  SHUTTING_DOWN: "UNAVAILABLE",
  OUTCOME_UNKNOWN: "ABORTED",
  INTERNAL: "INTERNAL",
  VERSION_MISMATCH: "FAILED_PRECONDITION",
  HISTORY_COMPACTED: "OUT_OF_RANGE",
  WATCH_GAP: "OUT_OF_RANGE",
  WATCH_OVERFLOW: "OUT_OF_RANGE",
  TOO_MANY_WATCHES: "RESOURCE_EXHAUSTED",
};

/** The gRPC code that a reason travels with. */
export function codeOf(reason: Reason): CodeName {
  return CODE_OF[reason];
}

export function refusalToProto({ reason, message, details }: Refusal): ErrorDetail {
  return {
    $typeName: "snakepit.bridge.v1.ErrorDetail",
    reason: ErrorReason[reason],
    message,
    ...optional("sessionId", details.sessionId),
    ...optional("identifier", details.identifier),
    specific: specificToProto(details),
  };
}

/** The refusal that a detail tells; undefined if its reason is of a later release. */
export function refusalFromProto(detail: ErrorDetail): Refusal | undefined {
  const reason = REASONS.get(detail.reason);
  if (reason === undefined) return undefined;
  return new Refusal(reason, detail.message, {
    ...optional("sessionId", detail.sessionId),
    ...optional("identifier", detail.identifier),
    ...specificFromProto(detail.specific),
  });
}

/** The same for a detail inside an answer that has to have one. */
export function knownRefusalFromProto(detail: ErrorDetail): Refusal {
  return (
    refusalFromProto(detail) ??
    new Refusal(
      "INTERNAL",
      `${detail.message} (for reason ${detail.reason}, which this version does not know)`,
    )
  );
}

function specificToProto(details: RefusalDetails): ErrorDetail["specific"] {
  const { typeMismatch, constraint, versionConflict, limit, items, field } = details;
  if (typeMismatch !== undefined) {
    const { expected, actual } = typeMismatch;
    const value = {
      $typeName: "snakepit.bridge.v1.TypeMismatch",
      expected: typeToProto(expected),
      actual,
    } as const;
    return { case: "typeMismatch", value };
  }
  if (constraint !== undefined) {
    return {
      case: "constraint",
      value: { $typeName: "snakepit.bridge.v1.ConstraintFault", key: constraint },
    };
  }
  if (versionConflict !== undefined) {
    const expected = toUint64(versionConflict.expected, "expected");
    const current = toUint64(versionConflict.current, "current");
    return {
      case: "versionConflict",
      value: { $typeName: "snakepit.bridge.v1.VersionConflict", expected, current },
    };
  }
  if (limit !== undefined) {
    const actual = limit.actual === undefined ? undefined : toUint64(limit.actual, "actual");
    return {
      case: "limit",
      value: {
        $typeName: "snakepit.bridge.v1.LimitExceeded",
        setting: limit.setting,
        limit: toUint64(limit.limit, "limit"),
        ...optional("actual", actual),
      },
    };
  }
  if (items !== undefined) {
    const value = { $typeName: "snakepit.bridge.v1.BatchRefused", items: items.map(itemToProto) } as const;
    return { case: "batch", value };
  }
  if (field !== undefined) {
    return { case: "invalidField", value: { $typeName: "snakepit.bridge.v1.InvalidField", field } };
  }
  return { case: undefined };
}

function specificFromProto(specific: ErrorDetail["specific"]): RefusalDetails {
  switch (specific.case) {
    case "typeMismatch": {
      const { expected, actual } = specific.value;
      return { typeMismatch: { expected: typeFromProto(expected) ?? "", actual } };
    }
    case "constraint":
      return { constraint: specific.value.key };
    case "versionConflict": {
      const expected = fromUint64(specific.value.expected, "expected");
      return { versionConflict: { expected, current: fromUint64(specific.value.current, "current") } };
    }
    case "limit": {
      const { setting, limit, actual } = specific.value;
      const needed = actual === undefined ? undefined : fromUint64(actual, "actual");
      return { limit: { setting, limit: fromUint64(limit, "limit"), ...optional("actual", needed) } };
    }
    case "batch":
      return { items: specific.value.items.map(itemFromProto) };
    case "invalidField":
      return { field: specific.value.field };
    case undefined:
      return {};
  }
}

function itemToProto({ index, identifier, refusal }: ItemRefusal): PbItemRefusal {
  const error = refusalToProto(refusal);
  return { $typeName: "snakepit.bridge.v1.ItemRefusal", index, identifier, error };
}

function itemFromProto({ index, identifier, error }: PbItemRefusal): ItemRefusal {
  return { index, identifier, refusal: knownRefusalFromProto(required(error, "error")) };
}
