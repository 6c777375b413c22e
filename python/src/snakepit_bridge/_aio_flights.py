"""Reading calls that are under way, so that those who miss a variable at the same time share one (asyncio).

Each call runs in a task of its own: cancelling one who waits stops only the waiting. A call that began before
an invalidation or an own write of the variable is not joined, because its answer may be older than that, nor
one that began longer ago than the TTL.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from ._cache import Fetch
from ._core import Found
from ._steps import Flow, Share

__all__ = ["Flights"]

T = TypeVar("T")


class Flights:
    """The calls of one event loop that are under way, by identifier."""

    def __init__(self, may_join: Callable[[str, Fetch], bool]) -> None:
        self._may_join = may_join
        self._under_way: dict[str, tuple[Fetch, asyncio.Task[Found]]] = {}

    async def share(self, step: Share, run: Callable[[Flow[Found]], Coroutine[Any, Any, Found]]) -> Found:
        """Returns what the variables are, from calls that are under way and from one more if need be."""
        found: Found = {}
        missing = step.identifiers
        while missing:
            flights = {identifier: self._find(identifier) for identifier in missing}
            alone = [identifier for identifier, flight in flights.items() if flight is None]
            if alone:
                fetch, flow = step.begin(alone)
                flights.update(dict.fromkeys(alone, self._start(alone, fetch, run(flow))))
            for identifier, flight in flights.items():
                answer = None if flight is None else await self._land(flight)
                if answer is not None:
                    found = {**found, identifier: answer[identifier]}
            # What was cancelled under those who wait, they fetch anew.
            missing = [identifier for identifier in missing if identifier not in found]
        return found

    def abandon(self) -> None:
        """Ends all calls."""
        for _, task in list(self._under_way.values()):
            task.cancel()

    def _find(self, identifier: str) -> asyncio.Task[Found] | None:
        under_way = self._under_way.get(identifier)
        if under_way is None or not self._may_join(identifier, under_way[0]):
            return None
        return under_way[1]

    def _start(
        self, identifiers: Sequence[str], fetch: Fetch, work: Coroutine[Any, Any, Found]
    ) -> asyncio.Task[Found]:
        task = asyncio.get_running_loop().create_task(work)
        for identifier in identifiers:
            self._under_way[identifier] = (fetch, task)
        task.add_done_callback(lambda done: self._landed(identifiers, done))
        return task

    async def _land(self, task: asyncio.Task[Found]) -> Found | None:
        """Waits for a call; returns None if it was cancelled. Cancelling the waiting leaves it alone."""
        await asyncio.wait({task})
        return None if task.cancelled() else task.result()

    def _landed(self, identifiers: Sequence[str], task: asyncio.Task[Found]) -> None:
        for identifier in identifiers:
            if self._under_way.get(identifier, (None, None))[1] is task:
                del self._under_way[identifier]
        if not task.cancelled():
            task.exception()  # nobody may be waiting any more; then it is nobody's error
