"""Threads that make the main thread's calls, because the main thread can be interrupted anywhere.

Python raises KeyboardInterrupt, and runs signal handlers, between any two instructions of the main thread.
Where those instructions are gRPC's and hold a lock of a channel, the lock is never given back, and no thread
can use or close the channel any more. So the main thread hands over what is rare, such as a first call and
a close, and waits for it on a bare lock, which an interrupt leaves intact. Other threads are not interrupted
and do it themselves. What is not rare goes another way (`_sync_link`).
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

__all__ = ["LOOK", "Helpers", "aside", "give_way", "rest", "wait_on"]

T = TypeVar("T")

LOOK = 0.2
"""How often one who waits looks for a signal that it missed, in seconds."""


def wait_on(lock: threading.Lock) -> None:
    """Takes a lock that another thread gives back."""
    # A signal that comes in the instant before the waiting does not end it, so it is looked for now and then.
    while not lock.acquire(timeout=LOOK):
        pass


_NEVER_GIVEN_BACK = threading.Lock()
_NEVER_GIVEN_BACK.acquire()


def give_way() -> None:
    """Lets other threads run for a moment."""
    rest(0.0001)


def rest(seconds: float) -> None:
    """Lets time pass."""
    _NEVER_GIVEN_BACK.acquire(timeout=seconds)


class Job:
    """A function to run, and in the end what came of it."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self._function = function
        self._result: Any = None
        self._error: BaseException | None = None
        self._ended = threading.Lock()
        self._ended.acquire()

    def run(self) -> None:
        try:
            self._result = self._function()
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            self._error = error

    def end(self) -> None:
        self._ended.release()

    def run_to_end(self) -> None:
        self.run()
        self.end()

    def wait(self) -> Any:
        wait_on(self._ended)
        if self._error is not None:
            raise self._error
        return self._result


def aside(function: Callable[[], None]) -> None:
    """Runs a function where nothing comes in between: in a thread of its own if this is the main thread."""
    if threading.get_ident() == threading.main_thread().ident:
        job = Job(function)
        threading.Thread(target=job.run_to_end, name="snakepit-bridge call", daemon=True).start()
        job.wait()
    else:
        function()


class Pool:
    """The helpers without work, by the queues that they wait at. What is done to it takes one instruction."""

    def __init__(self) -> None:
        self.idle: list[SimpleQueue[Job | None]] = []
        self.closed = False

    def close(self) -> None:
        self.closed = True
        while self.idle:
            self.idle.pop().put(None)


class Helpers:
    """The helpers of one context: none until the main thread makes a call, and then seldom more than one."""

    def __init__(self) -> None:
        self._pool = Pool()
        # A context that nobody holds any more needs none.
        weakref.finalize(self, self._pool.close).atexit = False

    def run(self, function: Callable[[], T]) -> T:
        """Runs a function, in a helper if this is the main thread. An interrupt leaves it running."""
        if threading.get_ident() != threading.main_thread().ident:
            return function()
        job = Job(function)
        try:
            queue = self._pool.idle.pop()
        except IndexError:
            queue = SimpleQueue()
            name = "snakepit-bridge call"
            threading.Thread(target=_help, args=(queue, self._pool), name=name, daemon=True).start()
        queue.put(job)
        result: T = job.wait()
        return result

    def close(self) -> None:
        """Lets the helpers go, those that still work as soon as they have done."""
        self._pool.close()


def _help(queue: SimpleQueue[Job | None], pool: Pool) -> None:
    while (job := queue.get()) is not None:
        job.run()
        pool.idle.append(queue)
        job.end()
        del job  # it holds the context
        if pool.closed:
            pool.close()
