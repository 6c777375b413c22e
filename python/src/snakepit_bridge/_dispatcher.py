"""Calls the callbacks of the blocking client: one thread of the process, which takes from watches in turn.

What waits for a callback waits in its watch, which is bounded. Nothing of a program runs in a thread of gRPC,
nor under a lock: those who tell a watch only leave a note that there is something to take.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from queue import SimpleQueue
from types import TracebackType
from typing import TYPE_CHECKING, Any

from . import _forking
from ._events import SessionEvent
from ._listening import report
from ._pins import unpinned
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
        context._begin(watching)
        self._come_again()

    def close(self) -> None:
        """Ends it. A call that is under way goes on to its end, and no other follows. Twice is fine."""
        self._watching.close()
        self._context._end(self._watching)

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
        _turns().put(self)

    def __enter__(self) -> Listener:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class _Dispatcher:
    """The thread of a process, from the first listener on."""

    def __init__(self) -> None:
        self.turns: SimpleQueue[Listener] = SimpleQueue()
        name = "snakepit-bridge callbacks"
        # Some interpreters have a thread begin with what its maker has pinned.
        threading.Thread(target=unpinned, args=(self._run,), name=name, daemon=True).start()

    def _run(self) -> None:
        while True:
            self.turns.get().take_turn()


_lock = threading.Lock()
_dispatcher: _Dispatcher | None = None


def _turns() -> SimpleQueue[Listener]:
    global _dispatcher
    # Without the lock where there is one: a signal handler may come in between.
    if (found := _dispatcher) is None:
        with _lock:
            if (found := _dispatcher) is None:
                _dispatcher = found = _Dispatcher()
    return found.turns


def _forked() -> None:
    """Takes that this is another process, which has none of its parent's threads."""
    global _lock, _dispatcher
    _lock, _dispatcher = threading.Lock(), None


_forking.in_child(_forked)
