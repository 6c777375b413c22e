"""What a failed attempt means: raise which kind of error, or try again after how long (ORD-16).

The question behind every branch is "can the command have been carried out?" A read never matters. A write
matters as soon as it was handed to the transport, and then only a definite answer helps: a refusal with our
detail, or a status that says by itself that nothing was done. Everything else is retried under the same
request id, which the server applies once (ORD-15), until the time is up; then the outcome is unknown. A
definite answer to a later attempt settles the earlier ones too if the bridge looked for the request id before
it refused, and else only itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = [
    "INDEFINITE",
    "MOST_CONFLICTS",
    "Failure",
    "Outcome",
    "after_conflict",
    "after_failure",
    "backoff",
    "rest",
]

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 2.0
LONGEST_REST = 30.0

MOST_CONFLICTS = 100
"""How often a read, a computation and a compare-and-set are made before others are said to be faster."""

_LONGEST_PAUSE_AFTER_CONFLICT = 0.05

CANCELLED = 1
UNKNOWN = 2
DEADLINE_EXCEEDED = 4
INTERNAL = 13
UNAVAILABLE = 14

INDEFINITE = frozenset({CANCELLED, UNKNOWN, INTERNAL, UNAVAILABLE})
"""Statuses that a lost connection can produce, so that they say nothing about the command."""

_SAID_OF_ONE_ATTEMPT = frozenset({"SHUTTING_DOWN", "DEADLINE_EXCEEDED", "INTERNAL"})
"""Refusals that a bridge makes without having looked for the request id."""


@dataclass(frozen=True)
class Failure:
    """One failed attempt.

    Attributes:
        is_write: Whether the command changes something.
        attempt: How many attempts were made, this one included.
        time_left: Seconds until the caller's deadline.
        code: The number of the gRPC status; None if the channel was not ready, so that nothing was handed
            over.
        reason: The reason in the bridge's own detail; None if the status carried none.
        lost_before: Whether an earlier attempt was handed over and not definitely answered.
        closed: Whether the channel is closed, so that no later attempt can succeed.
    """

    is_write: bool
    attempt: int
    time_left: float
    code: int | None
    reason: str | None = None
    lost_before: bool = False
    closed: bool = False


class Outcome(Enum):
    """Which error to raise."""

    AS_ANSWERED = "the one that the status stands for"
    UNAVAILABLE = "UnavailableError"
    DEADLINE = "DeadlineError"
    UNKNOWN = "OutcomeUnknownError"


def backoff(attempt: int, jitter: float) -> float:
    """Returns the pause after an attempt of a call in seconds: 100 ms, doubling up to 2 s.

    It is shortened by up to half, so that clients which lost the same bridge do not come back all at once.
    `jitter` is drawn from [0, 1) by the caller.
    """
    return _doubled(attempt, LONGEST_PAUSE, jitter)


def rest(attempt: int, jitter: float) -> float:
    """Returns the same for a subscription: up to 30 s.

    Nobody waits for it as for a call, and it goes on for ever.
    """
    return _doubled(attempt, LONGEST_REST, jitter)


def _doubled(attempt: int, longest: float, jitter: float) -> float:
    pause: float = min(longest, FIRST_PAUSE * 2 ** min(attempt - 1, 10))
    return pause * (1 - jitter / 2)


def after_failure(failure: Failure, jitter: float) -> Outcome | float:
    """Returns the error to raise, or the pause in seconds before the next attempt with the same bytes."""
    if failure.is_write:
        return _after_write(failure, jitter)
    if failure.reason is not None:
        return Outcome.AS_ANSWERED
    if failure.code is None:
        return Outcome.UNAVAILABLE if failure.time_left > 0 else Outcome.DEADLINE
    if failure.code == DEADLINE_EXCEEDED:
        return Outcome.DEADLINE
    if failure.code == CANCELLED:
        return Outcome.UNAVAILABLE
    if failure.code in INDEFINITE:
        # An accident of the transport: a bridge that says one of these says its own reason with it.
        return _pause(failure, jitter) or Outcome.UNAVAILABLE
    return Outcome.AS_ANSWERED


def after_conflict(attempt: int, time_left: float, jitter: float) -> float | None:
    """Returns the pause in seconds before a compare-and-set is tried again with a new read; None: give up.

    At most 1 ms, doubling up to 50 ms, so that those who lost the same race do not run the next one in step.
    """
    pause: float = jitter * min(_LONGEST_PAUSE_AFTER_CONFLICT, 0.001 * 2 ** min(attempt - 1, 10))
    return pause if attempt < MOST_CONFLICTS and pause < time_left else None


def _after_write(failure: Failure, jitter: float) -> Outcome | float:
    if failure.code is None and not failure.lost_before:
        return Outcome.UNAVAILABLE
    if failure.reason is not None:
        lost = failure.lost_before and failure.reason in _SAID_OF_ONE_ATTEMPT
    elif failure.code is None or failure.code in INDEFINITE:
        lost = True
    elif failure.code == DEADLINE_EXCEEDED:
        return Outcome.UNKNOWN
    else:
        return Outcome.UNKNOWN if failure.lost_before else Outcome.AS_ANSWERED
    return (_pause(failure, jitter) or Outcome.UNKNOWN) if lost else Outcome.AS_ANSWERED


def _pause(failure: Failure, jitter: float) -> float | None:
    pause = backoff(failure.attempt, jitter)
    return pause if pause < failure.time_left and not failure.closed else None
