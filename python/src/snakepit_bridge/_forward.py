"""Passes gRPC calls on to a bridge, byte by byte: requests, answers, metadata, deadlines, errors.

Every call is passed on as two streams of messages, which unary calls are as well, so this knows no method by
name. A call is only begun on a channel that stands: what fails before that was certainly not carried out
(ORD-16), and the caller is told so.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio

from ._aio_connecting import settled
from ._calls import DETAILS_KEY
from ._channels import SIZES
from ._gen import any_pb2, errors_pb2, status_pb2

__all__ = ["SERVER_OPTIONS", "ForwardingHandler", "become_ready"]

PREFIX = "/snakepit.bridge.v1."

SERVER_OPTIONS = (
    *SIZES,
    # Otherwise a second server could take the same port, and the two would share the callers.
    ("grpc.so_reuseport", 0),
    # A client that pings every 10 s is never disconnected.
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
)

CONNECT_SECONDS = 5.0
"""How long a call waits for a connection that is being made, unless its own time is up before."""


class ForwardingHandler(grpc.GenericRpcHandler):
    """Answers the calls of `snakepit.bridge.v1`.

    Args:
        channel: Leads to the bridge.
        address: Where that is, for error texts.
    """

    def __init__(self, channel: grpc.aio.Channel, address: str) -> None:
        self._channel = channel
        self._address = address

    def service(self, handler_call_details: Any) -> Any:
        """Returns the handler of a call; None if it is not ours."""
        path: str = handler_call_details.method
        if not path.startswith(PREFIX):
            return None
        metadata = tuple(
            (key, value)
            for key, value in handler_call_details.invocation_metadata or ()
            # These are of the connection, and gRPC makes its own.
            if not key.startswith("grpc-") and key != "user-agent"
        )

        async def forward(requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
            deadline = _deadline(context)
            if not await become_ready(self._channel, min(CONNECT_SECONDS, deadline - time.monotonic())):
                context.set_trailing_metadata(((DETAILS_KEY, _nothing_done(self._address)),))
                await context.abort(grpc.StatusCode.UNAVAILABLE, f"no bridge answers at {self._address}")
            left = deadline - time.monotonic()
            stub: Any = self._channel.stream_stream(path)
            call = stub(requests, metadata=metadata, timeout=left if left < float("inf") else None)
            try:
                async for answer in call:
                    yield answer
                context.set_trailing_metadata(_own(await call.trailing_metadata()))
            except grpc.aio.AioRpcError as error:
                context.set_trailing_metadata(_own(error.trailing_metadata()))
                await context.abort(error.code(), error.details() or "")
            finally:
                call.cancel()

        return grpc.stream_stream_rpc_method_handler(forward)


def _deadline(context: Any) -> float:
    left = context.time_remaining()
    return float("inf") if left is None else time.monotonic() + left


def _own(metadata: Any) -> tuple[tuple[str, str | bytes], ...]:
    """Returns the metadata that is the bridge's and not gRPC's."""
    return tuple(
        (key, value) for key, value in metadata or () if key == DETAILS_KEY or not key.startswith("grpc-")
    )


def _nothing_done(address: str) -> bytes:
    """Returns the detail that tells clients that the call was not carried out, and may be made again."""
    detail = errors_pb2.ErrorDetail(
        reason=errors_pb2.ERROR_REASON_SHUTTING_DOWN,
        message=f"no bridge answers at {address}; nothing was done",
    )
    packed = any_pb2.Any(
        type_url="type.googleapis.com/snakepit.bridge.v1.ErrorDetail", value=detail.SerializeToString()
    )
    status = status_pb2.Status(code=grpc.StatusCode.UNAVAILABLE.value[0], details=[packed])
    return status.SerializeToString()


async def become_ready(channel: grpc.aio.Channel, seconds: float, *, persistent: bool = False) -> bool:
    """Connects if need be. Returns whether there is a connection, after at most so many seconds.

    Args:
        channel: What is to be connected.
        seconds: How long to wait.
        persistent: Whether to go on after an attempt that has failed.
    """
    return await settled(channel, seconds, persistent=persistent) is grpc.ChannelConnectivity.READY
