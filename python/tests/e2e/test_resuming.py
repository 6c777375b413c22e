"""Watches that go on: from a point, after too much has waited, and where connections and bridges are lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import pytest
from processes import durable_bridge, running_bridge
from scripted import Line
from shells import Context, Shell, in_thread
from watch_records import Journal
from watches import Audited, short, until_there

from snakepit_bridge import SessionNotFoundError, WatchGapError
from snakepit_bridge._watching import MOST_WAITING

Make = Callable[..., Context]
JournalOf = Callable[..., Journal]


# ---- points and gaps


@pytest.mark.asyncio
async def test_it_resumes_from_a_point_also_in_another_program(make: Make, journal_of: JournalOf) -> None:
    """[ORD-4 accepts]"""
    async with make() as context, make() as other:
        journal = journal_of(context)
        await journal.create()
        first = Audited(journal)
        assert first.point is None
        await first.ready()
        for number in range(6):
            await journal.set("ab"[number % 2], number, {"number": str(number)})
        await first.take(2)
        point = first.point
        await first.close()
        await journal.delete("a")
        again = Audited(journal, other, resumes_at=3, after=point)
        await journal.set("a", 9)
        await again.read_all()
        assert len(again.reading.events) == 6


@pytest.mark.asyncio
async def test_a_point_goes_on_with_what_a_filter_leaves_out(journal: Journal) -> None:
    reader = Audited(journal, names=["a"])
    await reader.ready()
    await journal.set("b", 1)
    await journal.set("b", 2)
    await journal.set("a", 1)
    assert (await reader.take(1))[0].revision == 4
    assert str(reader.point).split("-")[1] == "4"


@pytest.mark.asyncio
async def test_a_point_that_is_none_of_the_session_is_a_gap(journal: Journal, session: Context) -> None:
    """[ORD-4 refuses]"""
    reader = Audited(journal)
    await reader.ready()
    point = str(reader.point)
    wrong = ("1" if point[0] == "0" else "0") + point[1:]
    gone = Audited(journal, after=wrong)
    with pytest.raises(WatchGapError) as raised:
        await gone.next()
    assert (raised.value.reason, raised.value.session_id) == ("WATCH_GAP", session.session_id)
    assert await gone.next() is None
    with pytest.raises(WatchGapError):
        await Audited(journal, after=wrong).ready()
    again = await gone.goes_on()
    await journal.set("x", 1)
    await again.read_all()


@pytest.mark.asyncio
async def test_a_point_too_long_ago_is_a_gap(journal: Journal) -> None:
    reader = Audited(journal)
    await reader.ready()
    point = reader.point
    await reader.close()
    await asyncio.gather(*[journal.set("x", "y" * 20_000) for _ in range(1_100)])
    gone = Audited(journal, resumes_at=1, after=point)
    with pytest.raises(WatchGapError) as raised:
        await gone.next()
    assert raised.value.reason == "HISTORY_COMPACTED"
    again = await gone.goes_on()
    await journal.set("x", "z")
    await again.read_all()


@pytest.mark.asyncio
async def test_one_that_nobody_reads_is_bounded_and_told_the_rest_when_it_is_read(journal: Journal) -> None:
    """[ORD-6 refuses]"""
    audited = Audited(journal, names=["x"], was_cut=True)
    await audited.ready()
    await asyncio.gather(*[journal.set("x", number) for number in range(MOST_WAITING + 200)])
    await journal.set("y", 1)
    revisions = [event.revision for event in await audited.take(MOST_WAITING + 200)]
    assert revisions == list(range(2, MOST_WAITING + 202))
    await journal.set("x", -1)
    assert [event.changes[0].value for event in await audited.take(1)] == [-1]


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
    shell: Shell, make: Make, bridge: str, journal_of: JournalOf
) -> None:
    async with make() as writer, a_line_to(bridge) as line:
        journal = journal_of(writer)
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
async def test_it_goes_on_over_restarts_and_crashes_of_the_bridge(
    shell: Shell, tmp_path: Path, journal_of: JournalOf
) -> None:
    """[ORD-4 accepts]"""
    with durable_bridge(tmp_path) as bridge:
        async with (
            shell.context("run", address=bridge.address, timeout=30.0) as writer,
            shell.context("run", address=bridge.address) as context,
        ):
            journal = journal_of(writer)
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
async def test_it_waits_for_a_bridge_that_is_not_there_yet(
    shell: Shell, tmp_path: Path, journal_of: JournalOf
) -> None:
    with durable_bridge(tmp_path) as bridge:
        await in_thread(bridge.stop)
        async with shell.context("run", address=bridge.address) as context:
            journal = journal_of(context)
            ended, reader = Audited(journal), Audited(journal)
            reading = asyncio.ensure_future(ended.next())
            await ended.close()
            assert await reading is None
            await in_thread(bridge.start)
            await reader.ready()
            await journal.create()
            assert short(await reader.take(1)) == ["1 created"]


@pytest.mark.asyncio
async def test_a_bridge_that_lost_its_sessions_is_a_gap(
    shell: Shell, tmp_path: Path, journal_of: JournalOf
) -> None:
    """[ORD-4 refuses]"""
    async with (
        a_line_to("127.0.0.1:1") as line,
        shell.context("run", address=f"127.0.0.1:{line.port}", timeout=30.0) as context,
    ):
        first, second = ExitStack(), ExitStack()
        line.lead_to(await in_thread(first.enter_context, running_bridge(tmp_path)))
        journal = journal_of(context)
        await journal.create()
        reader = Audited(journal)
        await journal.set("x", 1)
        await reader.take(1)
        await in_thread(first.close)
        journal.note(kind="lost")
        line.lead_to(await in_thread(second.enter_context, running_bridge(tmp_path)))
        try:
            with pytest.raises(WatchGapError) as raised:
                await reader.next()
            # What is there by then has nothing to do with what was.
            again = Audited(journal)
            await again.ready()
            await journal.create()
            await journal.set("x", 2)
            await again.read_all()
        finally:
            await in_thread(second.close)
        assert raised.value.reason == "WATCH_GAP"
