"""Watches, with a bridge."""

from __future__ import annotations

import asyncio
import dataclasses
import pickle
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from datetime import timezone
from pathlib import Path
from typing import Any

import pytest
from processes import clocked_bridge, durable_bridge, running_bridge
from scripted import Line
from shells import Context, Shell, in_thread
from watch_validators import Journal
from watches import Audited, Reader, short, until_there

from snakepit_bridge import (
    UNSET,
    ClosedError,
    DeadlineError,
    InvalidInputError,
    LimitError,
    SessionEvent,
    SessionNotFoundError,
    VariableChange,
    WatchGapError,
    sync,
)
from snakepit_bridge._watching import MOST_WAITING

Make = Callable[..., Context]


# ---- what is told


@pytest.mark.asyncio
async def test_it_tells_what_is_set_after_it_began(session: Context) -> None:
    """[ORD-6 accepts]"""
    await session.register_variable("temperature", "float", 0.7)
    reader = Reader(session.watch())
    written = await session.set_variable("temperature", 0.9, {"why": "test"})
    await session.set_variables({"temperature": 1, "calls": 5})
    first, second = await reader.take(2)
    assert (first.kind, first.session_id, first.revision) == ("changed", session.session_id, written.revision)
    assert (first.source, first.metadata) == ("python", {"why": "test"})
    assert first.at.tzinfo is timezone.utc
    (change,) = first.changes
    assert (change.name, change.value, change.version) == ("temperature", 0.9, 2)
    assert (change.previous, change.previous_version) == (0.7, 1)
    assert short([second]) == [f"{second.revision} changed, temperature 0.9 → 1.0, calls UNSET → 5"]
    await reader.close()


@pytest.mark.asyncio
async def test_what_it_tells_is_frozen_and_json_is_new_each_time(session: Context) -> None:
    reader = Reader(session.watch())
    await session.register_variable("plan", "json", {"steps": []})
    await session.set_variable("plan", None)
    first, second = await reader.take(2)
    with pytest.raises(dataclasses.FrozenInstanceError):
        first.revision = 1  # type: ignore[misc]
    change = first.changes[0]
    with pytest.raises(dataclasses.FrozenInstanceError):
        change.name = "x"  # type: ignore[misc]
    change.value["steps"].append(1)  # type: ignore[index, union-attr, call-overload]
    assert change.value == {"steps": []}
    # null is a value, and absence is not.
    assert (second.changes[0].value, second.changes[0].previous) == (None, {"steps": []})
    assert change.previous is UNSET
    assert pickle.dumps(first)
    assert "value={'steps': []}, version=1, previous=UNSET, previous_version=None" in repr(first)
    assert isinstance(change, VariableChange)


@pytest.mark.asyncio
async def test_it_tells_only_what_was_asked_for(make: Make) -> None:
    async with make() as context:
        journal = Journal(context)
        await journal.create()
        named = Audited(journal, context, names=["a", "b"])
        matching = Reader(context.watch(glob="x*"))
        both = Reader(context.watch(["a"], glob="x?"))
        for name in ("c", "a", "x1", "b"):
            await journal.set(name, 1)
        await journal.set_many(a=2, c=2, x1=2)
        await journal.delete("b")
        await named.read_all()
        assert short(await matching.take(2)) == ["4 changed, x1 UNSET → 1", "6 changed, x1 1 → 2"]
        assert [event.revision for event in await both.take(3)] == [3, 4, 6]


@pytest.mark.asyncio
async def test_it_goes_on_beyond_the_end_of_its_session(make: Make) -> None:
    """[ORD-13 accepts]"""
    async with make() as context, make() as other:
        journal = Journal(context)
        audited = Audited(journal, other)
        await audited.ready()
        for life in range(3):
            await journal.create()
            await journal.set("x", life)
            await journal.set("x", life + 1, {"life": str(life)})
            await journal.delete("x")
            await journal.set("x", 7)
            await journal.end()
        await audited.read_all()
        assert audited.reading.events[-1].kind == "deleted"


@pytest.mark.asyncio
async def test_an_event_that_is_longer_than_a_message_is_told_whole(session: Context) -> None:
    """[ORD-18 accepts]"""
    reader = Reader(session.watch())
    await session.set_variables({f"v{number}": "y" * 300_000 for number in range(5)})
    (event,) = await reader.take(1)
    assert [len(str(change.value)) for change in event.changes] == [300_000] * 5


@pytest.mark.asyncio
async def test_a_value_that_is_too_long_to_be_told_has_to_be_read(session: Context) -> None:
    await session.set_variables({f"v{number}": "y" * 900_000 for number in range(4)})
    reader = Reader(session.watch())
    await session.set_variables({f"v{number}": "z" * 1_000_000 for number in range(4)})
    (event,) = await reader.take(1)
    assert all(change.previous is UNSET and change.previous_version == 1 for change in event.changes)
    assert all(change.version == 2 for change in event.changes)


@pytest.mark.asyncio
async def test_two_on_one_context_are_told_each_for_itself(make: Make) -> None:
    async with make() as context:
        journal = Journal(context)
        await journal.create()
        all_of_it, some = Audited(journal, context), Audited(journal, context, names=["x"])
        await asyncio.gather(all_of_it.ready(), some.ready())
        for number in range(20):
            await journal.set("xy"[number % 2], number)
        await some.read_all()
        await some.reader.close()
        await journal.set("x", 99)
        await all_of_it.read_all()
        assert await some.reader.next() is None


@pytest.mark.asyncio
async def test_no_later_read_is_older_than_what_was_told(make: Make) -> None:
    async with make() as context, make() as other:
        await other.set_variables({"x": 1, "y": 1})
        assert await context.get_variables(["x", "y"]) == {"x": 1, "y": 1}
        reader = Reader(context.watch())
        await reader.ready()
        await other.set_variable("x", 2)
        await reader.take(1)
        assert await context.get_variables(["x", "y"]) == {"x": 2, "y": 1}
        await other.delete_session()
        assert (await reader.take(1))[0].kind == "deleted"
        assert await context.get_variable("y", default=None) is None
        with pytest.raises(SessionNotFoundError):
            await context.set_variable("x", 3)


# ---- when it begins and ends


@pytest.mark.asyncio
async def test_it_ends_with_the_loop(shell: Shell, session: Context) -> None:
    watch: Any = session.watch()
    await session.set_variable("x", 1)
    if shell.is_blocking:

        def read() -> None:
            for event in watch:
                assert event.changes[0].value == 1
                break

        await in_thread(read)
    else:
        async for event in watch:
            assert event.changes[0].value == 1
            break
    assert await Reader(watch).next() is None
    with pytest.raises(ClosedError, match="the watch was ended"):
        await Reader(watch).ready()
    await Reader(watch).close()


@pytest.mark.asyncio
async def test_it_is_a_context_manager(shell: Shell, session: Context) -> None:
    watch: Any = session.watch()
    if shell.is_blocking:
        with watch as same:
            assert same is watch
    else:
        async with watch as same:
            assert same is watch
    assert await Reader(watch).next() is None


@pytest.mark.asyncio
async def test_one_that_nobody_holds_any_more_is_let_go(shell: Shell, session: Context) -> None:
    reader = Reader(session.watch())
    await reader.ready()
    link = shell.bare(session)._transport
    link = link._link._link if shell.is_blocking else link.link().commands._link
    assert link.due is not None
    del reader
    await session.set_variable("x", 1)
    await session.get_variable("x", bypass_cache=True)
    assert link.due is None


@pytest.mark.asyncio
async def test_it_ends_with_its_context_after_what_has_come_is_read(make: Make) -> None:
    context = make()
    await context.create_session()
    reader = Reader(context.watch())
    await reader.ready()
    await context.set_variable("x", 1)
    await context.close()
    assert short(await reader.take(1)) == ["2 changed, x UNSET → 1"]
    with pytest.raises(ClosedError, match="is closed: make a new one"):
        await reader.next()
    assert await reader.next() is None
    with pytest.raises(ClosedError):
        context.watch()


@pytest.mark.asyncio
async def test_it_keeps_its_session_alive_unless_it_is_passive(shell: Shell, tmp_path: Path) -> None:
    """[ORD-12 accepts]"""
    with clocked_bridge(tmp_path) as bridge:
        async with (
            shell.context("kept", address=bridge.address) as kept,
            shell.context("left", address=bridge.address) as left,
        ):
            await kept.create_session(ttl=1.0)
            await left.create_session(ttl=1.0)
            keeps, looks = Reader(kept.watch()), Reader(left.watch(passive=True))
            await keeps.ready()
            await looks.ready()
            bridge.advance(1_000)
            (event,) = await looks.take(1)
            assert (event.kind, event.source) == ("expired", "expiry")
            await kept.set_variable("x", 1)
            assert short(await keeps.take(1)) == ["2 changed, x UNSET → 1"]


@pytest.mark.asyncio
async def test_one_that_cannot_be_is_refused(session: Context) -> None:
    for wrong in ({"glob": "\\"}, {"names": [""]}):
        with pytest.raises(InvalidInputError):
            await Reader(session.watch(**wrong)).next()
    with pytest.raises(LimitError):
        await Reader(session.watch([f"n{number}" for number in range(1_001)])).ready()
    for at_once in ({"names": ["\ud800"]}, {"after": "7"}, {"after": 7}, {"glob": 7}):
        with pytest.raises(InvalidInputError):
            session.watch(**at_once)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="names is a list"):
        session.watch("x")


# ---- points and gaps


@pytest.mark.asyncio
async def test_it_resumes_from_a_point_also_in_another_program(make: Make) -> None:
    """[ORD-4 accepts]"""
    async with make() as context, make() as other:
        journal = Journal(context)
        await journal.create()
        first = Audited(journal, context)
        assert first.reader.point is None
        await first.ready()
        for number in range(6):
            await journal.set("ab"[number % 2], number, {"number": str(number)})
        first.reading.events += await first.reader.take(2)
        point = first.reader.point
        await first.reader.close()
        await journal.delete("a")
        again = Audited(journal, other, resumes_at=3, after=point)
        await journal.set("a", 9)
        await again.read_all()
        assert len(again.reading.events) == 6


@pytest.mark.asyncio
async def test_a_point_goes_on_with_what_a_filter_leaves_out(session: Context) -> None:
    reader = Reader(session.watch(["a"]))
    await reader.ready()
    await session.set_variable("b", 1)
    await session.set_variable("b", 2)
    await session.set_variable("a", 1)
    assert (await reader.take(1))[0].revision == 4
    assert str(reader.point).split("-")[1] == "4"


@pytest.mark.asyncio
async def test_a_point_that_is_none_of_the_session_is_a_gap(session: Context) -> None:
    """[ORD-4 refuses]"""
    reader = Reader(session.watch())
    await reader.ready()
    point = str(reader.point)
    wrong = ("1" if point[0] == "0" else "0") + point[1:]
    gone = Reader(session.watch(after=wrong))
    with pytest.raises(WatchGapError) as raised:
        await gone.next()
    assert (raised.value.reason, raised.value.session_id) == ("WATCH_GAP", session.session_id)
    assert await gone.next() is None
    with pytest.raises(WatchGapError):
        await Reader(session.watch(after=wrong)).ready()


@pytest.mark.asyncio
async def test_a_point_too_long_ago_is_a_gap(session: Context) -> None:
    reader = Reader(session.watch())
    await reader.ready()
    point = reader.point
    await reader.close()
    await asyncio.gather(*[session.set_variable("x", "y" * 20_000) for _ in range(1_100)])
    with pytest.raises(WatchGapError) as raised:
        await Reader(session.watch(after=point)).next()
    assert raised.value.reason == "HISTORY_COMPACTED"


@pytest.mark.asyncio
async def test_one_that_nobody_reads_is_bounded_and_told_the_rest_when_it_is_read(make: Make) -> None:
    """[ORD-6 refuses]"""
    async with make() as context:
        journal = Journal(context)
        await journal.create()
        audited = Audited(journal, context, names=["x"])
        await audited.ready()
        await asyncio.gather(*[context.set_variable("x", number) for number in range(MOST_WAITING + 200)])
        await context.set_variable("y", 1)
        revisions = [event.revision for event in await audited.reader.take(MOST_WAITING + 200)]
        assert revisions == list(range(2, MOST_WAITING + 202))
        await context.set_variable("x", -1)
        assert [event.changes[0].value for event in await audited.reader.take(1)] == [-1]


# ---- what happens to connections and bridges


@asynccontextmanager
async def a_line_to(address: str) -> AsyncIterator[Line]:
    line = Line(int(address.rpartition(":")[2]))
    await line.open()
    try:
        yield line
    finally:
        await line.close()


@pytest.mark.asyncio
async def test_it_is_told_everything_once_over_a_line_that_breaks(
    shell: Shell, make: Make, bridge: str
) -> None:
    async with make() as writer, a_line_to(bridge) as line:
        journal = Journal(writer)
        await journal.create()
        async with shell.context(writer.session_id, address=f"127.0.0.1:{line.port}") as context:
            audited = Audited(journal, context, was_cut=True)
            some = Audited(journal, context, was_cut=True, names=["b"])
            await audited.ready()
            await some.ready()
            for wave in range(5):
                for number in range(20):
                    await journal.set_many(a=number, b=wave)
                line.cut()
                for number in range(20):
                    await journal.set("ab"[number % 2], number)
                await audited.read_all()
            await some.read_all()


@pytest.mark.asyncio
async def test_it_goes_on_over_restarts_and_crashes_of_the_bridge(shell: Shell, tmp_path: Path) -> None:
    """[ORD-4 accepts]"""
    with durable_bridge(tmp_path) as bridge:
        async with (
            shell.context("run", address=bridge.address, timeout=30.0) as writer,
            shell.context("run", address=bridge.address) as context,
        ):
            journal = Journal(writer)
            await journal.create()
            audited = Audited(journal, context, was_cut=True)
            await audited.ready()
            for end in (bridge.stop, bridge.kill, bridge.stop):
                for number in range(5):
                    await journal.set("x", number)
                await in_thread(end)
                await in_thread(bridge.start)
                await until_there(writer)
                await journal.set_many(x=7, y=8)
                await audited.read_all()
            await journal.end()
            await in_thread(bridge.kill)
            await in_thread(bridge.start)
            with pytest.raises(SessionNotFoundError):
                await until_there(writer)
            await journal.create()
            await journal.set("x", 1)
            await audited.read_all()


@pytest.mark.asyncio
async def test_it_waits_for_a_bridge_that_is_not_there_yet(shell: Shell, tmp_path: Path) -> None:
    with durable_bridge(tmp_path) as bridge:
        await in_thread(bridge.stop)
        async with shell.context("run", address=bridge.address) as context:
            ended, reader = Reader(context.watch()), Reader(context.watch())
            reading = asyncio.ensure_future(ended.next())
            await ended.close()
            assert await reading is None
            await in_thread(bridge.start)
            await reader.ready()
            await context.create_session()
            assert short(await reader.take(1)) == ["1 created"]


@pytest.mark.asyncio
async def test_a_bridge_that_lost_its_sessions_is_a_gap(shell: Shell, tmp_path: Path) -> None:
    """[ORD-4 refuses]"""
    async with (
        a_line_to("127.0.0.1:1") as line,
        shell.context("run", address=f"127.0.0.1:{line.port}", timeout=30.0) as context,
    ):
        first, second = ExitStack(), ExitStack()
        line.lead_to(await in_thread(first.enter_context, running_bridge(tmp_path)))
        await context.create_session()
        reader = Reader(context.watch())
        await context.set_variable("x", 1)
        await reader.take(1)
        await in_thread(first.close)
        line.lead_to(await in_thread(second.enter_context, running_bridge(tmp_path)))
        try:
            with pytest.raises(WatchGapError) as raised:
                await reader.next()
        finally:
            await in_thread(second.close)
        assert raised.value.reason == "WATCH_GAP"


# ---- threads


def test_threads_share_one_and_each_event_goes_to_one_of_them(bridge: str) -> None:
    with sync.SessionContext("threads", address=bridge) as context:
        watch = context.watch()
        seen: list[SessionEvent] = []

        def read() -> None:
            while (event := watch.next()) is not None:
                seen.append(event)

        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for number in range(100):
            context["x"] = number
        whole = threading.Event()

        def look(event: SessionEvent) -> None:
            if event.changes[0].value == 99:
                whole.set()

        listener = context.on_change(look)
        context["x"] = 99
        assert whole.wait(30.0)
        listener.close()
        while len(seen) < 101:
            assert any(thread.is_alive() for thread in threads)
        # Whoever waits in another thread is told that it has ended.
        watch.close()
        for thread in threads:
            thread.join(30.0)
            assert not thread.is_alive()
    assert sorted(event.revision for event in seen) == list(range(1, 102))


def test_reading_may_have_a_time_limit(bridge: str) -> None:
    with sync.SessionContext("limits", address=bridge) as context:
        watch = context.watch()
        watch.ready(30.0)
        with pytest.raises(DeadlineError, match=r"nothing was told within 0\.05 s"):
            watch.next(0.05)
        context["x"] = 1
        event = watch.next(30.0)
        assert event is not None
        assert event.kind == "created"
    with sync.SessionContext("nobody", address="127.0.0.1:1") as context:
        watch = context.watch()
        with pytest.raises(DeadlineError, match=r"the watch did not stand within 0\.05 s"):
            watch.ready(0.05)
