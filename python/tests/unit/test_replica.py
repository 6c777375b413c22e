"""What the shared vectors do not say of a replica: its hits, and readers in other threads."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from snakepit_bridge._points import NOWHERE, ResumePoint
from snakepit_bridge._replica import Replica, StateEntry, StateUpdate
from snakepit_bridge._sync_helpers import aside


def at(number: int, life: bytes = b"A" * 16) -> ResumePoint:
    return ResumePoint(life, number, number)


def entry(name: str, held: Any, version: int = 1, kind: Any = "integer") -> StateEntry:
    return StateEntry(name, f"var_{name}_1", version, kind, held)


def whole(number: int, *changed: StateEntry, life: bytes = b"A" * 16) -> StateUpdate:
    return StateUpdate(None, at(number, life), changed, ())


def step(base: int, *changed: StateEntry, deleted: Sequence[str] = ()) -> StateUpdate:
    return StateUpdate(at(base), at(base + 1), changed, deleted)


def ready(*changed: StateEntry, **options: Any) -> Replica:
    replica = Replica(**options)
    assert replica.take(whole(1, *changed), 0.0) == "taken"
    return replica


# ---- hits


def test_hits_are_the_values_by_name() -> None:
    replica = ready(entry("a", 1), entry("b", "x", kind="choice"), entry("c", None), entry("d", False))
    assert replica.hits == {"a": 1, "b": "x", "d": False}


def test_what_has_to_be_made_anew_for_each_reader_is_no_hit() -> None:
    replica = ready(entry("j", "[1]", kind="json"), entry("new", 1, kind=None))
    assert replica.hits == {}
    replica.take(step(1, entry("j", 5)), 0.0)
    assert replica.hits == {"j": 5}
    before = replica.hits
    replica.take(step(2, entry("j", "{}", kind="json")), 0.0)
    assert replica.hits == {}
    assert before == {"j": 5}


def test_what_leaves_the_hits_leaves_them_with_the_rest_of_its_update() -> None:
    replica = ready(entry("a", 1), entry("b", 1))
    before = replica.hits
    replica.take(step(1, entry("a", 2), deleted=["b"]), 0.0)
    assert replica.hits == {"a": 2}
    assert before == {"a": 1, "b": 1}


def test_a_value_without_room_is_no_hit() -> None:
    replica = ready(entry("a", "x" * 60, kind="string"), budget=100)
    replica.take(step(1, entry("b", "y" * 60, kind="string")), 0.0)
    assert replica.hits == {"b": "y" * 60}
    found = replica.find("a")
    assert found is not None
    assert found.held is None


@pytest.mark.parametrize(
    "disturb",
    [
        lambda replica: replica.lost("gone"),
        lambda replica: replica.answered(at(2)),
        lambda replica: replica.answered(at(1, b"B" * 16)),
        lambda replica: replica.forget("over"),
    ],
    ids=["lost", "ahead", "another life", "over"],
)
def test_there_are_no_hits_while_it_is_not_current(disturb: Any) -> None:
    replica = ready(entry("a", 1))
    held_by_a_reader = replica.hits
    disturb(replica)
    assert not replica.is_current
    assert replica.hits == {}
    assert held_by_a_reader == {"a": 1}
    assert replica.take(whole(2, entry("a", 2)), 0.0) == "taken"
    assert replica.is_current
    assert replica.hits == {"a": 2}


def test_an_update_that_changes_nothing_brings_the_hits_back() -> None:
    replica = ready(entry("a", 1))
    replica.lost("gone")
    assert replica.take(StateUpdate(at(1), at(1), (), ()), 0.0) == "taken"
    assert replica.hits == {"a": 1}


def test_what_was_answered_before_takes_nothing_away() -> None:
    replica = ready(entry("a", 1))
    replica.answered(at(1))
    replica.answered(at(0))
    assert replica.hits == {"a": 1}


def test_an_absent_session_has_nothing() -> None:
    replica = ready(entry("a", 1))
    assert replica.take(StateUpdate(None, NOWHERE, (), ()), 0.0) == "taken"
    assert (replica.hits, replica.size, replica.revision) == ({}, 0, NOWHERE)
    assert replica.is_current


# ---- readers in other threads


def test_who_looks_while_an_update_comes_looks_again() -> None:
    replica = ready(entry("a", 1), entry("b", 1))
    rounds = []

    def look() -> tuple[Any, Any]:
        first = replica.find("a")
        if not rounds:
            replica.take(step(1, entry("a", 2), entry("b", 2)), 0.0)
        rounds.append(first)
        return first, replica.find("b")

    seen = replica.at_once(look)
    assert [each.held for each in seen] == [2, 2]
    assert len(rounds) == 2


def test_who_is_overtaken_again_and_again_has_the_updates_wait() -> None:
    lock = threading.RLock()
    replica = ready(entry("a", 1), lock=lock)
    rounds = 0

    def look() -> bool:
        nonlocal rounds
        rounds += 1
        waits = _held_by_this_thread(lock)
        if not waits:
            replica.take(step(rounds, entry("a", rounds)), 0.0)
        return waits

    assert replica.at_once(look)
    assert rounds == 101


class Noted:
    """A lock that notes who has taken it."""

    def __init__(self) -> None:
        self.takers: list[threading.Thread] = []
        self._lock = threading.RLock()

    def __enter__(self) -> None:
        self._lock.acquire()
        self.takers.append(threading.current_thread())

    def __exit__(self, *_reason: object) -> None:
        self._lock.release()


def test_no_reader_takes_the_lock_in_the_main_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal handler could come in between, and wait for the thread that changes the copy."""
    lock = Noted()
    replica = ready(entry("a", 1), lock=lock, aside=aside)
    feeder = threading.Thread(target=replica.take, args=(step(1, entry("a", 2)), 0.0))
    lock.takers.clear()

    # The update comes between the look at where the copy stands and what follows from it.
    with monkeypatch.context() as overtaken:
        take_away = replica._take_away

        def come_late() -> None:
            overtaken.undo()
            feeder.start()
            feeder.join()
            take_away()

        overtaken.setattr(replica, "_take_away", come_late)
        replica.answered(at(2))
    assert replica.hits == {"a": 2}

    # More answers than are kept.
    monkeypatch.setattr("snakepit_bridge._replica._MOST_ANSWERED", 2)
    for number in (3, 4, 5):
        replica.answered(at(number))
    assert at(3) not in replica._answered

    # A reader that is overtaken again and again.
    rounds = 0

    def look() -> int:
        nonlocal rounds
        rounds += 1
        replica._sequence += 2
        return rounds

    assert replica.at_once(look) == 101
    assert len(lock.takers) == 4
    assert threading.main_thread() not in lock.takers


def _held_by_this_thread(lock: Any) -> bool:
    held: bool = lock._is_owned()
    return held


class Halting(Sequence[StateEntry]):
    """Changes that stop in their middle until they are let go on."""

    def __init__(self, *entries: StateEntry) -> None:
        self._entries = entries
        self.halted = threading.Event()
        self.go_on = threading.Event()

    def __getitem__(self, place: Any) -> Any:
        return self._entries[place]

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[StateEntry]:
        for place, each in enumerate(self._entries):
            if place == 1:
                self.halted.set()
                assert self.go_on.wait(10)
            yield each


def test_who_comes_in_the_middle_of_an_update_waits_for_its_end() -> None:
    replica = ready(entry("a", 1), entry("b", 1), lock=threading.RLock())
    changes = Halting(entry("a", 2), entry("b", 2))
    update = StateUpdate(at(1), at(2), changes, ())
    feeder = threading.Thread(target=replica.take, args=(update, 0.0))
    feeder.start()
    assert changes.halted.wait(10)
    # The copy is half changed, and single readers see nothing of that.
    assert replica.hits == {"a": 1, "b": 1}
    seen: list[Any] = []
    reader = threading.Thread(
        target=lambda: seen.append(replica.at_once(lambda: (replica.find("a"), replica.find("b"))))
    )
    reader.start()
    changes.go_on.set()
    for thread in (feeder, reader):
        thread.join(10)
    assert [each.held for each in seen[0]] == [2, 2]
    assert replica.hits == {"a": 2, "b": 2}


def test_what_is_answered_in_the_middle_of_an_update_is_not_forgotten_at_its_end() -> None:
    replica = ready(entry("a", 1), entry("b", 1), lock=threading.RLock())
    changes = Halting(entry("a", 2), entry("b", 2))
    feeder = threading.Thread(target=replica.take, args=(StateUpdate(at(1), at(2), changes, ()), 0.0))
    feeder.start()
    assert changes.halted.wait(10)
    # It does not wait for the lock, which the feeder has.
    replica.answered(at(3))
    assert (replica.hits, replica.is_current) == ({}, False)
    changes.go_on.set()
    feeder.join(10)
    assert (replica.hits, replica.is_current, replica.access(0.0, 30.0)) == ({}, False, "ask")
    replica.take(step(2, entry("a", 3)), 0.0)
    assert replica.hits == {"a": 3, "b": 2}


def test_what_is_answered_is_summed_up_where_no_update_does_it() -> None:
    replica = Replica()
    for number in range(1, 5_001):
        replica.answered(at(number))
        replica.answered(at(number, b"B" * 16))
    assert len(replica._answered) <= 1_001
    replica.take(whole(4_999), 0.0)
    assert not replica.is_current
    replica.take(step(4_999), 0.0)
    assert replica.is_current
    # It goes on in one life only, and there the latest answer counts.
    assert {each.incarnation for each in replica._answered} == {b"A" * 16}


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads that change as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("restless")
def test_readers_in_threads_see_whole_updates_that_never_go_back() -> None:
    names = [f"v{place}" for place in range(8)]
    replica = ready(*(entry(name, 1) for name in names), lock=threading.RLock())
    wrong: list[object] = []
    over = threading.Event()

    def read_many() -> None:
        last = 0
        while not over.is_set():
            found = replica.at_once(lambda: [replica.find(name) for name in names])
            values = {each.held for each in found if each is not None}
            if len(values) != 1 or min(values) < last:
                wrong.append(values)
            last = max(values)

    def read_singly() -> None:
        last = 0
        while not over.is_set():
            for name in names:
                value = replica.hits[name]
                if value < last:  # type: ignore[operator]
                    wrong.append((name, value, last))
                last = value  # type: ignore[assignment]

    def read_both_ways() -> None:
        while not over.is_set():
            value = replica.hits["v7"]
            found = replica.at_once(lambda: replica.find("v0"))
            if found is None or found.held < value:  # type: ignore[operator]
                wrong.append((value, found))

    readers = [threading.Thread(target=read) for read in (read_many, read_singly, read_both_ways)]
    for reader in readers:
        reader.start()
    for number in range(1, 2_001):
        replica.take(step(number, *(entry(name, number + 1) for name in names)), 0.0)
    over.set()
    for reader in readers:
        reader.join(10)
    assert wrong == []
