"""Both shells, driven alike: a test awaits every method, whichever shell it runs against."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc
import grpc.aio

import snakepit_bridge
from snakepit_bridge import sync, testing
from snakepit_bridge._link import Link

Context: TypeAlias = snakepit_bridge.SessionContext
"""What a test is given: the asyncio context, or a blocking one that can be awaited like it."""


@dataclass(frozen=True)
class Shell:
    """One of the two clients.

    Attributes:
        name: For people.
        cls: The class of its contexts.
        shown_as: How their repr begins.
        fake: The class that takes their place without a server.
    """

    name: str
    cls: Any
    shown_as: str
    fake: Any

    @property
    def is_blocking(self) -> bool:
        return self.cls is sync.SessionContext

    def context(self, session_id: str, channel: Any = None, **options: Any) -> Context:
        return self.awaitable(self.cls(session_id, channel, **options))

    def awaitable(self, context: Any) -> Any:
        return InThreads(context) if self.is_blocking else context

    def bare(self, context: Any) -> Any:
        return context.context if self.is_blocking else context

    def channel(self, address: str) -> Any:
        return (grpc if self.is_blocking else grpc.aio).insecure_channel(address)

    async def close(self, channel: Any) -> None:
        if self.is_blocking:
            await in_thread(channel.close)
        else:
            await channel.close()

    @contextmanager
    def driven(self) -> Iterator[Callable[..., Any]]:
        """What runs a function of the client to its end, for those who run no loop themselves."""
        if self.is_blocking:
            yield lambda function, *args, **kwargs: function(*args, **kwargs)
            return
        loop = asyncio.new_event_loop()
        try:
            yield lambda function, *args, **kwargs: loop.run_until_complete(function(*args, **kwargs))
        finally:
            loop.close()

    @asynccontextmanager
    async def lent(self, address: str) -> AsyncIterator[Any]:
        """A channel of the caller's."""
        channel = self.channel(address)
        try:
            yield channel
        finally:
            await self.close(channel)

    def is_connected(self, context: Any) -> bool:
        if self.is_blocking:
            connected: bool = context._transport._link.is_open
            return connected
        state = context._transport.home().link.channel.get_state()
        return state is grpc.ChannelConnectivity.READY

    def link(self, context: Any) -> Link:
        """What waits for the bridge, and what it owes."""
        transport = context._transport
        link: Link = transport._link._link if self.is_blocking else transport.home().link._link
        return link

    def pass_pauses(self, context: Any, passed: Callable[[float], None]) -> None:
        """Lets the context's pauses take no time."""

        async def pause(seconds: float) -> None:
            passed(seconds)

        transport = context._transport
        transport.pause = passed if self.is_blocking else pause
        if self.is_blocking:
            transport._link._pause = passed


SHELLS = (
    Shell("asyncio", snakepit_bridge.SessionContext, "SessionContext", testing.FakeSession),
    Shell("blocking", sync.SessionContext, "sync.SessionContext", testing.sync.FakeSession),
)


class InThreads:
    """A blocking context with the manners of the asyncio one: each call runs in a thread of its own."""

    def __init__(self, context: sync.SessionContext) -> None:
        self.context = context

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self.context, name)
        if not inspect.iscoroutinefunction(getattr(snakepit_bridge.SessionContext, name, None)):
            return attribute

        async def method(*args: Any, **kwargs: Any) -> Any:
            return await in_thread(attribute, *args, **kwargs)

        return method

    def __repr__(self) -> str:
        return repr(self.context)

    async def __aenter__(self) -> InThreads:
        self.context.__enter__()
        return self

    async def __aexit__(self, *reason: Any) -> None:
        await in_thread(self.context.__exit__, *reason)


async def in_thread(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Runs a function in a thread of its own, which is left alone if the waiting is cancelled."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[Any] = loop.create_future()

    def settle(result: Any, error: BaseException | None) -> None:
        if ended.cancelled():
            return
        if error is None:
            ended.set_result(result)
        else:
            ended.set_exception(error)

    def work() -> None:
        result: Any = None
        problem: BaseException | None = None
        try:
            result = function(*args, **kwargs)
        except BaseException as error:  # noqa: BLE001 - raised where it is awaited
            problem = error
        loop.call_soon_threadsafe(settle, result, problem)

    # With the context variables of who waits, as `asyncio.to_thread` does.
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(work,), daemon=True).start()
    return await ended


async def until(condition: Callable[[], bool]) -> None:
    """Waits for what no event tells of."""
    while not condition():  # noqa: ASYNC110 - see above
        await asyncio.sleep(0.001)
