"""A watch without its waiting: what is asked, what was told and not read yet, and what that means.

    asking ──▶ told ──▶ behind (too much waits) ──▶ asking, when all of it is read
      ▲          └────▶ lost (the bridge is gone), and asked for again (`_subscriptions`)
      └──────────────── over: closed, or an error that another attempt would not change

What has come and was not read waits here, bounded; a reader that is slower than that is told the rest from
the bridge again, as far back as the bridge keeps it.

One thread tells, any number of others read, and there is no lock: a reader could be the main thread, which
can be interrupted anywhere and run a signal handler that waits for the very thread that tells. So what they
share is changed by single instructions: the queue, what was read, and the bells of those who wait.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from google.protobuf.message import DecodeError

from ._errors import BridgeError, ClosedError, InternalError
from ._events import SessionEvent, decode_event, point_after
from ._gen import variables_pb2
from ._points import ResumePoint
from ._steps import Status
from ._subscriptions import Subscription

__all__ = ["MOST_WAITING", "Pending", "Watching"]

MOST_WAITING: Final = 1_000
"""As many commits as a bridge keeps at least for those that resume, so nothing is gained by more."""

MOST_WAITING_BYTES: Final = 8 * 1_048_576


class Pending(Enum):
    """Why there is no event to take."""

    NOTHING = "all that has come was read"
    AGAIN = "all that has come was read, and the rest has to be asked for again"
    OVER = "the watch has ended"


class _Told:
    """Something that waits. A bookmark's point may move on while it does."""

    __slots__ = ("event", "length", "number", "point")

    def __init__(
        self, number: int, point: ResumePoint, event: variables_pb2.SessionEvent | None, length: int
    ) -> None:
        self.number = number
        self.point = point
        self.event = event
        self.length = length


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read: the how many-th of all that was told, where one stands then, and its bytes."""

    number: int
    point: ResumePoint | None
    length: int


def _number(read: _Read) -> int:
    return read.number


class Watching(Subscription):
    """See the module.

    Args:
        session_id: The session.
        names: Only changes of these variables; none and no glob: all.
        glob: Only changes of variables whose name matches it, and of those named.
        after: What came after this is told first; None: only what comes from now on.
        passive: Whether it does not keep the session alive.
        judge: See `Subscription`.
    """

    flag = "watch"

    def __init__(
        self,
        session_id: str,
        names: Sequence[str],
        glob: str | None,
        after: ResumePoint | None,
        passive: bool,
        judge: Callable[[Status], tuple[BridgeError, bool]],
    ) -> None:
        super().__init__(judge)
        self._request = variables_pb2.WatchRequest(
            session_id=session_id, names=names, glob=glob, passive=passive
        )
        self._next = after
        self._stands = False
        self._closed = False
        # What waits; None at its end: the rest has to be asked for again.
        self._waiting: deque[_Told | None] = deque()
        self._bytes = 0
        self._count = 0
        # What was read, the latest first of all, and what was read of late and not yet taken off the bytes.
        self._latest = _Read(0, after, 0)
        self._read: deque[_Read] = deque()

    # ---- for those who drive the stream

    @property
    def command(self) -> bytes:
        """The bytes of a WatchRequest that goes on where the last one was."""
        if self._next is not None:
            self._request.after.CopyFrom(self._next.message())
        return self._request.SerializeToString()

    def told(self, data: bytes) -> bool:
        """Takes the bytes of a WatchResponse."""
        if self.is_over:
            return False
        try:
            told = variables_pb2.WatchResponse.FromString(data)
            point = point_after(told)
        except InternalError as error:
            self.end(error)
            return False
        except (DecodeError, UnicodeDecodeError):
            self.end(InternalError("the bridge told a watch what makes no sense", reason="PROTOCOL"))
            return False
        self.trouble = None
        event = told.event if told.HasField("event") else None
        if self._is_full(event, len(data)):
            self._waiting.append(None)
            self.ring()
            return False
        self._next = point
        if self._latest.point is None:
            self._latest = _Read(0, point, 0)
        self._stands = True
        self._count += 1
        self._add(_Told(self._count, point, event, 0 if event is None else len(data)))
        self.ring()
        return True

    def lost(self) -> None:
        """Takes that nothing is told until it was asked for again."""
        self._stands = False
        self.ring()

    def over(self) -> None:
        """Takes that it has ended; what has come can still be read."""
        self.ring()

    def _is_full(self, event: variables_pb2.SessionEvent | None, length: int) -> bool:
        while self._read:
            read = self._read[0]
            # First, so that nobody who looks in between finds less than was read.
            self._latest = max(self._latest, read, key=_number)
            self._bytes -= self._read.popleft().length
        # One that is alone but for a bookmark waits, however long it is.
        is_too_long = self._bytes > 0 and self._bytes + length > MOST_WAITING_BYTES
        return event is not None and (len(self._waiting) >= MOST_WAITING or is_too_long)

    def _add(self, told: _Told) -> None:
        if told.event is None:
            with contextlib.suppress(IndexError):
                last = self._waiting[-1]
                if last is not None and last.event is None:
                    last.point = told.point
                    return
        self._bytes += told.length
        self._waiting.append(told)

    # ---- for readers

    @property
    def point(self) -> ResumePoint | None:
        """The point that was read, by whichever reader: everything up to it was told.

        None until it is known where the watch begins.
        """
        return max([*list(self._read), self._latest], key=_number).point

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes; what has come may still be read."""
        return self._closed or self.ending is not None

    @property
    def stands(self) -> bool:
        """Whether every commit that is made from now on is told.

        Raises:
            BridgeError: It has ended.
        """
        if self.is_over:
            raise self.ending or ClosedError("the watch was ended", session_id=self._request.session_id)
        return self._stands

    def take(self) -> SessionEvent | Pending:
        """Returns the next event, or why there is none. Raises as `take_message`, and ends with nonsense."""
        told = self.take_message()
        if isinstance(told, Pending):
            return told
        try:
            return decode_event(told)
        except InternalError:
            self.close()
            raise

    def take_message(self) -> variables_pb2.SessionEvent | Pending:
        """Returns the next event, or why there is none. After AGAIN, `begin` it again.

        Raises:
            BridgeError: All that has come is read, and this is why no more comes. It is raised once: whoever
                reads on after an error finds an end, as with any iterator.
        """
        while not self._closed:
            try:
                told = self._waiting.popleft()
            except IndexError:
                if self.ending is None:
                    return Pending.NOTHING
                self._closed = True
                raise self.ending from None
            if told is None:
                self._stands = False
                return Pending.AGAIN
            self._read.append(_Read(told.number, told.point, told.length))
            if told.event is not None:
                return told.event
        return Pending.OVER

    def close(self) -> None:
        """Ends it here. What has come and was not read is dropped. Twice is fine."""
        self._closed = True
        self._waiting.clear()
        self.ring()
