"""Keeps a replica at the state of its session: what is asked, what was told, and what that means.

    idle ──▶ asking ──▶ told ──▶ lost (the bridge is gone), and asked for again (`_link`)
      ▲                  ├─────▶ idle (its channel was closed, or its event loop has ended)
      │                  └─────▶ over: closed, or an error that another attempt would not change
      └─ every read that finds no current replica begins it, and ends the rest of one that was lost soon;
         what is carried already goes on

One thread tells at a time; others read, and may end it. Nothing here waits.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Final

from . import _notices as notices
from ._errors import BridgeError, ClosedError, InternalError
from ._gen import state_pb2
from ._replica import Replica
from ._retry import rest
from ._steps import Status
from ._subscriptions import FORKED, Subscription
from ._updates import decode_update

__all__ = ["Following"]

_FATAL: Final = frozenset(
    {
        "CLOSED",
        "UNAUTHENTICATED",
        "PERMISSION_DENIED",
        "VERSION_MISMATCH",
        "INVALID_NAME",
        "INVALID_ARGUMENT",
        "PROTOCOL",
    }
)
"""What another attempt would not change. All else passes, and until then the server is asked."""

_GAP = "what the bridge told does not follow what it told before"


class Following(Subscription):
    """See the module.

    Args:
        session_id: The session.
        now: A monotonic clock in seconds.
        judge: See `Subscription`.
        saw_session: Called when the session is seen to exist.
        lock: Of those who change the replica; one that its holder can take again.
        give_way: Lets other threads run.
        aside: Runs a function where no signal handler can come in between.
        tell: Takes the lines of `_notices`.

    Attributes:
        replica: What it keeps.
        closures: How often the channel was closed that it was asked for on.
    """

    flag = "state"

    def __init__(
        self,
        session_id: str,
        *,
        now: Callable[[], float],
        judge: Callable[[Status], tuple[BridgeError, bool]],
        saw_session: Callable[[], None],
        lock: AbstractContextManager[object] | None = None,
        give_way: Callable[[], None] = lambda: None,
        aside: Callable[[Callable[[], None]], None] = lambda function: function(),
        tell: notices.Tell = notices.nobody,
    ) -> None:
        super().__init__(judge)
        self.replica = Replica(lock=lock, give_way=give_way, aside=aside)
        self.closures = 0
        self._session_id = session_id
        self._now = now
        self._saw_session = saw_session
        self._tell = tell
        self._lock: AbstractContextManager[object] = nullcontext() if lock is None else lock
        # Whether what the replica has is of use to go on from.
        self._resumes = True

    def abandon(self, lock: AbstractContextManager[object]) -> None:
        """Takes that it is in another process now, in which nobody tells it anything."""
        self._lock = lock
        self._bells.clear()
        self.replica.abandon(lock)

    # ---- for those who drive the stream

    @property
    def command(self) -> bytes:
        """The bytes of a StateRequest that goes on where the replica stands."""
        with self._lock:
            self.replica.asking()
            point = self.replica.revision if self._resumes else None
        request = state_pb2.StateRequest(session_id=self._session_id)
        if point is not None:
            request.after.CopyFrom(point.message())
        return request.SerializeToString()

    def told(self, data: bytes) -> bool:
        """Takes the bytes of a StateUpdate."""
        try:
            update = decode_update(data)
        except InternalError as error:
            self.end(error)
            return False
        with self._lock:
            if self.ending is not None:
                return False
            was = self.replica.state
            taken = self.replica.take(update, self._now())
            if taken == "gap":
                self._resumes = False
                self.trouble = InternalError(_GAP, reason="PROTOCOL")
                self.replica.lost(_GAP)
            elif taken == "taken":
                self._resumes = True
                self.trouble = None
        if taken == "taken" and was != "READY":
            notices.current(self._tell, self._session_id)
        elif taken == "gap" and was == "READY":
            notices.out_of_touch(self._tell, self._session_id, _GAP)
        if taken == "taken" and update.revision.number > 0:
            self._saw_session()
        self.ring()
        return taken != "gap"

    def lost(self) -> None:
        """Takes that nothing is told until it was asked for again."""
        with self._lock:
            was = self.replica.state
            if self.ending is None:
                self.replica.lost(str(self.trouble))
        if was == "READY" and self.ending is None:
            notices.out_of_touch(self._tell, self._session_id, str(self.trouble))
        self.ring()

    def set_aside(self, why: str = FORKED) -> None:
        """Takes that nothing is told for a moment: until then the server is asked, which is not gone."""
        with self._lock:
            if self.ending is None:
                self.replica.lost(why)
                self.replica.asking()
                # The child may have ended and be waited for, before anything is told.
                self.replica.doubt()
        self.ring()

    def over(self) -> None:
        """Takes that it has ended."""
        with self._lock:
            self.replica.forget(str(self.ending))
        # Who closes a context knows.
        if self.ending is not None and not isinstance(self.ending, ClosedError):
            notices.gave_up(self._tell, self._session_id, self.ending)
        self.ring()

    def failed(self, status: Status, *, attempt: int, time_left: float, jitter: float) -> float | None:
        """Takes that an attempt has failed. Where the channel is closed, another one may be begun on."""
        del time_left
        error, is_final = self._judge(status)
        if error.reason in _FATAL:
            self.end(error)
        if self.ending is not None:
            return None
        self.trouble = error
        if is_final:
            self.closures += 1
        self.lost()
        return None if is_final else rest(attempt, jitter)
