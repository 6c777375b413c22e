"""Carries attempts over grpc.aio: one channel per event loop, readiness, deadlines.

A command counts as handed over once the channel was seen READY and the call was made. That is why no call is
made on a channel that is not: gRPC would fail or queue it without telling which.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio

from ._aio_flights import Flights
from ._cache import Fetch
from ._channels import CHANNEL_OPTIONS, call_metadata, status_of
from ._steps import Attempt, Status

__all__ = ["AioTransport", "Link"]


@dataclass
class Link:
    """What belongs to one event loop."""

    loop: asyncio.AbstractEventLoop
    channel: grpc.aio.Channel
    flights: Flights
    process: int = field(default_factory=os.getpid)
    stubs: dict[str, Callable[..., Any]] = field(default_factory=dict)

    def stub(self, path: str) -> Callable[..., Any]:
        """Returns what makes calls of an RPC. Bytes in, bytes out: the core does the translation."""
        stub = self.stubs.get(path)
        if stub is None:
            stub = self.stubs[path] = self.channel.unary_unary(path)
        return stub


class AioTransport:
    """Carries the attempts of one context.

    Args:
        channel: The caller's own channel, never closed here; None to make channels to the address.
        address: HOST:PORT; not used with a channel.
        token: Sent with every call; None: none is.
        now: The context's clock, in seconds.
        is_current: Whether a reading call of a variable may still be joined.
    """

    def __init__(
        self,
        *,
        channel: grpc.aio.Channel | None,
        address: str,
        token: str | None,
        now: Callable[[], float],
        is_current: Callable[[str, Fetch], bool],
    ) -> None:
        self._channel = channel
        self._address = address
        self._metadata = call_metadata(given_channel=channel is not None, token=token)
        self._now = now
        self._is_current = is_current
        self._links: list[Link] = []
        self._closed = False

    def link(self) -> Link | None:
        """Returns what belongs to the running loop; None after `close()`.

        Raises:
            RuntimeError: If the caller's channel is of another loop, or if this process was forked from one
                in which the channel was already in use.
        """
        if self._closed:
            return None
        loop = asyncio.get_running_loop()
        for link in self._links:
            if link.process != os.getpid():
                raise RuntimeError(
                    "this process was forked from one in which the context was already connected, and gRPC's "
                    "asyncio cannot be used on both sides of a fork: make the context after the fork, or "
                    "start processes with spawn or forkserver"
                )
            if link.loop is loop:
                return link
        if self._channel is not None and self._links:
            raise RuntimeError(
                "the channel given to this context belongs to another event loop: give each loop a channel "
                "of its own, or give address= instead of a channel"
            )
        self._links = [link for link in self._links if not link.loop.is_closed()]
        channel = self._channel or grpc.aio.insecure_channel(self._address, options=CHANNEL_OPTIONS)
        link = Link(loop, channel, Flights(self._is_current))
        self._links.append(link)
        return link

    async def attempt(self, step: Attempt) -> bytes | Status:
        """Sends a request as soon as the channel is ready; returns the answer, or why there is none."""
        link = self.link()
        if link is None:
            return _CLOSED
        not_ready = await self._become_ready(link.channel, step.deadline)
        if not_ready is not None:
            return not_ready
        left = step.deadline - self._now()
        if left <= 0:
            return Status(None, "the time was up before anything was sent")
        cancellations = _cancellations()
        try:
            answer: bytes = await link.stub(step.path)(
                step.payload, timeout=left if left < float("inf") else None, metadata=self._metadata
            )
        except grpc.aio.AioRpcError as error:
            return status_of(error)
        except asyncio.CancelledError as error:
            if _asked_for(cancellations, link.channel):
                raise
            return Status(1, "the channel was closed under the call", cause=error, closed=True)
        except grpc.aio.UsageError as error:
            return Status(None, "the channel is closed", cause=error, closed=True)
        return answer

    async def _become_ready(self, channel: grpc.aio.Channel, deadline: float) -> Status | None:
        """Waits until the channel is connected; returns what stands in the way."""
        while (state := channel.get_state(try_to_connect=True)) is not grpc.ChannelConnectivity.READY:
            if state is grpc.ChannelConnectivity.TRANSIENT_FAILURE:
                return Status(None, "")
            if state is grpc.ChannelConnectivity.SHUTDOWN:
                return _CLOSED
            left = deadline - self._now()
            if left <= 0:
                return Status(None, "it could not be connected in time")
            change = asyncio.ensure_future(channel.wait_for_state_change(state))
            try:
                await asyncio.wait({change}, timeout=left if left < float("inf") else None)
            finally:
                if not change.done():
                    change.cancel()
            if not change.cancelled() and change.done():
                change.exception()  # closed meanwhile; the state says so
        return None

    async def pause(self, seconds: float) -> None:
        """Waits between attempts."""
        await asyncio.sleep(seconds)

    async def close(self) -> None:
        """Ends what is under way and closes the channels that are ours. Twice is fine."""
        self._closed = True
        links, self._links = self._links, []
        for link in links:
            if link.process != os.getpid() or link.loop.is_closed():
                continue
            if link.loop is asyncio.get_running_loop():
                link.flights.abandon()
                if self._channel is None:
                    await link.channel.close()


_CLOSED = Status(None, "the channel is closed", closed=True)


def _cancellations() -> int | None:
    """How often the running task was asked to end; None where Python cannot say (before 3.11)."""
    task: Any = asyncio.current_task()
    return task.cancelling() if hasattr(task, "cancelling") else None


def _asked_for(before: int | None, channel: grpc.aio.Channel) -> bool:
    """Returns whether a CancelledError is meant for us: grpc raises it too when a channel is closed."""
    if before is None:
        return channel.get_state() is not grpc.ChannelConnectivity.SHUTDOWN
    now = _cancellations()
    return now is not None and now > before
