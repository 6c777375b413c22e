"""What every watch keeps, whatever happens: all commits that were made, held against all that was told.

Each check is one of the promises of a watch, and looks from outside: a `Journal` makes the commits of a
session and notes them down, a `Reading` is what a reader was told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shells import Context

from snakepit_bridge import UNSET, SessionEvent

Sides = Mapping[str, tuple[Any, int] | None]
"""Variables with their values and versions; None: it was deleted."""


@dataclass(frozen=True)
class Commit:
    """One commit: of which life of the session, and what it made."""

    life: int
    revision: int
    kind: str
    changes: Sides
    metadata: Mapping[str, str] = field(default_factory=dict)


class Journal:
    """Makes commits, one after the other, and notes them down. Nobody else may write to the session."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.commits: list[Commit] = []
        self._life = 0

    async def create(self) -> None:
        self._life += 1
        assert await self._context.create_session()
        self._note(1, "created", {})

    async def set(self, name: str, value: Any, metadata: Mapping[str, str] | None = None) -> None:
        written = await self._context.set_variable(name, value, metadata)
        self._note(written.revision, "changed", {name: (written.value, written.version)}, metadata or {})

    async def set_many(self, **values: Any) -> None:
        done = await self._context.set_variables(values)
        assert done.revision is not None
        self._note(done.revision, "changed", {name: (values[name], done.versions[name]) for name in values})

    async def delete(self, name: str) -> None:
        await self._context.delete_variable(name)
        self._note(self.commits[-1].revision + 1, "changed", {name: None})

    async def end(self) -> None:
        await self._context.delete_session()
        self._note(self.commits[-1].revision + 1, "deleted", {})

    def _note(
        self, revision: int, kind: str, changes: Sides, metadata: Mapping[str, str] | None = None
    ) -> None:
        assert revision == (1 if kind == "created" else self.commits[-1].revision + 1)
        self.commits.append(Commit(self._life, revision, kind, changes, metadata or {}))

    def before(self, place: int) -> dict[str, tuple[Any, int] | None]:
        """The variables as they stood before a commit."""
        stood: dict[str, tuple[Any, int] | None] = {}
        for commit in self.commits[:place]:
            if commit.life == self.commits[place].life:
                stood.update(commit.changes)
        return stood


@dataclass
class Reading:
    """What a reader was told in one watch.

    Attributes:
        begun_at: How many commits had been made when it was begun.
        resumes_at: How many of them it knew; None: it began where the session stood.
        wants: Whether it asked for a variable.
        events: What it was told.
        points: The watch's point when it stood, and after each event.
        was_cut: Whether a connection or a bridge was lost, so that commits may be told later.
    """

    begun_at: int
    resumes_at: int | None = None
    wants: Callable[[str], bool] = lambda _name: True
    events: list[SessionEvent] = field(default_factory=list)
    points: list[str] = field(default_factory=list)
    was_cut: bool = False

    def expected(self, journal: Journal) -> list[tuple[int, Commit]]:
        """The commits that it is to be told, with their places."""
        start = self.begun_at if self.resumes_at is None else self.resumes_at
        return [
            (place, commit)
            for place, commit in enumerate(journal.commits)
            if place >= start and (commit.kind != "changed" or any(map(self.wants, commit.changes)))
        ]


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
    """Nothing is left out: what was told is how all that was asked for begins."""
    expected = [(commit.revision, commit.kind) for _, commit in reading.expected(journal)]
    told = [(event.revision, event.kind) for event in reading.events]
    assert told == expected[: len(told)]


def atomic(journal: Journal, reading: Reading) -> None:
    """A commit is told whole."""
    for place, event in _paired(journal, reading):
        commit = journal.commits[place]
        made = {name: side for name, side in commit.changes.items() if reading.wants(name)}
        assert {change.name for change in event.changes} == set(made)
        assert len(event.changes) == len(made)
        for change in event.changes:
            value, version = made[change.name] or (UNSET, None)
            assert (change.value, change.version) == (value, version)
        assert (event.metadata, event.source) == (commit.metadata, "python")


def resumable(journal: Journal, reading: Reading) -> None:
    """A watch that goes on from a point is told the very next thing after it."""
    if reading.resumes_at is None or not reading.events:
        return
    _, first = reading.expected(journal)[0]
    assert (reading.events[0].revision, reading.events[0].kind) == (first.revision, first.kind)


def bookmarkable(journal: Journal, reading: Reading) -> None:
    """There is a point from the beginning on, and it moves with what is read."""
    start = reading.begun_at if reading.resumes_at is None else reading.resumes_at
    if not reading.points:
        return
    assert _number(reading.points[0]) == _stands(journal, start)
    for point, (place, _) in zip(reading.points[1:], _paired(journal, reading), strict=False):
        assert _number(point) == _stands(journal, place + 1)


def previous_value(journal: Journal, reading: Reading) -> None:
    """What was before is told: always the version, and the value unless the commit was missed."""
    for place, event in _paired(journal, reading):
        before = journal.before(place)
        for change in event.changes:
            value, version = before.get(change.name) or (UNSET, None)
            assert change.previous_version == version
            was_missed = reading.was_cut or place < reading.begun_at
            if not was_missed or change.previous is not UNSET:
                assert change.previous == value


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
    for validator in VALIDATORS:
        validator(journal, reading)


def _paired(journal: Journal, reading: Reading) -> list[tuple[int, SessionEvent]]:
    """The events, each with the place of its commit."""
    expected = reading.expected(journal)
    assert len(reading.events) <= len(expected)
    places = (place for place, _ in expected)
    return list(zip(places, reading.events, strict=False))


def _number(point: str) -> int:
    return int(point.split("-")[1])


def _stands(journal: Journal, count: int) -> int:
    """The revision of the session after so many commits."""
    last = journal.commits[count - 1] if count > 0 else None
    return 0 if last is None or last.kind == "deleted" else last.revision
