"""Carries errands over grpc.aio: what belongs to which event loop, and what a forked process must not use."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass

import grpc
import grpc.aio

from . import _forking
from ._aio_flights import Flights
from ._aio_link import AioLink
from ._cache import Fetch
from ._channels import ALONE_OPTIONS, CHANNEL_CLOSED, CHANNEL_OPTIONS, call_metadata
from ._errands import Errand
from ._green import refuse_green_threads
from ._subscriptions import Subscription

__all__ = ["AioTransport", "Link"]


@dataclass
class Link:
    """What belongs to one event loop."""

    loop: asyncio.AbstractEventLoop
    commands: AioLink
    flights: Flights


class AioTransport:
    """Carries the errands of one context.

    Args:
        channel: The caller's own channel, never closed here; None to make channels to the address.
        address: HOST:PORT; not used with a channel.
        token: Sent with every stream; None: none is.
        now: The context's clock, in seconds.
        jitter: Draws from [0, 1).
        may_join: Whether who reads a variable now may share a reading call that has begun.
    """

    def __init__(
        self,
        *,
        channel: grpc.aio.Channel | None,
        address: str,
        token: str | None,
        now: Callable[[], float],
        jitter: Callable[[], float],
        may_join: Callable[[str, Fetch], bool],
    ) -> None:
        self._channel = channel
        self._address = address
        self._metadata = call_metadata(given_channel=channel is not None, token=token)
        self._now = now
        self._jitter = jitter
        self._may_join = may_join
        self._links: list[Link] = []
        self._closed = False
        _forking.at_fork(self)

    def link(self) -> Link | None:
        """Returns what belongs to the running loop; None after `close()`.

        Raises:
            RuntimeError: If the caller's channel is of another loop, or if this process was forked, and
                nothing can be carried in it.
        """
        if self._closed:
            return None
        refusal = _forking.refusal()
        if refusal is not None:
            raise RuntimeError(refusal)
        loop = asyncio.get_running_loop()
        for link in self._links:
            if link.loop is loop:
                return link
        if self._channel is not None and self._links:
            raise RuntimeError(
                "the channel given to this context belongs to another event loop: give each loop a channel "
                "of its own, or give address= instead of a channel"
            )
        self._drop_links_of_ended_loops()
        with _forking.use_grpc():
            refuse_green_threads()
            options = ALONE_OPTIONS if _forking.is_forked() else CHANNEL_OPTIONS
            channel = self._channel or self._connected(options)
        commands = AioLink(
            channel,
            None if self._channel is not None else lambda: self._connected(ALONE_OPTIONS),
            self._metadata,
            now=self._now,
            jitter=self._jitter,
            pause=lambda seconds: self.pause(seconds),
            where="the end of its channel" if self._channel is not None else self._address,
        )
        link = Link(loop, commands, Flights(self._may_join))
        self._links.append(link)
        return link

    def _drop_links_of_ended_loops(self) -> None:
        for link in self._links:
            if link.loop.is_closed():
                link.commands.abandon()
        self._links = [link for link in self._links if not link.loop.is_closed()]

    def _connected(self, options: tuple[tuple[str, int], ...]) -> grpc.aio.Channel:
        return grpc.aio.insecure_channel(self._address, options=options)

    async def carry(self, errand: Errand) -> None:
        """Has an errand carried out."""
        link = self.link()
        if link is None:
            errand.failed(CHANNEL_CLOSED, attempt=1, time_left=0.0, jitter=0.0)
        else:
            await link.commands.carry(errand)

    def begin(self, subscription: Subscription) -> None:
        """Has something subscribed to in the running loop, until it has ended or `end` is called.

        What is subscribed to already, in whichever loop that lives, stays so; what rests in this one is asked
        for soon.
        """
        link = self.link()
        if link is None:
            subscription.failed(CHANNEL_CLOSED, attempt=1, time_left=0.0, jitter=0.0)
        elif not any(each.commands.carries(subscription) for each in self._links if each is not link):
            link.commands.begin(subscription)

    def end(self, subscription: Subscription) -> None:
        """Lets go of a subscription that was begun in the running loop. Twice is fine."""
        loop = asyncio.get_running_loop()
        for link in self._links:
            if link.loop is loop:
                link.commands.end(subscription)

    def leave(self, subscription: Subscription) -> None:
        """Lets go of the subscription of a context that nobody holds. Garbage collection may do it."""
        for link in self._links:
            if not link.loop.is_closed():
                with contextlib.suppress(RuntimeError):
                    link.loop.call_soon_threadsafe(link.commands.end, subscription)

    # ---- forks

    def hold(self) -> None:
        """Keeps nothing of gRPC that no loop uses any more."""
        self._drop_links_of_ended_loops()

    def resume(self) -> None:
        """Goes on after `hold`."""

    def abandon(self) -> None:
        """Takes that this is another process now."""
        _forking.leave_alone(*self._links)
        self._links = []

    # ---- the end

    async def pause(self, seconds: float) -> None:
        """Waits between attempts."""
        await asyncio.sleep(seconds)

    async def close(self) -> None:
        """Ends what is under way and closes the channels that are ours. Twice is fine."""
        self._closed = True
        links, self._links = self._links, []
        for link in links:
            if link.loop.is_closed():
                continue
            if link.loop is asyncio.get_running_loop():
                link.flights.abandon()
                await link.commands.close()
                if self._channel is None:
                    await link.commands.channel.close()
