/** What `register` and `ensure` do to a variable (VAL-4, VAL-5). */
import { type Limits, sameConstraints } from "../constraints.js";
import type { Stored } from "../literal.js";
import { checkMetadata, EMPTY_METADATA, type Metadata } from "../metadata.js";
import { checkName, quoteName } from "../names.js";
import { Refusal } from "../refusal.js";
import { formatNumber } from "../text.js";
import { isTypeName, TYPE_NAMES, type TypeName, valueType } from "../values/registry.js";
import { literalOf } from "../values/types.js";
import type { Definition, Variable } from "../variable.js";
import type { Change } from "./commit.js";
import type { Draft } from "./draft.js";
import { checkSize } from "./value-size.js";

/** A definition that was found good. */
interface Defined {
  readonly type: TypeName;
  readonly limits: Limits<Stored>;
  readonly initialValue: Stored;
  readonly registered: Metadata;
}

/** Registers: the name has to be free, or its variable provisional. */
export function register(draft: Draft, definition: Definition): Change | Refusal {
  const defined = judge(draft, definition);
  if (defined instanceof Refusal) return defined;
  const existing = draft.find({ name: definition.name });
  if (existing === undefined) return create(draft, definition.name, defined);
  if (existing.provisional) return settle(draft, existing, defined);
  return new Refusal(
    "VARIABLE_EXISTS",
    `variable ${quoteName(existing.name)} exists already, as ${existing.type}; ensure accepts an existing one`,
  );
}

/** Ensures: undefined if the variable stands as defined already. */
export function ensure(draft: Draft, definition: Definition): Change | undefined | Refusal {
  const defined = judge(draft, definition);
  if (defined instanceof Refusal) return defined;
  const existing = draft.find({ name: definition.name });
  if (existing === undefined) return create(draft, definition.name, defined);
  if (existing.provisional) return settle(draft, existing, defined);
  if (existing.type !== defined.type) {
    return conflict(existing, `it is of type ${existing.type}, not ${defined.type}`);
  }
  if (sameConstraints(existing.limits.constraints, defined.limits.constraints)) return undefined;
  const fault = defined.limits.check(existing.value);
  if (fault !== undefined) return conflict(existing, fault.message);
  return { kind: "define", variable: { ...existing, limits: defined.limits } };
}

/** Checks a definition by itself, whatever the session holds. */
function judge(
  draft: Draft,
  { name, type, initialValue, constraints, metadata }: Definition,
): Defined | Refusal {
  const badName = checkName(name);
  if (badName !== undefined) return badName;
  if (!isTypeName(type)) {
    return new Refusal("UNKNOWN_TYPE", `unknown type ${quoteName(type)}; known are ${TYPE_NAMES.join(", ")}`);
  }
  const limits = valueType(type).limits(constraints);
  if (limits instanceof Refusal) return limits;
  const value = valueType(type).accept(initialValue);
  if (value instanceof Refusal) return value;
  const fault = checkSize(value, draft.context.limits) ?? limits.check(value);
  if (fault !== undefined) return fault;
  const registered = checkMetadata(metadata);
  return registered instanceof Refusal ? registered : { type, limits, initialValue: value, registered };
}

function create(
  draft: Draft,
  name: string,
  { type, limits, initialValue, registered }: Defined,
): Change | Refusal {
  const noRoom = draft.takeName(name);
  if (noRoom !== undefined) return noRoom;
  const { wallTimeMs } = draft.context;
  const { id, version } = draft.birth(name);
  // Every field by name: an object that begins with a spread has a hidden class of its own, which is larger than it.
  return {
    kind: "define",
    variable: {
      id,
      name,
      type,
      value: initialValue,
      version,
      limits,
      registered,
      latest: EMPTY_METADATA,
      source: draft.note.source,
      createdAtMs: wallTimeMs,
      updatedAtMs: wallTimeMs,
      provisional: false,
    },
  };
}

/** Gives a provisional variable its definition. Id, version and value stay; the value has to fit. */
function settle(
  { context }: Draft,
  existing: Variable,
  { type, limits, registered }: Defined,
): Change | Refusal {
  const value = valueType(type).accept(literalOf(existing.type, existing.value));
  if (value instanceof Refusal) return conflict(existing, value.message);
  // A text takes more room as JSON than it did as a string.
  const fault = checkSize(value, context.limits) ?? limits.check(value);
  if (fault !== undefined) return conflict(existing, fault.message);
  return {
    kind: "define",
    variable: {
      ...existing,
      type,
      value,
      limits,
      registered,
      provisional: false,
    },
  };
}

function conflict({ name, value }: Variable, problem: string): Refusal {
  return new Refusal(
    "DEFINITION_CONFLICT",
    `variable ${quoteName(name)} stands with value ${show(value)}: ${problem}`,
  );
}

function show(value: Stored): string {
  if (typeof value === "string") return quoteName(value);
  return typeof value === "boolean" ? String(value) : formatNumber(value);
}
