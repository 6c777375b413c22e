"""What both transports tell gRPC, and how they read what it says."""

from __future__ import annotations

from typing import Any

from ._calls import DETAILS_KEY, detail_of
from ._steps import Status
from ._version import __version__

__all__ = [
    "ALONE_OPTIONS",
    "CHANNEL",
    "CHANNEL_CLOSED",
    "CHANNEL_OPTIONS",
    "SIZES",
    "call_metadata",
    "status_of",
]

CHANNEL = "/snakepit.bridge.v1.ChannelService/Channel"
"""The method that all streams are calls of."""

CHANNEL_CLOSED = Status(None, "the channel is closed", closed=True)
"""Nothing was handed over, and nothing can be."""

# How many bytes of error details a bridge may send, enough to name some hundred items of a refused batch. A
# third is added on the way, and gRPC takes only 8 KiB of trailers unless its channel is told otherwise.
_DETAIL_BYTES = 40_000
_DETAIL_BYTES_KEY = "snakepit-max-detail-bytes"

_CLIENT = ("snakepit-client", f"python/{__version__}")
"""What we are, so that a bridge which does not work with us can say so (DOOR-9)."""

SIZES = (
    # Answers of the default limit of a server (4 MiB) and their framing, and of servers with a somewhat
    # higher one.
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_metadata_size", 64 * 1024),
    ("grpc.absolute_max_metadata_size", 64 * 1024),
)

CHANNEL_OPTIONS = (
    *SIZES,
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    # A bridge is near. gRPC would take a proxy for the web from the environment, which does not know the way.
    ("grpc.enable_http_proxy", 0),
    # gRPC waits up to two minutes before it looks again; a bridge that was restarted is back within a second.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
)

ALONE_OPTIONS = (
    *CHANNEL_OPTIONS,
    # Else gRPC takes a connection that another channel of this process has already, which may be dead.
    ("grpc.use_local_subchannel_pool", 1),
)


def call_metadata(*, given_channel: bool, token: str | None) -> tuple[tuple[str, str], ...]:
    """Returns what goes with every call."""
    # A channel of the caller's takes what it was told to take, which nobody can ask it.
    metadata = (_CLIENT,) if given_channel else (_CLIENT, (_DETAIL_BYTES_KEY, str(_DETAIL_BYTES)))
    return metadata if token is None else (*metadata, ("authorization", f"Bearer {token}"))


def status_of(error: Any) -> Status:
    """Returns how a call failed, from the exception that gRPC raised."""
    trailer: bytes | None = None
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS_KEY and isinstance(value, bytes):
            trailer = value
    return Status(error.code().value[0], error.details() or "", detail_of(trailer), error)
