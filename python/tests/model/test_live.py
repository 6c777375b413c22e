"""Live reads through random histories in virtual time, and faults that such histories have to find.

More of them: `SNAKEPIT_HISTORIES=100000 python -m pytest python/tests/model/test_live.py`.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
from collections.abc import Callable
from typing import Any

import pytest
from live_histories import BrokenPromiseError, History
from live_world import ModelBridge

from snakepit_bridge._cache import Entry, TtlCache
from snakepit_bridge._core import SessionCore
from snakepit_bridge._points import ResumePoint
from snakepit_bridge._replica import Replica, StateEntry, StateUpdate

HISTORIES = int(os.environ.get("SNAKEPIT_HISTORIES", "500"))
STEPS = 40

FAULTY_HISTORIES = 400
"""In so many a fault has to be found."""


def live(seed: int, make_bridge: Any = ModelBridge) -> History:
    history = History(seed, make_bridge)
    try:
        history.run(STEPS)
    except BrokenPromiseError as error:
        raise BrokenPromiseError(f"history {seed}: {error}") from error
    return history


def test_every_history_keeps_the_promise() -> None:
    histories = [live(seed) for seed in range(HISTORIES)]
    # It would be easily kept if nothing were read.
    assert sum(history.reads for history in histories) > 8 * HISTORIES
    assert sum(history.marked for history in histories) > HISTORIES // 20
    assert sum(history.client.methods.replica.served for history in histories) > 2 * HISTORIES


# ---- faults


def torn_commits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of an update takes effect before the rest."""
    take = Replica.take

    def torn(self: Replica, update: StateUpdate, now: float) -> Any:
        if not update.more:
            return take(self, update, now)
        self._move([update], update.revision)
        self._revision = update.base
        return take(self, update, now)

    monkeypatch.setattr(Replica, "take", torn)


def replies_that_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer to a read is put into the replica."""
    read = SessionCore._read

    def writing(self: SessionCore, variable: Any, revision: int, fetch: Any) -> Entry:
        entry = read(self, variable, revision, fetch)
        replica: Replica = self.answered.__self__  # type: ignore[attr-defined]
        if replica.is_current:
            replica._put(StateEntry(variable.name, entry.id, entry.version, entry.type, entry.held))
            replica._renew_hits(False, {variable.name})
        return entry

    monkeypatch.setattr(SessionCore, "_read", writing)


def missed_updates(monkeypatch: pytest.MonkeyPatch) -> None:
    """An update is lost, and nobody looks whether the next one follows."""
    take = Replica.take
    count = itertools.count()

    def missing(self: Replica, update: StateUpdate, now: float) -> Any:
        if update.base is not None and next(count) % 7 == 3:
            return "taken"
        follows = update if update.base is None else dataclasses.replace(update, base=self._revision)
        return take(self, follows, now)

    monkeypatch.setattr(Replica, "take", missing)


def stale_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is of another life of the session stays where the whole of the new one is told."""
    clear = Replica._clear

    def keeping(self: Replica) -> None:
        if self._revision is None:
            clear(self)

    monkeypatch.setattr(Replica, "_clear", keeping)


def forgotten_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read from before it has come to what a call was answered at."""
    monkeypatch.setattr(Replica, "answered", lambda *_: None)


class OffByOne(ModelBridge):
    """Takes whoever resumes for one commit further than it is."""

    def updates(self, base: ResumePoint | None, before: Any) -> Any:
        if base is not None and before is not None:
            later = [each for each in self.moments if each.point.incarnation == base.incarnation]
            numbers = {each.point.number: each.held for each in later}
            before = numbers.get(base.number + 1, before)
        return super().updates(base, before)


@pytest.mark.parametrize(
    "fault",
    [torn_commits, replies_that_write, missed_updates, stale_lives, forgotten_writes, None],
    ids=lambda fault: "resume_off_by_one" if fault is None else fault.__name__,
)
def test_a_fault_is_found(
    fault: Callable[[pytest.MonkeyPatch], None] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if fault is not None:
        fault(monkeypatch)
    make_bridge = OffByOne if fault is None else ModelBridge
    with pytest.raises(BrokenPromiseError):
        any(live(seed, make_bridge) is None for seed in range(FAULTY_HISTORIES))


# ---- small cases, all of them

LIFE = b"A" * 16


def at(number: int) -> ResumePoint:
    return ResumePoint(LIFE, number, number)


def update(base: int | None, number: int) -> StateUpdate:
    entry = StateEntry("x", "var_x_1", number, "integer", number)
    return StateUpdate(None if base is None else at(base), at(number), (entry,), ())


OVERTAKING: dict[str, Callable[[Replica], object]] = {
    "the push of 2": lambda replica: replica.take(update(1, 2), 0.0),
    "the push of 3": lambda replica: replica.take(update(2, 3), 0.0),
    "a reply that is true at 1": lambda replica: replica.answered(at(1)),
    "a reply that is true at 2": lambda replica: replica.answered(at(2)),
    "a reply that is true at 3": lambda replica: replica.answered(at(3)),
    "the loss of the line": lambda replica: replica.lost("gone"),
    "the whole at 3": lambda replica: replica.take(update(None, 3), 0.0),
}


def test_no_order_of_replies_and_pushes_takes_a_reader_back() -> None:
    orders = 0
    for length in range(1, len(OVERTAKING) + 1):
        for order in itertools.permutations(OVERTAKING, length):
            replica = Replica()
            replica.take(update(None, 1), 0.0)
            seen = 1
            for name in order:
                reached = replica.revision
                assert reached is not None
                OVERTAKING[name](replica)
                if name.startswith("a reply"):
                    seen = max(seen, int(name[-1]))
                    # A reply moves nothing, however late or early it comes.
                    assert replica.revision == reached
                value = replica.hits.get("x")
                assert value is None or (isinstance(value, int) and value >= seen), order
                if isinstance(value, int):
                    seen = value
            orders += 1
    assert orders == 13_699


CLEARING = ("fetch 1", "answer 1", "fetch 2", "answer 2", "write", "clear")


def test_no_order_of_fetches_and_clearing_keeps_what_is_outdated() -> None:
    """The cache of mode `ttl`: what a fetch brings that began before a write or a clearing is not kept."""
    orders = 0
    for order in itertools.permutations(CLEARING):
        if any(order.index(f"fetch {which}") > order.index(f"answer {which}") for which in "12"):
            continue
        cache = TtlCache(60.0)
        revision = 1
        fetches: dict[str, tuple[Any, int]] = {}
        floor = 0
        for name in order:
            what, _, which = name.partition(" ")
            if what == "fetch":
                # The server looks at once; the answer is on its way.
                fetches[which] = (cache.begin(0.0), revision)
            elif what == "answer":
                fetch, read_at = fetches[which]
                cache.store(Entry("var_x_1", read_at, "integer", read_at, read_at), fetch, 0.0)
            elif what == "write":
                revision += 1
                cache.store(Entry("var_x_1", revision, "integer", revision, revision), cache.begin(0.0), 0.0)
                cache.note_write("x")
                floor = revision
            else:
                # Somebody else has written, and we were told to forget.
                revision += 1
                cache.invalidate("x")
                floor = revision
            held = cache.look_up("x", 0.0)
            assert held is None or held[0].revision >= floor, order
        orders += 1
    assert orders == 180
