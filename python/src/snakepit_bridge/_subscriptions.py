"""A place on the stream that is told bytes until it ends.

It is asked for among the commands, in its turn, has no deadline, and is told in events with its number; a
reply says why it ended. When a stream ends under it, it is asked for again, as long as that may help: from
where it is by then, so what is asked is made anew each time.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, Final

from . import _calls as calls
from ._errors import BridgeError, InternalError
from ._retry import rest
from ._steps import Status

__all__ = ["FORKED", "Subscription"]

FORKED: Final = "the process was forked a moment ago"

_AT_ONCE = frozenset({"WATCH_OVERFLOW"})
"""What is asked for again without a pause: the bridge is well, and only was not read."""

_PASSING = frozenset({"UNAVAILABLE", "SHUTTING_DOWN", "DEADLINE_EXCEEDED"}) | _AT_ONCE
"""What another attempt may find otherwise: the bridge is away, or on its way out."""


class Subscription(ABC):
    """See the module. What is told to whom is for a subclass to say.

    Its methods are called by those who drive a stream, one at a time; none of them waits.

    Args:
        judge: Makes the error of a failed attempt, and says whether no later one can succeed.

    Attributes:
        flag: The field of a CommandFrame that says what its bytes ask for.
        deadline: It is waited for as long as it takes.
        ending: Why it has ended; None before that.
        trouble: Why it was lost, as long as it does not stand again; None: it was not.
        count: How much it was told since it was asked for. The first is where it stands, which is no news.
        turn: Its place among all that is to be sent; the link gives it.
        rung: Another number whenever something has happened; whoever waits does so until then.
        adrift: Whether it has to be begun again by who wants to hear of it: the process was forked, and in
            this one nobody carries it.
    """

    flag: ClassVar[str]
    deadline = float("inf")

    def __init__(self, judge: Callable[[Status], tuple[BridgeError, bool]]) -> None:
        self.ending: BridgeError | None = None
        self.trouble: BridgeError | None = None
        self.count = 0
        self.turn = 0
        self.rung = 0
        self.adrift = False
        self._judge = judge
        # Several threads may ring at once, and no number may come twice.
        self._rings = itertools.count(1)
        self._bells: dict[object, Callable[[], None]] = {}

    @property
    @abstractmethod
    def command(self) -> bytes:
        """What is asked now, in bytes."""

    @abstractmethod
    def told(self, data: bytes) -> bool:
        """Takes what was told; returns whether it wants to be told more.

        If not, it is asked for again after a pause if it has a `trouble`, and else let go of.
        """

    @abstractmethod
    def lost(self) -> None:
        """Takes that nothing is told until it was asked for again."""

    def set_aside(self, why: str = FORKED) -> None:
        """Takes that nothing is told for a moment, though nothing is wrong; `why` is for people."""
        del why
        self.lost()

    @abstractmethod
    def over(self) -> None:
        """Takes that it has ended."""

    def end(self, error: BridgeError) -> None:
        """Ends it with an error, once."""
        if self.ending is None:
            self.ending = error
            self.over()

    def replied(self, reply: bytes, *, attempt: int, time_left: float, jitter: float) -> float | None:
        """Takes the bytes of a Reply. Returns after how many seconds to ask again; None: it has ended."""
        try:
            detail = calls.parse_refusal(reply)
        except InternalError as error:
            self.end(error)
            return None
        status = Status(calls.OK, "", detail=detail)
        return self.failed(status, attempt=attempt, time_left=time_left, jitter=jitter)

    def failed(self, status: Status, *, attempt: int, time_left: float, jitter: float) -> float | None:
        """Takes that an attempt has failed. Returns as `replied` does; `attempt` sets how long that is."""
        del time_left
        error, is_final = self._judge(status)
        if is_final or error.reason not in _PASSING:
            self.end(error)
        if self.ending is not None:
            return None
        self.trouble = error
        self.lost()
        at_once = error.reason in _AT_ONCE and self.count > 1
        return 0.0 if at_once else rest(attempt, jitter)

    # ---- waiting

    def listen(self, key: object, bell: Callable[[], None], mark: int) -> bool:
        """Has a bell rung once at the next that happens; returns False if that was since `rung` was so."""
        self._bells[key] = bell
        if self.rung == mark:
            return True
        self.unlisten(key)
        return False

    def unlisten(self, key: object) -> None:
        """Lets go of a bell."""
        self._bells.pop(key, None)

    def ring(self) -> None:
        """Wakes all who wait."""
        self.rung = next(self._rings)
        for key in list(self._bells):
            bell = self._bells.pop(key, None)
            if bell is not None:
                bell()
