"""A call on its way, from its first attempt to its end; `_retry` decides what a failed attempt means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import _calls as calls
from ._errors import BridgeError, InternalError
from ._frames import in_field
from ._gen import errors_pb2
from ._retry import Failure, Outcome, after_failure
from ._steps import Status

__all__ = ["Errand", "Failed"]


@dataclass(frozen=True)
class Failed:
    """The last attempt, and what it means.

    Attributes:
        status: How it failed.
        detail: The bridge's own words, if there are any.
        error: What they stand for.
        verdict: The error to raise; a pause if the context was closed before it was over.
        lost_before: Whether an earlier attempt was handed over and not definitely answered.
    """

    status: Status
    detail: errors_pb2.ErrorDetail | None
    error: BridgeError | None
    verdict: Outcome | float
    lost_before: bool


class Errand:
    """See the module. Its methods return after how many seconds it has to be sent again; None: it has ended.

    Args:
        method: The RPC.
        payload: The bytes of its request; the same for every attempt.
        deadline: When to give up, in seconds of the context's clock.
        session_id: The session it is about.
        is_closed: Whether the context was closed.

    Attributes:
        flag: None: its frames carry a Command.
        ending: The answer's message, an InternalError if it makes no sense, or a `Failed`; None before the
            end.
        ended: Called at the end.
        turn: Its place among all that is to be sent; the link gives it.
    """

    flag = None

    def __init__(
        self,
        method: calls.Method,
        payload: bytes,
        deadline: float,
        *,
        session_id: str | None = None,
        is_closed: Callable[[], bool] = lambda: False,
    ) -> None:
        self.method = method
        self.payload = payload
        self.deadline = deadline
        self.ending: Any = None
        self.ended: Callable[[], None] = lambda: None
        self.turn = 0
        self._session_id = session_id
        self._is_closed = is_closed
        self._lost = False

    @property
    def command(self) -> bytes:
        """The bytes of a Command."""
        return in_field(self.method.number, self.payload)

    def replied(self, reply: bytes, *, attempt: int, time_left: float, jitter: float) -> float | None:
        """Takes the bytes of a Reply."""
        try:
            ending = calls.parse_reply(self.method, reply)
        except InternalError as error:
            ending = error
        if isinstance(ending, errors_pb2.ErrorDetail):
            status = Status(calls.OK, "", detail=ending)
            return self.failed(status, attempt=attempt, time_left=time_left, jitter=jitter)
        self._end(ending)
        return None

    def failed(self, status: Status, *, attempt: int, time_left: float, jitter: float) -> float | None:
        """Takes that an attempt has failed.

        Args:
            status: How.
            attempt: How many have failed one after the other, for the length of the pause.
            time_left: Seconds until the deadline.
            jitter: From [0, 1).
        """
        detail = status.detail
        error = None if detail is None else calls.error_from_detail(detail, self._session_id)
        failure = Failure(
            is_write=self.method.is_write,
            attempt=attempt,
            time_left=time_left,
            code=status.code,
            reason=None if error is None else error.reason,
            lost_before=self._lost,
            closed=status.closed,
        )
        verdict = after_failure(failure, jitter)
        if self._is_closed() or isinstance(verdict, Outcome):
            self._end(Failed(status, detail, error, verdict, self._lost))
            return None
        self._lost = self._lost or status.code is not None
        return verdict

    def set_aside(self) -> None:
        """Takes that its stream was ended on purpose: it is sent again, and may have been carried out."""
        self._lost = True

    def _end(self, ending: Any) -> None:
        if self.ending is not None:
            return
        self.ending = ending
        self.ended()
