"""Live reads without a bridge: what is asked, and what is answered here."""

from __future__ import annotations

import asyncio
import gc
import re
import weakref
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
import pytest_asyncio
from scripted import LIFE, Followed, Stage, fails, point, reads, staged, writes
from shells import Context, Shell, in_thread, until
from watches import Audited

from snakepit_bridge import (
    ClosedError,
    DeadlineError,
    InternalError,
    InvalidInputError,
    NotReadyError,
    SessionNotFoundError,
    UnavailableError,
    VariableNotFoundError,
    WatchGapError,
)
from snakepit_bridge._following import Following
from snakepit_bridge._gen import state_pb2, values_pb2, variables_pb2


@pytest_asyncio.fixture
async def stage(shell: Shell) -> AsyncIterator[Stage]:
    async with staged(shell) as stage:
        yield stage


def entry(name: str, value: Any, version: int = 1) -> state_pb2.StateEntry:
    arm = {float: "float", int: "integer", str: "json"}[type(value)]
    return state_pb2.StateEntry(
        name=name,
        id=f"var_{name}_1",
        version=version,
        type=f"VARIABLE_TYPE_{arm.upper()}",
        value=values_pb2.Value(**{arm: value}),
    )


async def followed(stage: Stage, count: int = 1) -> Followed:
    """What the client has asked to be told, for the so manieth time."""
    await until(lambda: len(stage.followers) >= count)
    return stage.followers[count - 1]


async def made_ready(stage: Stage, *changed: Any, revision: int = 1, **options: Any) -> Context:
    """A context that has been told a whole session."""
    context = stage.context(cache="live", **options)
    waiting = asyncio.ensure_future(context.ready(timeout=30))
    (await followed(stage)).tell(None, revision, *changed)
    await waiting
    return context


def source(context: Context) -> tuple[str, str | None]:
    stats = context.get_cache_stats()
    return stats["state"], stats["reason"]


# ---- the beginning


@pytest.mark.asyncio
async def test_making_a_context_asks_nothing(stage: Stage) -> None:
    async with stage.context(cache="live") as context:
        assert source(context) == ("NOT_READY", None)
        with pytest.raises(NotReadyError, match=r"wait for it with ready\(\)"):
            context.peek("x")
    assert stage.channels == []


@pytest.mark.asyncio
async def test_the_first_read_asks_the_server_and_to_be_told(stage: Stage) -> None:
    stage.play(reads(1.5, revision=3))
    async with stage.context(cache="live") as context:
        assert await context.get_variable("x") == 1.5
        request = (await followed(stage)).request
        assert (request.session_id, request.HasField("after"), request.passive) == ("s", False, False)
        # What is told is older than the answer, so it is not read.
        stage.followers[-1].tell(None, 2, entry("x", 1.0))
        await until(lambda: source(context)[0] == "READY")
        with pytest.raises(NotReadyError):
            context.peek("x")
        stage.followers[-1].tell(2, 3, entry("x", 1.5, 2))
        await context.ready()
        assert context.peek("x") == 1.5
        reading = await context.read("x")
        assert (reading.value, reading.version, reading.revision) == (1.5, 2, 3)
        assert (reading.source, reading.stale) == ("replica", False)
    assert [path for path, _ in stage.requests] == ["GetVariable"]


@pytest.mark.asyncio
async def test_what_is_told_is_answered_without_a_call(stage: Stage) -> None:
    async with await made_ready(stage, entry("x", 1.5), entry("j", '{"a":[1]}')) as context:
        assert await context.get_variable("x") == 1.5
        assert await context.get_variable("var_x_1") == 1.5
        first, second = await context.get_variable("j"), await context.get_variable("j")
        assert first == second == {"a": [1]}
        assert first is not second
        assert await context.get_variable("y", default=7) == 7
        with pytest.raises(VariableNotFoundError, match="Variable not found: y") as caught:
            await context.get_variable("y")
        assert (caught.value.session_id, caught.value.identifier) == ("s", "y")
        assert await context.get_variables(["y", "x"], {"y": None}) == {"y": None, "x": 1.5}
        snapshot = await context.snapshot()
        assert (snapshot.values, snapshot.revision, snapshot.source) == (
            {"x": 1.5, "j": {"a": [1]}},
            1,
            "replica",
        )
        assert snapshot.point == f"{LIFE.hex()}-1-{1:016x}"
        stats = context.get_cache_stats()
    assert (stats["fetches"], stats["variables"], stats["bytes"], stats["size"]) == (0, 2, 17, 2)
    assert stats["hits"] == 9
    assert stage.requests == []


@pytest.mark.asyncio
async def test_an_absent_session_is_known_here(stage: Stage) -> None:
    """[ORD-13 accepts]"""
    async with await made_ready(stage, revision=0) as context:
        assert await context.get_variable("x", default=7) == 7
        assert await context.get_variables(["x"], {"x": 1}) == {"x": 1}
        for call in (context.get_variable("x"), context.read("x"), context.snapshot()):
            with pytest.raises(SessionNotFoundError, match="Session not found: s"):
                await call
        with pytest.raises(SessionNotFoundError):
            context.peek("x")
    assert stage.requests == []


@pytest.mark.asyncio
async def test_a_session_that_was_told_of_counts_as_seen(stage: Stage) -> None:
    """[ORD-14 accepts]"""
    stage.play(writes(1.0, revision=2))
    async with await made_ready(stage) as context:
        await context.set_variable("x", 1.0)
    request = variables_pb2.SetVariableRequest.FromString(stage.requests[0][1])
    assert request.on_missing == variables_pb2.ON_MISSING_INFER_VARIABLE


# ---- what has to be asked


@pytest.mark.asyncio
async def test_a_value_that_is_not_held_is_read(stage: Stage) -> None:
    big = state_pb2.StateEntry(name="x", id="var_x_1", version=1, type="VARIABLE_TYPE_FLOAT")
    newer = state_pb2.StateEntry(name="n", id="var_n_1", version=1, type=99, value=values_pb2.Value(float=1))
    stage.play(reads(1.5), reads(2.5))
    async with await made_ready(stage, big, newer) as context:
        assert await context.get_variable("x") == 1.5
        assert (await context.read("x")).source == "server"
        for name in ("x", "n"):
            with pytest.raises(NotReadyError, match="not held here"):
                context.peek(name)
    assert [path for path, _ in stage.requests] == ["GetVariable", "GetVariable"]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("", '"" is empty'),
        (" x", '" x" begins or ends with white space'),
        ("x\u3000", "begins or ends with white space"),
        ("x\n", "has a control character"),
        ("\ufeffx", "byte order mark"),
        ("é" * 129, "takes 258 bytes, more than 256"),
        ("__proto__", "is reserved"),
        ("var___proto___1", '"__proto__" is reserved'),
        ("var_var_x_1_2", '"var_x_1" has the form of a variable id'),
    ],
)
@pytest.mark.parametrize("revision", [0, 1])
async def test_what_is_no_name_is_refused_as_the_server_does(
    stage: Stage, name: str, fault: str, revision: int
) -> None:
    """[VAL-8 refuses]"""
    async with await made_ready(stage, revision=revision) as context:

        async def peek() -> Any:
            return context.peek(name)

        reads = [
            context.get_variable(name),
            context.get_variable(name, default=1),
            context.get_variables([name], defaults={name: 1}),
            context.read(name),
            peek(),
        ]
        for read in reads:
            with pytest.raises(InvalidInputError, match="^variable name .*" + re.escape(fault)) as caught:
                await read
            assert (caught.value.reason, caught.value.identifier) == ("INVALID_NAME", name)
    assert not stage.requests


@pytest.mark.asyncio
async def test_what_is_no_text_is_no_name(stage: Stage) -> None:
    async with await made_ready(stage) as context:
        for name in ("é", "x" * 256, "var_x", "a b"):
            assert await context.get_variable(name, default=1) == 1
            with pytest.raises(VariableNotFoundError):
                context.peek(name)
        with pytest.raises(InvalidInputError):
            await context.get_variable(5)  # type: ignore[arg-type]
        with pytest.raises(InvalidInputError):
            context.peek([])  # type: ignore[arg-type]


@pytest.mark.asyncio
async def test_bypassing_asks_in_any_case(stage: Stage) -> None:
    stage.play(reads(2.5, revision=1), reads(3.5, revision=1))
    async with await made_ready(stage, entry("x", 1.5)) as context:
        assert await context.get_variable("x", bypass_cache=True) == 2.5
        assert (await context.read("x", bypass_cache=True)).value == 3.5
        # Whatever an answer says, it writes nothing into the copy.
        assert await context.get_variable("x") == 1.5


@pytest.mark.asyncio
async def test_an_age_is_looked_at(stage: Stage) -> None:
    """[ORD-3 accepts]"""
    stage.play(reads(2.5))
    async with await made_ready(stage, entry("x", 1.5)) as context:
        assert (await context.read("x", max_age=60.0)).value == 1.5
        stage.pauses.append(1.0)
        assert (await context.read("x", max_age=0.5)).value == 2.5
        with pytest.raises(ValueError, match="0 or more"):
            await context.read("x", max_age=-1)


# ---- points


@pytest.mark.asyncio
async def test_a_point_is_waited_for(stage: Stage) -> None:
    """[ORD-3 accepts]"""
    async with await made_ready(stage, entry("x", 1.5)) as context:
        reading = asyncio.ensure_future(context.read("x", after=f"{LIFE.hex()}-2-{2:016x}", timeout=600))
        await until(lambda: bool(context._methods.following._bells))
        stage.followers[-1].tell(1, 2, entry("x", 2.5, 2))
        found = await reading
        assert (found.value, found.source, found.revision) == (2.5, "replica", 2)
        with pytest.raises(InvalidInputError):
            await context.read("x", after="nonsense")
    assert stage.requests == []


@pytest.mark.asyncio
async def test_a_point_that_does_not_come_is_asked_for(stage: Stage) -> None:
    """[ORD-3 refuses]"""
    stage.play(reads(2.5, revision=2))
    async with await made_ready(stage, entry("x", 1.5)) as context:
        found = await context.read("x", after=f"{LIFE.hex()}-2-{2:016x}")
        assert (found.value, found.source) == (2.5, "server")


@pytest.mark.asyncio
async def test_a_write_tells_its_point(stage: Stage) -> None:
    stage.play(writes(1.0, revision=5))
    async with await made_ready(stage) as context:
        assert (await context.set_variable("x", 1.0)).point == f"{LIFE.hex()}-5-{0:016x}"
        # What was told does not have it yet.
        with pytest.raises(NotReadyError):
            context.peek("x")
        stage.followers[-1].tell(1, 5, entry("x", 1.0))
        await context.ready()
        assert context.peek("x") == 1.0


# ---- out of touch


@pytest.mark.asyncio
async def test_what_is_out_of_touch_is_marked_and_then_refused(stage: Stage) -> None:
    """[ORD-10 accepts]"""
    async with await made_ready(stage, entry("x", 1.5), max_stale=30.0) as context:
        await stage.line.close()
        await until(lambda: source(context)[0] == "STALE")
        reading = await context.read("x")
        assert (reading.value, reading.source, reading.stale) == (1.5, "replica", True)
        assert await context.get_variable("x") == 1.5
        with pytest.raises(NotReadyError):
            context.peek("x")
        assert context.get_cache_stats()["stale_reads"] == 2
        stage.pauses.append(30.0)
        # It says so at once, and since when.
        with pytest.raises(UnavailableError, match="nothing was heard of the session for 30") as caught:
            await context.get_variable("x", default=None, timeout=600)
        assert caught.value.session_id == "s"
        await stage.line.open()
        waiting = asyncio.ensure_future(context.ready(timeout=30))
        again = await followed(stage, 2)
        assert again.request.after == point(1)
        again.tell(1, 1)
        await waiting
        assert await context.get_variable("x") == 1.5


@pytest.mark.asyncio
async def test_a_read_has_a_replica_that_rests_be_asked_for_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As after a long outage.
    monkeypatch.setattr("snakepit_bridge._following.rest", lambda _attempt, _jitter: 1_000.0)
    context = await made_ready(stage, entry("x", 1.0))
    stage.line.cut()
    await until(lambda: context.get_cache_stats()["state"] == "STALE")
    reading = await context.read("x")
    assert (reading.value, reading.stale) == (1.0, True)
    (await asyncio.wait_for(followed(stage, 2), 30)).tell(1, 1)
    await until(lambda: context.get_cache_stats()["state"] == "READY")
    await context.close()


@pytest.mark.asyncio
async def test_without_any_stale_reads_the_server_is_needed(stage: Stage) -> None:
    """[ORD-10 refuses]"""
    async with await made_ready(stage, entry("x", 1.5), max_stale=0.0) as context:
        await stage.line.close()
        await until(lambda: source(context)[0] == "STALE")
        with pytest.raises(UnavailableError):
            await context.get_variable("x")


@pytest.mark.asyncio
async def test_after_a_gap_everything_is_asked_for(stage: Stage) -> None:
    """[ORD-4 refuses]"""
    async with await made_ready(stage, entry("x", 1.5)) as context:
        stage.followers[-1].tell(2, 3, entry("x", 3.5))
        again = await followed(stage, 2)
        assert not again.request.HasField("after")
        assert source(context) == ("STALE", "what the bridge told does not follow what it told before")
        again.tell(None, 3, entry("x", 3.5))
        await context.ready()
        assert context.peek("x") == 3.5


@pytest.mark.asyncio
async def test_nonsense_ends_it_and_the_server_is_asked(stage: Stage) -> None:
    stage.play(reads(2.5))
    async with await made_ready(stage, entry("x", 1.5)) as context:
        stage.followers[-1].say(b"\xff")
        await until(lambda: source(context)[0] == "NOT_READY")
        assert await context.get_variable("x") == 2.5
        with pytest.raises(InternalError, match="makes no sense"):
            await context.ready()
    assert len(stage.followers) == 1


@pytest.mark.asyncio
async def test_a_channel_that_is_closed_under_it_is_out_of_touch(
    stage: Stage, shell: Shell, caplog: pytest.LogCaptureFixture
) -> None:
    """[ORD-19 accepts]"""
    async with shell.lent(stage.address) as channel:
        context = shell.context("s", channel)
        waiting = asyncio.ensure_future(context.ready(timeout=30))
        (await followed(stage)).tell(None, 1, entry("x", 1.5))
        await waiting
        await shell.close(channel)
        await until(lambda: source(context)[0] == "STALE")
        reading = await context.read("x")
        assert (reading.value, reading.stale) == (1.5, True)
        with pytest.raises(UnavailableError, match="closed"):
            await context.get_variable("x", bypass_cache=True)
        with pytest.raises(UnavailableError, match="closed"):
            await context.ready(timeout=30)
        await context.close()
    gc.collect()
    assert caplog.records == []


@pytest.mark.asyncio
async def test_a_refusal_puts_what_is_out_of_touch_in_doubt(stage: Stage) -> None:
    """[ORD-1 accepts]"""
    async with await made_ready(stage, entry("x", 1.5)) as context:
        # The subscription is lost, and the bridge still answers.
        stage.followers[-1].end("INTERNAL")
        await until(lambda: source(context)[0] == "STALE")
        assert (await context.read("x")).stale
        stage.play(fails(grpc.StatusCode.NOT_FOUND, "SESSION_NOT_FOUND"), reads(2.5))
        assert await context.get_variable("x", default=None, bypass_cache=True) is None
        # The session was gone: so what it held before is not read any more.
        reading = await context.read("x")
        assert (reading.value, reading.source) == (2.5, "server")


@pytest.mark.asyncio
async def test_a_gap_in_a_watch_puts_what_is_out_of_touch_in_doubt(stage: Stage) -> None:
    """[ORD-1 accepts]"""
    async with await made_ready(stage, entry("x", 1.5)) as context:
        watch = Audited(stage.journal, context)
        await watch.ready()
        stage.followers[-1].end("INTERNAL")
        await until(lambda: source(context)[0] == "STALE")
        assert (await context.read("x")).stale
        stage.watches[-1].end("HISTORY_COMPACTED")
        with pytest.raises(WatchGapError):
            await watch.next()
        # What is read after the gap is to be newer than what was missed.
        stage.play(reads(2.5))
        reading = await context.read("x")
        assert (reading.value, reading.source) == (2.5, "server")


@pytest.mark.asyncio
async def test_a_cut_leaves_nothing_for_asyncio_to_log(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    async with await made_ready(stage, entry("x", 1.5)) as context:
        for count in range(2, 5):
            stage.line.cut()
            (await followed(stage, count)).tell(1, 1)
            await context.ready()
    gc.collect()
    assert caplog.records == []


# ---- waiting, and the end


@pytest.mark.asyncio
async def test_the_wait_to_be_ready_has_an_end(shell: Shell) -> None:
    async with shell.context("s", address="127.0.0.1:1") as context:
        with pytest.raises(DeadlineError, match=r"not ready within 0\.2 s: no bridge answers") as caught:
            await context.ready(timeout=0.2)
        assert isinstance(caught.value.__cause__, UnavailableError)


@pytest.mark.asyncio
async def test_nothing_waits_for_a_channel_that_its_owner_has_closed(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It asked again and again, as fast as it could, until the time was up."""
    asked: list[object] = []
    failed = Following.failed

    def count(self: Following, status: Any, **options: Any) -> float | None:
        asked.append(status)
        return failed(self, status, **options)

    monkeypatch.setattr(Following, "failed", count)
    channel = shell.channel("127.0.0.1:1")
    await shell.close(channel)
    async with shell.context("s", channel) as context:
        with pytest.raises(UnavailableError, match="the channel is closed"):
            await context.ready(timeout=60)
        with pytest.raises(UnavailableError, match="the channel is closed"):
            await context.read("x", after=f"{LIFE.hex()}-1-0000000000000001", timeout=60)
    assert len(asked) <= 6


@pytest.mark.asyncio
@pytest.mark.parametrize("mode", ["ttl", "off"])
async def test_other_modes_have_nothing_to_look_at(stage: Stage, mode: Any) -> None:
    async with stage.context(cache=mode) as context:
        with pytest.raises(NotReadyError, match=f'cache="{mode}"'):
            context.peek("x")
        await context.ready()
    assert stage.channels == []


@pytest.mark.asyncio
async def test_closing_ends_what_is_read_here(stage: Stage) -> None:
    context = await made_ready(stage, entry("x", 1.5))
    waiting = asyncio.ensure_future(context.read("x", after=f"{LIFE.hex()}-9-{9:016x}", timeout=600))
    await until(lambda: bool(context._methods.following._bells))
    await context.close()
    with pytest.raises(ClosedError):
        await waiting
    for call in (lambda: context.get_variable("x"), lambda: context.read("x"), lambda: context.ready()):
        with pytest.raises(ClosedError):
            await call()
    with pytest.raises(ClosedError):
        context.peek("x")


@pytest.mark.asyncio
async def test_a_context_that_nobody_holds_is_told_nothing_more(stage: Stage) -> None:
    context = await made_ready(stage, entry("x", 1.5))
    gone = weakref.ref(stage.shell.bare(context))
    (channel,) = stage.channels
    del context
    await until(lambda: gc.collect() is not None and gone() is None)
    await until(lambda: channel.ended)


@pytest.mark.asyncio
async def test_the_cache_methods_have_nothing_to_do(stage: Stage) -> None:
    async with await made_ready(stage, entry("x", 1.5)) as context:
        context.set_cache_ttl(5.0)
        with pytest.raises(ValueError, match="0 or more"):
            context.set_cache_ttl(-1)
        context.invalidate_cache()
        context.invalidate_cache("x")
        assert await context.get_variable("x") == 1.5
    assert stage.requests == []


@pytest.mark.asyncio
async def test_a_hit_takes_no_flow(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    async with await made_ready(stage, entry("x", 1.5)) as context:
        monkeypatch.setattr(context._methods, "get_variable", None)
        assert await context.get_variable("x") == 1.5
        with pytest.raises(TypeError):
            await context.get_variable("y")


# ---- other threads


@pytest.mark.asyncio
async def test_a_copy_that_goes_back_is_not_read_for_a_point_that_it_had_come_to(stage: Stage) -> None:
    """[ORD-3 refuses] A bridge that was restored may tell less than before, amid a read."""
    context = await made_ready(stage, entry("x", 5.0), revision=5)
    stage.play(reads(6.0, revision=6))
    methods = stage.shell.bare(context)._methods
    reaches = methods.replica.reaches
    restored = state_pb2.StateUpdate(revision=point(4), changed=[entry("x", 4.0)]).SerializeToString()

    looks = 0

    def overtaken(at: Any) -> bool:
        nonlocal looks
        looks += 1
        reached: bool = reaches(at)
        # It was there when it was waited for, and when it was asked whether it is.
        if looks == 2:
            methods.following.told(restored)
        return reached

    methods.replica.reaches = overtaken
    found = await context.read("x", after=f"{LIFE.hex()}-5-{5:016x}", timeout=60)
    assert (found.value, found.source, found.revision) == (6.0, "server", 6)
    await context.close()


@dataclass
class Params:
    """What a program binds."""

    x: float
    y: float = 7.0


@pytest.mark.parametrize(
    "read",
    [
        lambda context: context.read("x"),
        lambda context: context.get_variable("plan", 7),
        lambda context: context.get_variables(["x"], {"x": 7}),
        lambda context: context.snapshot(),
        lambda context: context.bind(Params),
        lambda context: in_thread(context.peek, "plan"),
    ],
    ids=["read", "get_variable", "get_variables", "snapshot", "bind", "peek"],
)
@pytest.mark.parametrize("look", ["access", "find", "entries"])
@pytest.mark.asyncio
async def test_what_a_close_overtakes_is_not_taken_for_absent(stage: Stage, read: Any, look: str) -> None:
    """[VAL-13 refuses] Another thread may close the context between any two looks of a read."""
    context = await made_ready(stage, entry("x", 1.0), entry("y", 2.0), entry("plan", "[]"))
    methods = stage.shell.bare(context)._methods
    looks_there = getattr(methods.replica, look)
    is_overtaken = False

    def overtaken(*arguments: Any) -> Any:
        nonlocal is_overtaken
        is_overtaken = True
        methods.close()
        return looks_there(*arguments)

    setattr(methods.replica, look, overtaken)
    try:
        await read(context)
    except ClosedError:
        assert is_overtaken
    else:
        # It does not look there.
        assert not is_overtaken
    await context.close()
