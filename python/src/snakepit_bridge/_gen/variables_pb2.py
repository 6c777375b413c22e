"""The messages of snakepit/bridge/v1/variables.proto. Made by `npm run gen`: do not edit."""

from . import _pool

DESCRIPTOR = _pool.file("snakepit/bridge/v1/variables.proto")

OnMissing = _pool.enum("snakepit.bridge.v1.OnMissing")
ON_MISSING_UNSPECIFIED = 0
ON_MISSING_FAIL = 1
ON_MISSING_INFER_VARIABLE = 2
ON_MISSING_INFER = 3

SessionEventKind = _pool.enum("snakepit.bridge.v1.SessionEventKind")
SESSION_EVENT_KIND_UNSPECIFIED = 0
SESSION_EVENT_KIND_CHANGED = 1
SESSION_EVENT_KIND_CREATED = 2
SESSION_EVENT_KIND_DELETED = 3
SESSION_EVENT_KIND_EXPIRED = 4

RegisterVariableRequest = _pool.message("snakepit.bridge.v1.RegisterVariableRequest")
RegisterVariableResponse = _pool.message("snakepit.bridge.v1.RegisterVariableResponse")
EnsureVariablesRequest = _pool.message("snakepit.bridge.v1.EnsureVariablesRequest")
EnsureVariablesResponse = _pool.message("snakepit.bridge.v1.EnsureVariablesResponse")
GetVariableRequest = _pool.message("snakepit.bridge.v1.GetVariableRequest")
GetVariableResponse = _pool.message("snakepit.bridge.v1.GetVariableResponse")
GetVariablesRequest = _pool.message("snakepit.bridge.v1.GetVariablesRequest")
GetVariablesResponse = _pool.message("snakepit.bridge.v1.GetVariablesResponse")
FoundVariable = _pool.message("snakepit.bridge.v1.FoundVariable")
SetVariableRequest = _pool.message("snakepit.bridge.v1.SetVariableRequest")
SetItem = _pool.message("snakepit.bridge.v1.SetItem")
SetVariableResponse = _pool.message("snakepit.bridge.v1.SetVariableResponse")
ItemSet = _pool.message("snakepit.bridge.v1.ItemSet")
SetVariablesRequest = _pool.message("snakepit.bridge.v1.SetVariablesRequest")
SetVariablesResponse = _pool.message("snakepit.bridge.v1.SetVariablesResponse")
ItemResult = _pool.message("snakepit.bridge.v1.ItemResult")
IncrementVariableRequest = _pool.message("snakepit.bridge.v1.IncrementVariableRequest")
IncrementVariableResponse = _pool.message("snakepit.bridge.v1.IncrementVariableResponse")
DeleteVariableRequest = _pool.message("snakepit.bridge.v1.DeleteVariableRequest")
DeleteVariableResponse = _pool.message("snakepit.bridge.v1.DeleteVariableResponse")
ListVariablesRequest = _pool.message("snakepit.bridge.v1.ListVariablesRequest")
ListVariablesResponse = _pool.message("snakepit.bridge.v1.ListVariablesResponse")
GetVariableHistoryRequest = _pool.message("snakepit.bridge.v1.GetVariableHistoryRequest")
GetVariableHistoryResponse = _pool.message("snakepit.bridge.v1.GetVariableHistoryResponse")
HistoryEntry = _pool.message("snakepit.bridge.v1.HistoryEntry")
WatchRequest = _pool.message("snakepit.bridge.v1.WatchRequest")
WatchResponse = _pool.message("snakepit.bridge.v1.WatchResponse")
SessionEvent = _pool.message("snakepit.bridge.v1.SessionEvent")
VariableChange = _pool.message("snakepit.bridge.v1.VariableChange")
VariableAt = _pool.message("snakepit.bridge.v1.VariableAt")
