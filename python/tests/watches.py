"""Watches and callbacks of either shell, used alike: a test awaits every method.

What they are told is written down, and held against what happened: the fixture `journal_of` does that at the
end of a test, so nobody can forget it.
"""

from __future__ import annotations

import asyncio
import fnmatch
from collections.abc import Callable, Iterable
from typing import Any

from shells import Context, in_thread
from watch_records import Journal, Reading
from watch_validators import check_reading

import snakepit_bridge
from snakepit_bridge import SessionEvent, UnavailableError, WatchGapError

TIMEOUT = 30.0
"""Longer than any of these tests has a watch rest, in seconds."""


class Reader:
    """A watch of either shell."""

    def __init__(self, watch: Any) -> None:
        self.watch = watch
        self._awaits = isinstance(watch, snakepit_bridge.Watch)

    @property
    def point(self) -> str | None:
        point: str | None = self.watch.point
        return point

    async def ready(self) -> None:
        await self._wait(self.watch.ready)

    async def next(self) -> SessionEvent | None:
        event: SessionEvent | None = await self._wait(self.watch.next)
        return event

    async def take(self, count: int) -> list[SessionEvent]:
        events = []
        for _ in range(count):
            event = await self.next()
            assert event is not None
            events.append(event)
        return events

    async def close(self) -> None:
        await self._wait(self.watch.close)

    async def _wait(self, method: Any) -> Any:
        return await asyncio.wait_for(method() if self._awaits else in_thread(method), TIMEOUT)


async def until_there(context: Context) -> None:
    """Waits until a bridge answers."""
    while True:
        try:
            await context.heartbeat()
        except UnavailableError:
            continue
        return


def short(events: list[SessionEvent]) -> list[str]:
    """What events tell, as short as it can be told apart."""
    return [
        ", ".join(
            [
                f"{event.revision} {event.kind}",
                *(f"{change.name} {change.previous!r} → {change.value!r}" for change in event.changes),
            ]
        )
        for event in events
    ]


def wanted(names: Iterable[str] | None = None, glob: str | None = None) -> Callable[[str], bool]:
    """Which variables are told to whom asks so; the glob is a plain one."""
    asked = frozenset(names or ())
    if not asked and glob is None:
        return lambda _name: True
    return lambda name: name in asked or (glob is not None and fnmatch.fnmatchcase(name, glob))


class Audited(Reader):
    """A watch whose reader writes down what it is told.

    Args:
        journal: What it is to be held against.
        context: What watches; None: what makes the commits of the journal.
        resumes_at: How many of the commits it knows, if it goes on after a point.
        was_cut: See `Reading`.
        options: Those of the watch.
    """

    def __init__(
        self,
        journal: Journal,
        context: Any = None,
        *,
        resumes_at: int | None = None,
        was_cut: bool = False,
        **options: Any,
    ) -> None:
        self.journal = journal
        self.context = journal.context if context is None else context
        self.reading = Reading(
            len(journal.commits),
            resumes_at,
            wanted(options.get("names"), options.get("glob")),
            was_cut=was_cut,
        )
        super().__init__(self.context.watch(**options))
        journal.readings.append(self.reading)

    async def ready(self) -> None:
        await super().ready()
        if not self.reading.points and not self.reading.events and self.point is not None:
            self.reading.points.append(self.point)

    async def next(self) -> SessionEvent | None:
        try:
            event = await super().next()
        except WatchGapError:
            self.reading.gap_at = len(self.reading.events)
            raise
        if event is not None:
            self.note(event)
        return event

    def note(self, event: SessionEvent) -> None:
        """Writes down what was read in another way."""
        self.reading.events.append(event)
        if self.reading.points:
            assert self.point is not None
            self.reading.points.append(self.point)

    async def read_all(self) -> None:
        """Reads all that there is to be told by now, and checks it."""
        await self.ready()
        wanted = len(self.reading.expected(self.journal))
        while len(self.reading.events) < wanted:
            await self.take(1)
        check_reading(self.journal, self.reading)

    async def goes_on(self, **options: Any) -> Audited:
        """What a program does after a gap: it reads the session, and watches it from there."""
        assert self.reading.gap_at is not None
        snapshot = await self.context.snapshot()
        place = self.journal.place_after(snapshot.revision)
        assert self.journal.stands(place) == snapshot.revision
        stood = self.journal.before(place).items()
        assert snapshot.values == {name: side[0] for name, side in stood if side is not None}
        return Audited(self.journal, self.context, resumes_at=place, after=snapshot.point, **options)


class Heard:
    """A callback of `on_change` that writes down what it is called with.

    Args:
        journal: See `Audited`.
        context: See `Audited`.
        callback: What is called as well.
        options: Those of `on_change`.
    """

    def __init__(
        self,
        journal: Journal,
        context: Any = None,
        callback: Callable[[SessionEvent], Any] | None = None,
        **options: Any,
    ) -> None:
        self.reading = Reading(len(journal.commits), wants=wanted(options.get("names"), options.get("glob")))
        self._callback = callback
        self.listener = (journal.context if context is None else context).on_change(self._tell, **options)
        journal.readings.append(self.reading)

    @property
    def events(self) -> list[SessionEvent]:
        return self.reading.events

    def _tell(self, event: SessionEvent) -> Any:
        self.reading.events.append(event)
        return None if self._callback is None else self._callback(event)
