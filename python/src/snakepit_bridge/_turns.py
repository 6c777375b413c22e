"""A thread that calls what is a program's own: callbacks, and what its logging does with a line.

Nothing of a program runs in a thread of gRPC, nor under a lock of ours: it may use a context, and wait for
what only they can bring. Those who have something called only leave a note here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue

from ._pins import unpinned

__all__ = ["Turns"]


class Turns:
    """One thread of the process, from the first call on: it calls one function after the other, in order.

    Args:
        name: The thread's.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._arm()

    def _arm(self) -> None:
        self._queue: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._has_thread = False
        # One that its holder can take again: a signal handler may come in between. At worst there are two
        # threads then.
        self._lock = threading.RLock()

    def put(self, function: Callable[[], None]) -> None:
        """Has a function called, which must not raise. Any thread may say so, and under any lock.

        Raises:
            RuntimeError: There cannot be another thread. It is called after the next that is put.
        """
        self._queue.put(function)
        # Without the lock where there is one: it is that way nearly always.
        if not self._has_thread:
            self._begin()

    def flush(self, seconds: float) -> None:
        """Waits until all that was put is done, but not longer than this."""
        if not self._has_thread:
            return
        done = threading.Lock()
        done.acquire()
        self.put(done.release)
        done.acquire(timeout=seconds)

    def abandon(self) -> None:
        """Takes that this is another process now: what its parent had to call it does not."""
        self._arm()

    def _begin(self) -> None:
        with self._lock:
            if self._has_thread:
                return
            # Some interpreters have a thread begin with what its maker has pinned.
            work = (self._run, self._queue)
            threading.Thread(target=unpinned, args=work, name=self._name, daemon=True).start()
            self._has_thread = True

    def _run(self, queue: SimpleQueue[Callable[[], None]]) -> None:
        # What is called may fork, and comes back in the child.
        while queue is self._queue:
            queue.get()()
