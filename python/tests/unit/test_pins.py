"""Pins without a bridge: interrupts, blocks that overlap or end elsewhere, and threads."""

from __future__ import annotations

import contextvars
import threading
import weakref
from collections.abc import Callable

import pytest
from interrupts import Interrupting

from snakepit_bridge import Snapshot, _pins
from snakepit_bridge._pins import Held, Pinned, Pins
from snakepit_bridge._points import ResumePoint
from snakepit_bridge._replica import Replica, StateEntry, StateUpdate


class Reader:
    """A context as far as pins are concerned; its session has an `x`."""

    def __init__(self) -> None:
        # Somebody is changing the copy.
        self.changing = threading.RLock()
        self.replica = Replica(lock=self.changing)
        self.pins = Pins(self.replica, threading.RLock())
        self.set(0)

    def set(self, x: int) -> None:
        at = ResumePoint(b"A" * 16, x + 1, 0)
        entry = StateEntry("x", "var_x_1", x + 1, "integer", x)
        assert self.replica.take(StateUpdate(None, at, (entry,), ()), 0.0) == "taken"

    def read(self) -> object:
        """As a read is one look into a dict."""
        return self.pins.seen.hits["x"]

    @property
    def is_unpinned(self) -> bool:
        """Whether reads pay nothing for pins."""
        return self.pins.current is None and self.pins.seen is self.replica

    def snapshot(self) -> Snapshot:
        assert self.replica.revision is not None
        held = Held("x", "var_x_1", "integer", 1, self.replica.hits["x"])
        return Pinned(self.pins, [held], self.replica.revision, "replica", 0.0, False, 0.0).snapshot(0.0)


@pytest.fixture
def reader() -> Reader:
    return Reader()


def weak(snapshot: Snapshot) -> weakref.ref[Pinned]:
    assert snapshot._pinned is not None
    return weakref.ref(snapshot._pinned)


def end(snapshot: Snapshot) -> None:
    snapshot.__exit__(None, None, None)


# ---- interrupts


def test_an_interrupt_while_a_block_begins_or_ends_leaves_nothing_pinned(reader: Reader) -> None:
    def block(snapshot: Snapshot) -> Callable[[], None]:
        def run() -> None:
            snapshot.__enter__()
            # It has begun here, and is ended by whoever is interrupted in it.
            try:
                assert reader.read() == line
            finally:
                end(snapshot)

        return run

    line = 0
    while True:
        reader.set(line)
        interrupting = Interrupting(_pins, line)
        interrupting(block(reader.snapshot()))
        assert reader.is_unpinned
        reader.set(line + 1)
        assert reader.read() == line + 1
        if not interrupting.came:
            break
        line += 1
    assert line > 20


def test_an_interrupt_amid_an_inner_block_leaves_the_outer_one(reader: Reader) -> None:
    line = 0
    outer = reader.snapshot()
    while True:
        interrupting = Interrupting(_pins, line)
        with outer:
            reader.set(line + 1)
            inner = reader.snapshot()

            def block(inner: Snapshot = inner) -> None:
                with inner:
                    pass

            interrupting(block)
            assert reader.read() == 0
        assert reader.is_unpinned
        if not interrupting.came:
            break
        line += 1
    assert line > 20


def test_blocks_begin_and_end_though_the_copy_is_being_changed(reader: Reader) -> None:
    """A signal handler may come amid that, and wait for those who change the copy."""
    begun, go = threading.Event(), threading.Event()

    def change() -> None:
        with reader.changing:
            begun.set()
            assert go.wait(30)

    changing = threading.Thread(target=change)
    changing.start()
    assert begun.wait(30)
    with reader.snapshot():
        assert reader.read() == 0
    go.set()
    changing.join()
    assert reader.is_unpinned


# ---- blocks that overlap


def test_blocks_that_overlap_without_end_hold_only_what_runs(reader: Reader) -> None:
    old = reader.snapshot()
    old.__enter__()
    refs: list[weakref.ref[Pinned]] = []
    for x in range(1, 200):
        reader.set(x)
        new = reader.snapshot()
        refs.append(weak(new))
        new.__enter__()
        end(old)
        old = new
        assert reader.read() == x
    del new
    assert [ref() is None for ref in refs] == [True] * 198 + [False]
    end(old)
    del old
    assert refs[-1]() is None
    assert reader.is_unpinned
    assert contextvars.copy_context()[_pins._PIN] is None


# ---- blocks that end elsewhere


def test_a_block_that_ends_elsewhere_ends_no_other(reader: Reader) -> None:
    snapshot = reader.snapshot()
    here = contextvars.copy_context()
    here.run(snapshot.__enter__)
    # The block of a thread that is over.
    contextvars.copy_context().run(snapshot.__enter__)
    reader.set(1)
    contextvars.copy_context().run(end, snapshot)
    assert here.run(reader.read) == 0
    here.run(end, snapshot)
    assert here.run(reader.read) == 1
    assert reader.is_unpinned


def test_a_block_that_is_still_there_can_be_ended_elsewhere(reader: Reader) -> None:
    first, second = reader.snapshot(), reader.snapshot()
    here = contextvars.copy_context()
    here.run(first.__enter__)
    here.run(second.__enter__)
    reader.set(1)
    contextvars.copy_context().run(end, second)
    contextvars.copy_context().run(end, first)
    assert here.run(reader.read) == 1
    assert reader.is_unpinned


def test_what_did_not_begin_does_not_end_anything(reader: Reader) -> None:
    snapshot, other = reader.snapshot(), reader.snapshot()
    end(snapshot)
    with other:
        reader.set(1)
        end(snapshot)
        assert reader.read() == 0
    end(other)
    assert reader.is_unpinned


# ---- threads


def test_in_many_threads_each_reads_what_it_has_pinned(reader: Reader) -> None:
    over = threading.Event()
    wrong: list[object] = []

    def pin() -> None:
        for _ in range(300):
            snapshot = reader.snapshot()
            with snapshot:
                if reader.read() != snapshot.values["x"]:
                    wrong.append(snapshot.values)

    def change() -> None:
        x = 0
        while not over.is_set():
            x += 1
            reader.set(x)

    changing = threading.Thread(target=change)
    pinning = [threading.Thread(target=pin) for _ in range(4)]
    for thread in (changing, *pinning):
        thread.start()
    for thread in pinning:
        thread.join()
    over.set()
    changing.join()
    assert wrong == []
    assert reader.is_unpinned
