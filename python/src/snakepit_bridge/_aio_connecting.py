"""Connects a channel of grpc.aio."""

from __future__ import annotations

import asyncio
import time

import grpc
import grpc.aio

__all__ = ["settled"]


async def settled(
    channel: grpc.aio.Channel, seconds: float | None = None, *, persistent: bool = False
) -> grpc.ChannelConnectivity:
    """Connects a channel if need be.

    Args:
        channel: What is to be connected.
        seconds: How long to wait; None: as long as it takes.
        persistent: Whether to go on after an attempt that has failed.

    Returns:
        READY; SHUTDOWN if the channel is closed; TRANSIENT_FAILURE after an attempt that has failed; another
        state if the time is up.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    while True:
        state = channel.get_state(try_to_connect=True)
        failed = state is grpc.ChannelConnectivity.TRANSIENT_FAILURE and not persistent
        left = None if deadline is None else deadline - time.monotonic()
        is_late = left is not None and left <= 0
        if failed or is_late or state in (grpc.ChannelConnectivity.READY, grpc.ChannelConnectivity.SHUTDOWN):
            return state
        change = asyncio.ensure_future(channel.wait_for_state_change(state))
        try:
            await asyncio.wait({change}, timeout=left)
        finally:
            if not change.done():
                change.cancel()
        if change.done() and not change.cancelled():
            change.exception()  # closed meanwhile; the state says so
