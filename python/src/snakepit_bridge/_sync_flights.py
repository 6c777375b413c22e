"""Reading calls that are under way, so that threads that miss a variable at the same time share one.

Who misses first makes the call in its own thread; those who miss meanwhile wait for it. A call that began
before an invalidation or an own write of the variable is not joined, because its answer may be older than
that, nor one that began longer ago than the TTL.

Nobody waits longer for another than that one's call may take: then he asks by himself. And a signal handler
waits for nobody if it has interrupted its thread under the lock, which the others need to take their answers.
"""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeAlias

from ._cache import Fetch
from ._core import Found
from ._steps import Flow, Share
from ._sync_helpers import LOOK

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
        """Lets those who wait go on. Twice is fine."""
        self._landed = True
        while self._waiting:
            self._waiting.pop().release()

    def land(self, deadline: float) -> Found | None:
        """Waits for the end; returns None if the call was interrupted, or has not ended in time."""
        waiting = threading.Lock()
        waiting.acquire()
        self._waiting.append(waiting)
        # Never for long: neither a signal nor the end is missed that comes in the instant before.
        while not self._landed and not waiting.acquire(timeout=LOOK):
            if time.monotonic() >= deadline:
                return None
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
        lock: The context's lock; one that its holder can take again.
    """

    def __init__(self, may_join: Callable[[str, Fetch], bool], lock: threading.RLock) -> None:
        self._may_join = may_join
        self._lock = lock
        # It knows who holds the lock.
        self._holder = threading.Condition(lock)
        self._under_way: dict[str, tuple[Fetch, Flight]] = {}

    def share(self, step: Share, run: Run) -> Found:
        """Returns what the variables are, from calls that are under way and from one more if need be."""
        found: Found = {}
        missing = step.identifiers
        deadline = time.monotonic() + step.seconds
        joins = not self._is_held()
        while missing:
            for identifier, flight in self._fly(step, run, missing, joins).items():
                answer = flight.land(deadline)
                if answer is not None:
                    found = {**found, identifier: answer[identifier]}
            # What was interrupted under those who wait, they fetch anew.
            missing = [identifier for identifier in missing if identifier not in found]
            joins = joins and time.monotonic() < deadline
        return found

    def _is_held(self) -> bool:
        """Returns whether this thread holds the lock."""
        try:
            self._holder.notify_all()
        except RuntimeError:
            return False
        return True

    def _fly(self, step: Share, run: Run, missing: Sequence[str], joins: bool) -> dict[str, Flight]:
        """Returns the calls that fetch variables; of those, one was made here."""
        own, flow = Flight(), None
        try:
            with self._lock:
                joined = {identifier: self._find(identifier) for identifier in missing if joins}
                flights = {identifier: joined.get(identifier) or own for identifier in missing}
                alone = [identifier for identifier, flight in flights.items() if flight is own]
                if alone:
                    fetch, flow = step.begin(alone)
                    self._under_way.update(dict.fromkeys(alone, (fetch, own)))
            if flow is not None:
                own.fly(run, flow)
            self._end(own)
        except BaseException:
            # Once more: an interrupt may have come amid that.
            self._end(own)
            raise
        return flights

    def _find(self, identifier: str) -> Flight | None:
        fetch, flight = self._under_way.get(identifier, (None, None))
        if fetch is None or flight is None or not self._may_join(identifier, fetch):
            return None
        # A signal handler that interrupted our own call would wait for itself.
        return None if flight.thread == threading.get_ident() else flight

    def _end(self, own: Flight) -> None:
        with self._lock:
            for identifier, (_, flight) in list(self._under_way.items()):
                if flight is own:
                    del self._under_way[identifier]
        own.end()
