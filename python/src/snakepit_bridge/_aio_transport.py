"""Carries errands over grpc.aio: what belongs to which event loop, and what a forked process must not use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import grpc
import grpc.aio

from . import _forking
from ._aio_flights import Flights
from ._aio_link import AioLink
from ._aio_loops import soon
from ._cache import Fetch
from ._channels import ALONE_OPTIONS, CHANNEL_CLOSED, CHANNEL_OPTIONS, call_metadata
from ._errands import Errand
from ._green import refuse_green_threads
from ._subscriptions import Subscription

__all__ = ["AioTransport", "Home"]

_ELSEWHERE = "it is read in another event loop than before"


@dataclass
class Home:
    """What belongs to one event loop."""

    loop: asyncio.AbstractEventLoop
    link: AioLink
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

    Attributes:
        listening: The tasks of listeners, which no loop holds. This is held while they are told anything.
        is_fed: Returns whether the loop runs that the replica is told in.
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
        self.listening: set[asyncio.Task[None]] = set()
        self._homes: list[Home] = []
        self.is_fed: Callable[[], bool] = lambda: False
        self._told_in: asyncio.AbstractEventLoop | None = None
        self._closed = False
        _forking.at_fork(self)

    def home(self) -> Home | None:
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
        for home in self._homes:
            if home.loop is loop:
                return home
        if self._channel is not None and self._homes:
            raise RuntimeError(
                "the channel given to this context belongs to another event loop: give each loop a channel "
                "of its own, or give address= instead of a channel"
            )
        self._forget_ended_loops()
        with _forking.use_grpc():
            refuse_green_threads()
            options = ALONE_OPTIONS if _forking.is_forked() else CHANNEL_OPTIONS
            channel = self._channel or self._connected(options)
        link = AioLink(
            channel,
            None if self._channel is not None else lambda: self._connected(ALONE_OPTIONS),
            self._metadata,
            now=self._now,
            jitter=self._jitter,
            pause=lambda seconds: self.pause(seconds),
            where="the end of its channel" if self._channel is not None else self._address,
        )
        home = Home(loop, link, Flights(self._may_join))
        self._homes.append(home)
        return home

    def _forget_ended_loops(self) -> None:
        if self._channel is not None:
            # It is of one loop only, also when that has ended.
            return
        ended = [home for home in self._homes if home.loop.is_closed()]
        self._homes = [home for home in self._homes if not home.loop.is_closed()]
        self.listening = {task for task in self.listening if not task.get_loop().is_closed()}
        for home in ended:
            home.link.abandon()

    def _connected(self, options: tuple[tuple[str, int], ...]) -> grpc.aio.Channel:
        return grpc.aio.insecure_channel(self._address, options=options)

    async def carry(self, errand: Errand) -> None:
        """Has an errand carried out."""
        home = self.home()
        if home is None:
            errand.failed(CHANNEL_CLOSED, attempt=1, time_left=0.0, jitter=0.0)
        else:
            await home.link.carry(errand)

    def arrive(self, following: Subscription) -> None:
        """Has nothing read in the running loop that was told in one which does not run any more.

        There nobody hears what the bridge says. So the replica is let go of there, and set aside until it was
        begun here.
        """
        loop = asyncio._get_running_loop()
        if loop is None:
            # Who peeks where no loop runs finds what there was when one did.
            return
        self._forget_ended_loops()
        for home in self._homes:
            if not home.link.carries(following) or home.loop.is_closed():
                continue
            if home.loop.is_running():
                # This one, or one in another thread.
                loop = home.loop
            else:
                home.link.end(following)
        if self._told_in not in (None, loop):
            following.set_aside(_ELSEWHERE)
        self._told_in, self.is_fed = loop, loop.is_running

    def begin(self, subscription: Subscription) -> None:
        """Has something subscribed to in the running loop, until it has ended or `end` is called.

        What is subscribed to already, in whichever loop that lives, stays so; what rests in this one is asked
        for soon.
        """
        home = self.home()
        if home is None:
            subscription.failed(CHANNEL_CLOSED, attempt=1, time_left=0.0, jitter=0.0)
        elif not any(each.link.carries(subscription) for each in self._homes if each is not home):
            home.link.begin(subscription)

    def end(self, subscription: Subscription) -> None:
        """Lets go of a subscription, soon. Garbage collection may do it, anywhere. Twice is fine."""
        for home in self._homes:
            soon(home.loop, home.link.end, subscription)

    # ---- forks

    def hold(self) -> None:
        """Keeps nothing of gRPC that no loop uses any more."""
        self._forget_ended_loops()

    def resume(self) -> None:
        """Goes on after `hold`."""

    def abandon(self) -> None:
        """Takes that this is another process now."""
        _forking.leave_alone(*self._homes)
        self._homes = []

    # ---- the end

    async def pause(self, seconds: float) -> None:
        """Waits between attempts."""
        await asyncio.sleep(seconds)

    async def close(self) -> None:
        """Ends what is under way and closes the channels that are ours. Twice is fine."""
        self._closed = True
        homes, self._homes = self._homes, []
        for home in homes:
            if home.loop is asyncio.get_running_loop():
                home.flights.abandon()
                await home.link.close()
                if self._channel is None:
                    await home.link.channel.close()
