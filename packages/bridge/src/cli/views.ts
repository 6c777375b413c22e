/** Sessions and variables as JSON, with the names that the contract has, and what else is shown of them. */
import type { HistoryView, SessionEventView, SessionView, VariableView } from "../client/index.js";
import { jsonValue } from "./values.js";

export function variableToJson(variable: VariableView): object {
  const { id, name, type, value, version, constraints, metadata, source, provisional } = variable;
  return {
    id,
    name,
    type,
    value: jsonValue(value),
    version,
    constraints: Object.fromEntries(
      [...constraints].map(([key, operand]) => [
        key,
        typeof operand === "object" ? operand.map(jsonValue) : jsonValue(operand),
      ]),
    ),
    metadata: Object.fromEntries(metadata),
    source,
    created_at: variable.createdAt.toISOString(),
    updated_at: variable.updatedAt.toISOString(),
    provisional,
  };
}

export function historyToJson({ id, entries, compacted, revision }: HistoryView): object {
  return {
    id,
    entries: entries.map(({ version, type, value, revision, setAt, source, metadata }) => ({
      version,
      type,
      value: jsonValue(value),
      revision,
      set_at: setAt.toISOString(),
      source,
      metadata: Object.fromEntries(metadata),
    })),
    compacted,
    revision,
  };
}

export function eventToJson(event: SessionEventView): object {
  const { kind, sessionId, revision, source, at, metadata, changes } = event;
  return {
    kind,
    session_id: sessionId,
    revision,
    source,
    committed_at: at.toISOString(),
    metadata: Object.fromEntries(metadata),
    changes: changes.map(({ name, value, version, previous, previousVersion }) => ({
      name,
      value: value === undefined ? undefined : jsonValue(value),
      version,
      previous: previous === undefined ? undefined : jsonValue(previous),
      previous_version: previousVersion,
    })),
  };
}

export function sessionToJson(session: SessionView): object {
  return {
    id: session.id,
    revision: session.revision,
    ttl: session.ttlMs / 1_000,
    metadata: Object.fromEntries(session.metadata),
    created_at: session.createdAt.toISOString(),
    last_accessed_at: session.lastAccessedAt.toISOString(),
    variable_count: session.variableCount,
  };
}

/** A TTL in seconds. */
export function showTtl(ttlMs: number): string {
  return ttlMs === 0 ? "never" : `${ttlMs / 1_000} s`;
}
