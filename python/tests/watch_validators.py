"""What every watch keeps, whatever happens: all commits that were made, held against all that was told.

Each check is one of the promises of a watch, and looks from outside: at the `Journal` of what happened to a
session, and at the `Reading` of what somebody was told of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from watch_records import Journal, Reading

from snakepit_bridge import UNSET, SessionEvent

SURELY_TOLD: Final = 4_000_000
"""So many bytes of values fit into what is told of a commit; what is longer may have to be read."""


def ordered(journal: Journal, reading: Reading) -> None:
    """What was told first happened first."""
    places = [place for (place, _), _ in zip(reading.expected(journal), reading.events, strict=False)]
    told = [(journal.commits[place].life, event.revision) for place, event in _paired(journal, reading)]
    assert places == sorted(places)
    assert told == sorted(told)


def unique(journal: Journal, reading: Reading) -> None:
    """Nothing is told twice."""
    told = [(journal.commits[place].life, event.revision) for place, event in _paired(journal, reading)]
    assert len(set(told)) == len(told)


def reliable(journal: Journal, reading: Reading) -> None:
    """Nothing is left out: what was told is how all that was asked for begins, and a gap is the end of it."""
    expected = [(commit.revision, commit.kind) for _, commit in reading.expected(journal)]
    told = [(event.revision, event.kind) for event in reading.events]
    assert told == expected[: len(told)]
    assert reading.gap_at in (None, len(told))


def atomic(journal: Journal, reading: Reading) -> None:
    """A commit is told whole."""
    for place, event in _paired(journal, reading):
        commit = journal.commits[place]
        made = {name: side for name, side in commit.changes.items() if reading.wants(name)}
        assert {change.name for change in event.changes} == set(made)
        assert len(event.changes) == len(made)
        is_long = _length(made.values()) > SURELY_TOLD
        for change in event.changes:
            value, version = made[change.name] or (UNSET, None)
            assert change.version == version
            assert change.value == value or (is_long and change.value is UNSET)
        assert (event.metadata, event.source) == (commit.metadata, commit.source)


def resumable(journal: Journal, reading: Reading) -> None:
    """A watch that goes on from a point is told the very next thing after it."""
    if reading.resumes_at is None or not reading.events:
        return
    _, first = reading.expected(journal)[0]
    assert (reading.events[0].revision, reading.events[0].kind) == (first.revision, first.kind)


def bookmarkable(journal: Journal, reading: Reading) -> None:
    """There is a point from the beginning on, and it moves with what is read."""
    if not reading.points:
        return
    assert _number(reading.points[0]) == journal.stands(reading.start)
    for point, (place, _) in zip(reading.points[1:], _paired(journal, reading), strict=False):
        assert _number(point) == journal.stands(place + 1)


def previous_value(journal: Journal, reading: Reading) -> None:
    """What was before is told: always the version, and the value unless the commit was missed or is long."""
    for place, event in _paired(journal, reading):
        before = journal.before(place)
        changed = {change.name for change in event.changes}
        sides = [side.get(name) for side in (before, journal.commits[place].changes) for name in changed]
        may_lack = reading.was_cut or place < reading.begun_at or _length(sides) > SURELY_TOLD
        for change in event.changes:
            value, version = before.get(change.name) or (UNSET, None)
            assert change.previous_version == version
            assert change.previous == value or (may_lack and change.previous is UNSET)


def creation(journal: Journal, reading: Reading) -> None:
    """A session begins with nothing, at revision 1."""
    for _, event in _paired(journal, reading):
        assert (event.kind == "created") is (event.revision == 1)
        if event.kind == "created":
            assert all(change.previous_version is None for change in event.changes)


def filtered(_journal: Journal, reading: Reading) -> None:
    """What was not asked for is not told."""
    for event in reading.events:
        assert all(reading.wants(change.name) for change in event.changes)
        assert event.kind != "changed" or event.changes


VALIDATORS = (
    ordered,
    unique,
    reliable,
    atomic,
    resumable,
    bookmarkable,
    previous_value,
    creation,
    filtered,
)


def check_reading(journal: Journal, reading: Reading) -> None:
    """Holds what was told against what happened, by all nine."""
    assert journal.is_whole
    for validator in VALIDATORS:
        validator(journal, reading)


def check_readings(journal: Journal) -> None:
    """The same for all that is to be held against a journal."""
    for reading in journal.readings:
        check_reading(journal, reading)


def _paired(journal: Journal, reading: Reading) -> list[tuple[int, SessionEvent]]:
    """The events, each with the place of its commit."""
    expected = reading.expected(journal)
    assert len(reading.events) <= len(expected)
    places = (place for place, _ in expected)
    return list(zip(places, reading.events, strict=False))


def _number(point: str) -> int:
    return int(point.split("-")[1])


def _length(sides: Iterable[tuple[Any, int] | None]) -> int:
    return sum(len(str(side[0])) for side in sides if side is not None)
