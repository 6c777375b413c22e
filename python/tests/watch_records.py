"""What happened to a session, and what its readers were told: the two things that validators compare.

A journal is written by those who know what happened. It makes commits itself, and notes down what the answers
say; where it cannot, the test says what was made. It never asks a watch.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from shells import Context

from snakepit_bridge import SessionEvent

Sides = Mapping[str, tuple[Any, int] | None]
"""Variables with their values and versions; None: it was deleted."""

ENDS: Final = ("deleted", "expired", "lost")
"""Kinds of commits that leave no session behind. What is lost, with its bridge, is told to nobody."""


@dataclass(frozen=True)
class Commit:
    """One commit: of which life of the session, and what it made."""

    life: int
    revision: int
    kind: str
    changes: Sides
    metadata: Mapping[str, str] = field(default_factory=dict)
    source: str = "python"


class Journal:
    """The commits of a session, in order. What one makes oneself is noted down from the answers alone.

    Args:
        context: Makes the commits. Nobody else may write to the session without saying so.

    Attributes:
        commits: What was committed.
        readings: What those were told whose reading is to be held against it.
    """

    def __init__(self, context: Context | None = None) -> None:
        self._context = context
        self.commits: list[Commit] = []
        self.readings: list[Reading] = []

    # ---- makes commits

    @property
    def context(self) -> Context:
        """What makes the commits."""
        assert self._context is not None
        return self._context

    async def create(self, **options: Any) -> None:
        assert await self.context.create_session(**options)
        self.note()

    async def set(self, name: str, value: Any, metadata: Mapping[str, str] | None = None) -> None:
        written = await self.context.set_variable(name, value, metadata)
        self.note({name: (written.value, written.version)}, revision=written.revision, metadata=metadata)

    async def set_many(self, **values: Any) -> None:
        done = await self.context.set_variables(values)
        assert done.revision is not None
        made = {name: (value, done.versions[name]) for name, value in values.items()}
        self.note(made, revision=done.revision)

    async def register(self, name: str, kind: Any, value: Any) -> None:
        await self.context.register_variable(name, kind, value)
        self.made(**{name: value})

    async def delete(self, name: str) -> None:
        await self.context.delete_variable(name)
        self.note({name: None})

    async def end(self) -> None:
        await self.context.delete_session()
        self.note(kind="deleted")

    # ---- is told of commits

    def made(self, *, source: str = "python", **values: Any) -> None:
        """Takes that variables were set in one commit, each to its next version."""
        stood = self.before(len(self.commits))
        sides = {name: (value, (stood.get(name) or (None, 0))[1] + 1) for name, value in values.items()}
        self.note(sides, source=source)

    def reach(self, revision: int, source: str = "python") -> None:
        """Takes that another variable was set until the session stood at a revision."""
        while self.place_after(revision) < revision:
            self.made(another=1.0, source=source)

    def note(
        self,
        changes: Sides | None = None,
        *,
        kind: str = "changed",
        revision: int | None = None,
        metadata: Mapping[str, str] | None = None,
        source: str = "python",
    ) -> None:
        """Takes a commit; the next one unless its revision says otherwise. The first of a life creates it."""
        last = self.commits[-1] if self.commits else None
        life, number = (1, 1) if last is None else (last.life, last.revision + 1)
        if last is not None and last.kind in ENDS:
            life, number = life + 1, 1
        if revision is not None:
            number = revision
        kind = "created" if number == 1 else kind
        commit = Commit(life, number, kind, changes or {}, metadata or {}, source)
        # Answers to what was made at once may come in another order.
        bisect.insort(self.commits, commit, key=_order)

    # ---- what was

    def before(self, place: int) -> dict[str, tuple[Any, int] | None]:
        """The variables as they stood before a commit; before the next one: as they stand."""
        life = self.commits[place].life if place < len(self.commits) else self.life
        stood: dict[str, tuple[Any, int] | None] = {}
        for commit in self.commits[:place]:
            if commit.life == life:
                stood.update(commit.changes)
        return stood

    @property
    def life(self) -> int:
        """The life of the session that the next commit is of."""
        last = self.commits[-1] if self.commits else None
        return 1 if last is None else last.life + (last.kind in ENDS)

    def place_after(self, revision: int) -> int:
        """How many commits there were when the session, in the life that it has, stood at a revision."""
        return bisect.bisect_right(self.commits, (self.life, revision), key=_order)

    def stands(self, count: int) -> int:
        """The revision of the session after so many commits."""
        last = self.commits[count - 1] if count > 0 else None
        return 0 if last is None or last.kind in ENDS else last.revision

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing in it: each life is numbered from 1 on, and no version is skipped."""
        numbers = [(each.life, each.revision) for each in self.commits]
        follows = all(
            number == ((life, revision + 1) if last.kind not in ENDS else (life + 1, 1))
            for number, last, (life, revision) in zip(numbers[1:], self.commits, numbers, strict=False)
        )
        return follows and numbers[:1] in ([], [(1, 1)])


def _order(commit: Commit) -> tuple[int, int]:
    return commit.life, commit.revision


@dataclass
class Reading:
    """What a reader was told in one watch, or in the calls of one callback.

    Attributes:
        begun_at: How many commits had been made when it was begun.
        resumes_at: How many of them it knew; None: it began where the session stood.
        wants: Whether it asked for a variable.
        events: What it was told.
        points: The watch's point when it stood, and after each event; none where nobody can look at it.
        was_cut: Whether a connection or a bridge was lost, or too much waited, so that commits may be told
            later.
        gap_at: How many events it had been told when it was told that there is a gap; None: it was not.
    """

    begun_at: int
    resumes_at: int | None = None
    wants: Callable[[str], bool] = lambda _name: True
    events: list[SessionEvent] = field(default_factory=list)
    points: list[str] = field(default_factory=list)
    was_cut: bool = False
    gap_at: int | None = None

    @property
    def start(self) -> int:
        """How many commits come before the first that it may be told."""
        return self.begun_at if self.resumes_at is None else self.resumes_at

    def expected(self, journal: Journal) -> list[tuple[int, Commit]]:
        """The commits that it is to be told, with their places: all after its start, to where one is lost."""
        found = []
        for place, commit in enumerate(journal.commits[self.start :], self.start):
            if commit.kind == "lost":
                break
            if commit.kind != "changed" or any(map(self.wants, commit.changes)):
                found.append((place, commit))
        return found
