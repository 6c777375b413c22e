"""Callbacks, with a bridge."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest
from shells import Context, Shell, until
from watch_records import Journal
from watches import Heard

from snakepit_bridge import (
    ClosedError,
    InvalidInputError,
    SessionContext,
    SessionEvent,
    SessionNotFoundError,
    sync,
)

Make = Callable[..., Context]
JournalOf = Callable[..., Journal]


@pytest.mark.asyncio
async def test_a_function_is_called_with_every_commit_until_it_is_closed(
    journal: Journal, session: Context
) -> None:
    """[DOOR-10 accepts]"""
    told: list[Any] = []
    listener = Heard(journal, None, lambda event: told.append(event.changes[0].value), names=["x"]).listener
    for number in range(5):
        await journal.set("x", number)
        await journal.set("y", number)
    await until(lambda: len(told) == 5)
    assert told == list(range(5))
    listener.close()
    listener.close()
    seen = Heard(journal, glob="x*")
    with seen.listener as other:
        await journal.set("x", 9)
        await until(lambda: len(seen.events) == 1)
        assert other is not listener
    await journal.set("x", 10)
    await session.get_variable("x", bypass_cache=True)
    assert (told, len(seen.events)) == (list(range(5)), 1)


@pytest.mark.asyncio
async def test_nobody_need_hold_a_listener(journal: Journal) -> None:
    # What it is called with is held, and the listener is not.
    told = Heard(journal).events
    await journal.set("x", 1)
    await until(lambda: bool(told))


@pytest.mark.asyncio
async def test_what_it_raises_is_told_and_ends_nothing(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    """[DOOR-10 refuses]"""
    errors: list[Exception] = []
    calls: list[SessionEvent] = []

    def broken(event: SessionEvent) -> None:
        calls.append(event)
        raise ValueError(len(calls))

    def also_broken(error: Exception) -> None:
        errors.append(error)
        raise RuntimeError("on_error itself")

    told = Heard(journal, None, broken, on_error=errors.append).listener
    await journal.set("x", 1)
    await journal.set("x", 2)
    await until(lambda: len(errors) == 2)
    assert [str(error) for error in errors] == ["1", "2"]
    told.close()
    with caplog.at_level(logging.ERROR, "snakepit_bridge"):
        with (
            Heard(journal, None, broken).listener,
            Heard(journal, None, broken, on_error=also_broken).listener,
        ):
            await journal.set("x", 3)
            await until(lambda: len(caplog.records) >= 2)
        logged = sorted(record.getMessage() for record in caplog.records)
    assert logged[0].startswith("a callback of on_change: ")
    assert logged[1] == "on_error of a callback of on_change raised: on_error itself"


@pytest.mark.asyncio
async def test_what_ends_it_is_told(
    make: Make, caplog: pytest.LogCaptureFixture, journal_of: JournalOf
) -> None:
    errors: list[Exception] = []
    context = make()
    journal = journal_of(context)
    Heard(journal, on_error=errors.append)
    Heard(journal, names=[""], on_error=errors.append)
    # Who closes a context knows, and needs no log.
    Heard(journal)
    await until(lambda: len(errors) == 1)
    assert isinstance(errors[0], InvalidInputError)
    await context.close()
    await until(lambda: len(errors) == 2)
    assert isinstance(errors[1], ClosedError)
    assert caplog.records == []
    with pytest.raises(ClosedError):
        context.on_change(lambda _event: None)


@pytest.mark.asyncio
async def test_what_is_no_function_is_refused(session: Context) -> None:
    for wrong in ({"callback": 7}, {"callback": print, "on_error": 7}):
        with pytest.raises(TypeError, match="a callback has to be callable, not int"):
            session.on_change(**wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not NoneType"):
        session.on_change(None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="names is a list"):
        session.on_change(print, "x")


@pytest.mark.asyncio
async def test_it_may_use_the_context_and_close_itself(
    shell: Shell, session: Context, journal: Journal
) -> None:
    done: list[Any] = []
    bare = shell.bare(session)

    async def in_loop(event: SessionEvent) -> None:
        value = event.changes[0].value
        listener.close()
        # It goes on to its end.
        await bare.set_variable("y", value)
        done.append(await bare.get_variable("y", bypass_cache=True))

    def in_thread(event: SessionEvent) -> None:
        listener.close()
        bare.set_variable("y", event.changes[0].value)
        done.append(bare.get_variable("y", bypass_cache=True))

    listener = Heard(journal, None, in_thread if shell.is_blocking else in_loop, names=["x"]).listener
    await journal.set("x", 7)
    await until(lambda: bool(done))
    journal.made(y=7)
    await journal.set("x", 8)
    await session.get_variable("x", bypass_cache=True)
    assert done == [7]


@pytest.mark.asyncio
async def test_a_coroutine_function_is_awaited_before_it_is_called_again(
    bridge: str, journal_of: JournalOf
) -> None:
    steps: list[str] = []
    async with SessionContext("slow", address=bridge) as context:
        journal = journal_of(context)

        async def slow(event: SessionEvent) -> None:
            steps.append(f"begins {event.revision}")
            await asyncio.sleep(0)
            await context.get_variable("x")
            steps.append(f"ends {event.revision}")

        Heard(journal, None, slow, names=["x"])
        await asyncio.gather(*[journal.set("x", number) for number in range(3)])
        await until(lambda: len(steps) == 6)
    assert steps == [f"{what} {number}" for number in (1, 2, 3) for what in ("begins", "ends")]


def test_a_coroutine_function_is_for_asyncio(bridge: str, journal_of: JournalOf) -> None:
    errors: list[Exception] = []
    told = threading.Event()

    async def slow(_event: SessionEvent) -> None:
        raise AssertionError

    with sync.SessionContext("no coroutine", address=bridge) as context:
        journal = journal_of()
        Heard(journal, context, slow, on_error=lambda error: (errors.append(error), told.set()))
        context["x"] = 1
        journal.made(x=1)
        assert told.wait(30.0)
    assert str(errors[0]) == "a coroutine function is for the asyncio context only"


@pytest.mark.asyncio
async def test_it_goes_on_with_a_session_that_is_created_again(make: Make, journal_of: JournalOf) -> None:
    kinds: list[str] = []
    async with make() as context:
        journal = journal_of(context)
        Heard(journal, None, lambda event: kinds.append(event.kind))
        for _ in range(2):
            await journal.create()
            await journal.end()
        await until(lambda: len(kinds) == 4)
        with pytest.raises(SessionNotFoundError):
            await context.heartbeat()
    assert kinds == ["created", "deleted"] * 2


def test_blocking_callbacks_share_one_thread_and_take_turns(bridge: str, journal_of: JournalOf) -> None:
    threads: set[threading.Thread] = set()
    told: dict[str, list[int]] = {"a": [], "b": []}
    entered, go_on = threading.Event(), threading.Event()

    def listen(name: str) -> Callable[[SessionEvent], None]:
        def callback(event: SessionEvent) -> None:
            threads.add(threading.current_thread())
            if not entered.is_set():
                entered.set()
                assert go_on.wait(30.0)
            told[name].append(event.revision)

        return callback

    ended = threading.Event()
    with (
        sync.SessionContext("turns", address=bridge) as one,
        sync.SessionContext("turns", address=bridge) as other,
    ):
        journal = journal_of()
        one.create_session()
        journal.note()
        Heard(journal, one, listen("a"))
        Heard(journal, other, listen("b"))
        Heard(journal, other, lambda event: ended.set() if event.revision == 21 else None)
        other.heartbeat()
        for number in range(20):
            one["x"] = number
            journal.made(x=number)
        assert entered.wait(30.0)
        # Nobody else is held up by one that takes long, but other callbacks.
        assert other.get_variable("x", bypass_cache=True) == 19
        go_on.set()
        assert ended.wait(30.0)
        done = threading.Event()
        Heard(journal, other, lambda _: done.set() if len(told["a"]) + len(told["b"]) >= 40 else None)
        while not done.is_set():
            one.heartbeat()
            one["y"] = 1
            journal.made(y=1)
    assert told["a"][:20] == told["b"][:20] == list(range(2, 22))
    (thread,) = threads
    assert thread.name == "snakepit-bridge callbacks"
    assert thread is not threading.main_thread()


def test_one_that_ends_its_thread_does_not_end_that_of_all(bridge: str, journal_of: JournalOf) -> None:
    errors: list[BaseException] = []
    told = threading.Event()

    def leave(_event: SessionEvent) -> None:
        raise SystemExit(3)

    with sync.SessionContext("exits", address=bridge) as context:
        journal = journal_of()
        Heard(journal, context, leave, on_error=errors.append)
        Heard(journal, context, lambda event: told.set() if event.revision == 2 else None)
        for number in (1, 2):
            context["x"] = number
            journal.made(x=number)
        assert told.wait(30.0)
    assert isinstance(errors[0], SystemExit)
