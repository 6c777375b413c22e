/**
 * Values and variables, between the domain and the contract.
 *
 * Messages are written as object literals and not with `create`: then a field that is added to the contract and not
 * carried here does not compile.
 */
import type { FoundVariable, ItemSet } from "../core/commands.js";
import type { Constraint, GivenConstraint } from "../core/constraints.js";
import type { HistoryEntry } from "../core/history.js";
import { INT64_MAX, INT64_MIN, type KnownLiteral, type Literal } from "../core/literal.js";
import { EMPTY_METADATA, type Metadata, type MetadataPairs, overlay } from "../core/metadata.js";
import { Refusal } from "../core/refusal.js";
import { armOf, literalOf, TYPE_NAMES, type TypeName } from "../core/values/types.js";
import type { Definition, Variable } from "../core/variable.js";
import {
  type MetadataEntry,
  type Constraint as PbConstraint,
  type Definition as PbDefinition,
  type Variable as PbVariable,
  type Value,
  VariableType,
} from "./gen/snakepit/bridge/v1/values_pb.js";
import type {
  FoundVariable as PbFoundVariable,
  HistoryEntry as PbHistoryEntry,
  ItemSet as PbItemSet,
} from "./gen/snakepit/bridge/v1/variables_pb.js";
import { timestampFromProto, timestampToProto } from "./points.js";
import {
  type Assert,
  encodable,
  encodableAs,
  fromUint64,
  required,
  type Same,
  toUint64,
  Unfit,
  unfitField,
} from "./unfit.js";

type Arm = Exclude<Value["kind"], { case: undefined }>;
/** The kinds of literals are the arms of a value, with the same contents. */
export type ArmsAgree = Assert<
  Same<{ [L in KnownLiteral as L["kind"]]: L["value"] }, { [A in Arm as A["case"]]: A["value"] }>
>;

export function literalToProto(literal: Literal): Value {
  if (literal.kind === "unknown") return { $typeName: "snakepit.bridge.v1.Value", kind: { case: undefined } };
  const { kind, value } = literal;
  if (typeof value === "string") encodableAs(value, "INVALID_VALUE");
  if (kind === "integer" && (value < INT64_MIN || value > INT64_MAX)) {
    throw new Unfit(new Refusal("INVALID_VALUE", `integer ${value} takes more than 64 bits`));
  }
  return { $typeName: "snakepit.bridge.v1.Value", kind: { case: kind, value } as Arm };
}

/** What a request gives for a value. Nothing, or an arm of a later release, is for the domain to refuse. */
export function literalFromProto(value: Value | undefined): Literal {
  if (value?.kind.case === undefined) return { kind: "unknown" };
  return { kind: value.kind.case, value: value.kind.value } as KnownLiteral;
}

/** The value in an answer, which has to be there. */
function knownFromProto(value: Value | undefined): KnownLiteral {
  const literal = literalFromProto(value);
  return literal.kind === "unknown" ? unfitField("value", "is in no arm that this version knows") : literal;
}

/** The types of the domain are those of the contract, which writes them in capitals. */
export type TypesAgree = Assert<Same<Uppercase<TypeName> | "UNSPECIFIED", keyof typeof VariableType>>;
const TYPE_NUMBERS: ReadonlyMap<string, VariableType> = new Map(
  TYPE_NAMES.map((name) => [name, VariableType[name.toUpperCase() as Uppercase<TypeName>]]),
);
const TYPES_BY_NUMBER: ReadonlyMap<number, TypeName> = new Map(
  TYPE_NAMES.map((name) => [VariableType[name.toUpperCase() as Uppercase<TypeName>], name]),
);

/** The number of a type; 0 if it is none, so that it is refused where it is judged. */
export function typeToProto(type: string): VariableType {
  return TYPE_NUMBERS.get(type) ?? VariableType.UNSPECIFIED;
}

/** The type of a number; undefined if it is unset or of a later release. */
export function typeFromProto(type: VariableType): TypeName | undefined {
  return TYPES_BY_NUMBER.get(type);
}

export function constraintToProto({ key, values }: GivenConstraint): PbConstraint {
  return {
    $typeName: "snakepit.bridge.v1.Constraint",
    key: encodable(key, "key"),
    values: values.map(literalToProto),
  };
}

export function constraintFromProto({ key, values }: PbConstraint): GivenConstraint {
  return { key, values: values.map(literalFromProto) };
}

function checkedConstraintFromProto({ key, values }: PbConstraint): Constraint {
  return { key, values: values.map(knownFromProto) };
}

export function metadataToProto(pairs: MetadataPairs): MetadataEntry[] {
  return Array.from(pairs, ([key, value]) => ({
    $typeName: "snakepit.bridge.v1.MetadataEntry",
    key: encodableAs(key, "INVALID_METADATA"),
    value: encodableAs(value, "INVALID_METADATA"),
  }));
}

/** The pairs as they were sent, for the domain to check. */
export function metadataFromProto(entries: readonly MetadataEntry[]): MetadataPairs {
  return entries.map(({ key, value }) => [key, value] as const);
}

/** The pairs of an answer, which are checked already. */
export function checkedMetadataFromProto(entries: readonly MetadataEntry[]): Metadata {
  return entries.length === 0 ? EMPTY_METADATA : new Map(metadataFromProto(entries));
}

export function definitionToProto(definition: Definition): PbDefinition {
  const { name, type, initialValue, constraints, metadata } = definition;
  return {
    $typeName: "snakepit.bridge.v1.Definition",
    name: encodableAs(name, "INVALID_NAME"),
    type: typeToProto(type),
    initialValue: literalToProto(initialValue),
    constraints: constraints.map(constraintToProto),
    metadata: metadataToProto(metadata),
  };
}

export function definitionFromProto(definition: PbDefinition): Definition {
  const { name, type, initialValue, constraints, metadata } = definition;
  return {
    name,
    type: type === VariableType.UNSPECIFIED ? "" : (typeFromProto(type) ?? String(type)),
    initialValue: literalFromProto(initialValue),
    constraints: constraints.map(constraintFromProto),
    metadata: metadataFromProto(metadata),
  };
}

export function variableToProto(variable: Variable): PbVariable {
  const { id, name, type, value, version, limits, registered, latest, source, provisional } = variable;
  return {
    $typeName: "snakepit.bridge.v1.Variable",
    id,
    name,
    type: typeToProto(type),
    value: literalToProto(literalOf(type, value)),
    version: toUint64(version, "version"),
    constraints: limits.constraints.map(constraintToProto),
    metadata: metadataToProto(overlay(registered, latest)),
    source,
    createdAt: timestampToProto(variable.createdAtMs),
    updatedAt: timestampToProto(variable.updatedAtMs),
    provisional,
  };
}

/** A variable out of an answer. Its metadata is one, and its limits are for reading: only the engine judges values. */
export function variableFromProto(message: PbVariable | undefined): Variable {
  const variable = required(message, "variable");
  const { id, name, version, constraints, metadata, source, createdAt, updatedAt, provisional } = variable;
  return {
    id,
    name,
    ...storedFromProto(variable),
    version: fromUint64(version, "version"),
    limits: { constraints: constraints.map(checkedConstraintFromProto), check: () => undefined },
    registered: checkedMetadataFromProto(metadata),
    latest: EMPTY_METADATA,
    source,
    createdAtMs: timestampFromProto(createdAt, "created_at"),
    updatedAtMs: timestampFromProto(updatedAt, "updated_at"),
    provisional,
  };
}

export function foundToProto({ identifier, variable }: FoundVariable): PbFoundVariable {
  return {
    $typeName: "snakepit.bridge.v1.FoundVariable",
    identifier,
    variable: variableToProto(variable),
  };
}

export function foundFromProto({ identifier, variable }: PbFoundVariable): FoundVariable {
  return { identifier, variable: variableFromProto(variable) };
}

export function itemSetToProto({ id, type, version, value }: ItemSet): PbItemSet {
  return {
    $typeName: "snakepit.bridge.v1.ItemSet",
    id,
    version: toUint64(version, "version"),
    value: literalToProto(literalOf(type, value)),
    type: typeToProto(type),
  };
}

export function itemSetFromProto(message: PbItemSet | undefined): ItemSet {
  const item = required(message, "item");
  return { id: item.id, version: fromUint64(item.version, "version"), ...storedFromProto(item) };
}

export function historyEntryToProto(entry: HistoryEntry): PbHistoryEntry {
  return {
    $typeName: "snakepit.bridge.v1.HistoryEntry",
    version: toUint64(entry.version, "version"),
    value: literalToProto(literalOf(entry.type, entry.value)),
    revision: toUint64(entry.revision, "revision"),
    setAt: timestampToProto(entry.wallTimeMs),
    source: entry.source,
    metadata: metadataToProto(entry.metadata),
    type: typeToProto(entry.type),
  };
}

export function historyEntryFromProto(message: PbHistoryEntry): HistoryEntry {
  return {
    version: fromUint64(message.version, "version"),
    ...storedFromProto(message),
    revision: fromUint64(message.revision, "revision"),
    wallTimeMs: timestampFromProto(message.setAt, "set_at"),
    source: message.source,
    metadata: checkedMetadataFromProto(message.metadata),
  };
}

/** What a variable holds, and its type, which has to be one whose values travel in that arm. */
export function storedFromProto(
  message: Pick<PbVariable | PbItemSet | PbHistoryEntry, "type" | "value">,
): Pick<ItemSet, "type" | "value"> {
  const { kind, value } = knownFromProto(message.value);
  const type = typeFromProto(message.type) ?? unfitField("type", "is none that this version knows");
  if (armOf(type) !== kind) unfitField("value", `is in the arm \`${kind}\`, which a ${type} is never in`);
  return { type, value };
}
