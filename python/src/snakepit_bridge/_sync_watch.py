"""Watches of the blocking client: they wait in the caller's thread for what `_watching` decides.

Their asyncio twins are in `_aio_watch`. Whoever waits does so on a bare lock of its own, which an interrupt
leaves intact (`_sync_helpers`).
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

from ._errors import DeadlineError
from ._events import SessionEvent
from ._subscriptions import Subscription
from ._sync_helpers import LOOK
from ._watching import Pending, Watching

if TYPE_CHECKING:
    from ._sync import SessionContext

__all__ = ["Watch", "until_news"]

Self = TypeVar("Self", bound="Watch")


class Watch:
    """The events of a session, each once and in order, for `for`; `sync.SessionContext.watch` makes them.

    Several threads may read it; each event goes to one of them.
    """

    def __init__(self, context: SessionContext, watching: Watching) -> None:
        # While it is watched, the context is in use.
        self._context = context
        self._watching = watching
        self._let_go = weakref.finalize(self, _end, context._end, watching)
        self._let_go.atexit = False
        context._begin(watching)

    @property
    def point(self) -> str | None:
        """The point that has been read: a watch that is begun `after` it is told the rest.

        None until it is known where the watch begins, which `ready` waits for.
        """
        point = self._watching.point
        return None if point is None else str(point)

    def ready(self, timeout: float | None = None) -> None:
        """Waits until the watch stands: every commit that is made from now on is told.

        Args:
            timeout: For how long, in seconds; None: as long as it takes.

        Raises:
            DeadlineError: The time was up.
            BridgeError: It has ended; as reading does.
        """
        deadline = _deadline(timeout)
        while True:
            mark = self._watching.rung
            if self._watching.stands:
                return
            self._wait(mark, deadline, f"the watch did not stand within {timeout} s")

    def next(self, timeout: float | None = None) -> SessionEvent | None:
        """Returns the next event; None: the watch was ended.

        Args:
            timeout: How long to wait for one, in seconds; None: as long as it takes.

        Raises:
            DeadlineError: Nothing was told in time; the watch goes on.
            BridgeError: As `SessionContext.watch` says.
        """
        watching, deadline = self._watching, _deadline(timeout)
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
                self._wait(mark, deadline, f"nothing was told within {timeout} s")

    def _wait(self, mark: int, deadline: float | None, what: str) -> None:
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            raise DeadlineError(what, session_id=self._context.session_id)
        if self._watching.adrift:
            self._context._begin(self._watching)
        until_news(self._watching, mark, left)

    def close(self) -> None:
        """Ends the watch, for those too who wait for it in other threads. Twice is fine.

        What has come and was not read is dropped.
        """
        # Not by the finalizer itself, which an interrupt could leave used up and not done.
        _end(self._context._end, self._watching)
        self._let_go.detach()

    def __iter__(self) -> Iterator[SessionEvent]:
        try:
            while (event := self.next()) is not None:
                yield event
        finally:
            # Whoever leaves the loop wants no more.
            self.close()

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def until_news(subscription: Subscription, mark: int, seconds: float | None) -> None:
    """Waits until something happens to a subscription, or the time is up; None: for ever."""
    news = threading.Lock()
    news.acquire()
    deadline = _deadline(seconds)
    left = LOOK if seconds is None else seconds
    try:
        if not subscription.listen(news, news.release, mark):
            return
        # A signal that comes in the instant before the waiting does not end it: so never for long.
        while not news.acquire(timeout=max(0.0, min(LOOK, left))):
            left = LOOK if deadline is None else deadline - time.monotonic()
            if left <= 0:
                return
    finally:
        subscription.unlisten(news)


def _deadline(seconds: float | None) -> float | None:
    return None if seconds is None else time.monotonic() + seconds


def _end(end: Callable[[Watching], None], watching: Watching) -> None:
    watching.close()
    end(watching)
