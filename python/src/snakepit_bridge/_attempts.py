"""Has a call carried to its end, and raises what that end means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from . import _calls as calls
from ._core import Call, SessionCore
from ._errands import Errand, Failed
from ._errors import BridgeError, ClosedError, DeadlineError, OutcomeUnknownError, UnavailableError
from ._retry import INDEFINITE, Outcome
from ._steps import Carry, Flow, Status

__all__ = ["Attempts"]

T = TypeVar("T")


class Attempts:
    """What the calls of one context have in common on their way.

    Args:
        core: Told how each call ends.
        address: HOST:PORT of the bridge; None with a channel of the caller's.
        now: A monotonic clock in seconds.
    """

    def __init__(
        self,
        core: SessionCore,
        *,
        address: str | None,
        now: Callable[[], float],
    ) -> None:
        self.closed = False
        self._core = core
        self._address = address
        self._where = "the bridge on the given channel" if address is None else f"the bridge at {address}"
        self._now = now

    def carry(self, call: Call[T], timeout: float) -> Flow[T]:
        """Has a call answered within a time in seconds.

        Raises:
            BridgeError: The bridge refused it, or its outcome is what `_retry` makes of the failed attempts.
        """
        self.check_open()
        errand = Errand(
            call.method,
            call.payload,
            self._now() + timeout,
            session_id=self._core.session_id,
            is_closed=lambda: self.closed,
        )
        try:
            yield Carry(errand)
        except BaseException as error:
            # Cancelled or interrupted: what became of a write is not known here.
            if not isinstance(error, Exception) and call.method.is_write:
                self._core.lose(call)
            raise
        ending = errand.ending
        if not isinstance(ending, Failed):
            return self._core.accept(call, ending)
        if call.settled_by is not None and ending.lost_before and ending.error is not None:
            reason, result = call.settled_by
            if ending.error.reason == reason:
                self._core.refuse(call, ending.error)
                return result
        self._fail(call, ending, timeout)

    def _fail(self, call: Call[Any], failed: Failed, timeout: float) -> NoReturn:
        status, error, verdict = failed.status, failed.error, failed.verdict
        handed_over = failed.lost_before or status.code is not None
        if self.closed and error is None and not (call.method.is_write and handed_over):
            raise self._closed_error()
        raised: BridgeError
        if verdict is Outcome.AS_ANSWERED:
            raised = error or calls.error_from_status(
                status.code or 0, status.text, self._where, self._core.session_id
            )
            self._core.refuse(call, raised)
        elif verdict is Outcome.UNAVAILABLE:
            raised = self._unavailable(status)
        elif verdict is Outcome.DEADLINE:
            raised = self.unanswered(timeout)
        else:
            self._core.lose(call)
            raised = OutcomeUnknownError(
                f"the write may or may not have been carried out: {self._where} gave no definite answer "
                f"within {timeout:g} s",
                session_id=self._core.session_id,
            )
        raise raised from status.cause

    def end_of(self, status: Status) -> tuple[BridgeError, bool]:
        """Returns the error of a failed attempt of a subscription, and whether no later one can succeed."""
        if self.closed:
            return self._closed_error(), True
        if status.detail is not None:
            return calls.error_from_detail(status.detail, self._core.session_id), False
        if status.code is None or status.closed or status.code in INDEFINITE:
            return self._unavailable(status), status.closed
        where, session_id = self._where, self._core.session_id
        return calls.error_from_status(status.code, status.text, where, session_id), False

    def unanswered(self, timeout: float) -> DeadlineError:
        """Returns the error of a read that ran out of time, in seconds."""
        text = f"{self._where} did not answer within {timeout:g} s"
        return DeadlineError(text, session_id=self._core.session_id)

    def _unavailable(self, status: Status) -> UnavailableError:
        if self._address is None:
            text = f"no bridge answers on the given channel{status.text and ': ' + status.text}"
        else:
            port = self._address.rpartition(":")[2]
            text = (
                f"no bridge answers at {self._address}{status.text and ': ' + status.text}. Start one with "
                f"`npx snakepit-bridge serve --port {port}`, or name another with address= or the "
                "environment variable SNAKEPIT_BRIDGE_ADDRESS"
            )
        return UnavailableError(text, session_id=self._core.session_id)

    def check_open(self) -> None:
        """Raises ClosedError once the context is closed."""
        if self.closed:
            raise self._closed_error()

    def _closed_error(self) -> ClosedError:
        return ClosedError(
            f"the context of the session {self._core.session_id!r} is closed: make a new one",
            session_id=self._core.session_id,
        )
