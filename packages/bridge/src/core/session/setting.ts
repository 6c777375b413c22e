/** What `set` and `increment` do to a variable, or why they may not (VAL-3, VAL-4, VAL-11, VAL-12). */
import type { OnMissing, SetItem } from "../commands.js";
import type { Limits } from "../constraints.js";
import { INT64_MAX, INT64_MIN, type Literal, type Stored } from "../literal.js";
import { EMPTY_METADATA } from "../metadata.js";
import { type Identifier, parseIdentifier } from "../names.js";
import { Refusal, variableNotFound } from "../refusal.js";
import { integer } from "../values/integer.js";
import { type TypeName, valueType } from "../values/registry.js";
import { inferredFrom, literalOf } from "../values/types.js";
import { valueUnknown } from "../values/value-type.js";
import type { Variable } from "../variable.js";
import type { Change } from "./commit.js";
import type { Draft } from "./draft.js";
import { checkSize } from "./value-size.js";

/** Judges one item of a set. */
export function set(draft: Draft, item: SetItem, onMissing: OnMissing): Change | Refusal {
  const identifier = parseIdentifier(item.identifier);
  if (identifier instanceof Refusal) return identifier;
  const { expectedVersion } = item;
  const variable = draft.find(identifier);
  if (variable === undefined) {
    const inferring = expectedVersion === 0 || (expectedVersion === undefined && onMissing !== "fail");
    if (!inferring || identifier.id !== undefined) return variableNotFound(item.identifier);
    return infer(draft, identifier, item.value);
  }
  if (expectedVersion !== undefined && expectedVersion !== variable.version) {
    return conflict(expectedVersion, variable.version);
  }
  return put(draft, variable, item.value);
}

/** Judges an increment: the sum has to be acceptable as any value of the variable has to be. */
export function increment(draft: Draft, text: string, by: Literal, onMissing: OnMissing): Change | Refusal {
  const identifier = parseIdentifier(text);
  if (identifier instanceof Refusal) return identifier;
  const variable = draft.find(identifier);
  if (variable === undefined) {
    if (onMissing === "fail" || identifier.id !== undefined) return variableNotFound(text);
    switch (by.kind) {
      case "integer":
        return infer(draft, identifier, by);
      case "float":
      case "number":
        // 0 + by and not by, which could be −0.
        return infer(draft, identifier, { kind: by.kind, value: 0 + by.value });
      default:
        return notANumber(by.kind, by);
    }
  }
  if (variable.type !== "float" && variable.type !== "integer") return notANumber(variable.type, by);
  const type = typeFor(variable, by);
  const addend = valueType(type).accept(by);
  if (addend instanceof Refusal) return addend;
  if (typeof addend === "bigint" && typeof variable.value === "bigint") {
    const sum = variable.value + addend;
    // The range of the type bounds like constraints do, and there is no literal for what is beyond it.
    if (sum > INT64_MAX) return beyond("max", `value ${sum} is above maximum ${INT64_MAX}`);
    if (sum < INT64_MIN) return beyond("min", `value ${sum} is below minimum ${INT64_MIN}`);
    return put(draft, variable, { kind: "integer", value: sum });
  }
  const base = valueType(type).accept(literalOf(variable.type, variable.value));
  if (base instanceof Refusal) return base;
  return put(draft, variable, {
    kind: "float",
    value: Number(base) + Number(addend),
  });
}

/** A new value for an existing variable. */
function put(draft: Draft, variable: Variable, literal: Literal): Change | Refusal {
  const type = typeFor(variable, literal);
  const value = valueType(type).accept(literal);
  if (value instanceof Refusal) return value;
  const fault = checkSize(value, draft.context.limits) ?? variable.limits.check(value);
  if (fault !== undefined) return fault;
  const { name, id } = variable;
  const version = variable.version + 1;
  if (type === variable.type) return { kind: "set", name, id, type, version, value };
  return {
    kind: "define",
    variable: {
      ...variable,
      type,
      value,
      version,
      limits: unlimited(type),
      ...written(draft),
    },
  };
}

/** The type that a value goes to: the variable's own, but a provisional integer turns float with the first float. */
function typeFor(variable: Variable, literal: Literal): TypeName {
  const widens =
    variable.provisional &&
    variable.type === "integer" &&
    (literal.kind === "float" || (literal.kind === "number" && integer.accept(literal) instanceof Refusal));
  return widens ? "float" : variable.type;
}

/** A new variable with the type of its first value (VAL-4). */
function infer(draft: Draft, { name }: Identifier, literal: Literal): Change | Refusal {
  if (literal.kind === "unknown") return valueUnknown();
  const type = inferredFrom(literal.kind);
  if (type === undefined) return notInferred();
  const value = valueType(type).accept(literal);
  if (value instanceof Refusal) return value;
  const fault = checkSize(value, draft.context.limits) ?? draft.takeName(name);
  if (fault !== undefined) return fault;
  const { id, version } = draft.birth(name);
  const { latest, source, updatedAtMs } = written(draft);
  // Every field by name, as in `create`.
  return {
    kind: "define",
    variable: {
      id,
      name,
      type,
      value,
      version,
      limits: unlimited(type),
      registered: EMPTY_METADATA,
      latest,
      source,
      createdAtMs: draft.context.wallTimeMs,
      updatedAtMs,
      provisional: true,
    },
  };
}

/** What every written variable takes from the commit. */
function written(draft: Draft): Pick<Variable, "latest" | "source" | "updatedAtMs"> {
  const { metadata, source } = draft.note;
  return { latest: metadata, source, updatedAtMs: draft.context.wallTimeMs };
}

function unlimited(type: TypeName): Limits<Stored> {
  const limits = valueType(type).limits([]);
  if (limits instanceof Refusal) throw new Error(`type ${type} refuses to be without constraints`);
  return limits;
}

function conflict(expected: number, current: number): Refusal {
  const wanted = expected === 0 ? "the variable not to exist" : `version ${expected}`;
  return new Refusal(
    "VERSION_CONFLICT",
    `expected ${wanted}, found version ${current}; read again and retry`,
    {
      versionConflict: { expected, current },
    },
  );
}

function beyond(constraint: string, text: string): Refusal {
  return new Refusal("CONSTRAINT_VIOLATED", text, { constraint });
}

function notInferred(): Refusal {
  return new Refusal(
    "INVALID_VALUE",
    "no variable is created from null, a list or an object: register it with the type json first",
  );
}

function notANumber(expected: string, by: Literal): Refusal {
  if (by.kind === "unknown") return valueUnknown();
  return new Refusal("TYPE_MISMATCH", `only a float or an integer can be incremented, not a ${expected}`, {
    typeMismatch: { expected, actual: by.kind },
  });
}
