"""Reading calls that are under way, so that threads that miss a variable at the same time share one.

Who misses first makes the call in its own thread; those who miss meanwhile wait for it. A call that began
before an invalidation or an own write of the variable is not joined, because its answer may be older than
that, nor one that began longer ago than the TTL.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeAlias

from ._cache import Fetch
from ._core import Found
from ._steps import Flow, Share
from ._sync_helpers import wait_on

__all__ = ["Flights"]

Run: TypeAlias = Callable[[Flow[Found]], Found]


class Flight:
    """A call under way, and in the end what came of it.

    Who waits does so on a bare lock of its own, which an interrupt leaves intact (`_sync_helpers`).
    """

    def __init__(self) -> None:
        self.thread = threading.get_ident()
        self._landed = False
        self._waiting: list[threading.Lock] = []
        self._found: Found | None = None
        self._error: Exception | None = None

    def fly(self, run: Run, flow: Flow[Found]) -> None:
        """Makes the call. What interrupts this thread is raised here, and is no concern of those who wait."""
        try:
            self._found = run(flow)
        except Exception as error:  # noqa: BLE001 - all who wait raise it
            self._error = error

    def end(self) -> None:
        """Lets those who wait go on."""
        self._landed = True
        for waiting in self._waiting:
            waiting.release()

    def land(self) -> Found | None:
        """Waits for the end; returns None if the call was interrupted."""
        waiting = threading.Lock()
        waiting.acquire()
        self._waiting.append(waiting)
        if not self._landed:
            wait_on(waiting)
        if self._error is None:
            return self._found
        if self.thread == threading.get_ident():
            raise self._error
        # Each thread raises an error of its own, because raising writes the traceback into it.
        raise copy.copy(self._error) from self._error


class Flights:
    """The calls of one context that are under way, by identifier.

    Args:
        may_join: Whether a call may still be joined.
        lock: The context's lock.
    """

    def __init__(self, may_join: Callable[[str, Fetch], bool], lock: AbstractContextManager[object]) -> None:
        self._may_join = may_join
        self._lock = lock
        self._under_way: dict[str, tuple[Fetch, Flight]] = {}

    def share(self, step: Share, run: Run) -> Found:
        """Returns what the variables are, from calls that are under way and from one more if need be."""
        found: Found = {}
        missing = step.identifiers
        while missing:
            own, flow = Flight(), None
            with self._lock:
                flights = {identifier: self._find(identifier) or own for identifier in missing}
                alone = [identifier for identifier, flight in flights.items() if flight is own]
                if alone:
                    fetch, flow = step.begin(alone)
                    self._under_way.update(dict.fromkeys(alone, (fetch, own)))
            if flow is not None:
                try:
                    own.fly(run, flow)
                finally:
                    self._remove(alone, own)
                    own.end()
            for identifier, flight in flights.items():
                answer = flight.land()
                if answer is not None:
                    found = {**found, identifier: answer[identifier]}
            # What was interrupted under those who wait, they fetch anew.
            missing = [identifier for identifier in missing if identifier not in found]
        return found

    def _find(self, identifier: str) -> Flight | None:
        fetch, flight = self._under_way.get(identifier, (None, None))
        if fetch is None or flight is None or not self._may_join(identifier, fetch):
            return None
        # A signal handler that interrupted our own call would wait for itself.
        return None if flight.thread == threading.get_ident() else flight

    def _remove(self, identifiers: list[str], flight: Flight) -> None:
        with self._lock:
            for identifier in identifiers:
                if self._under_way.get(identifier, (None, None))[1] is flight:
                    del self._under_way[identifier]
