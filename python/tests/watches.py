"""Watches of either shell, read alike: a test awaits every method."""

from __future__ import annotations

import asyncio
from typing import Any

from shells import Context, in_thread
from watch_validators import Journal, Reading, check_reading

import snakepit_bridge
from snakepit_bridge import SessionEvent, UnavailableError

TIMEOUT = 30.0


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


class Audited:
    """A reader whose reading is held against the journal of all commits."""

    def __init__(
        self,
        journal: Journal,
        context: Context,
        *,
        resumes_at: int | None = None,
        was_cut: bool = False,
        **options: Any,
    ):
        names = options.get("names")
        wants = (lambda _name: True) if names is None else (lambda name: name in names)
        self.journal = journal
        self.reading = Reading(len(journal.commits), resumes_at, wants, was_cut=was_cut)
        self.reader = Reader(context.watch(**options))

    async def ready(self) -> None:
        await self.reader.ready()
        if not self.reading.points and self.reader.point is not None:
            self.reading.points.append(self.reader.point)

    async def read_all(self) -> None:
        """Reads all that there is to be told by now, and checks it."""
        await self.ready()
        wanted = len(self.reading.expected(self.journal))
        while len(self.reading.events) < wanted:
            (event,) = await self.reader.take(1)
            self.reading.events.append(event)
            assert self.reader.point is not None
            self.reading.points.append(self.reader.point)
        check_reading(self.journal, self.reading)
