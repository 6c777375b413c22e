"""What is sent on a stream, and what becomes of it, without a bridge."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snakepit_bridge import UnavailableError
from snakepit_bridge import _calls as calls
from snakepit_bridge._errands import Errand, Failed
from snakepit_bridge._frames import LONGEST_MESSAGE, Parts, SenselessError, in_field
from snakepit_bridge._gen import channel_pb2, command_pb2, sessions_pb2, variables_pb2
from snakepit_bridge._link import Link, Stream
from snakepit_bridge._retry import Outcome, backoff
from snakepit_bridge._steps import Status
from snakepit_bridge._subscriptions import Subscription

METHODS = [each for each in vars(calls).values() if isinstance(each, calls.Method)]
GONE = Status(14, "gone")


class Bench:
    """A link with a clock that stands at 100 s."""

    def __init__(self) -> None:
        self.now = 100.0
        self.lines: list[str] = []
        self.link = Link(now=lambda: self.now, jitter=lambda: 0.0, tell=self.tell)

    def tell(self, text: str, *about: object) -> None:
        self.lines.append(text % about)

    def ask(self, name: str = "x", *, write: bool = False, timeout: float = 5.0) -> Errand:
        method = calls.SET if write else calls.GET
        request: Any = variables_pb2.GetVariableRequest(session_id=name)
        if write:
            request = variables_pb2.SetVariableRequest(session_id=name)
        errand = Errand(method, request.SerializeToString(), 100.0 + timeout)
        self.link.submit(errand)
        return errand

    def stream(self) -> Stream:
        """A stream that has said hello, with all that waits."""
        stream = self.link.begin()
        self.said(stream)
        return stream

    def said(self, stream: Stream) -> list[channel_pb2.ChannelRequest]:
        messages = []
        while (message := self.link.take(stream)) is not None:
            assert len(message) <= LONGEST_MESSAGE
            messages.append(channel_pb2.ChannelRequest.FromString(message))
        return messages

    def hear(self, stream: Stream, **fields: Any) -> None:
        self.link.receive(stream, channel_pb2.ChannelResponse(**fields).SerializeToString())

    def pass_until_due(self) -> float:
        """Lets time pass until the link has something to do; returns how much."""
        assert self.link.due is not None
        passed, self.now = self.link.due - self.now, self.link.due
        assert self.link.rise() == []
        return round(passed, 6)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def commands(messages: list[channel_pb2.ChannelRequest]) -> list[str]:
    """The sessions that the commands are about."""
    found = []
    for message in messages:
        for frame in message.commands:
            command = command_pb2.Command.FromString(frame.command)
            found.append(getattr(command, command.WhichOneof("kind") or "").session_id)
    return found


def reply(errand: Errand, number: int) -> dict[str, Any]:
    return {"id": number, "reply": in_field(errand.method.number, b"")}


def refusal(number: int, reason: str) -> dict[str, Any]:
    message = command_pb2.Reply(error={"reason": f"ERROR_REASON_{reason}", "message": "no"})
    return {"id": number, "reply": message.SerializeToString()}


def verdict(errand: Errand) -> Any:
    assert isinstance(errand.ending, Failed)
    return errand.ending.verdict


# ---- commands in frames


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.arm)
def test_a_request_becomes_a_command(method: calls.Method) -> None:
    request = sessions_pb2.HeartbeatRequest(session_id="ż" * 100).SerializeToString()
    command = command_pb2.Command.FromString(Errand(method, request, 0.0).command)
    assert command.WhichOneof("kind") == method.arm
    assert getattr(command, method.arm).session_id == "ż" * 100


def test_all_that_waits_is_one_message(bench: Bench) -> None:
    for name in "abc":
        bench.ask(name)
    (message,) = bench.said(bench.link.begin())
    assert (message.hello.protocol, bool(message.hello.version)) == (1, True)
    assert commands([message]) == ["a", "b", "c"]
    assert [frame.timeout_ms for frame in message.commands] == [5000] * 3


def test_a_message_is_not_longer_than_it_may_be(bench: Bench) -> None:
    """[ORD-18 accepts]"""
    names = [letter * 100_000 for letter in "abcde"]
    for name in names:
        bench.ask(name)
    messages = bench.said(bench.link.begin())
    assert commands(messages) == names
    assert len(messages) == 3


@pytest.mark.parametrize("length", [262_000, 262_144, 262_145, 3_000_000])
def test_what_is_longer_than_a_message_travels_in_parts(bench: Bench, length: int) -> None:
    """[ORD-18 accepts]"""
    bench.ask("before")
    errand = bench.ask("x" * length, timeout=2.0)
    bench.ask("behind")
    frames = [frame for message in bench.said(bench.link.begin()) for frame in message.commands]
    parts = Parts(2**30)
    wholes = [parts.add(frame.id, frame.command, frame.more) for frame in frames]
    assert [each for each in wholes if each is not None][1] == errand.command
    assert [frame.HasField("timeout_ms") for frame in frames if frame.id == 2].count(True) == 1
    assert [frame.id for frame in frames] == sorted(frame.id for frame in frames)


@pytest.mark.parametrize(
    ("timeout", "sent"), [(0.0001, 1), (1.5, 1500), (0.0011, 2), (1e9, None), (float("inf"), None)]
)
def test_a_command_says_how_long_it_is_waited_for(bench: Bench, timeout: float, sent: int | None) -> None:
    bench.ask(timeout=timeout)
    (message,) = bench.said(bench.link.begin())
    frame = message.commands[0]
    assert (frame.timeout_ms if frame.HasField("timeout_ms") else None) == sent


def test_numbers_begin_again_where_the_field_ends(bench: Bench) -> None:
    bench.link._last_number = 2**32 - 2
    for name in "abc":
        bench.ask(name)
    (message,) = bench.said(bench.link.begin())
    assert [frame.id for frame in message.commands] == [2**32 - 1, 0, 1]


def test_a_number_that_is_in_use_is_not_given_again(bench: Bench, subscribed: Subscribed) -> None:
    """[ORD-17 accepts]"""
    stream = bench.stream()
    (number,) = stream.sent
    # So many commands later.
    bench.link._last_number = number - 1
    errand = bench.ask()
    (message,) = bench.said(stream)
    assert [frame.id for frame in message.commands] == [number + 1]
    assert stream.sent == {number: subscribed, number + 1: errand}


# ---- replies


def test_replies_may_pass_each_other_and_come_in_parts(bench: Bench) -> None:
    """[ORD-18 accepts]"""
    first, second = bench.ask("a"), bench.ask("b")
    stream = bench.stream()
    bench.hear(stream, replies=[reply(second, 2)])
    assert (first.ending, second.ending) == (None, variables_pb2.GetVariableResponse())
    whole = command_pb2.Reply(get_variable={"variable": {"name": "x" * 1000}}).SerializeToString()
    bench.hear(stream, replies=[{"id": 1, "reply": whole[:600], "more": True}])
    assert first.ending is None
    bench.hear(stream, replies=[{"id": 1, "reply": whole[600:]}])
    assert first.ending.variable.name == "x" * 1000


def test_a_reply_that_nobody_waits_for_is_left_alone(bench: Bench) -> None:
    errand = bench.ask()
    stream = bench.stream()
    bench.hear(stream, replies=[reply(errand, 7)])
    assert errand.ending is None


def test_parts_amid_those_of_another_reply_are_of_no_use(bench: Bench) -> None:
    """[ORD-17 refuses]"""
    stream = bench.stream()
    with pytest.raises(SenselessError, match="reply 2 came amid those of reply 1"):
        bench.hear(stream, replies=[{"id": 1, "reply": b"a", "more": True}, {"id": 2, "reply": b"b"}])


def test_a_reply_beyond_all_measure_is_not_kept() -> None:
    parts = Parts(10)
    assert parts.add(7, b"12345678", False) == b"12345678"
    assert parts.add(1, b"12345", True) is None
    with pytest.raises(SenselessError, match="longer than 10 bytes"):
        parts.add(1, b"678901", True)


def test_a_message_that_is_garbage_is_of_no_use(bench: Bench) -> None:
    with pytest.raises(SenselessError):
        bench.link.receive(bench.stream(), b"\xff\xff")


@pytest.mark.parametrize("answer", [b"\xff", b"", command_pb2.Reply(ping={}).SerializeToString()])
def test_a_reply_that_is_garbage_is_an_answer_without_sense(bench: Bench, answer: bytes) -> None:
    errand = bench.ask()
    bench.hear(bench.stream(), replies=[{"id": 1, "reply": answer}])
    assert errand.ending.reason == "PROTOCOL"


# ---- the end of a stream


def test_what_was_lost_is_sent_again_in_its_old_order_before_all_others(bench: Bench) -> None:
    """[ORD-17 accepts]"""
    errands = [bench.ask(name, write=name != "c") for name in "abcd"]
    stream = bench.stream()
    bench.hear(stream, replies=[reply(errands[1], 2)])
    bench.ask("later")
    assert bench.link.lose(stream, GONE) == 0.1
    bench.ask("last", write=True)
    assert commands(bench.said(bench.link.begin())) == ["a", "c", "d", "later", "last"]


def test_pauses_are_those_of_the_link_and_grow_until_something_is_answered(bench: Bench) -> None:
    errand = bench.ask(write=True)
    assert bench.link.lose(bench.stream(), GONE) == 0.1
    assert bench.link.lose(bench.stream(), GONE) == 0.2
    assert bench.link.fail(Status(None, "")) == 0.4
    bench.hear(bench.stream(), replies=[reply(errand, 3)])
    bench.ask()
    assert bench.link.lose(bench.stream(), GONE) == 0.1


def test_what_was_never_handed_over_was_not_carried_out(bench: Bench) -> None:
    """[ORD-16 accepts]"""
    read, write = bench.ask(), bench.ask(write=True)
    assert bench.link.fail(Status(None, "")) is None
    assert (verdict(read), verdict(write)) == (Outcome.UNAVAILABLE, Outcome.UNAVAILABLE)
    assert not bench.link.waiting


def test_a_stream_without_anything_under_way_ends_for_nobody(bench: Bench) -> None:
    assert bench.link.lose(bench.stream(), GONE) is None
    assert bench.link.open is None


def test_a_stream_that_is_told_to_go_answers_what_it_has_taken(bench: Bench) -> None:
    first = bench.ask("a", write=True)
    old = bench.stream()
    bench.hear(old, going_away=True)
    second = bench.ask("b", write=True)
    assert bench.said(old) == []
    new = bench.stream()
    bench.hear(old, replies=[reply(first, 1)])
    bench.hear(new, replies=[reply(second, 2)])
    assert bench.link.lose(old, GONE) is None
    assert bench.link.open is new
    assert not isinstance(first.ending, Failed)
    assert not isinstance(second.ending, Failed)


def test_a_write_that_a_leaving_bridge_refuses_after_it_was_lost_is_sent_again(bench: Bench) -> None:
    errand = bench.ask(write=True)
    bench.link.lose(bench.stream(), GONE)
    bench.hear(bench.stream(), replies=[refusal(2, "SHUTTING_DOWN")])
    assert not bench.link.waiting
    assert bench.pass_until_due() == 0.2
    assert list(bench.link.waiting) == [errand]
    bench.hear(bench.stream(), replies=[refusal(3, "CONSTRAINT_VIOLATED")])
    assert verdict(errand) is Outcome.AS_ANSWERED
    assert errand.ending.lost_before


def refused_for_now(bench: Bench, names: str) -> dict[str, Errand]:
    """Writes that were lost, and that a bridge refuses then because it is leaving."""
    errands = {name: bench.ask(name, write=True, timeout=60.0) for name in names}
    bench.link.lose(bench.stream(), GONE)
    stream = bench.stream()
    bench.hear(stream, replies=[refusal(number, "SHUTTING_DOWN") for number in stream.sent])
    assert all(bench.link.carries(errand) for errand in errands.values())
    return errands


def test_what_is_refused_for_now_holds_up_nobody_and_is_sent_again_before_what_came_later(
    bench: Bench,
) -> None:
    """[ORD-17 accepts]"""
    refused_for_now(bench, "ab")
    stream = bench.link.open
    assert stream is not None
    bench.ask("c", write=True)
    assert commands(bench.said(stream)) == ["c"]
    bench.link.lose(stream, GONE)
    bench.ask("d", write=True)
    while bench.link.due is not None:
        bench.pass_until_due()
    assert commands(bench.said(bench.link.begin())) == ["a", "b", "c", "d"]


def test_what_is_refused_for_now_does_not_overtake_what_was_refused_before_it() -> None:
    """[ORD-17 accepts]"""
    bench = Bench()
    jitters = iter([0.0, 0.0, 0.9])
    bench.link = Link(now=lambda: bench.now, jitter=lambda: next(jitters))
    # So that their pauses are as long as they become, but for the jitter.
    bench.link._failures = 20
    refused_for_now(bench, "ab")
    assert bench.pass_until_due() == 2.0
    assert commands(bench.said(bench.link.begin())) == ["a", "b"]


def test_what_was_refused_for_now_can_be_let_go_of_and_runs_out_of_time(bench: Bench) -> None:
    """[ORD-16 refuses]"""
    errands = refused_for_now(bench, "ab")
    assert bench.link.withdraw(errands["a"]) is None
    assert bench.link.expire(errands["b"]) is None
    assert (errands["a"].ending, verdict(errands["b"])) == (None, Outcome.UNKNOWN)
    assert bench.link.due is None


def test_what_was_refused_for_now_is_sent_after_a_fork(bench: Bench) -> None:
    """[ORD-20 accepts]"""
    refused_for_now(bench, "a")
    bench.link.set_aside()
    bench.ask("b", write=True)
    bench.pass_until_due()
    assert commands(bench.said(bench.link.begin())) == ["a", "b"]


def test_close_ends_everything(bench: Bench) -> None:
    refused = refused_for_now(bench, "r")["r"]
    sent = bench.ask(write=True)
    stream = bench.stream()
    waiting = bench.ask(write=True)
    bench.link.close()
    verdicts = [verdict(each) for each in (refused, sent, waiting)]
    assert verdicts == [Outcome.UNKNOWN, Outcome.UNKNOWN, Outcome.UNAVAILABLE]
    assert bench.link.due is None
    assert bench.link.lose(stream, GONE) is None


@settings(deadline=None, derandomize=True, database=None)
@given(st.randoms(use_true_random=False))
def test_however_streams_end_each_write_is_carried_out_once_and_in_order(chance: Random) -> None:
    """A bridge that gets some of what was sent, answers some of that, and remembers what it carried out.

    [ORD-15 accepts] [ORD-17 accepts]
    """
    bench = Bench()
    errands: list[Errand] = []
    carried_out: list[str] = []

    def ask_some() -> None:
        for _ in range(chance.randint(0, 3)):
            name = f"{len(errands):03}" * chance.choice([1, 1, 1, 100_000])
            errands.append(bench.ask(name, write=True, timeout=1e6))

    for breaks in [True] * 6 + [False]:
        ask_some()
        stream = bench.link.open or bench.link.begin()
        sent = [frame.id for message in bench.said(stream) for frame in message.commands if not frame.more]
        arrived = sent[: chance.randint(0, len(sent))] if breaks else sent
        carried_out += [name_of(stream.sent[number]) for number in arrived]
        for number in chance.sample(arrived, chance.randint(0, len(arrived)) if breaks else len(arrived)):
            bench.hear(stream, replies=[reply(stream.sent[number], number)])
        if breaks:
            ask_some()
            bench.link.lose(stream, GONE)
    assert not any(each.ending is None or isinstance(each.ending, Failed) for each in errands)
    assert list(dict.fromkeys(carried_out)) == [name_of(each) for each in errands]


def name_of(errand: Errand) -> str:
    """The session that a write is about; the first letters of it."""
    return variables_pb2.SetVariableRequest.FromString(errand.payload).session_id[:3]


def test_what_waits_is_not_sent_elsewhere_while_a_stream_owes_answers(bench: Bench) -> None:
    """[ORD-17 accepts]"""
    first, second = bench.ask("a", write=True), bench.ask("b", write=True)
    stream = bench.stream()
    bench.hear(stream, going_away=True)
    assert not bench.link.wants_stream
    later = bench.ask("c", write=True)
    bench.hear(stream, replies=[reply(first, 1)])
    assert not bench.link.wants_stream
    bench.link.expire(later)
    assert "before anything was sent" in later.ending.status.text
    later = bench.ask("d", write=True)
    bench.link.lose(stream, GONE)
    assert bench.link.wants_stream
    assert list(bench.link.waiting) == [second, later]


def test_who_waits_no_longer_is_owed_nothing(bench: Bench) -> None:
    owed = [bench.ask(name, write=True) for name in "ab"]
    stream = bench.stream()
    bench.link.retire(stream)
    bench.ask("later")
    bench.link.withdraw(owed[0])
    assert not bench.link.wants_stream
    bench.link.expire(owed[1])
    assert bench.link.wants_stream


# ---- those who go


def test_what_is_withdrawn_before_it_was_sent_is_not_sent(bench: Bench) -> None:
    first, _ = bench.ask("a"), bench.ask("b")
    assert bench.link.withdraw(first) is None
    assert commands(bench.said(bench.link.begin())) == ["b"]


def test_what_is_withdrawn_later_is_said_to_be_behind_its_last_part(bench: Bench) -> None:
    errand = bench.ask("x" * 1_000_000)
    stream = bench.link.begin()
    assert bench.link.take(stream) is not None
    assert bench.link.withdraw(errand) is stream
    messages = bench.said(stream)
    assert [list(message.cancelled) for message in messages][-1] == [1]
    assert not messages[-1].commands or not messages[-1].commands[-1].more
    assert bench.link.lose(stream, GONE) is None
    assert bench.link.withdraw(errand) is None


@pytest.mark.parametrize(
    ("write", "sent", "expected"),
    [
        (False, True, Outcome.DEADLINE),
        (True, True, Outcome.UNKNOWN),
        (False, False, Outcome.DEADLINE),
        (True, False, Outcome.UNAVAILABLE),
    ],
)
def test_what_runs_out_of_time(bench: Bench, write: bool, sent: bool, expected: Outcome) -> None:
    """[ORD-16 refuses]"""
    errand = bench.ask(write=write)
    stream = bench.stream() if sent else None
    assert bench.link.expire(errand) is stream
    assert verdict(errand) is expected
    assert not bench.link.waiting


def test_what_is_answered_has_not_run_out_of_time(bench: Bench) -> None:
    errand = bench.ask(write=True)
    bench.hear(bench.stream(), replies=[reply(errand, 1)])
    assert bench.link.expire(errand) is None
    assert errand.ending == variables_pb2.SetVariableResponse()


def test_a_lost_write_that_runs_out_of_time_while_it_waits_is_unknown(bench: Bench) -> None:
    errand = bench.ask(write=True)
    bench.link.lose(bench.stream(), GONE)
    assert bench.link.expire(errand) is None
    assert verdict(errand) is Outcome.UNKNOWN


def test_what_is_set_aside_has_not_failed_and_is_sent_again_in_its_old_order(bench: Bench) -> None:
    """[ORD-20 accepts]"""
    errands = [bench.ask(name, write=name != "c") for name in "abc"]
    stream = bench.stream()
    bench.hear(stream, replies=[reply(errands[1], 2)])
    bench.ask("later")
    bench.link.set_aside()
    assert (stream.sent, bench.link.open, bench.link.wants_stream) == ({}, None, True)
    # Its end is no news any more, and what it still says is for nobody.
    bench.hear(stream, replies=[reply(errands[0], 1)])
    assert bench.link.lose(stream, GONE) is None
    assert errands[0].ending is None
    assert commands(bench.said(bench.link.begin())) == ["a", "c", "later"]
    # Nothing has failed, so the next failure is the first.
    assert bench.link.lose(bench.stream(), GONE) is None
    assert bench.link.waiting == {}


def test_a_write_that_was_set_aside_may_have_been_carried_out(bench: Bench) -> None:
    errand = bench.ask(write=True)
    bench.stream()
    bench.link.set_aside()
    assert bench.link.expire(errand) is None
    assert verdict(errand) is Outcome.UNKNOWN


# ---- subscriptions


class Subscribed(Subscription):
    """What is told to it, as it is; it asks for how often it was lost."""

    flag = "state"

    def __init__(self) -> None:
        super().__init__(lambda status: (UnavailableError(status.text), status.closed))
        self.heard: list[bytes] = []
        self.losses = 0
        self.wants_more = True

    @property
    def command(self) -> bytes:
        return b"lost %d" % self.losses

    def told(self, data: bytes) -> bool:
        self.heard.append(data)
        return self.wants_more

    def lost(self) -> None:
        self.losses += 1

    def over(self) -> None:
        pass


@pytest.fixture
def subscribed(bench: Bench) -> Subscribed:
    subscription = Subscribed()
    bench.link.submit(subscription)
    return subscription


def test_a_subscription_takes_its_turn_without_a_deadline(bench: Bench, subscribed: Subscribed) -> None:
    bench.ask("after")
    (message,) = bench.said(bench.link.begin())
    frame, command = message.commands
    assert (frame.command, frame.state, frame.watch) == (b"lost 0", True, False)
    assert not frame.HasField("timeout_ms")
    assert not command.state
    assert command.HasField("timeout_ms")
    assert subscribed.heard == []


def test_it_is_told_in_parts_before_the_replies_of_a_message(bench: Bench, subscribed: Subscribed) -> None:
    """[ORD-2 accepts]"""
    errand = bench.ask()
    stream = bench.stream()
    seen: list[list[bytes]] = []
    errand.ended = lambda: seen.append(list(subscribed.heard))
    bench.hear(stream, events=[{"id": 1, "event": b"a", "more": True}])
    events = [{"id": 1, "event": b"b"}, {"id": 1, "event": b"c"}, {"id": 7, "event": b"of nobody"}]
    bench.hear(stream, replies=[reply(errand, 2)], events=events)
    assert seen == [[b"ab", b"c"]]
    # A command is told nothing.
    bench.ask()
    bench.said(stream)
    bench.hear(stream, events=[{"id": 3, "event": b"d"}])
    assert subscribed.heard == [b"ab", b"c"]


class RungAmid(Subscribed):
    """Another thread rings it in the moment in which a number is to be kept."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.is_amid = False
        super().__init__()

    @property  # type: ignore[override]
    def rung(self) -> int:
        return self.numbers[-1]

    @rung.setter
    def rung(self, number: int) -> None:
        if self.numbers and not self.is_amid:
            self.is_amid = True
            self.ring()
        self.numbers.append(number)


def test_no_two_things_that_happen_have_the_same_number() -> None:
    subscription = RungAmid()
    subscription.ring()
    assert len(set(subscription.numbers)) == 3


def test_one_that_has_heard_enough_is_let_go(bench: Bench, subscribed: Subscribed) -> None:
    stream = bench.stream()
    subscribed.wants_more = False
    bench.hear(stream, events=[{"id": 1, "event": b"a"}, {"id": 1, "event": b"b"}])
    assert subscribed.heard == [b"a"]
    (message,) = bench.said(stream)
    assert list(message.cancelled) == [1]
    assert bench.link.due is None


def test_a_lost_one_rests_by_itself_and_asks_for_what_it_needs_then(
    bench: Bench, subscribed: Subscribed
) -> None:
    first = bench.stream()
    write = bench.ask("w", write=True)
    bench.said(first)
    # Only what has to be sent again is paused for.
    assert bench.link.lose(first, GONE) == 0.1
    assert subscribed.losses == 1
    assert list(bench.link.waiting) == [write]
    assert bench.link.due == 100.1
    assert bench.link.rise() == []
    second = bench.link.begin()
    (message,) = bench.said(second)
    assert len(message.commands) == 1
    bench.now = 100.1
    assert bench.link.rise() == []
    (message,) = bench.said(second)
    assert [frame.command for frame in message.commands] == [b"lost 1"]


def test_pauses_grow_until_something_is_told(bench: Bench, subscribed: Subscribed) -> None:
    due = []
    for _ in range(3):
        assert bench.link.fail(Status(None, "")) is None
        assert bench.link.due is not None
        due.append(round(bench.link.due - bench.now, 3))
        bench.now = bench.link.due
        bench.link.rise()
    assert due == [0.1, 0.2, 0.4]
    stream = bench.stream()
    # Only where it stands: a bridge that says no more, again and again, is no success.
    bench.hear(stream, events=[{"id": 1, "event": b"a"}])
    assert bench.link.lose(stream, GONE) is None
    assert bench.link.due == bench.now + 0.8
    bench.now = bench.link.due
    bench.link.rise()
    stream = bench.stream()
    bench.hear(stream, events=[{"id": 2, "event": b"a"}, {"id": 2, "event": b"b"}])
    assert bench.link.lose(stream, GONE) is None
    assert bench.link.due == bench.now + 0.1
    assert subscribed.losses == 5


def test_a_bridge_that_takes_it_and_ends_the_stream_at_once_is_asked_more_and_more_seldom(
    bench: Bench, subscribed: Subscribed
) -> None:
    asked = 0
    while bench.now < 700.0:
        stream = bench.stream()
        asked += 1
        bench.hear(stream)
        assert bench.link.lose(stream, Status(14, "the bridge ended the stream")) is None
        assert bench.link.due is not None
        bench.now = bench.link.due
        bench.link.rise()
    assert subscribed.ending is None
    # Of these ten minutes ten times in the first, and twice in each that follows.
    assert asked == 28


def test_that_the_bridge_was_reached_is_logged_once(bench: Bench, subscribed: Subscribed) -> None:
    first = bench.stream()
    bench.hear(first)
    bench.hear(first)
    # A stream that is going away has a follower, and nothing was lost.
    bench.hear(first, going_away=True)
    second = bench.link.begin()
    bench.ask()
    bench.said(second)
    bench.hear(second)
    bench.link.lose(first, GONE)
    third = bench.link.begin()
    bench.hear(third)
    assert len(bench.lines) == 1
    bench.link.lose(third, GONE)
    bench.hear(bench.link.begin())
    assert bench.lines == ["connected to the bridge at its channel"] * 2
    assert subscribed.ending is None


def test_a_rest_ends_when_the_bridge_is_heard(bench: Bench, subscribed: Subscribed) -> None:
    for _ in range(20):
        bench.link.fail(Status(None, ""))
        assert bench.link.due is not None
        late, bench.now = bench.link.due - bench.now, bench.link.due
        bench.link.rise()
    assert late == 30.0
    bench.link.fail(Status(None, ""))
    bench.ask("w", write=True)
    stream = bench.link.begin()
    bench.said(stream)
    assert bench.link.due == bench.now + 30.0
    bench.hear(stream)
    assert bench.link.due == bench.now
    bench.link.rise()
    assert list(bench.link.waiting) == [subscribed]


def test_who_asks_for_one_that_rests_has_it_rest_no_longer_than_a_call(
    bench: Bench, subscribed: Subscribed
) -> None:
    asked: list[float] = []
    while bench.now < 160.0:
        # Somebody reads all the time, and the bridge is not there.
        bench.link.submit(subscribed)
        if bench.link.waiting:
            asked.append(bench.now)
            bench.link.fail(Status(None, ""))
        bench.now += 0.05
        bench.link.rise()
    assert len(asked) > 30
    for attempt, (sooner, later) in enumerate(pairwise(asked), 1):
        pause = backoff(attempt, 0.0)
        assert pause - 1e-6 <= later - sooner <= pause + 0.11
    assert subscribed.ending is None


def test_one_that_has_rested_as_long_as_a_call_is_asked_for_by_whoever_wants_it(
    bench: Bench, subscribed: Subscribed
) -> None:
    for _ in range(20):
        bench.link.fail(Status(None, ""))
        bench.now = bench.link.due or 0.0
        bench.link.rise()
    bench.link.fail(Status(None, ""))
    bench.now += 10.0
    assert bench.link.due == bench.now + 20.0
    bench.link.submit(subscribed)
    assert bench.link.due is not None
    assert bench.link.due <= bench.now
    assert not bench.link.waiting
    bench.link.rise()
    assert list(bench.link.waiting) == [subscribed]


def test_a_refusal_that_passes_is_asked_again_without_the_stream(
    bench: Bench, subscribed: Subscribed
) -> None:
    stream = bench.stream()
    bench.hear(stream, replies=[refusal(1, "SHUTTING_DOWN")])
    assert (bench.link.due, subscribed.ending) == (100.1, None)
    bench.link.withdraw(subscribed)
    assert bench.link.due is None


def test_a_stream_that_says_nothing_for_five_seconds_is_dead(bench: Bench, subscribed: Subscribed) -> None:
    """[ORD-6 refuses]"""
    stream = bench.stream()
    write, read = bench.ask("w", write=True, timeout=60.0), bench.ask("r", timeout=60.0)
    bench.said(stream)
    assert bench.link.due == 105.0
    bench.now = 104.9
    assert bench.link.rise() == []
    # Whatever is heard counts, if only that nothing has changed.
    bench.hear(stream)
    bench.now = 109.8
    assert bench.link.rise() == []
    bench.now = 109.9
    assert bench.link.rise() == [(stream, 0.1)]
    assert (bench.link.open, list(bench.link.waiting)) == (None, [write, read])
    assert subscribed.losses == 1
    bench.now = bench.link.due or 0.0
    bench.link.rise()
    assert list(bench.link.waiting) == [write, read, subscribed]
    # What comes of it after all is nobody's.
    bench.hear(stream, events=[{"id": 1, "event": b"late"}], replies=[reply(write, 2)])
    assert (subscribed.heard, write.ending) == ([], None)


def test_a_stream_without_subscriptions_may_be_silent(bench: Bench, subscribed: Subscribed) -> None:
    stream = bench.stream()
    bench.link.withdraw(subscribed)
    errand = bench.ask()
    bench.said(stream)
    assert bench.link.due is None
    bench.now = 200.0
    assert bench.link.rise() == []
    assert errand.ending is None
    # It counts from the first subscription on.
    bench.link.submit(subscribed)
    bench.said(stream)
    assert bench.link.due == 205.0


def test_a_subscription_is_owed_no_answer(bench: Bench, subscribed: Subscribed) -> None:
    bench.link.retire(bench.stream())
    bench.ask("later")
    assert subscribed.ending is None
    assert bench.link.wants_stream


def test_a_look_that_comes_late_says_nothing(bench: Bench, subscribed: Subscribed) -> None:
    """A process that stood still has not listened."""
    stream = bench.stream()
    bench.now = 130.0
    assert bench.link.rise() == []
    assert bench.link.due == 131.0
    bench.now = 131.0
    assert bench.link.rise() == [(stream, None)]
    assert subscribed.losses == 1


def test_what_is_set_aside_goes_on_with_the_next_stream(bench: Bench, subscribed: Subscribed) -> None:
    stream = bench.stream()
    bench.hear(stream, events=[{"id": 1, "event": b"told"}])
    errand = bench.ask(write=True)
    bench.link.set_aside()
    assert (subscribed.losses, subscribed.trouble, bench.link.due) == (1, None, None)
    assert bench.link.subscriptions == [subscribed]
    (message,) = bench.said(bench.link.begin())
    assert [frame.state for frame in message.commands] == [True, False]
    assert message.commands[0].command == b"lost 1"
    assert errand.ending is None


def test_closing_ends_subscriptions_wherever_they_are(bench: Bench, subscribed: Subscribed) -> None:
    bench.stream()
    resting, waiting = Subscribed(), Subscribed()
    bench.link.submit(resting)
    bench.link.fail(Status(None, ""))
    bench.link.submit(waiting)
    bench.link.close()
    for each in (subscribed, resting, waiting):
        assert isinstance(each.ending, UnavailableError)
    assert bench.link.due is None
