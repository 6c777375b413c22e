"""What watches a session, for every shell: a watch itself, and the wait for a value, which stands on one."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any, TypeAlias

from . import _calls as calls
from ._cache import name_of
from ._errors import (
    BridgeError,
    DeadlineError,
    SessionNotFoundError,
    UnavailableError,
    VariableNotFoundError,
    WatchGapError,
)
from ._events import SessionEvent, decode_change, decode_event
from ._gen import variables_pb2
from ._points import read_point
from ._results import UNSET, Unset, Value
from ._state import State
from ._steps import Begin, Flow, Invoke, News, Pause, Status, Step
from ._values import encode_text
from ._watching import Pending, Watching

__all__ = ["Waiting"]

Watch: TypeAlias = Watching
"""What a shell makes its `Watch` of."""

Listener: TypeAlias = Watching
"""What a shell makes its `Listener` of."""

LOOK_AGAIN = 0.1
"""How long a bridge is left alone that stands and does not answer a read, in seconds."""


class Waiting(State):
    """The methods of a context that wait for what others do."""

    def watch(
        self,
        names: Iterable[str] | None = None,
        *,
        glob: str | None = None,
        after: str | None = None,
        passive: bool = False,
    ) -> Watch:
        """Watches the session: every commit from now on, each once, whole and in order, for a loop.

        Whatever is set through this context after the call is told. The session need not exist: that it is
        created, deleted or expires is told, and a watch does not end with it. It goes on by itself when the
        connection breaks or the bridge starts again, and waits as long as there is no bridge. It ends when
        the loop is left, by `close()`, and with the context. While it is watched a session does not expire.

        Reading raises WatchGapError when commits were missed that can no longer be told: then read the
        session, and watch again. It also raises ClosedError, InvalidInputError and LimitError.

        Args:
            names: Only the changes of variables with these names, at most 1,000. Without any, and without a
                glob: of all.
            glob: Also, or only, of variables whose name matches; see `list_variables`.
            after: A point that was told before, from `point` of a watch: what came after it is told first, so
                that a program that starts again misses nothing. None: only what comes from now on.
            passive: Only look on: the watch does not keep the session alive.

        Raises:
            InvalidInputError: An argument cannot be sent, or `after` is no point.
        """
        self.check_open()
        if isinstance(names, str):
            raise TypeError("names is a list of names, not one str")
        return Watching(
            self.session_id,
            [calls.check_name(name) for name in names or ()],
            None if glob is None else encode_text(glob, "the glob", "INVALID_ARGUMENT"),
            None if after is None else read_point(after),
            passive,
            self._end_of_watch,
        )

    def _end_of_watch(self, status: Status) -> tuple[BridgeError, bool]:
        error, is_final = self._attempts.end_of(status)
        self._core.refuse_watch(error)
        return error, is_final

    def on_change(
        self,
        callback: Callable[[SessionEvent], Any],
        names: Iterable[str] | None = None,
        *,
        glob: str | None = None,
        on_error: Callable[[Exception], Any] | None = None,
    ) -> Listener:
        """Has a function called with every commit from now on, as a watch would tell them.

        It is called with one event after the other until the listener is closed, or the context is. It may
        use the context, and close the listener. With asyncio it is called on the running loop, and may be a
        coroutine function. Without, it is called in a thread that all callbacks of the process share, so one
        that takes long holds up the others.

        Args:
            callback: Takes the event.
            names: See `watch`.
            glob: See `watch`.
            on_error: Takes what the callback raises, and what ends the listener, such as a WatchGapError.
                None: it goes to the logger `snakepit_bridge`, but for the ClosedError after `close()`.

        Raises:
            InvalidInputError: An argument cannot be sent.
        """
        for function in (callback, callback if on_error is None else on_error):
            if not callable(function):
                raise TypeError(f"a callback has to be callable, not {type(function).__name__}")
        return self.watch(names, glob=glob)

    def wait_for(
        self,
        name: str,
        predicate: Callable[[Any], Any] | None = None,
        *,
        timeout: float | None = None,
    ) -> Flow[Any]:
        """Waits for a value, so that programs which share variables may start in any order.

        A variable or session that does not exist yet is waited for, and so is a bridge that does not answer
        yet. The variable is watched meanwhile: every value that it takes is looked at, however short it
        stands, and some may be looked at twice.

        Args:
            name: The name or id of the variable.
            predicate: Takes the value and tells whether it is the one waited for. None: any value is.
            timeout: See the class; for all of it together.

        Returns:
            The value, which the variable need not have any more.

        Raises:
            DeadlineError: The time was up; `__cause__` has the last error, if it was one that is waited out.
        """
        limit = self._options.limit(timeout)
        wait = _Wait(self, name, predicate, self.now() + limit, limit)
        while True:
            try:
                return (yield from wait.watch())
            except _MissedError:
                # So it is looked at anew.
                continue


class _MissedError(Exception):
    """Something was missed that cannot be told any more."""


class _Wait:
    """One wait for a value."""

    def __init__(
        self,
        state: Waiting,
        name: str,
        predicate: Callable[[Any], Any] | None,
        deadline: float,
        limit: float,
    ) -> None:
        self._state = state
        self._name = name
        self._id = None if name_of(name) == name else name
        self._predicate = predicate
        self._deadline = deadline
        self._limit = limit
        # Why the variable cannot be read.
        self._problem: BridgeError | None = None

    def watch(self) -> Flow[Any]:
        """Waits with one watch."""
        watching = self._state.watch([name_of(self._name)])
        leave = yield Begin(watching)
        try:
            read_again = True
            while True:
                if read_again:
                    yield from self._until_it_stands(watching)
                    value = yield from self._read()
                    if value is not UNSET and (yield from self._is_wanted(value)):
                        return value
                    # A bridge that has not answered is asked once more.
                    read_again = isinstance(self._problem, (UnavailableError, DeadlineError))
                    if read_again:
                        yield Pause(min(LOOK_AGAIN, max(0.0, self._deadline - self._state.now())))
                else:
                    event = yield from self._next(watching)
                    for value in self._values(event):
                        if value is UNSET:
                            read_again = True
                        elif (yield from self._is_wanted(value)):
                            return value
                self._check_time(watching)
        finally:
            leave()

    def _until_it_stands(self, watching: Watching) -> Generator[Step, Any, None]:
        while True:
            mark = watching.rung
            try:
                if watching.stands:
                    return
            except WatchGapError as gap:
                raise _MissedError from gap
            yield from self._pass_time(watching, mark)

    def _next(self, watching: Watching) -> Flow[variables_pb2.SessionEvent]:
        while True:
            mark = watching.rung
            try:
                told = watching.take_message()
            except WatchGapError as gap:
                raise _MissedError from gap
            if isinstance(told, variables_pb2.SessionEvent):
                self._state.heed(decode_event(told))
                return told
            if told is Pending.AGAIN:
                yield Begin(watching)
            else:
                self._state.check_open()
                yield from self._pass_time(watching, mark)

    def _pass_time(self, watching: Watching, mark: int) -> Generator[Step, Any, None]:
        yield News(watching, mark, max(0.0, self._deadline - self._state.now()))
        self._check_time(watching)

    def _check_time(self, watching: Watching) -> None:
        """Raises DeadlineError if the time is up."""
        if self._state.now() < self._deadline:
            return
        problem = watching.trouble or self._problem
        if problem is None and watching.point is None:
            problem = self._state.unanswered(self._limit)
        why = "its value was not the one waited for" if problem is None else str(problem)
        raise DeadlineError(
            f"the wait for {self._name!r} ended after {self._limit:g} s: {why}",
            session_id=self._state.session_id,
            identifier=self._name,
        ) from problem

    def _read(self) -> Flow[Value | Unset]:
        """Returns the value; UNSET if there is a problem that is waited out."""
        left = self._deadline - self._state.now()
        if left <= 0:
            return UNSET
        try:
            entry = yield from self._state.fetch(self._name, left)
        except (VariableNotFoundError, SessionNotFoundError, UnavailableError, DeadlineError) as error:
            self._problem = error
            return UNSET
        self._problem = None
        return entry.value

    def _is_wanted(self, value: Value | Unset) -> Flow[bool]:
        if self._predicate is None:
            return True
        return bool((yield Invoke(self._predicate, value)))

    def _values(self, event: variables_pb2.SessionEvent) -> Iterator[Value | Unset]:
        """The values that an event tells of the variable; UNSET where one has to look."""
        if not event.changes:
            # The session begins or ends.
            yield UNSET
        for change in event.changes:
            if change.HasField("after") and self._id in (None, change.id):
                self._problem = None
                yield decode_change(change).value
            else:
                yield UNSET
