"""A watch without its waiting: what is asked, what waits, and what an end means."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from watch_messages import event_of
from watch_records import Journal, Reading
from watch_validators import check_readings

from snakepit_bridge import (
    ClosedError,
    InternalError,
    InvalidInputError,
    SessionEvent,
    UnavailableError,
    WatchGapError,
)
from snakepit_bridge import _watching as watching_module
from snakepit_bridge._errors import BridgeError
from snakepit_bridge._gen import command_pb2, values_pb2, variables_pb2
from snakepit_bridge._points import NOWHERE, ResumePoint, read_point
from snakepit_bridge._steps import Status
from snakepit_bridge._watching import MOST_WAITING, Pending, Watching

LIFE = bytes(range(16))
STRING = values_pb2.VariableType.Value("VARIABLE_TYPE_STRING")


def judge(status: Status) -> tuple[BridgeError, bool]:
    if status.closed:
        return ClosedError("closed"), True
    if status.detail is not None:
        reason = "WATCH_OVERFLOW" if status.detail.message == "overflow" else "WATCH_GAP"
        return WatchGapError(status.detail.message, reason=reason), False
    return UnavailableError("nobody"), False


class Script:
    """What a bridge tells of a session, and the commits that it tells of."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal

    def bookmark(self, number: int) -> bytes:
        self.journal.reach(number)
        return bookmark(number)

    def event(self, number: int, kind: str = "changed", text: str = "") -> bytes:
        """A commit of x, or one that begins or ends the session; the same each time that it is told."""
        self.journal.reach(number - 1)
        if len(self.journal.commits) < number:
            before = self.journal.before(number - 1).get("x") or ("", 0)
            self.journal.note({"x": (text, before[1] + 1)} if kind == "changed" else {}, kind=kind)
        told = event_of(self.journal, number - 1, "s", revision(number))
        return variables_pb2.WatchResponse(event=told).SerializeToString()


class Audited(Watching):
    """A watch that writes down what is taken from it."""

    def __init__(self, journal: Journal | None = None) -> None:
        super().__init__("s", ["x"], None, None, False, judge)
        self.reading = Reading(0, wants=lambda name: name == "x")
        if journal is not None:
            journal.readings.append(self.reading)

    def told(self, data: bytes) -> bool:
        is_first = self.point is None
        wants_more = super().told(data)
        if is_first and self.point is not None:
            self.reading.begun_at = self.point.number
            self.reading.points.append(str(self.point))
        return wants_more

    def take(self) -> SessionEvent | Pending:
        told = super().take()
        if isinstance(told, SessionEvent):
            self.reading.events.append(told)
            self.reading.points.append(str(self.point))
        return told


@pytest.fixture
def script(journal_of: Callable[..., Journal]) -> Script:
    return Script(journal_of())


def begun(script: Script | None = None) -> Watching:
    """A watch of x; what is told by a script is checked when it was read."""
    return Audited(None if script is None else script.journal)


def revision(number: int) -> values_pb2.Revision:
    return values_pb2.Revision(incarnation=LIFE if number else b"", number=number, commit_check=number)


def bookmark(number: int) -> bytes:
    return variables_pb2.WatchResponse(bookmark=revision(number)).SerializeToString()


def event(number: int, kind: int = 1) -> bytes:
    changes: list[Any] = [{"name": "x", "after": {"version": 1, "type": STRING, "value": {"string": ""}}}]
    told = variables_pb2.SessionEvent(session_id="s", revision=revision(number), kind=kind, changes=changes)
    return variables_pb2.WatchResponse(event=told).SerializeToString()


def asked(watching: Watching) -> variables_pb2.WatchRequest:
    return variables_pb2.WatchRequest.FromString(watching.command)


def read(watching: Watching) -> list[Any]:
    """All that there is to read: revisions, and why there is no more."""
    found: list[Any] = []
    while True:
        told = watching.take()
        if isinstance(told, Pending):
            return [*found, told]
        found.append(told.revision)


def test_it_asks_for_what_it_was_made_with() -> None:
    point = ResumePoint(LIFE, 7, 2**64 - 1)
    watching = Watching("s", ["a", "b"], "x*", point, True, judge)
    request = asked(watching)
    assert (request.session_id, list(request.names), request.glob) == ("s", ["a", "b"], "x*")
    assert (request.passive, read_point(request.after)) == (True, point)
    assert watching.point == point
    fresh = asked(begun())
    assert not fresh.HasField("after")
    assert not fresh.HasField("glob")


def test_it_goes_on_where_it_was_told_of_and_not_where_it_was_read(script: Script) -> None:
    watching = begun(script)
    assert watching.point is None
    for told in (script.bookmark(3), script.event(4), script.event(5)):
        assert watching.told(told)
    assert str(watching.point) == f"{LIFE.hex()}-3-{3:016x}"
    assert asked(watching).after.number == 5
    assert read(watching) == [4, 5, Pending.NOTHING]
    assert watching.point == ResumePoint(LIFE, 5, 5)


def test_of_several_readers_none_takes_the_point_back(script: Script) -> None:
    watching = begun()
    for told in (script.bookmark(3), script.event(4), script.event(5)):
        watching.told(told)
    found: list[SessionEvent | Pending] = []

    class Interrupted(deque[Any]):
        """Another reader takes the next, where the first has taken one and has not said so."""

        def append(self, read: Any) -> None:
            if len(self) == 1 and not found:
                found.append(watching.take())
            super().append(read)

    watching._read = Interrupted()
    found.insert(0, watching.take())
    assert [each.revision for each in found if isinstance(each, SessionEvent)] == [4, 5]
    assert [each._committed.number for each in found if isinstance(each, SessionEvent)] == [4, 5]
    assert watching.point == ResumePoint(LIFE, 5, 5)
    # What is told next has it forget what each of them has read.
    watching.told(script.event(6))
    assert watching.point == ResumePoint(LIFE, 5, 5)
    assert read(watching) == [6, Pending.NOTHING]
    assert watching.point == ResumePoint(LIFE, 6, 6)


def test_after_the_end_of_the_session_it_stands_nowhere(journal_of: Callable[..., Journal]) -> None:
    for kind in ("deleted", "expired"):
        script = Script(journal_of())
        watching = begun(script)
        watching.told(script.bookmark(3))
        watching.told(script.event(4, kind))
        assert asked(watching).HasField("after")
        assert asked(watching).after == values_pb2.Revision()
        assert read(watching) == [4, Pending.NOTHING]
        assert watching.point == NOWHERE


def test_bookmarks_that_wait_take_no_room(script: Script) -> None:
    watching = begun(script)
    for number in range(1, 3 * MOST_WAITING):
        assert watching.told(script.bookmark(number))
    assert read(watching) == [Pending.NOTHING]
    assert watching.point == ResumePoint(LIFE, 3 * MOST_WAITING - 1, 3 * MOST_WAITING - 1)


def test_one_that_is_not_read_is_told_the_rest_from_where_it_was(script: Script) -> None:
    watching = begun(script)
    watching.told(script.bookmark(1))
    number = 1
    while watching.told(script.event(number + 1)):
        number += 1
    assert number == MOST_WAITING
    assert watching.stands
    assert read(watching) == [*range(2, number + 1), Pending.AGAIN]
    assert not watching.stands
    assert asked(watching).after.number == number
    assert watching.told(script.bookmark(number))
    assert watching.told(script.event(number + 1))
    assert read(watching) == [number + 1, Pending.NOTHING]


def test_long_events_are_bounded_by_their_bytes_and_one_alone_is_told(script: Script) -> None:
    watching = begun(script)
    long = "y" * 3_000_000
    watching.told(script.bookmark(0))
    watching.told(script.event(1, text=long * 4))
    assert not watching.told(script.event(2))
    assert read(watching) == [1, Pending.AGAIN]
    for number in range(2, 20):
        assert watching.told(script.event(number, text=long))
        assert read(watching) == [number, Pending.NOTHING]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 4), max_size=60))
def test_whatever_is_told_and_read_when_nothing_is_lost(steps: list[int]) -> None:
    """[ORD-6 accepts]"""
    bound = watching_module.MOST_WAITING
    watching_module.MOST_WAITING = 3  # type: ignore[misc]
    try:
        script, last, seen = Script(Journal()), 0, []
        watching = begun(script)
        listening = True
        watching.told(script.bookmark(0))
        for step in steps:
            if step < 3:
                last += 1
                # What nobody listens to is told when it is asked for again.
                listening = listening and watching.told(script.event(last))
            else:
                told = watching.take()
                if told is Pending.AGAIN:
                    start = asked(watching).after.number
                    watching.told(script.bookmark(start))
                    listening = all(watching.told(script.event(n)) for n in range(start + 1, last + 1))
                elif not isinstance(told, Pending):
                    seen.append(told.revision)
        assert seen == list(range(1, len(seen) + 1))
        check_readings(script.journal)
    finally:
        watching_module.MOST_WAITING = bound  # type: ignore[misc]


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\xff",
        b"",
        event(1, 0),
        event(1, 99),
        variables_pb2.WatchResponse(bookmark=values_pb2.Revision(number=3)).SerializeToString(),
    ],
)
def test_nonsense_ends_it(nonsense: bytes) -> None:
    watching = begun()
    watching.told(bookmark(1))
    assert not watching.told(nonsense)
    with pytest.raises(InternalError) as raised:
        read(watching)
    assert raised.value.reason == "PROTOCOL"
    assert read(watching) == [Pending.OVER]


def test_a_value_that_makes_no_sense_ends_it_where_it_is_read() -> None:
    watching = begun()
    watching.told(bookmark(1))
    changes: list[Any] = [{"name": "x", "after": {"version": 1, "type": 1, "value": {"string": "y"}}}]
    told = variables_pb2.SessionEvent(session_id="s", revision=revision(2), kind=1, changes=changes)
    assert watching.told(variables_pb2.WatchResponse(event=told).SerializeToString())
    with pytest.raises(InternalError):
        watching.take()
    assert watching.take() is Pending.OVER
    assert not watching.told(event(3))


def reply(message: str | None) -> bytes:
    if message is None:
        return command_pb2.Reply(ping={}).SerializeToString()
    return command_pb2.Reply(error={"message": message}).SerializeToString()


def test_why_it_ended_is_raised_once_after_all_that_has_come(script: Script) -> None:
    watching = begun(script)
    watching.told(script.bookmark(1))
    watching.told(script.event(2))
    assert watching.replied(reply("gap"), attempt=1, time_left=1.0, jitter=0.0) is None
    assert watching.is_over
    told = watching.take()
    assert not isinstance(told, Pending)
    assert told.revision == 2
    with pytest.raises(WatchGapError):
        watching.take()
    assert watching.take() is Pending.OVER
    with pytest.raises(WatchGapError):
        _ = watching.stands


def test_what_passes_is_waited_out() -> None:
    """A lost stream is asked for again after a pause that grows, an overflow at the bridge at once."""
    watching = begun()
    watching.told(bookmark(1))
    gone = Status(14, "gone")
    pauses = [watching.failed(gone, attempt=n, time_left=1.0, jitter=0.0) for n in range(1, 12)]
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0]
    assert not watching.stands
    assert isinstance(watching.trouble, UnavailableError)
    # Where nothing was told, there was nothing to be slow with.
    assert watching.replied(reply("overflow"), attempt=1, time_left=1.0, jitter=0.0) == 0.1
    watching.count = 2
    assert watching.replied(reply("overflow"), attempt=1, time_left=1.0, jitter=0.0) == 0.0
    watching.told(bookmark(1))
    assert watching.stands
    assert watching.trouble is None


def test_an_answer_that_is_no_error_ends_it() -> None:
    for nonsense in (reply(None), b"\xff", b""):
        watching = begun()
        assert watching.replied(nonsense, attempt=1, time_left=1.0, jitter=0.0) is None
        with pytest.raises(InternalError, match="ended a subscription with what is no error"):
            watching.take()


def test_one_that_is_closed_tells_nothing_more() -> None:
    watching = begun()
    watching.told(bookmark(1))
    watching.told(event(2))
    watching.close()
    assert watching.take() is Pending.OVER
    assert not watching.told(event(3))
    assert watching.failed(Status(14, "gone"), attempt=1, time_left=1.0, jitter=0.0) is not None
    with pytest.raises(ClosedError, match="the watch was ended"):
        _ = watching.stands


def test_bells_ring_once_and_not_for_those_who_have_gone() -> None:
    watching = begun()
    rung: list[str] = []
    mark = watching.rung
    assert watching.listen("a", lambda: rung.append("a"), mark)
    assert watching.listen("b", lambda: rung.append("b"), mark)
    watching.unlisten("b")
    watching.told(bookmark(1))
    watching.told(event(2))
    assert rung == ["a"]
    # Something has happened since.
    assert not watching.listen("c", lambda: rung.append("c"), mark)
    for happen in (
        watching.lost,
        lambda: watching.end(ClosedError("closed")),
        watching.close,
    ):
        assert watching.listen("d", lambda: rung.append("d"), watching.rung)
        happen()
    assert rung == ["a", "d", "d", "d"]


@pytest.mark.parametrize(
    "text", ["", "7", "-1-", "x-1-0000000000000000", "-9007199254740992-0000000000000000", None]
)
def test_what_is_no_point_is_refused(text: Any) -> None:
    with pytest.raises(InvalidInputError) as raised:
        read_point(text)
    assert (raised.value.reason, raised.value.field) == ("INVALID_ARGUMENT", "after")


@given(st.integers(0, 2**53 - 1), st.integers(0, 2**64 - 1), st.sampled_from([b"", LIFE]))
def test_a_point_is_read_back_from_its_text(number: int, check: int, life: bytes) -> None:
    point = ResumePoint(life, number, check)
    assert read_point(str(point)) == point
    assert read_point("-0-0000000000000000") == NOWHERE
