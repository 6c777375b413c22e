/** How the commands of VariableService that read travel. */
import type { GetVariableHistory, VariableRead } from "../core/commands.js";
import type { TypeName } from "../core/values/registry.js";
import type { Codecs } from "./codec.js";
import { VariableType } from "./gen/snakepit/bridge/v1/values_pb.js";
import { revisionFromProto, revisionToProto } from "./points.js";
import { encodable, encodableAs, optional, toUint32, unfitField } from "./unfit.js";
import {
  foundFromProto,
  foundToProto,
  historyEntryFromProto,
  historyEntryToProto,
  typeFromProto,
  typeToProto,
  variableFromProto,
  variableToProto,
} from "./values.js";

export const READ_CODECS: Codecs<(VariableRead | GetVariableHistory)["kind"]> = {
  getVariable: {
    request: ({ sessionId, identifier }) => ({
      $typeName: "snakepit.bridge.v1.GetVariableRequest",
      sessionId: encodableAs(sessionId, "INVALID_NAME"),
      identifier: encodableAs(identifier, "INVALID_NAME"),
    }),
    command: ({ sessionId, identifier }) => ({ kind: "getVariable", sessionId, identifier }),
    response: ({ variable, revision }) => ({
      $typeName: "snakepit.bridge.v1.GetVariableResponse",
      variable: variableToProto(variable),
      revision: revisionToProto(revision),
    }),
    reply: ({ variable, revision }) => ({
      kind: "getVariable",
      variable: variableFromProto(variable),
      revision: revisionFromProto(revision),
    }),
  },

  getVariables: {
    request: ({ sessionId, identifiers }) => ({
      $typeName: "snakepit.bridge.v1.GetVariablesRequest",
      sessionId: encodableAs(sessionId, "INVALID_NAME"),
      identifiers: identifiers.map((identifier) => encodableAs(identifier, "INVALID_NAME")),
    }),
    command: ({ sessionId, identifiers }) => ({ kind: "getVariables", sessionId, identifiers }),
    response: ({ found, missing, revision }) => ({
      $typeName: "snakepit.bridge.v1.GetVariablesResponse",
      found: found.map(foundToProto),
      missing: [...missing],
      revision: revisionToProto(revision),
    }),
    reply: ({ found, missing, revision }) => ({
      kind: "getVariables",
      found: found.map(foundFromProto),
      missing,
      revision: revisionFromProto(revision),
    }),
  },

  listVariables: {
    request: ({ sessionId, glob, type, source, pageSize, pageToken }) => ({
      $typeName: "snakepit.bridge.v1.ListVariablesRequest",
      sessionId: encodableAs(sessionId, "INVALID_NAME"),
      ...optional("glob", glob === undefined ? undefined : encodable(glob, "glob")),
      type: type === undefined ? VariableType.UNSPECIFIED : typeToProto(type),
      ...optional("source", source === undefined ? undefined : encodable(source, "source")),
      pageSize: toUint32(pageSize, "page_size"),
      pageToken: encodable(pageToken, "page_token"),
    }),
    command: ({ sessionId, glob, type, source, pageSize, pageToken }) => ({
      kind: "listVariables",
      sessionId,
      ...optional("glob", glob),
      ...optional("type", typeFilter(type)),
      ...optional("source", source),
      pageSize,
      pageToken,
    }),
    response: ({ variables, nextPageToken, revision }) => ({
      $typeName: "snakepit.bridge.v1.ListVariablesResponse",
      variables: variables.map(variableToProto),
      nextPageToken,
      revision: revisionToProto(revision),
    }),
    reply: ({ variables, nextPageToken, revision }) => ({
      kind: "listVariables",
      variables: variables.map(variableFromProto),
      nextPageToken,
      revision: revisionFromProto(revision),
    }),
  },

  getVariableHistory: {
    request: ({ sessionId, identifier, limit }) => ({
      $typeName: "snakepit.bridge.v1.GetVariableHistoryRequest",
      sessionId: encodableAs(sessionId, "INVALID_NAME"),
      identifier: encodableAs(identifier, "INVALID_NAME"),
      ...optional("limit", limit === undefined ? undefined : toUint32(limit, "limit")),
    }),
    command: ({ sessionId, identifier, limit }) => ({
      kind: "getVariableHistory",
      sessionId,
      identifier,
      ...optional("limit", limit),
    }),
    response: ({ id, entries, compacted, revision }) => ({
      $typeName: "snakepit.bridge.v1.GetVariableHistoryResponse",
      id,
      entries: entries.map(historyEntryToProto),
      compacted,
      revision: revisionToProto(revision),
    }),
    reply: ({ id, entries, compacted, revision }) => ({
      kind: "getVariableHistory",
      id,
      entries: entries.map(historyEntryFromProto),
      compacted,
      revision: revisionFromProto(revision),
    }),
  },
};

/** The type that a list is filtered by. One that is not known would find nothing, which is no answer. */
function typeFilter(type: VariableType): TypeName | undefined {
  if (type === VariableType.UNSPECIFIED) return undefined;
  return typeFromProto(type) ?? unfitField("type", `is ${type}, which this bridge does not know`);
}
