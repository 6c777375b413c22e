"""The validators of watches find what they are for."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest
import watch_validators as validators
from watch_records import Commit, Journal, Reading
from watch_validators import check_reading

from snakepit_bridge import SessionEvent, VariableChange

AT = datetime(2026, 1, 1, tzinfo=timezone.utc)


def change(name: str, version: int | None, value: Any, before: int | None, previous: Any) -> VariableChange:
    now, then = (None if version is None else (value, "integer")), (before and (previous, "integer"))
    return VariableChange(name, version, before, now, then or None)  # type: ignore[arg-type]


def event(
    revision: int, *changes: VariableChange, kind: Any = "changed", source: str = "python"
) -> SessionEvent:
    return SessionEvent(kind, "s", revision, source, AT, {}, changes)


def made() -> tuple[Journal, Reading]:
    """A life of a session after another, and what one was told who watched all of it."""
    journal = Journal()
    journal.commits = [
        Commit(1, 1, "created", {}),
        Commit(1, 2, "changed", {"x": (1, 1)}),
        Commit(1, 3, "changed", {"x": (2, 2), "y": (1, 1)}),
        Commit(1, 4, "changed", {"x": None}),
        Commit(1, 5, "deleted", {}),
        Commit(2, 1, "created", {}),
        Commit(2, 2, "changed", {"y": (7, 1)}),
    ]
    told = [
        event(1, kind="created"),
        event(2, change("x", 1, 1, None, None)),
        event(3, change("x", 2, 2, 1, 1), change("y", 1, 1, None, None)),
        event(4, change("x", None, None, 2, 2)),
        event(5, kind="deleted"),
        event(1, kind="created"),
        event(2, change("y", 1, 7, None, None)),
    ]
    points = [f"{'00' * 16}-{number}-{'0' * 16}" for number in (0, 1, 2, 3, 4, 0, 1, 2)]
    return journal, Reading(0, events=told, points=points)


def test_what_is_right_is_found_right() -> None:
    journal, reading = made()
    check_reading(journal, reading)
    check_reading(journal, Reading(4, resumes_at=2, events=reading.events[2:], points=reading.points[2:]))
    check_reading(journal, Reading(2, events=reading.events[2:4]))


Spoil = Callable[[Reading], None]


def swap(reading: Reading) -> None:
    reading.events[1:3] = reversed(reading.events[1:3])


def twice(reading: Reading) -> None:
    reading.events.insert(2, reading.events[1])
    reading.events.pop()


def left_out(reading: Reading) -> None:
    del reading.events[3]


def torn(reading: Reading) -> None:
    reading.events[2] = replace(reading.events[2], changes=reading.events[2].changes[:1])


def another_value(reading: Reading) -> None:
    reading.events[1] = event(2, change("x", 1, 9, None, None))


def begun_too_late(reading: Reading) -> None:
    reading.resumes_at = 2
    reading.events = reading.events[3:]


def point_behind(reading: Reading) -> None:
    reading.points[3] = reading.points[2]


def point_after_the_end(reading: Reading) -> None:
    reading.points[5] = reading.points[4]


def another_before(reading: Reading) -> None:
    reading.events[3] = event(4, change("x", None, None, 2, 1))


def another_version_before(reading: Reading) -> None:
    reading.was_cut = True
    reading.events[3] = event(4, change("x", None, None, 1, 2))


def before_of_another_life(reading: Reading) -> None:
    reading.events[6] = event(2, change("y", 1, 7, 1, 1))


def born_without_a_word(reading: Reading) -> None:
    reading.events[5] = event(1)


def unasked(reading: Reading) -> None:
    reading.wants = lambda name: name == "x"
    reading.events = reading.events[:6]


@pytest.mark.parametrize(
    ("spoil", "validator"),
    [
        (swap, validators.ordered),
        (twice, validators.unique),
        (left_out, validators.reliable),
        (torn, validators.atomic),
        (another_value, validators.atomic),
        (begun_too_late, validators.resumable),
        (point_behind, validators.bookmarkable),
        (point_after_the_end, validators.bookmarkable),
        (another_before, validators.previous_value),
        (another_version_before, validators.previous_value),
        (before_of_another_life, validators.previous_value),
        (born_without_a_word, validators.creation),
        (unasked, validators.filtered),
    ],
)
def test_what_is_wrong_is_found_by_the_one_that_it_concerns(
    spoil: Spoil, validator: Callable[[Journal, Reading], None]
) -> None:
    journal, reading = made()
    spoil(reading)
    with pytest.raises(AssertionError):
        validator(journal, reading)


# ---- ends that nobody makes, other languages, losses and gaps


def lost() -> tuple[Journal, Reading, Reading]:
    """A life that expires, one that is lost with its bridge, and those who were told of them."""
    journal = Journal()
    journal.note()
    journal.made(x=1, source="typescript")
    journal.note(kind="expired", source="expiry")
    journal.note({"x": (7, 1)})
    journal.note(kind="lost")
    journal.note()
    journal.made(x=2)
    told = [
        event(1, kind="created"),
        event(2, change("x", 1, 1, None, None), source="typescript"),
        event(3, kind="expired", source="expiry"),
        event(1, change("x", 1, 7, None, None), kind="created"),
    ]
    anew = [event(1, kind="created"), event(2, change("x", 1, 2, None, None))]
    points = [f"{'00' * 16}-{number}-{'0' * 16}" for number in (0, 1, 2, 0, 1)]
    return journal, Reading(0, events=told, points=points, gap_at=4), Reading(5, events=anew)


def test_a_gap_is_the_end_and_who_begins_anew_is_told_what_comes_then() -> None:
    journal, gone, anew = lost()
    check_reading(journal, gone)
    check_reading(journal, anew)


def told_over_a_loss(reading: Reading) -> None:
    reading.gap_at = None
    reading.events.append(event(1, kind="created"))


def told_after_a_gap(reading: Reading) -> None:
    reading.gap_at = 3


def by_another(reading: Reading) -> None:
    reading.events[1] = event(2, change("x", 1, 1, None, None))


def deleted_by_nobody(reading: Reading) -> None:
    reading.events[2] = event(3, kind="deleted", source="expiry")


def point_after_expiry(reading: Reading) -> None:
    reading.points[3] = reading.points[2]


@pytest.mark.parametrize(
    ("spoil", "validator"),
    [
        (told_over_a_loss, validators.reliable),
        (told_after_a_gap, validators.reliable),
        (by_another, validators.atomic),
        (deleted_by_nobody, validators.reliable),
        (point_after_expiry, validators.bookmarkable),
    ],
)
def test_what_is_wrong_where_sessions_end_is_found(
    spoil: Spoil, validator: Callable[[Journal, Reading], None]
) -> None:
    journal, reading, _ = lost()
    spoil(reading)
    with pytest.raises(AssertionError):
        validator(journal, reading)


def test_only_what_is_long_may_have_to_be_read() -> None:
    for length, is_long in ((3_000_000, False), (5_000_000, True)):
        journal = Journal()
        journal.note()
        journal.made(x="y" * length)
        journal.made(x="z")
        without = [
            event(2, VariableChange("x", 1, None, None, None)),
            event(3, VariableChange("x", 2, 1, ("z", "string"), None)),
        ]
        for place, told, validator in zip(
            (1, 2), without, (validators.atomic, validators.previous_value), strict=True
        ):
            reading = Reading(place, events=[told])
            with contextlib.nullcontext() if is_long else pytest.raises(AssertionError):
                validator(journal, reading)


def test_there_are_nine() -> None:
    assert len(set(validators.VALIDATORS)) == 9
