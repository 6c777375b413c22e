"""What goes to the logger: written by a thread of its own, since a program's logging may do anything."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from children import Child
from scripted import Stage, reads, staged, writes
from shells import SHELLS, Shell, until

from snakepit_bridge._log import log
from snakepit_bridge._turns import Turns

(BLOCKING,) = [shell for shell in SHELLS if shell.is_blocking]


@pytest_asyncio.fixture
async def stage(shell: Shell) -> AsyncIterator[Stage]:
    async with staged(shell) as stage:
        yield stage


@pytest_asyncio.fixture
async def blocking() -> AsyncIterator[Stage]:
    async with staged(BLOCKING) as stage:
        yield stage


@pytest.mark.asyncio
async def test_there_is_one_line_each_in_order_and_none_of_them_in_a_thread_of_ours(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "snakepit_bridge")
    connected = f"connected to the bridge at {stage.address}"
    async with stage.context(cache="live") as context:
        waiting = asyncio.ensure_future(context.ready(timeout=30))
        await until(lambda: len(stage.followers) == 1)
        stage.followers[0].tell(None, 1)
        await waiting
        stage.line.cut()
        await until(lambda: len(stage.followers) == 2)
        stage.followers[1].tell(1, 1)
        await context.ready()
        stage.followers[1].say(b"\xff")
        await until(lambda: len(caplog.records) >= 6)
    lines = [record.getMessage() for record in caplog.records]
    assert lines[2].startswith("the copy of session 's' is STALE: no bridge answers at")
    assert lines[5].startswith("the copy of session 's' is given up: ")
    ready = "the copy of session 's' is READY"
    assert [*lines[:2], *lines[3:5]] == [connected, ready] * 2
    assert len(lines) == 6
    assert {record.threadName for record in caplog.records} == {"snakepit-bridge log"}


USING = """
    import logging
    from snakepit_bridge.sync import SessionContext
    session = SessionContext("s", address=args[0], timeout=20)
    class Counting(logging.Handler):
        def emit(self, record):
            if record.name.startswith("snakepit_bridge"):
                print(record.getMessage().partition(" at ")[0], session["x"])
    logging.basicConfig(level=logging.INFO, handlers=[Counting()])
    print(session["x"])
"""
"""A handler that uses the context whose line it is given."""


@pytest.mark.asyncio
async def test_a_handler_may_use_the_context_that_has_something_to_log(blocking: Stage) -> None:
    blocking.play(reads(1.5), reads(1.5))
    ended = await (await Child.start(USING, blocking.address)).end()
    assert (ended.code, ended.stderr) == (0, "")
    # A line that is due when a program ends is written.
    assert sorted(ended.stdout.splitlines()) == ["1.5", "connected to the bridge 1.5"]


@pytest.mark.asyncio
async def test_a_handler_may_be_in_the_midst_of_a_call(blocking: Stage) -> None:
    """Who logs holds the handler's lock for as long as that takes, and our own line has to wait for it."""
    blocking.play(writes(1.0))
    program = """
        import logging
        from snakepit_bridge.sync import SessionContext
        session = SessionContext("s", address=args[0], timeout=20)
        class Counting(logging.Handler):
            def emit(self, record):
                print(record.name)
                if record.name == "root":
                    session["lines"] = 1.0
        logging.basicConfig(level=logging.INFO, handlers=[Counting()])
        logging.info("hello")
        session.close()
    """
    ended = await (await Child.start(program, blocking.address)).end()
    assert (ended.code, ended.stdout, ended.stderr) == (0, "root\nsnakepit_bridge\n", "")


@pytest.mark.asyncio
async def test_what_a_filter_raises_is_no_concern_of_those_who_call(stage: Stage) -> None:
    stage.play(reads(1.5))
    failing = threading.Event()

    def fail(_record: logging.LogRecord) -> bool:
        failing.set()
        raise SystemExit("by script")

    logger = logging.getLogger("snakepit_bridge")
    before = logger.level
    logger.setLevel(logging.INFO)
    logger.addFilter(fail)
    try:
        async with stage.context(cache="off") as context:
            assert await context.get_variable("x") == 1.5
            await until(failing.is_set)
            failing.clear()
            log("another")
            await until(failing.is_set)
    finally:
        logger.removeFilter(fail)
        logger.setLevel(before)
    assert len(stage.channels) == 1


def test_what_nobody_wants_to_know_makes_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = Turns("test log")
    monkeypatch.setattr("snakepit_bridge._log._turns", turns)
    logger = logging.getLogger("snakepit_bridge")
    log("at WARNING")
    monkeypatch.setattr(logger, "level", logging.INFO)
    logging.disable(logging.INFO)
    try:
        log("disabled")
    finally:
        logging.disable(logging.NOTSET)
    assert "test log" not in {thread.name for thread in threading.enumerate()}


# ---- turns


def test_each_has_its_turn_after_the_one_before() -> None:
    turns = Turns("test turns")
    done: list[int] = []
    begun, go = threading.Event(), threading.Event()

    def first() -> None:
        begun.set()
        assert go.wait(30)
        done.append(-1)

    turns.put(first)
    assert begun.wait(30)
    for number in range(100):
        turns.put(lambda number=number: done.append(number))  # type: ignore[misc]
    # Nobody waits longer than that for one that takes its time.
    turns.flush(0.01)
    assert done == []
    go.set()
    turns.flush(30)
    assert done == [-1, *range(100)]


def test_a_signal_handler_may_have_something_called_while_the_thread_is_begun(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    turns = Turns("test turns")
    done: list[str] = []
    start = threading.Thread.start

    def interrupted(thread: threading.Thread) -> None:
        monkeypatch.setattr("threading.Thread.start", start)
        turns.put(lambda: done.append("handler"))
        start(thread)

    monkeypatch.setattr("threading.Thread.start", interrupted)
    turns.put(lambda: done.append("interrupted"))
    turns.flush(30)
    assert set(done) == {"interrupted", "handler"}


def test_what_found_no_thread_is_done_with_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = Turns("test turns")
    done: list[str] = []

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as exhausted:
        exhausted.setattr("threading.Thread.start", refuse)
        with pytest.raises(RuntimeError, match="can't start"):
            turns.put(lambda: done.append("first"))
    turns.put(lambda: done.append("second"))
    turns.flush(30)
    assert done == ["first", "second"]
