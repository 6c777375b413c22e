"""Pinned snapshots: a block reads one revision, whatever is written meanwhile (ORD-22)."""

from __future__ import annotations

import asyncio
import contextvars
import copy
import pickle
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, suppress
from typing import Any

import pytest
import pytest_asyncio
from shells import Context, Shell, in_thread, until
from watch_records import Journal
from watches import Heard

from snakepit_bridge import (
    UNSET,
    ClosedError,
    InvalidInputError,
    SessionNotFoundError,
    Snapshot,
    VariableNotFoundError,
)

FIRST = {"prompt": "p0", "temperature": 0.0, "plan": {"steps": [0]}}


@pytest_asyncio.fixture(params=["live", "ttl", "off"])
async def pinnable(make: Callable[..., Context], request: pytest.FixtureRequest) -> AsyncIterator[Context]:
    """A session with variables, in each mode of the cache."""
    async with make(cache=request.param) as context:
        await prepare(context)
        yield context


@pytest_asyncio.fixture
async def other(make: Callable[..., Context]) -> AsyncIterator[Context]:
    """Another program with the same session."""
    async with make(cache="off") as context:
        yield context


async def prepare(context: Context) -> None:
    await context.create_session()
    await context.register_variable("prompt", "string", "p0")
    await context.register_variable("temperature", "float", 0.0)
    await context.register_variable("plan", "json", {"steps": [0]})
    await context.ready()


async def change(other: Context, reader: Context, number: int) -> None:
    """Another program sets what there is, and the reader could know."""
    done = await other.set_variables({"prompt": f"p{number}", "temperature": number})
    await reader.read("prompt", after=done.point)


async def request(context: Context, meanwhile: Callable[[], Awaitable[None]]) -> list[Any]:
    """A request as many programs have one: it reads its configuration, waits, and reads it again."""
    before = [await context.get_variable("prompt"), await context.get_variable("temperature")]
    await meanwhile()
    return [*before, await context.get_variable("prompt"), await context.get_variable("temperature")]


# ---- what it is for


@pytest.mark.asyncio
async def test_a_configuration_does_not_change_amid_a_request(session: Context, other: Context) -> None:
    """[ORD-22 accepts] Ray Serve's reconfigure: without a pin one request sees two configurations."""
    await prepare(session)
    assert await request(session, lambda: change(other, session, 1)) == ["p0", 0.0, "p1", 1.0]
    with await session.snapshot():
        assert await request(session, lambda: change(other, session, 2)) == ["p1", 1.0, "p1", 1.0]
    assert await session.get_variable("prompt") == "p2"


@pytest.mark.asyncio
async def test_every_read_is_of_the_one_revision(pinnable: Context, other: Context) -> None:
    identifier = (await other.list_variables())["prompt"]["id"]
    with await pinnable.snapshot() as snapshot:
        assert snapshot.values == FIRST
        await change(other, pinnable, 1)
        await pinnable.set_variable("temperature", 9)
        await other.set_variable("late", 1)
        await other.delete_variable("plan")
        assert await pinnable.get_variable("prompt") == "p0"
        assert await pinnable.get_variable(identifier) == "p0"
        assert await pinnable.get_variable("temperature", 5) == 0.0
        assert pinnable.peek("temperature") == pinnable.v.temperature == 0.0
        reading = await pinnable.read("temperature")
        assert (reading.value, reading.type, reading.version) == (0.0, "float", 1)
        assert (reading.revision, reading.point, reading.source) == (
            snapshot.revision,
            snapshot.point,
            snapshot.source,
        )
        assert reading.age >= snapshot.age
        assert await pinnable.get_variables(["prompt", "late", identifier]) == {
            "prompt": "p0",
            identifier: "p0",
        }
        again = await pinnable.snapshot()
        assert (again.values, again.point) == (snapshot.values, snapshot.point)
    assert await pinnable.get_variable("prompt", bypass_cache=True) == "p1"


@pytest.mark.asyncio
async def test_what_was_absent_stays_absent(pinnable: Context, other: Context) -> None:
    with await pinnable.snapshot():
        await other.set_variable("late", 1)
        assert await pinnable.get_variable("late", None) is None
        for read in (pinnable.get_variable, pinnable.read):
            with pytest.raises(VariableNotFoundError, match="Variable not found: late"):
                await read("late")
        with pytest.raises(VariableNotFoundError):
            pinnable.peek("late")
        assert not hasattr(pinnable.v, "late")
        with pytest.raises(InvalidInputError):
            await pinnable.get_variable(" late", None)
    assert await pinnable.get_variable("late", bypass_cache=True) == 1


@pytest.mark.asyncio
async def test_each_reader_of_json_has_an_object_of_its_own(pinnable: Context) -> None:
    with await pinnable.snapshot() as snapshot:
        for read in (pinnable.get_variable, in_a_list(pinnable), in_a_snapshot(pinnable)):
            plan = await read("plan")
            assert plan == {"steps": [0]}
            plan["steps"].append(1)
        snapshot.values["plan"]["steps"].append(2)  # type: ignore[index, call-overload, union-attr]
        assert pinnable.peek("plan") == {"steps": [0]}


def in_a_list(context: Context) -> Callable[[str], Awaitable[Any]]:
    async def read(name: str) -> Any:
        return (await context.get_variables([name]))[name]

    return read


def in_a_snapshot(context: Context) -> Callable[[str], Awaitable[Any]]:
    async def read(name: str) -> Any:
        return (await context.snapshot()).values[name]

    return read


# ---- what it is not for


@pytest.mark.asyncio
async def test_what_has_to_be_fresh_is_fresh(session: Context, other: Context) -> None:
    """[ORD-22 refuses]"""
    await prepare(session)
    with await session.snapshot():
        done = await other.set_variables({"prompt": "p1", "temperature": 1})
        assert (await session.read("prompt", after=done.point)).value == "p1"
        assert (await session.read("prompt", max_age=60.0)).value == "p1"
        assert (await session.read("prompt", bypass_cache=True)).value == "p1"
        assert await session.get_variable("prompt", bypass_cache=True) == "p1"
        assert (await session.list_variables())["prompt"]["value"] == "p1"
        assert await session.wait_for("prompt", lambda prompt: prompt == "p1") == "p1"
        written = await session.update_variable("temperature", lambda value: value + 1)
        assert written.value == 2.0
        # Of its own writes too it sees nothing.
        assert await session.get_variable("temperature") == 0.0


@pytest.mark.asyncio
async def test_callbacks_and_other_contexts_are_outside(
    journal: Journal, session: Context, make: Callable[..., Context]
) -> None:
    await journal.set("prompt", "p0")
    await session.ready()
    heard: list[Any] = []
    async with make() as second:
        with await session.snapshot():
            told = Heard(journal, None, lambda _event: heard.append(session.peek("prompt")), names=["prompt"])
            with told.listener:
                await journal.set("prompt", "p1")
                await until(lambda: heard != [])
            assert heard == ["p1"]
            assert await second.get_variable("prompt", bypass_cache=True) == "p1"
            with await second.snapshot():
                await journal.set("prompt", "p2")
                assert await session.get_variable("prompt") == "p0"
                assert await second.get_variable("prompt") == "p1"


@pytest.mark.asyncio
async def test_within_another_it_is_that_one(pinnable: Context, other: Context) -> None:
    """[ORD-22 accepts] One that was taken before, or by a part of the program that knows of no other."""
    older = await pinnable.snapshot()
    await change(other, pinnable, 1)
    newer = await pinnable.snapshot()
    with newer:
        with older:
            assert (await pinnable.get_variable("prompt"), pinnable.peek("temperature")) == ("p1", 1.0)
            assert (await pinnable.read("temperature")).point == newer.point
            assert (await pinnable.snapshot()).point == newer.point
        assert pinnable.peek("prompt") == "p1"
    # The other way round, too; and where the outer one ends first, the inner one is what is left.
    with ExitStack() as inner, ExitStack() as outer:
        outer.enter_context(older)
        inner.enter_context(newer)
        assert pinnable.peek("prompt") == "p0"
        outer.close()
        assert pinnable.peek("prompt") == "p1"


# ---- where it goes along


@pytest.mark.asyncio
async def test_it_goes_along_into_tasks_and_threads_that_are_waited_for(
    session: Context, other: Context
) -> None:
    await prepare(session)
    begun, go = asyncio.Event(), asyncio.Event()

    async def outside() -> Any:
        begun.set()
        await go.wait()
        return session.peek("prompt")

    task = asyncio.create_task(outside())
    await begun.wait()
    with await session.snapshot():
        await change(other, session, 1)
        go.set()
        assert await task == "p1"
        assert await asyncio.create_task(a_peek(session)) == "p0"
        assert await asyncio.gather(a_peek(session), a_peek(session)) == ["p0", "p0"]
        assert await in_thread(session.peek, "prompt") == "p0"


async def a_peek(context: Context) -> Any:
    await asyncio.sleep(0)
    return context.peek("prompt")


@pytest.mark.asyncio
async def test_a_thread_enters_a_snapshot_itself(session: Context, other: Context) -> None:
    await prepare(session)
    seen: list[Any] = []

    def work(snapshot: Snapshot) -> None:
        seen.append(session.peek("prompt"))
        with snapshot:
            seen.append(session.peek("prompt"))
        seen.append(session.peek("prompt"))

    with await session.snapshot() as snapshot:
        await change(other, session, 1)
        thread = threading.Thread(target=contextvars.Context().run, args=(work, snapshot))
        thread.start()
        await asyncio.get_running_loop().run_in_executor(None, thread.join)
        assert session.peek("prompt") == "p0"
    assert seen == ["p1", "p0", "p1"]


@pytest.mark.asyncio
async def test_it_ends_with_the_block(session: Context, other: Context) -> None:
    await prepare(session)
    go = asyncio.Event()

    async def left_behind() -> Any:
        await go.wait()
        return session.peek("prompt")

    snapshot = await session.snapshot()
    with suppress(ZeroDivisionError), snapshot:
        task = asyncio.create_task(left_behind())
        with snapshot, snapshot:
            await change(other, session, 1)
        assert session.peek("prompt") == "p0"
        raise ZeroDivisionError
    assert session.peek("prompt") == "p1"
    go.set()
    assert await task == "p1"
    # Later it is what it was.
    with snapshot:
        assert session.peek("prompt") == "p0"
    # And a block may end where it did not begin, as those of generators do.
    contextvars.copy_context().run(snapshot.__enter__)
    contextvars.copy_context().run(snapshot.__exit__, None, None, None)
    assert session.peek("prompt") == "p1"


@pytest.mark.asyncio
async def test_only_what_was_taken_here_can_be_pinned(session: Context) -> None:
    await prepare(session)
    snapshot = await session.snapshot()
    pickled = pickle.loads(pickle.dumps(snapshot))  # noqa: TID251 - our own bytes
    for copied in (copy.copy(snapshot), copy.deepcopy(snapshot), pickled):
        assert copied == snapshot
        with pytest.raises(TypeError, match="can be pinned"), copied:
            pass
    assert "_pinned" not in repr(snapshot)


@pytest.mark.asyncio
async def test_without_a_snapshot_nothing_is_pinned(make: Callable[..., Context], shell: Shell) -> None:
    context = make(" absent")
    with pytest.raises(SessionNotFoundError):
        await context.snapshot()
    await prepare(context)
    with await context.snapshot():
        await (in_thread(shell.bare(context).close) if shell.is_blocking else context.close())
        for read in (context.get_variable, context.read):
            with pytest.raises(ClosedError):
                await read("prompt")
        with pytest.raises(ClosedError):
            context.peek("prompt")
    with pytest.raises(ClosedError):
        context.peek("prompt")


@pytest.mark.asyncio
async def test_a_pair_is_whole_while_it_is_written_all_the_time(session: Context, other: Context) -> None:
    await prepare(session)
    await session.set_variables({"temperature": 0, "copy": 0.0})
    over = False

    async def write() -> None:
        number = 0
        while not over:
            number += 1
            await other.set_variables({"temperature": number, "copy": float(number)})

    writing = asyncio.create_task(write())
    seen = set()
    try:
        while len(seen) < 50:
            with await session.snapshot():
                one = session.peek("temperature")
                await asyncio.sleep(0)
                assert await session.get_variable("copy", UNSET) == one
                seen.add(one)
    finally:
        over = True
        await writing
