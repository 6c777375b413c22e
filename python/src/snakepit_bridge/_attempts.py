"""Carries a call to its end, in as many attempts as the rules allow (`_retry`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from . import _calls as calls
from ._core import Call, SessionCore
from ._errors import BridgeError, ClosedError, DeadlineError, OutcomeUnknownError, UnavailableError
from ._retry import Failure, Outcome, after_failure
from ._steps import Attempt, Flow, Pause, Status

__all__ = ["Attempts"]

T = TypeVar("T")


class Attempts:
    """What the calls of one context have in common on their way.

    Args:
        core: Told how each call ends.
        address: HOST:PORT of the bridge; None with a channel of the caller's.
        now: A monotonic clock in seconds.
        jitter: Draws from [0, 1).
    """

    def __init__(
        self,
        core: SessionCore,
        *,
        address: str | None,
        now: Callable[[], float],
        jitter: Callable[[], float],
    ) -> None:
        self.closed = False
        self._core = core
        self._address = address
        self._where = "the bridge on the given channel" if address is None else f"the bridge at {address}"
        self._now = now
        self._jitter = jitter

    def carry(self, call: Call[T], timeout: float) -> Flow[T]:
        """Has a call answered within a time in seconds.

        Raises:
            BridgeError: The bridge refused it, or its outcome is what `_retry` makes of the failed attempts.
        """
        self.check_open()
        deadline = self._now() + timeout
        attempt, lost = 0, False
        try:
            while True:
                attempt += 1
                answer = yield Attempt(call.method.path, call.payload, deadline)
                if isinstance(answer, bytes):
                    return self._core.accept(call, answer)
                detail = calls.detail_of(answer.trailer)
                error = None if detail is None else calls.error_from_detail(detail, self._core.session_id)
                if error is not None and call.settled_by is not None and attempt > 1:
                    reason, result = call.settled_by
                    if error.reason == reason:
                        self._core.refuse(call, error)
                        return result
                failure = Failure(
                    is_write=call.method.is_write,
                    attempt=attempt,
                    time_left=deadline - self._now(),
                    code=answer.code,
                    reason=None if error is None else error.reason,
                    lost_before=lost,
                    closed=answer.closed,
                )
                verdict = after_failure(failure, self._jitter())
                if self.closed or isinstance(verdict, Outcome):
                    self._fail(call, answer, error, verdict, lost, timeout)
                lost = lost or answer.code is not None
                yield Pause(verdict)
        except BaseException as error:
            # Cancelled or interrupted: what became of a write is not known here.
            if not isinstance(error, Exception) and call.method.is_write:
                self._core.lose(call)
            raise

    def _fail(
        self,
        call: Call[Any],
        status: Status,
        error: BridgeError | None,
        verdict: Outcome | float,
        lost: bool,
        timeout: float,
    ) -> NoReturn:
        handed_over = lost or status.code is not None
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
            raised = DeadlineError(
                f"{self._where} did not answer within {timeout:g} s", session_id=self._core.session_id
            )
        else:
            self._core.lose(call)
            raised = OutcomeUnknownError(
                f"the write may or may not have been carried out: {self._where} gave no definite answer "
                f"within {timeout:g} s",
                session_id=self._core.session_id,
            )
        raise raised from status.cause

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
