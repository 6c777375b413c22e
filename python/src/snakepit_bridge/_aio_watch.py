"""Watches of the asyncio client: they wait on the event loop for what `_watching` decides.

Their blocking twins are in `_sync_watch`.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import weakref
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

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
        self._loop = asyncio.get_running_loop()
        context._begin(watching)
        self._let_go = weakref.finalize(self, _end_in, self._loop, context._end, watching)
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
        if self._let_go.detach() is not None:
            self._watching.close()
            self._context._end(self._watching)

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
        watch = self._watch
        _in(watch._loop, watch._end)


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
        # The loop does not hold its tasks, and nobody need hold a listener. It outlives what is pinned here.
        self._task = unpinned(lambda: self._watch._loop.create_task(self._listen()))
        _LISTENING.add(self._task)
        self._task.add_done_callback(_LISTENING.discard)

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
        _in(self._watch._loop, self._watch._end)

    def __enter__(self) -> Listener:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


_LISTENING: set[asyncio.Task[None]] = set()


async def until_news(subscription: Subscription, mark: int, seconds: float | None) -> None:
    """Waits until something happens to a subscription, or the time is up; None: for ever."""
    news: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    if not subscription.listen(news, lambda: None if news.done() else news.set_result(None), mark):
        return
    try:
        await asyncio.wait((news,), timeout=seconds)
    finally:
        subscription.unlisten(news)


def _end_in(loop: asyncio.AbstractEventLoop, end: Callable[[Watching], None], watching: Watching) -> None:
    watching.close()
    _in(loop, end, watching)


def _in(loop: asyncio.AbstractEventLoop, function: Callable[..., None], *arguments: Any) -> None:
    """Calls a function in a loop, from wherever garbage is collected, if the loop still lives."""
    with contextlib.suppress(RuntimeError):
        if asyncio.get_running_loop() is loop:
            function(*arguments)
            return
    if not loop.is_closed():
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(function, *arguments)
