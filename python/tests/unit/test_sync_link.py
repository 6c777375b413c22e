from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import Any

import grpc
import pytest
from processes import TIMEOUT

from snakepit_bridge import UnavailableError
from snakepit_bridge import _calls as calls
from snakepit_bridge._errands import Errand, Failed
from snakepit_bridge._retry import UNAVAILABLE, Outcome
from snakepit_bridge._steps import Status
from snakepit_bridge._subscriptions import Subscription
from snakepit_bridge._sync_link import SyncLink, _status_without_call

NOBODY_THERE = Status(None, "")
LONG = 600.0


class Call(grpc.RpcError):
    """As gRPC raises it: the call itself, which takes a lock when it is collected."""

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNAVAILABLE

    def details(self) -> str:
        return "gone"

    def trailing_metadata(self) -> tuple[()]:
        return ()

    def result(self) -> None:
        raise self


def test_nothing_keeps_a_call_that_has_ended_not_even_its_own_traceback() -> None:
    def end() -> tuple[Status, weakref.ref[Call]]:
        call = Call()
        try:
            call.result()
        except grpc.RpcError as error:
            return _status_without_call(error), weakref.ref(call)
        raise AssertionError

    gc.disable()
    try:
        status, call = end()
        assert (status.code, str(status.cause)) == (UNAVAILABLE, "14: gone")
        assert call() is None
    finally:
        gc.enable()


# ---- the driver


class Bench:
    """A link whose way to the bridge is a list of what happens to each connection and each stream.

    A call that is begun takes what it is given and ends with an error, or when it is cancelled.
    """

    def __init__(self, *ways: Status | Exception | None, ending: Exception | None = None) -> None:
        self.ways = list(ways)
        self.ending = ending
        self.begun = threading.Semaphore(0)
        self.pauses: SimpleQueue[float] = SimpleQueue()
        self.link = SyncLink(
            connect=self._connect,
            interrupt=lambda: None,
            begin=self._begin,
            renew=lambda: None,
            now=time.monotonic,
            jitter=lambda: 0.0,
            where="its channel",
        )
        pause = self.link._pause

        def paused(seconds: float) -> None:
            self.pauses.put(seconds)
            pause(seconds)

        self.link._pause = paused  # type: ignore[method-assign]

    def _connect(self) -> Status | None:
        way = self.ways.pop(0) if self.ways else None
        if isinstance(way, Exception):
            raise way
        return way

    def _begin(self, messages: Iterator[bytes], _receive: Callable[[bytes], object]) -> Any:
        next(messages)
        self.begun.release()
        ending, self.ending = self.ending, None
        return Stream(ending)

    def ask(self, *, write: bool = False) -> tuple[Errand, threading.Event]:
        errand, ended = (
            Errand(calls.SET if write else calls.GET, b"", time.monotonic() + LONG),
            threading.Event(),
        )
        errand.ended = ended.set
        self.link.submit(errand)
        return errand, ended


class Stream:
    """A call of gRPC that tells nothing."""

    def __init__(self, ending: Exception | None) -> None:
        self._ending = ending
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        self._cancelled.set()

    def __iter__(self) -> Iterator[tuple[None]]:
        if self._ending is not None:
            raise self._ending
        self._cancelled.wait()
        return iter(())


@pytest.fixture
def make() -> Iterator[Callable[..., Bench]]:
    benches: list[Bench] = []

    def make(*ways: Status | Exception | None, ending: Exception | None = None) -> Bench:
        benches.append(Bench(*ways, ending=ending))
        return benches[-1]

    yield make
    for bench in benches:
        bench.link.close()


def failure(errand: Errand) -> Failed:
    assert isinstance(errand.ending, Failed)
    return errand.ending


def test_whatever_goes_wrong_on_the_way_is_told_to_those_who_wait_and_the_next_may_try(
    make: Callable[..., Bench],
) -> None:
    """[ORD-16 refuses]"""
    trouble = RuntimeError("no such thing")
    bench = make(trouble)
    bench.link.start()
    errand, ended = bench.ask(write=True)
    assert ended.wait(TIMEOUT)
    failed = failure(errand)
    # Nothing was handed over.
    assert (failed.verdict, failed.status.code, failed.status.cause) == (Outcome.UNAVAILABLE, None, trouble)
    assert "no such thing" in failed.status.text
    bench.ask()
    assert bench.begun.acquire(timeout=TIMEOUT)


def _have_no_room(_thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


def test_a_reader_that_cannot_be_started_leaves_no_stream_behind(
    make: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = make()
    bench.link.start()

    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", _have_no_room)
        errand, ended = bench.ask(write=True)
        assert ended.wait(TIMEOUT)
    assert failure(errand).verdict is Outcome.UNAVAILABLE
    assert not bench.link.is_open
    bench.ask()
    assert bench.begun.acquire(timeout=TIMEOUT)
    assert bench.link.is_open


def test_a_driver_that_cannot_be_started_is_started_by_the_next(
    make: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = make()
    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", _have_no_room)
        with pytest.raises(RuntimeError):
            bench.link.start()
    bench.link.start()
    bench.ask()
    assert bench.begun.acquire(timeout=TIMEOUT)


def test_a_stream_that_ends_in_a_way_that_nobody_has_thought_of_has_ended(
    make: Callable[..., Bench],
) -> None:
    bench = make(ending=LookupError("what is this"))
    bench.link.start()
    read, _ = bench.ask()
    assert bench.begun.acquire(timeout=TIMEOUT)
    # It is sent again, as after any accident.
    assert bench.begun.acquire(timeout=TIMEOUT)
    assert read.ending is None


# ---- pauses


def test_a_pause_is_over_with_those_whom_it_was_for(make: Callable[..., Bench]) -> None:
    bench = make(ending=LookupError("gone"))
    bench.link._link._failures = 100
    bench.link.start()
    write, _ = bench.ask(write=True)
    assert bench.begun.acquire(timeout=TIMEOUT)
    assert bench.pauses.get(timeout=TIMEOUT) > 1.0
    bench.link.withdraw(write)
    # The clock stands, so nothing but that can end it.
    bench.link._now = lambda: 0.0
    bench.ask()
    assert bench.begun.acquire(timeout=TIMEOUT)


# ---- what nobody comes to look for


class Subscribed(Subscription):
    flag = "state"
    command = b""

    def __init__(self) -> None:
        super().__init__(lambda status: (UnavailableError(status.text), False))

    def told(self, data: bytes) -> bool:
        return bool(data)

    def lost(self) -> None:
        pass

    def over(self) -> None:
        pass


def test_who_asks_again_and_again_leaves_no_more_than_one_wish_and_one_ring(
    make: Callable[..., Bench],
) -> None:
    bench = make()
    subscription = Subscribed()
    for _ in range(1_000):
        bench.link.submit(subscription)
        bench.link.end(subscription)
        bench.link.submit(subscription)
    assert len(bench.link._mailbox) == 1
    assert bench.link._bell.wait(0.0)
    assert not bench.link._bell.wait(0.0)
    assert bench.link.left_behind() == [subscription]
