/**
 * What calls answer: plain frozen objects that nobody else holds, so that a caller in the server's own process cannot
 * reach into its state either.
 *
 * Metadata and constraints are Maps, as their keys are free text: an object would have to be guarded against
 * `__proto__`, would list `2` before `a`, and would pretend to know its keys at compile time.
 */
import type { FoundVariable, ItemSet, Reply, ReplyTo, Revision, SessionInfo } from "../core/commands.js";
import type { Constraint } from "../core/constraints.js";
import { type BridgeError, errorFrom } from "../core/errors.js";
import type { HistoryEntry } from "../core/history.js";
import { overlay } from "../core/metadata.js";
import { Refusal } from "../core/refusal.js";
import type { TypeName } from "../core/values/registry.js";
import type { Variable } from "../core/variable.js";
import { toText } from "./points.js";
import { fromScalar, fromStored, type Scalar, type VariableValue } from "./values.js";

/** A session, apart from its variables. */
export interface SessionView {
  readonly id: string;
  /** How many commits the session has seen, its creation included. */
  readonly revision: number;
  /** The idle time after which it expires, in milliseconds. 0: never. */
  readonly ttlMs: number;
  readonly metadata: ReadonlyMap<string, string>;
  /** By the server's wall clock. */
  readonly createdAt: Date;
  /** By the server's wall clock. */
  readonly lastAccessedAt: Date;
  readonly variableCount: number;
}

/** What limits a variable: the operand of each constraint, and of `choices` the list of its operands. */
export type ConstraintsView = ReadonlyMap<string, Scalar | readonly Scalar[]>;

/** A variable at one revision of its session. */
export interface VariableView {
  /** Stays the same while the variable lives; a name that is deleted and used again gets a new one. */
  readonly id: string;
  readonly name: string;
  readonly type: TypeName;
  readonly value: VariableValue;
  /** 1 at the registration, one more for each accepted set. */
  readonly version: number;
  readonly constraints: ConstraintsView;
  /** That of the registration, overlaid by that of the last set. */
  readonly metadata: ReadonlyMap<string, string>;
  /** The language of the last writer: `typescript`, `python`, … */
  readonly source: string;
  /** By the server's wall clock. */
  readonly createdAt: Date;
  /** By the server's wall clock. */
  readonly updatedAt: Date;
  /** True while the type was only inferred from a first value. */
  readonly provisional: boolean;
}

/** What a wait for a variable finds: what was read, or told while it was watched. */
export type AwaitedVariable = Pick<VariableView, "id" | "name" | "type" | "value" | "version">;

/** A value, and how fresh it is. */
export interface Reading<V = VariableValue> {
  readonly value: V;
  readonly type: TypeName;
  readonly version: number;
  /** The revision of the session that this is true at. */
  readonly revision: number;
  /** That revision as a point in the life of the session: what was true before it is not read `after` it. */
  readonly point: string;
  /** Who answered: the server, the client's copy of the session, or its cache. */
  readonly source: "server" | "replica" | "cache";
  /**
   * How old this may be, in milliseconds: 0 if the server has just answered; for a copy, how long ago it was heard of last; for
   * a cache, how long ago it was asked.
   */
  readonly ageMs: number;
  /** True if the client knows that it is out of touch with the server. */
  readonly stale: boolean;
}

/** An accepted write of one variable. */
export interface Written<V = VariableValue> {
  /** The variable's new version. */
  readonly version: number;
  /** The revision of the session that the write made. */
  readonly revision: number;
  /** That revision as a point in the life of the session: what was true before it is not read `after` it. */
  readonly point: string;
  /** As the bridge keeps it. */
  readonly value: V;
}

/** An accepted atomic batch. */
export interface Committed {
  /** The revision of the session that the batch made; undefined for an empty batch, which makes none. */
  readonly revision: number | undefined;
  /** That revision as a point in the life of the session; undefined as it is. */
  readonly point: string | undefined;
  /** The new version of each variable, by the name or id it was given by. */
  readonly versions: ReadonlyMap<string, number>;
}

/** Several variables at one revision. */
export interface VariablesView {
  /** By the name or id asked for, in that order. */
  readonly found: ReadonlyMap<string, VariableView>;
  /** What does not exist, in the order asked for. */
  readonly missing: readonly string[];
  readonly revision: number;
}

/** What became of each item of a best-effort batch, by the name or id it was given by. */
export type BatchResults = ReadonlyMap<string, Written | BridgeError>;

/** One value that a variable had. */
export interface HistoryEntryView {
  /** The version that the variable had with this value. */
  readonly version: number;
  /** The type that it had then: one that was only inferred may have become another. */
  readonly type: TypeName;
  readonly value: VariableValue;
  /** The revision of the session that the write made. */
  readonly revision: number;
  /** When that was, by the server's wall clock. */
  readonly setAt: Date;
  /** The language of the writer: `typescript`, `python`, … */
  readonly source: string;
  /** The metadata of that write alone. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** The values that a variable had, as far back as they are kept: the newest 50, and at most 1 MiB of them. */
export interface HistoryView {
  /** The id of the variable: another one that had the name before has a history of its own, which is not shown. */
  readonly id: string;
  /** Newest first, from the current value on. */
  readonly entries: readonly HistoryEntryView[];
  /** True if there were older values that are no longer kept. What a `limit` left out does not count. */
  readonly compacted: boolean;
  /** The revision of the session that this is true at. */
  readonly revision: number;
}

/** The bridge that answered a ping. */
export interface Pong {
  /** The version of the package it runs. */
  readonly serverVersion: string;
  /** By its wall clock. */
  readonly serverTime: Date;
}

export function viewSession(session: SessionInfo): SessionView {
  return Object.freeze({
    id: session.id,
    revision: session.revision.number,
    ttlMs: session.ttlMs,
    metadata: new Map(session.metadata),
    createdAt: new Date(session.createdAtMs),
    lastAccessedAt: new Date(session.lastAccessedAtMs),
    variableCount: session.variableCount,
  });
}

export function viewVariable(variable: Variable): VariableView {
  const { id, name, type, version, source, provisional } = variable;
  return Object.freeze({
    id,
    name,
    type,
    value: fromStored(type, variable.value),
    version,
    constraints: new Map(variable.limits.constraints.map(viewConstraint)),
    metadata: new Map(overlay(variable.registered, variable.latest)),
    source,
    createdAt: new Date(variable.createdAtMs),
    updatedAt: new Date(variable.updatedAtMs),
    provisional,
  });
}

/** Constraints that are a list however long it is. */
const LISTS: ReadonlySet<string> = new Set(["choices"]);

function viewConstraint({ key, values }: Constraint): [string, Scalar | readonly Scalar[]] {
  // No limit of any type is JSON; if one ever is, it is shown as its text.
  const operands = values.map((literal) => (literal.kind === "json" ? literal.value : fromScalar(literal)));
  const [first] = operands;
  const isOne = operands.length === 1 && first !== undefined && !LISTS.has(key);
  return [key, isOne ? first : Object.freeze(operands)];
}

export function viewVariables({
  found,
  missing,
  revision,
}: {
  readonly found: readonly FoundVariable[];
  readonly missing: readonly string[];
  readonly revision: { readonly number: number };
}): VariablesView {
  return Object.freeze({
    found: new Map(found.map(({ identifier, variable }) => [identifier, viewVariable(variable)])),
    missing: Object.freeze([...missing]),
    revision: revision.number,
  });
}

export function viewWritten(item: ItemSet, revision: Revision): Written {
  const { type, value, version } = item;
  return Object.freeze({
    version,
    revision: revision.number,
    point: toText(revision),
    value: fromStored(type, value),
  });
}

/** @param read what the caller gets for what a variable held */
export function viewHistory(
  { id, entries, compacted, revision }: ReplyTo<"getVariableHistory">,
  read: (entry: HistoryEntry) => VariableValue = ({ type, value }) => fromStored(type, value),
): HistoryView {
  return Object.freeze({
    id,
    entries: Object.freeze(entries.map((entry) => viewHistoryEntry(entry, read(entry)))),
    compacted,
    revision: revision.number,
  });
}

function viewHistoryEntry(entry: HistoryEntry, value: VariableValue): HistoryEntryView {
  const { version, type, revision, wallTimeMs, source, metadata } = entry;
  return Object.freeze({
    version,
    type,
    value,
    revision,
    setAt: new Date(wallTimeMs),
    source,
    metadata: new Map(metadata),
  });
}

/** Pairs the outcomes of an atomic batch with the identifiers it was given by. */
export function viewCommitted(
  identifiers: readonly string[],
  { results, revision }: Extract<Reply, { kind: "setVariables" }>,
): Committed {
  const versions = new Map<string, number>();
  for (const [place, identifier] of identifiers.entries()) {
    const item = results[place];
    if (item !== undefined && !(item instanceof Refusal)) versions.set(identifier, item.version);
  }
  return Object.freeze({ revision: revision.number, point: toText(revision), versions });
}

/** Pairs the outcomes of a best-effort batch with its identifiers. Of one that was given twice a refusal is told. */
export function viewResults(
  identifiers: readonly string[],
  { results, revision }: Extract<Reply, { kind: "setVariables" }>,
): BatchResults {
  const outcomes = new Map<string, Written | BridgeError>();
  for (const [place, identifier] of identifiers.entries()) {
    const item = results[place];
    if (item instanceof Refusal) outcomes.set(identifier, errorFrom(item.at({ identifier })));
    else if (item !== undefined && !outcomes.has(identifier))
      outcomes.set(identifier, viewWritten(item, revision));
  }
  return outcomes;
}
