"""Watches of the blocking client that threads share, with a bridge."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable

import pytest
from watch_records import Journal
from watches import Audited, Heard

from snakepit_bridge import DeadlineError, SessionEvent, sync

JournalOf = Callable[..., Journal]


def test_threads_share_one_and_each_event_goes_to_one_of_them(bridge: str, journal_of: JournalOf) -> None:
    journal = journal_of()
    with sync.SessionContext("threads", address=bridge) as context:
        reader = Audited(journal, context)
        watch = reader.watch
        seen: list[list[SessionEvent]] = [[] for _ in range(4)]

        def read(seen: list[SessionEvent]) -> None:
            while (event := watch.next()) is not None:
                seen.append(event)

        threads = [threading.Thread(target=read, args=(each,)) for each in seen]
        for thread in threads:
            thread.start()
        for number in range(100):
            context["x"] = number
            journal.made(x=number)
        whole = threading.Event()

        def look(event: SessionEvent) -> None:
            if event.changes[0].value == 99:
                whole.set()

        listener = Heard(journal, context, look).listener
        context["x"] = 99
        journal.made(x=99)
        assert whole.wait(30.0)
        listener.close()
        while sum(map(len, seen)) < 101:
            assert any(thread.is_alive() for thread in threads)
        # Whoever waits in another thread is told that it has ended.
        watch.close()
        for thread in threads:
            thread.join(30.0)
            assert not thread.is_alive()
    # Each of them was told in order, so all together were, if nothing is wrong.
    reader.reading.events = list(heapq.merge(*seen, key=lambda event: event.revision))
    assert [event.revision for event in reader.reading.events] == list(range(1, 102))


def test_reading_may_have_a_time_limit(bridge: str, journal_of: JournalOf) -> None:
    journal = journal_of()
    with sync.SessionContext("limits", address=bridge) as context:
        reader = Audited(journal, context)
        watch = reader.watch
        watch.ready(30.0)
        with pytest.raises(DeadlineError, match=r"nothing was told within 0\.05 s"):
            watch.next(0.05)
        context["x"] = 1
        journal.made(x=1)
        event = watch.next(30.0)
        assert event is not None
        assert event.kind == "created"
        reader.note(event)
    with sync.SessionContext("nobody", address="127.0.0.1:1") as context:
        watch = Audited(journal_of(), context).watch
        with pytest.raises(DeadlineError, match=r"the watch did not stand within 0\.05 s"):
            watch.ready(0.05)
