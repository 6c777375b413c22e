"""The standard health service of a server that passes calls on: as well as its connection to the bridge."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from ._gen import health_pb2, sessions_pb2, variables_pb2
from ._names import quote

__all__ = ["HealthHandler"]

_CHECK = "/grpc.health.v1.Health/Check"
_WATCH = "/grpc.health.v1.Health/Watch"

# The empty name is the server as a whole.
_SERVICES = frozenset(
    ["", *(each.full_name for each in sessions_pb2.DESCRIPTOR.services_by_name.values())]
    + [each.full_name for each in variables_pb2.DESCRIPTOR.services_by_name.values()]
)


class HealthHandler(grpc.GenericRpcHandler):
    """Answers `grpc.health.v1.Health`.

    Args:
        channel: Leads to the bridge.
    """

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel
        self._serving = False
        self._ended = False
        self._change = asyncio.Event()

    async def follow(self) -> None:
        """Keeps the state that is told the state of the channel, and the channel connected."""
        while True:
            state = self._channel.get_state(try_to_connect=True)
            self._become(state is grpc.ChannelConnectivity.READY)
            await self._channel.wait_for_state_change(state)

    def end(self) -> None:
        """Tells everybody that no more requests are taken, and ends the watches."""
        self._ended = True
        self._become(False)

    def service(self, handler_call_details: Any) -> Any:
        """Returns the handler of a call; None if it is not ours."""
        if handler_call_details.method == _CHECK:
            return grpc.unary_unary_rpc_method_handler(self._check)
        if handler_call_details.method == _WATCH:
            return grpc.unary_stream_rpc_method_handler(self._watch)
        return None

    def _become(self, serving: bool) -> None:
        if serving != self._serving or self._ended:
            self._serving = serving
            change, self._change = self._change, asyncio.Event()
            change.set()

    async def _check(self, request: bytes, context: Any) -> bytes:
        service = await _service_in(request, context)
        if service not in _SERVICES:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"unknown service {quote(service)}")
        return self._answer()

    async def _watch(self, request: bytes, context: Any) -> AsyncIterator[bytes]:
        known = await _service_in(request, context) in _SERVICES
        while True:
            # As of the answer: either may change while it is on its way.
            change, ended = self._change, self._ended
            # By the protocol a watch of an unknown service stays open, since the service might come.
            yield self._answer() if known else _encode("SERVICE_UNKNOWN")
            if ended:
                return
            await change.wait()

    def _answer(self) -> bytes:
        return _encode("SERVING" if self._serving else "NOT_SERVING")


async def _service_in(request: bytes, context: Any) -> str:
    try:
        return health_pb2.HealthCheckRequest.FromString(request).service
    except (DecodeError, UnicodeDecodeError):
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the request is not a HealthCheckRequest")
        raise


def _encode(status: str) -> bytes:
    return health_pb2.HealthCheckResponse(status=status).SerializeToString()
