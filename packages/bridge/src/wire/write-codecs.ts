/** How the commands of VariableService that write travel. */
import type { ItemSet, SetItem, VariableWrite } from "../core/commands.js";
import { Refusal } from "../core/refusal.js";
import type { Codecs } from "./codec.js";
import { knownRefusalFromProto, refusalToProto } from "./errors.js";
import type { ItemResult, SetItem as PbSetItem } from "./gen/snakepit/bridge/v1/variables_pb.js";
import { revisionFromProto, revisionToProto } from "./points.js";
import { encodableAs, fromUint64, optional, required, toUint64, unfitField } from "./unfit.js";
import {
  definitionFromProto,
  definitionToProto,
  itemSetFromProto,
  itemSetToProto,
  literalFromProto,
  literalToProto,
  metadataFromProto,
  metadataToProto,
  variableFromProto,
  variableToProto,
} from "./values.js";
import { onMissingFromProto, onMissingToProto, writeFromProto, writeToProto } from "./writes.js";

export const WRITE_CODECS: Codecs<VariableWrite["kind"]> = {
  registerVariable: {
    request: ({ sessionId, definition, onMissing, requestId, source }) => ({
      $typeName: "snakepit.bridge.v1.RegisterVariableRequest",
      sessionId: encodableAs(sessionId, "INVALID_NAME"),
      definition: definitionToProto(definition),
      onMissing: onMissingToProto(onMissing),
      ...writeToProto({ requestId, source }),
    }),
    command: ({ sessionId, definition, onMissing, requestId, source }) => ({
      kind: "registerVariable",
      sessionId,
      definition: definitionFromProto(required(definition, "definition")),
      onMissing: onMissingFromProto(onMissing),
      ...writeFromProto({ requestId, source }),
    }),
    response: ({ variable, revision }) => ({
      $typeName: "snakepit.bridge.v1.RegisterVariableResponse",
      variable: variableToProto(variable),
      revision: revisionToProto(revision),
    }),
    reply: ({ variable, revision }) => ({
      kind: "registerVariable",
      variable: variableFromProto(variable),
      revision: revisionFromProto(revision),
    }),
  },

  ensureVariables: {
    request: ({ sessionId, definitions, source }) => ({
      $typeName: "snakepit.bridge.v1.EnsureVariablesRequest",
      sessionId: encodableAs(sessionId, "INVALID_NAME"),
      definitions: definitions.map(definitionToProto),
      ...writeToProto({ source }),
    }),
    command: ({ sessionId, definitions, source }) => ({
      kind: "ensureVariables",
      sessionId,
      definitions: definitions.map(definitionFromProto),
      ...writeFromProto({ source }),
    }),
    response: ({ variables, revision }) => ({
      $typeName: "snakepit.bridge.v1.EnsureVariablesResponse",
      variables: variables.map(variableToProto),
      revision: revisionToProto(revision),
    }),
    reply: ({ variables, revision }) => ({
      kind: "ensureVariables",
      variables: variables.map(variableFromProto),
      revision: revisionFromProto(revision),
    }),
  },

  setVariable: {
    request: ({ sessionId, item, onMissing, metadata, requestId, source }) => ({
      $typeName: "snakepit.bridge.v1.SetVariableRequest",
      sessionId: encodableAs(sessionId, "INVALID_NAME"),
      item: itemToProto(item),
      onMissing: onMissingToProto(onMissing),
      metadata: metadataToProto(metadata),
      ...writeToProto({ requestId, source }),
    }),
    command: ({ sessionId, item, onMissing, metadata, requestId, source }) => ({
      kind: "setVariable",
      sessionId,
      item: itemFromProto(required(item, "item")),
      onMissing: onMissingFromProto(onMissing),
      metadata: metadataFromProto(metadata),
      ...writeFromProto({ requestId, source }),
    }),
    response: ({ item, revision }) => ({
      $typeName: "snakepit.bridge.v1.SetVariableResponse",
      item: itemSetToProto(item),
      revision: revisionToProto(revision),
    }),
    reply: ({ item, revision }) => ({
      kind: "setVariable",
      item: itemSetFromProto(item),
      revision: revisionFromProto(revision),
    }),
  },

  setVariables: {
    request: ({ sessionId, items, atomic, onMissing, metadata, requestId, source }) => ({
      $typeName: "snakepit.bridge.v1.SetVariablesRequest",
      sessionId: encodableAs(sessionId, "INVALID_NAME"),
      items: items.map(itemToProto),
      atomic,
      onMissing: onMissingToProto(onMissing),
      metadata: metadataToProto(metadata),
      ...writeToProto({ requestId, source }),
    }),
    command: ({ sessionId, items, atomic, onMissing, metadata, requestId, source }) => ({
      kind: "setVariables",
      sessionId,
      items: items.map(itemFromProto),
      atomic,
      onMissing: onMissingFromProto(onMissing),
      metadata: metadataFromProto(metadata),
      ...writeFromProto({ requestId, source }),
    }),
    response: ({ results, revision }) => ({
      $typeName: "snakepit.bridge.v1.SetVariablesResponse",
      results: results.map(resultToProto),
      revision: revisionToProto(revision),
    }),
    reply: ({ results, revision }) => ({
      kind: "setVariables",
      results: results.map(resultFromProto),
      revision: revisionFromProto(revision),
    }),
  },

  incrementVariable: {
    request: ({ sessionId, identifier, by, onMissing, metadata, requestId, source }) => ({
      $typeName: "snakepit.bridge.v1.IncrementVariableRequest",
      sessionId: encodableAs(sessionId, "INVALID_NAME"),
      identifier: encodableAs(identifier, "INVALID_NAME"),
      by: literalToProto(by),
      onMissing: onMissingToProto(onMissing),
      metadata: metadataToProto(metadata),
      ...writeToProto({ requestId, source }),
    }),
    command: ({ sessionId, identifier, by, onMissing, metadata, requestId, source }) => ({
      kind: "incrementVariable",
      sessionId,
      identifier,
      by: literalFromProto(by),
      onMissing: onMissingFromProto(onMissing),
      metadata: metadataFromProto(metadata),
      ...writeFromProto({ requestId, source }),
    }),
    response: ({ item, revision }) => ({
      $typeName: "snakepit.bridge.v1.IncrementVariableResponse",
      item: itemSetToProto(item),
      revision: revisionToProto(revision),
    }),
    reply: ({ item, revision }) => ({
      kind: "incrementVariable",
      item: itemSetFromProto(item),
      revision: revisionFromProto(revision),
    }),
  },

  deleteVariable: {
    request: ({ sessionId, identifier, requestId, source }) => ({
      $typeName: "snakepit.bridge.v1.DeleteVariableRequest",
      sessionId: encodableAs(sessionId, "INVALID_NAME"),
      identifier: encodableAs(identifier, "INVALID_NAME"),
      ...writeToProto({ requestId, source }),
    }),
    command: ({ sessionId, identifier, requestId, source }) => ({
      kind: "deleteVariable",
      sessionId,
      identifier,
      ...writeFromProto({ requestId, source }),
    }),
    response: ({ revision }) => ({
      $typeName: "snakepit.bridge.v1.DeleteVariableResponse",
      revision: revisionToProto(revision),
    }),
    reply: ({ revision }) => ({ kind: "deleteVariable", revision: revisionFromProto(revision) }),
  },
};

function itemToProto({ identifier, value, expectedVersion }: SetItem): PbSetItem {
  return {
    $typeName: "snakepit.bridge.v1.SetItem",
    identifier: encodableAs(identifier, "INVALID_NAME"),
    value: literalToProto(value),
    ...optional(
      "expectedVersion",
      expectedVersion === undefined ? undefined : toUint64(expectedVersion, "expected_version"),
    ),
  };
}

function itemFromProto({ identifier, value, expectedVersion }: PbSetItem): SetItem {
  return {
    identifier,
    value: literalFromProto(value),
    ...optional(
      "expectedVersion",
      expectedVersion === undefined ? undefined : fromUint64(expectedVersion, "expected_version"),
    ),
  };
}

function resultToProto(result: ItemSet | Refusal): ItemResult {
  return {
    $typeName: "snakepit.bridge.v1.ItemResult",
    outcome:
      result instanceof Refusal
        ? { case: "error", value: refusalToProto(result) }
        : { case: "set", value: itemSetToProto(result) },
  };
}

function resultFromProto({ outcome }: ItemResult): ItemSet | Refusal {
  switch (outcome.case) {
    case "set":
      return itemSetFromProto(outcome.value);
    case "error":
      return knownRefusalFromProto(outcome.value);
    case undefined:
      return unfitField("outcome", "is not set");
  }
}
