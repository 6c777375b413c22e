from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snakepit_bridge._retry import (
    MOST_CONFLICTS,
    Failure,
    Outcome,
    after_conflict,
    after_failure,
    backoff,
    rest,
)

OK_TO_WAIT = 5.0
CODES = {
    "none": None,
    "CANCELLED": 1,
    "UNKNOWN": 2,
    "INVALID": 3,
    "DEADLINE": 4,
    "INTERNAL": 13,
    "UNAVAILABLE": 14,
}


def decide(
    code: str,
    *,
    write: bool,
    reason: str | None = None,
    lost_before: bool = False,
    time_left: float = OK_TO_WAIT,
    attempt: int = 1,
) -> Outcome | float:
    failure = Failure(
        is_write=write,
        attempt=attempt,
        time_left=time_left,
        code=CODES[code],
        reason=reason,
        lost_before=lost_before,
    )
    return after_failure(failure, 0.0)


@pytest.mark.parametrize(
    ("code", "time_left", "expected"),
    [
        ("none", 5.0, Outcome.UNAVAILABLE),
        ("none", 0.0, Outcome.DEADLINE),
        ("UNAVAILABLE", 5.0, 0.1),
        ("UNAVAILABLE", 0.05, Outcome.UNAVAILABLE),
        ("DEADLINE", 0.0, Outcome.DEADLINE),
        ("CANCELLED", 5.0, Outcome.UNAVAILABLE),
        # Accidents of the transport: a bridge that says one of these says its own reason with it.
        ("UNKNOWN", 5.0, 0.1),
        ("UNKNOWN", 0.05, Outcome.UNAVAILABLE),
        ("INTERNAL", 5.0, 0.1),
        ("INTERNAL", 0.05, Outcome.UNAVAILABLE),
        ("INVALID", 5.0, Outcome.AS_ANSWERED),
    ],
)
def test_a_read_that_fails(code: str, time_left: float, expected: Outcome | float) -> None:
    """[ORD-16 accepts]"""
    assert decide(code, write=False, time_left=time_left) == expected


@pytest.mark.parametrize(
    ("code", "time_left", "expected"),
    [
        ("none", 5.0, Outcome.UNAVAILABLE),
        ("none", 0.0, Outcome.UNAVAILABLE),
        ("UNAVAILABLE", 5.0, 0.1),
        ("CANCELLED", 5.0, 0.1),
        ("UNKNOWN", 5.0, 0.1),
        ("INTERNAL", 5.0, 0.1),
        ("UNAVAILABLE", 0.05, Outcome.UNKNOWN),
        ("CANCELLED", 0.05, Outcome.UNKNOWN),
        ("DEADLINE", 0.0, Outcome.UNKNOWN),
        ("DEADLINE", 5.0, Outcome.UNKNOWN),
        ("INVALID", 5.0, Outcome.AS_ANSWERED),
    ],
)
def test_a_write_that_fails_at_its_first_attempt(
    code: str, time_left: float, expected: Outcome | float
) -> None:
    """[ORD-16 refuses]"""
    assert decide(code, write=True, time_left=time_left) == expected


@pytest.mark.parametrize(
    ("code", "reason", "time_left", "expected"),
    [
        # A connection that is gone says nothing about the attempt before.
        ("none", None, 5.0, 0.2),
        ("none", None, 0.0, Outcome.UNKNOWN),
        ("UNAVAILABLE", None, 5.0, 0.2),
        # Neither does a status of somebody in between.
        ("INVALID", None, 5.0, Outcome.UNKNOWN),
        # The bridge looks for the request id before it judges the state, so this settles both attempts.
        ("INVALID", "CONSTRAINT_VIOLATED", 5.0, Outcome.AS_ANSWERED),
        ("INVALID", "OUTCOME_UNKNOWN", 5.0, Outcome.AS_ANSWERED),
        # But not before these.
        ("UNAVAILABLE", "SHUTTING_DOWN", 5.0, 0.2),
        ("UNAVAILABLE", "SHUTTING_DOWN", 0.0, Outcome.UNKNOWN),
        ("DEADLINE", "DEADLINE_EXCEEDED", 0.0, Outcome.UNKNOWN),
        ("INTERNAL", "INTERNAL", 0.0, Outcome.UNKNOWN),
    ],
)
def test_a_write_that_fails_after_an_attempt_was_lost(
    code: str, reason: str | None, time_left: float, expected: Outcome | float
) -> None:
    assert (
        decide(code, write=True, reason=reason, lost_before=True, time_left=time_left, attempt=2) == expected
    )


@pytest.mark.parametrize("write", [True, False])
@pytest.mark.parametrize("code", ["DEADLINE", "UNAVAILABLE", "INTERNAL", "INVALID"])
def test_a_refusal_with_the_bridges_own_detail_is_definite(write: bool, code: str) -> None:
    assert decide(code, write=write, reason="DEADLINE_EXCEEDED") is Outcome.AS_ANSWERED


@pytest.mark.parametrize(("attempt", "pause"), [(1, 0.1), (2, 0.2), (3, 0.4), (5, 1.6), (6, 2.0), (500, 2.0)])
def test_pauses_double_up_to_two_seconds(attempt: int, pause: float) -> None:
    assert backoff(attempt, 0.0) == pytest.approx(pause)
    assert backoff(attempt, 0.5) == pytest.approx(pause * 0.75)


@pytest.mark.parametrize(("attempt", "pause"), [(1, 0.1), (2, 0.2), (9, 25.6), (10, 30.0), (500, 30.0)])
def test_rests_double_up_to_thirty_seconds(attempt: int, pause: float) -> None:
    assert rest(attempt, 0.0) == pytest.approx(pause)
    assert rest(attempt, 0.5) == pytest.approx(pause * 0.75)


@given(
    st.builds(
        Failure,
        is_write=st.booleans(),
        attempt=st.integers(1, 50),
        time_left=st.floats(-1, 100),
        code=st.none() | st.integers(1, 16),
        reason=st.none() | st.sampled_from(["CONSTRAINT_VIOLATED", "SHUTTING_DOWN", "DEADLINE_EXCEEDED"]),
        lost_before=st.booleans(),
        closed=st.booleans(),
    ),
    st.floats(0, 1, exclude_max=True),
)
def test_every_failure_ends_and_no_lost_write_is_called_a_failure(failure: Failure, jitter: float) -> None:
    verdict = after_failure(failure, jitter)
    if isinstance(verdict, float):
        assert 0 < verdict < failure.time_left
        assert not failure.closed
        return
    if failure.is_write and failure.lost_before and failure.reason != "CONSTRAINT_VIOLATED":
        assert verdict is Outcome.UNKNOWN
    if not failure.is_write:
        assert verdict is not Outcome.UNKNOWN


def test_who_lost_a_race_waits_a_little_longer_each_time_and_not_for_ever() -> None:
    assert [after_conflict(attempt, 5.0, 0.5) for attempt in (1, 2, 3)] == [0.0005, 0.001, 0.002]
    assert after_conflict(50, 5.0, 0.999) == pytest.approx(0.05, rel=0.01)
    assert after_conflict(MOST_CONFLICTS - 1, 5.0, 0.5) is not None
    assert after_conflict(MOST_CONFLICTS, 5.0, 0.0) is None
    assert after_conflict(1, 0.0, 0.0) is None
    assert after_conflict(10, 0.01, 0.5) is None
