"""Watches of the asyncio client: they wait on the event loop for what `_watching` decides.

Their blocking twins are in `_sync_watch`.
"""

from __future__ import annotations

import asyncio
import inspect
import weakref
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from ._aio_loops import soon
from ._events import SessionEvent
from ._listening import report
from ._pins import unpinned
from ._subscriptions import Subscription
from ._watching import Pending, Watching

if TYPE_CHECKING:
    from ._aio import SessionContext

__all__ = ["Listener", "Watch", "until_news"]

Self = TypeVar("Self", bound="Watch")


class Watch:
    """The events of a session, each once and in order, for `async for`; `SessionContext.watch` makes them.

    It belongs to the event loop that it was begun in. Only one at a time reads it.
    """

    def __init__(self, context: SessionContext, watching: Watching) -> None:
        # While it is watched, the context is in use.
        self._context = context
        self._watching = watching
        context._begin(watching)
        self._let_go = weakref.finalize(self, _end, context._end, watching)
        self._let_go.atexit = False

    @property
    def point(self) -> str | None:
        """The point that has been read: a watch that is begun `after` it is told the rest.

        None until it is known where the watch begins, which `ready` waits for.
        """
        point = self._watching.point
        return None if point is None else str(point)

    async def ready(self) -> None:
        """Waits until the watch stands: every commit that is made from now on is told.

        Raises:
            BridgeError: It has ended; as reading does.
        """
        while True:
            mark = self._watching.rung
            if self._watching.stands:
                return
            await until_news(self._watching, mark, None)

    async def next(self) -> SessionEvent | None:
        """Returns the next event; None: the watch was ended. Raises as `SessionContext.watch` says."""
        watching = self._watching
        while True:
            mark = watching.rung
            told = watching.take()
            if isinstance(told, SessionEvent):
                self._context._heed(told)
                return told
            if told is Pending.OVER:
                return None
            if told is Pending.AGAIN:
                self._context._begin(watching)
            else:
                await until_news(watching, mark, None)

    async def close(self) -> None:
        """Ends the watch. What has come and was not read is dropped. Twice is fine."""
        self._end()

    def _end(self) -> None:
        _end(self._context._end, self._watching)
        self._let_go.detach()

    def __aiter__(self) -> AsyncIterator[SessionEvent]:
        return _Loop(self)

    async def __aenter__(self: Self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end()


class _Loop:
    """What `async for` reads from: the watch ends when it is let go of."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def __aiter__(self) -> _Loop:
        return self

    async def __anext__(self) -> SessionEvent:
        event = await self._watch.next()
        if event is None:
            raise StopAsyncIteration
        return event

    def __del__(self) -> None:
        self._watch._end()


class Listener:
    """Calls a function with every commit until it is closed; `SessionContext.on_change` makes them.

    As a context manager it is closed at the end of the block.
    """

    def __init__(
        self,
        context: SessionContext,
        watching: Watching,
        callback: Callable[[SessionEvent], Any],
        on_error: Callable[[Exception], Any] | None,
    ) -> None:
        self._watch = Watch(context, watching)
        self._callback = callback
        self._on_error = on_error
        # It outlives what is pinned here, and nobody need hold a listener.
        task = unpinned(lambda: asyncio.get_running_loop().create_task(self._listen()))
        context._transport.listening.add(task)
        task.add_done_callback(lambda ended: context._transport.listening.discard(ended))

    async def _listen(self) -> None:
        try:
            while (event := await self._watch.next()) is not None:
                try:
                    result = self._callback(event)
                    if inspect.isawaitable(result):
                        await result
                except Exception as error:  # noqa: BLE001 - it is the program's, and so is told to it
                    report(error, self._on_error, "a callback of on_change")
        except Exception as error:  # noqa: BLE001 - see above
            report(error, self._on_error, "a listener of on_change has ended")
        finally:
            self._watch._end()

    def close(self) -> None:
        """Ends it. A call that is under way goes on to its end, and no other follows. Twice is fine."""
        self._watch._end()

    def __enter__(self) -> Listener:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


async def until_news(subscription: Subscription, mark: int, seconds: float | None) -> None:
    """Waits until something happens to a subscription, or the time is up; None: for ever."""
    loop = asyncio.get_running_loop()
    news: asyncio.Future[None] = loop.create_future()

    def settle() -> None:
        if not news.done():
            news.set_result(None)

    def bell() -> None:
        # Others than the loop ring too: its successor if it is closed, threads that fork or collect garbage.
        if asyncio._get_running_loop() is loop:
            settle()
        else:
            soon(loop, settle)

    if not subscription.listen(news, bell, mark):
        return
    try:
        await asyncio.wait((news,), timeout=seconds)
    finally:
        subscription.unlisten(news)


def _end(end: Callable[[Watching], None], watching: Watching) -> None:
    watching.close()
    end(watching)
