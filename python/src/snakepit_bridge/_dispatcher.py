"""Calls the callbacks of the blocking client: one thread of the process, which takes from watches in turn.

What waits for a callback waits in its watch, which is bounded: those who tell a watch only leave a note that
there is something to take (`_turns`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any

from . import _forking
from ._events import SessionEvent
from ._listening import report
from ._turns import Turns
from ._watching import Pending, Watching

if TYPE_CHECKING:
    from ._sync import SessionContext

__all__ = ["Listener"]


class Listener:
    """Calls a function with every commit until it is closed; `sync.SessionContext.on_change` makes them.

    As a context manager it is closed at the end of the block.
    """

    def __init__(
        self,
        context: SessionContext,
        watching: Watching,
        callback: Callable[[SessionEvent], Any],
        on_error: Callable[[Exception], Any] | None,
    ) -> None:
        # As long as it listens, the context is in use: the stream holds the watch, and the watch its bell.
        self._context = context
        self._watching = watching
        self._callback = callback
        self._on_error = on_error
        _listeners.add(self)
        context._begin(watching)
        self._come_again()

    def close(self) -> None:
        """Ends it. A call that is under way goes on to its end, and no other follows. Twice is fine."""
        self._watching.close()
        self._context._end(self._watching)

    def abandon(self) -> None:
        """Takes that it is in another process now."""
        self._watching.listen(self, self._come_again, self._watching.rung)
        self._context._transport.wake_when_used(self._watching)

    def take_turn(self) -> None:
        """Calls the callback with the next event; without one, there is another turn when there is one."""
        watching = self._watching
        mark = watching.rung
        try:
            if watching.adrift:
                self._context._begin(watching)
            told = watching.take()
            if isinstance(told, SessionEvent):
                self._context._heed(told)
                self._call(told)
            elif told is Pending.AGAIN:
                self._context._begin(watching)
            elif told is Pending.OVER or watching.listen(self, self._come_again, mark):
                return
        except Exception as error:  # noqa: BLE001 - it is the program's to know
            self.close()
            self._report(error, "a listener of on_change has ended")
            return
        self._come_again()

    def _call(self, event: SessionEvent) -> None:
        try:
            result = self._callback(event)
            if inspect.iscoroutine(result):
                result.close()
                raise TypeError("a coroutine function is for the asyncio context only")
        except BaseException as error:  # noqa: BLE001 - it must not end the thread of all
            self._report(error, "a callback of on_change")

    def _report(self, error: BaseException, what: str) -> None:
        try:
            report(error, self._on_error, what)
        except BaseException as problem:  # noqa: BLE001 - as above; `report` lets out what ends a thread
            report(problem, None, f"on_error of {what}")

    def _come_again(self) -> None:
        _turns.put(self.take_turn)

    def __enter__(self) -> Listener:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


_turns = Turns("snakepit-bridge callbacks")
_listeners: _forking.Living[Listener] = _forking.Living()


def _forked() -> None:
    """Takes that this is another process, which has none of its parent's threads.

    Some may have been waiting for their turn there, or have had it. Here each has one when its context is
    used.
    """
    listeners = list(_listeners)
    _turns.abandon()
    for each in listeners:
        each.abandon()


_forking.in_child(_forked)
