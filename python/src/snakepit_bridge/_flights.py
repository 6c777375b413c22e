"""Reading calls that are under way, so that those who miss a variable at the same time share one (asyncio).

Each call runs in a task of its own: cancelling one who waits stops only the waiting. A call that began before
an invalidation or an own write of the variable is not joined, because its answer may be older than that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Generic, TypeVar

from ._cache import Fetch

__all__ = ["Flights"]

T = TypeVar("T")


class Flights(Generic[T]):
    """The calls of one event loop that are under way, by identifier."""

    def __init__(self, is_current: Callable[[str, Fetch], bool]) -> None:
        self._is_current = is_current
        self._under_way: dict[str, tuple[Fetch, asyncio.Task[T]]] = {}

    def find(self, identifier: str) -> asyncio.Task[T] | None:
        """Returns a call that will answer for the identifier, if there is one to join."""
        under_way = self._under_way.get(identifier)
        if under_way is None or not self._is_current(identifier, under_way[0]):
            return None
        return under_way[1]

    def start(
        self, identifiers: Sequence[str], fetch: Fetch, work: Coroutine[Any, Any, T]
    ) -> asyncio.Task[T]:
        """Starts a call that will answer for the identifiers."""
        task = asyncio.get_running_loop().create_task(work)
        for identifier in identifiers:
            self._under_way[identifier] = (fetch, task)
        task.add_done_callback(lambda done: self._landed(identifiers, done))
        return task

    async def land(self, task: asyncio.Task[T]) -> T | None:
        """Waits for a call; returns None if `abandon` ended it. Cancelling the waiting leaves it alone."""
        await asyncio.wait({task})
        return None if task.cancelled() else task.result()

    def abandon(self) -> None:
        """Ends all calls."""
        for _, task in list(self._under_way.values()):
            task.cancel()

    def _landed(self, identifiers: Sequence[str], task: asyncio.Task[T]) -> None:
        for identifier in identifiers:
            if self._under_way.get(identifier, (None, None))[1] is task:
                del self._under_way[identifier]
        if not task.cancelled():
            task.exception()  # nobody may be waiting any more; then it is nobody's error
