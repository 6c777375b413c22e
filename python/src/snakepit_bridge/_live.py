"""What a context reads from its replica, and when it has to ask the server instead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ._calls import check_name
from ._errors import (
    InvalidInputError,
    NotReadyError,
    SessionNotFoundError,
    UnavailableError,
    VariableNotFoundError,
)
from ._json import value_of
from ._names import fault_of_identifier
from ._pins import Pinned
from ._points import ResumePoint
from ._replica import StateEntry
from ._results import Reading
from ._state import State
from ._steps import Begin, Flow, News

__all__ = ["Live", "Look"]

LONGEST_REACH: Final = 1.0
"""How long a read waits for the replica to reach a point before it asks the server, in seconds."""


@dataclass(frozen=True)
class Look:
    """What the replica has of some variables.

    Attributes:
        entries: What it has of each; None: there is no such variable.
        point: The one point that all of this is true at.
        age: How long ago the server was heard of last, in seconds.
        stale: Whether the replica is out of touch with the server.
    """

    entries: Sequence[StateEntry | None]
    point: ResumePoint
    age: float
    stale: bool

    def reading(self, entry: StateEntry) -> Reading | None:
        """Returns one of the entries as it is read; None if its value is not here."""
        if entry.held is None or entry.type is None:
            return None
        value = value_of(entry.held, entry.type)
        at = self.point
        return Reading(value, entry.type, entry.version, at.number, str(at), "replica", self.age, self.stale)


class Live(State):
    """The reads of one context that need no server."""

    @property
    def is_live(self) -> bool:
        """Whether there is a replica to read from."""
        return self._options.cache == "live"

    def _follow(self) -> Flow[None]:
        """Has the replica kept from now on, unless that is over for good."""
        if self.following.ending is None:
            yield Begin(self.following)

    def _is_stranded(self, closures: int) -> bool:
        """Returns whether asking is of no use, though the context is open: its channel is closed.

        Args:
            closures: How often one was when this began. Once it may have been that of another event loop.
        """
        return self.following.closures > closures + 1

    def _find(self, name: str) -> StateEntry | None:
        """Returns what the replica has of a variable. Raises InvalidInputError for what is no name."""
        entry = self.replica.find(check_name(name))
        if entry is None:
            self._check_identifier(name)
        return entry

    def _check_identifier(self, name: str) -> None:
        fault = fault_of_identifier(name)
        if fault is not None:
            raise InvalidInputError(fault, reason="INVALID_NAME", session_id=self.session_id, identifier=name)

    def _local(
        self, names: Sequence[str], max_age: float | None = None, after: ResumePoint | None = None
    ) -> Flow[Look | None]:
        """Returns what the replica has of variables; None: the server has to be asked.

        Raises:
            InvalidInputError: One of them is no name.
            SessionNotFoundError: There is no session.
            UnavailableError: The replica is too old to be read from, and there is nobody to ask.
        """
        look = yield from self._look(lambda: [self._find(name) for name in names], max_age, after)
        if look is None:
            self.misses += len(names)
            return None
        self._count(look, len(names))
        if look.point.number == 0:
            raise self._no_session()
        return look

    def _look(
        self,
        find: Callable[[], Sequence[StateEntry | None]],
        max_age: float | None = None,
        after: ResumePoint | None = None,
    ) -> Flow[Look | None]:
        if not self.replica.is_current:
            yield from self._follow()
        look = self.replica.at_once(
            lambda: self._at_once(find) if after is None or self.replica.reaches(after) else None
        )
        return None if look is None or (max_age is not None and look.age > max_age) else look

    def _look_now(self, find: Callable[[], Sequence[StateEntry | None]]) -> Look | None:
        """Returns what the replica has of variables if that is current; None: it is not."""
        return self.replica.at_once(lambda: self._at_once(find) if self.replica.is_current else None)

    def _count(self, look: Look, names: int) -> None:
        self.replica.served += names
        if look.stale:
            self.stale_reads += names

    def _at_once(self, find: Callable[[], Sequence[StateEntry | None]]) -> Look | None:
        replica, now = self.replica, self.now()
        access = replica.access(now, self._options.max_stale)
        age, point = replica.age(now), replica.revision
        if access == "unavailable":
            raise self._out_of_touch(age or 0.0)
        if access == "ask" or age is None or point is None:
            return None
        return Look(find(), point, age, access == "stale")

    def _read_local(
        self, name: str, max_age: float | None = None, after: ResumePoint | None = None
    ) -> Flow[Reading | None]:
        """Returns what the replica has of one variable; None: the server has to be asked.

        Raises:
            VariableNotFoundError: There is no such variable. Otherwise as `_local`.
        """
        look = yield from self._local([name], max_age, after)
        if look is None:
            return None
        entry = look.entries[0]
        if entry is None:
            raise self._no_variable(name)
        return look.reading(entry)

    def _reach(self, point: ResumePoint, seconds: float) -> Flow[None]:
        """Waits until the replica is at a point, but not for long."""
        deadline = self.now() + min(LONGEST_REACH, seconds)
        closures = self.following.closures
        while True:
            mark = self.following.rung
            if self.replica.reaches(point) or self.following.ending is not None:
                return
            if self._is_stranded(closures):
                return
            yield from self._follow()
            left = deadline - self.now()
            if left <= 0:
                return
            yield News(self.following, mark, left)
            self.check_open()

    def _pinned(self, name: str) -> Reading | None:
        """Returns what is pinned of a variable; None: nothing is pinned.

        Raises:
            InvalidInputError: It is no name.
            VariableNotFoundError: There was no such variable.
        """
        pinned = self.pins.current
        if pinned is None:
            return None
        reading = self._find_pinned(pinned, name)
        if reading is None:
            raise self._no_variable(name)
        return reading

    def _find_pinned(self, pinned: Pinned, name: str) -> Reading | None:
        """Returns a variable of a snapshot; None: it had none. Raises InvalidInputError as `_find` does."""
        held = pinned.find(check_name(name))
        if held is not None:
            return pinned.reading(held, self.now())
        self._check_identifier(name)
        return None

    def _peek(self, name: str) -> Any:
        pinned = self._pinned(name)
        if pinned is not None:
            return pinned.value
        look = self._look_now(lambda: [self._find(name)])
        if look is None:
            check_name(name)
            self.check_open()
            raise self._not_ready(self._why_not_ready())
        (entry,) = look.entries
        self.replica.peeked += 1
        if look.point.number == 0:
            raise self._no_session()
        if entry is None:
            raise self._no_variable(name)
        reading = look.reading(entry)
        if reading is None:
            raise self._not_ready(f"the value of {name!r} is not held here: it has to be read", name)
        return reading.value

    # ---- errors

    def _why_not_ready(self) -> str:
        if not self.is_live:
            return f'it was made with cache="{self._options.cache}", and has no copy of the session'
        reason = self.replica.reason
        return f"wait for it with ready(){'' if reason is None else f': {reason}'}"

    def _not_ready(self, why: str, name: str | None = None) -> NotReadyError:
        text = f"the context of the session {self.session_id!r} has nothing to look at: {why}"
        return NotReadyError(text, session_id=self.session_id, identifier=name)

    def _no_session(self) -> SessionNotFoundError:
        return SessionNotFoundError(f"Session not found: {self.session_id}", session_id=self.session_id)

    def _no_variable(self, name: str) -> VariableNotFoundError:
        text = f"Variable not found: {name}"
        return VariableNotFoundError(text, session_id=self.session_id, identifier=name)

    def _out_of_touch(self, age: float) -> UnavailableError:
        text = (
            f"nothing was heard of the session for {age:.1f} s, longer than "
            f"max_stale={self._options.max_stale:g} allows it to be read: {self.replica.reason}"
        )
        return UnavailableError(text, session_id=self.session_id)
