"""The messages of snakepit/bridge/v1/sessions.proto. Made by `npm run gen`: do not edit."""

from . import _pool

DESCRIPTOR = _pool.file("snakepit/bridge/v1/sessions.proto")

RequestId = _pool.message("snakepit.bridge.v1.RequestId")
Session = _pool.message("snakepit.bridge.v1.Session")
PingRequest = _pool.message("snakepit.bridge.v1.PingRequest")
PingResponse = _pool.message("snakepit.bridge.v1.PingResponse")
CreateSessionRequest = _pool.message("snakepit.bridge.v1.CreateSessionRequest")
CreateSessionResponse = _pool.message("snakepit.bridge.v1.CreateSessionResponse")
GetSessionRequest = _pool.message("snakepit.bridge.v1.GetSessionRequest")
GetSessionResponse = _pool.message("snakepit.bridge.v1.GetSessionResponse")
ListSessionsRequest = _pool.message("snakepit.bridge.v1.ListSessionsRequest")
ListSessionsResponse = _pool.message("snakepit.bridge.v1.ListSessionsResponse")
HeartbeatRequest = _pool.message("snakepit.bridge.v1.HeartbeatRequest")
HeartbeatResponse = _pool.message("snakepit.bridge.v1.HeartbeatResponse")
DeleteSessionRequest = _pool.message("snakepit.bridge.v1.DeleteSessionRequest")
DeleteSessionResponse = _pool.message("snakepit.bridge.v1.DeleteSessionResponse")
