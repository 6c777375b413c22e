/** What the model keeps, and what it answers: plain data and the look-ups in it. */
import type { Stored } from "../../packages/bridge/src/core/literal.js";
import {
  hasIdForm,
  isGoodVariableName,
  type Limit,
  type Pair,
  type Refused,
  refused,
  type TypeWord,
} from "./rules.js";

/** A value that a variable had. */
export interface ModelEntry {
  readonly version: number;
  readonly type: TypeWord;
  readonly value: Stored;
  readonly revision: number;
  readonly wallTimeMs: number;
  readonly source: string;
  readonly metadata: Pair[];
}

export interface ModelVariable {
  readonly id: string;
  readonly name: string;
  type: TypeWord;
  value: Stored;
  version: number;
  limits: Limit[];
  registered: Pair[];
  latest: Pair[];
  source: string;
  readonly createdAtMs: number;
  updatedAtMs: number;
  provisional: boolean;
  /** Newest first. */
  past: readonly ModelEntry[];
}

export interface ModelSession {
  readonly id: string;
  /** Counts creations; stands for the incarnation, which is random. */
  readonly life: number;
  revision: number;
  readonly ttlMs: number;
  readonly metadata: Pair[];
  readonly createdAtMs: number;
  /** By the monotonic clock: what decides. */
  usedAt: number;
  /** The last use that is stored for sure, and all uses after it, oldest first. */
  readonly uses: number[];
  /** After a start, until it is looked at or used: the last use is at least that. */
  floor: number | undefined;
  /** By the wall clock: what is shown. */
  usedAtMs: number;
  readonly variables: Map<string, ModelVariable>;
  /** Deleted names and their last versions. */
  readonly tombstones: Map<string, number>;
  /** The last writes that carried request ids, oldest first. */
  readonly remembered: { client: string; sequence: number; reply: ModelReply }[];
  /** For each client the highest sequence that was forgotten. */
  readonly marks: Map<string, number>;
}

/** A point in the life of a session. Life 0, number 0: the session does not exist. */
export interface ModelRevision {
  readonly life: number;
  readonly number: number;
}

export interface ModelItemSet {
  readonly id: string;
  readonly type: TypeWord;
  readonly version: number;
  readonly value: Stored;
}

export interface ModelInfo {
  readonly id: string;
  readonly revision: ModelRevision;
  readonly ttlMs: number;
  readonly metadata: Pair[];
  readonly createdAtMs: number;
  readonly lastAccessedAtMs: number;
  readonly variableCount: number;
}

export type ModelReply =
  | { kind: "ping"; message: string; serverTimeMs: number }
  | { kind: "createSession"; session: ModelInfo; created: boolean }
  | { kind: "getSession"; session: ModelInfo }
  | { kind: "listSessions"; sessions: ModelInfo[]; nextPageToken: string }
  | { kind: "heartbeat" | "deleteSession" | "deleteVariable"; revision: ModelRevision }
  | { kind: "registerVariable" | "getVariable"; variable: ModelVariable; revision: ModelRevision }
  | { kind: "ensureVariables"; variables: ModelVariable[]; revision: ModelRevision }
  | {
      kind: "getVariables";
      found: { identifier: string; variable: ModelVariable }[];
      missing: string[];
      revision: ModelRevision;
    }
  | { kind: "setVariable" | "incrementVariable"; item: ModelItemSet; revision: ModelRevision }
  | { kind: "setVariables"; results: (ModelItemSet | Refused)[]; revision: ModelRevision }
  | { kind: "listVariables"; variables: ModelVariable[]; nextPageToken: string; revision: ModelRevision }
  | {
      kind: "getVariableHistory";
      id: string;
      entries: readonly ModelEntry[];
      compacted: boolean;
      revision: ModelRevision;
    };

/** Where two things are at fault and the rules do not say which is named. */
export function eitherOf(a: Refused, b: Refused): Refused {
  const identifier = a.identifier ?? b.identifier;
  const reasons = [...a.reasons, ...b.reasons];
  return identifier === undefined ? { reasons } : { reasons, identifier };
}

export function at(session: ModelSession): ModelRevision {
  return { life: session.life, number: session.revision };
}

export function info(session: ModelSession): ModelInfo {
  return {
    id: session.id,
    revision: at(session),
    ttlMs: session.ttlMs,
    metadata: session.metadata,
    createdAtMs: session.createdAtMs,
    lastAccessedAtMs: session.usedAtMs,
    variableCount: session.variables.size,
  };
}

/** A copy to work on. Replies, pairs and limits are never changed in place, so they may be shared. */
export function copyOf(session: ModelSession): ModelSession {
  return {
    ...session,
    variables: new Map([...session.variables].map(([name, variable]) => [name, { ...variable }])),
    tombstones: new Map(session.tombstones),
    remembered: [...session.remembered],
    marks: new Map(session.marks),
    uses: [...session.uses],
  };
}

export function itemSet({ id, type, version, value }: ModelVariable): ModelItemSet {
  return { id, type, version, value };
}

/** The variable of a name or an id; what has the form of an id is an id only (VAL-8). */
export function lookUp(session: ModelSession, identifier: string): ModelVariable | Refused {
  const missing = refused("VARIABLE_NOT_FOUND", { identifier });
  if (hasIdForm(identifier)) {
    const variable = [...session.variables.values()].find(({ id }) => id === identifier);
    if (variable !== undefined) return variable;
    // With something in its middle that cannot be a name it is neither a name nor an id.
    return isGoodVariableName(middleOf(identifier)) ? missing : refused("INVALID_NAME", { identifier });
  }
  if (!isGoodVariableName(identifier)) return refused("INVALID_NAME", { identifier });
  return session.variables.get(identifier) ?? missing;
}

/** The name in an id. */
function middleOf(id: string): string {
  return id.slice("var_".length, id.lastIndexOf("_"));
}
