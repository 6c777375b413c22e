"""Watches of both clients where streams break, fall silent or end, and where programs end."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from types import SimpleNamespace

import grpc
import pytest
import pytest_asyncio
from children import Child
from scripted import Stage, fails, never, reads, staged, writes
from shells import SHELLS, Shell, until
from watches import Audited, Heard

from snakepit_bridge import SessionEvent, UnavailableError, WatchGapError
from snakepit_bridge._sync_watch import until_news
from snakepit_bridge._watching import Watching

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
async def test_a_stream_that_falls_silent_is_left_and_all_is_asked_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """[ORD-6 accepts] [ORD-17 accepts]"""
    monkeypatch.setattr("snakepit_bridge._link.SILENCE", 0.3)
    async with stage.context() as context:
        reader = Audited(stage.journal, context)
        await reader.ready()
        stage.watches[0].event(2, x=1.0)
        (event,) = await reader.take(1)
        assert event.changes[0].value == 1.0
        # It answers nothing any more, and the line stands.
        stage.play(never)
        writing = asyncio.ensure_future(context.set_variable("x", 2.0))
        await stage.received_all(1)
        stage.play(writes(2.0, 3))
        assert (await writing).revision == 3
        assert stage.requests[0] == stage.requests[1]
        await until(lambda: len(stage.watches) >= 2)
        assert stage.watches[1].request.after.number == 2
        stage.watches[-1].event(3, x=2.0)
        assert (await reader.take(1))[0].revision == 3
        await until(lambda: stage.channels[0].ended)


@pytest.mark.asyncio
async def test_what_passes_is_asked_for_again_and_what_does_not_is_raised(stage: Stage) -> None:
    async with stage.context() as context:
        reader = Audited(stage.journal, context, names=["x"], glob="y*", passive=True)
        await reader.ready()
        for reason in ("WATCH_OVERFLOW", "SHUTTING_DOWN"):
            watched = stage.watches[-1]
            watched.event(watched.request.after.number + 2, x=1.0)
            watched.end(reason)
            await reader.take(1)
            await until(lambda watched=watched: stage.watches[-1] is not watched)  # type: ignore[misc]
            again = stage.watches[-1].request
            assert again.after.number == watched.request.after.number + 2
            assert (list(again.names), again.glob, again.passive) == (["x"], "y*", True)
        stage.watches[-1].end("WATCH_GAP")
        with pytest.raises(WatchGapError, match="by script"):
            await reader.next()


@pytest.mark.asyncio
@pytest.mark.parametrize("code", [grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN])
async def test_an_accident_of_the_transport_ends_no_watch(stage: Stage, code: grpc.StatusCode) -> None:
    async with stage.context() as context:
        reader = Audited(stage.journal, context)
        await reader.ready()
        stage.watches[0].event(2, x=1.0)
        await reader.take(1)
        stage.play(fails(code), writes(2.0, 3))
        await context.set_variable("x", 2.0)
        await until(lambda: len(stage.watches) == 2)
        assert stage.watches[1].request.after.number == 2
        stage.watches[1].event(3, x=2.0)
        assert (await reader.take(1))[0].revision == 3


@pytest.mark.asyncio
async def test_a_line_that_is_cut_loses_and_repeats_nothing(stage: Stage) -> None:
    async with stage.context() as context:
        reader = Audited(stage.journal, context)
        await reader.ready()
        stage.watches[0].event(2, x=1.0)
        assert (await reader.take(1))[0].revision == 2
        stage.line.cut()
        await until(lambda: len(stage.watches) == 2)
        assert stage.watches[1].request.after.number == 2
        stage.watches[1].event(3, x=2.0)
        assert (await reader.take(1))[0].revision == 3


@pytest.mark.asyncio
async def test_one_that_is_ended_is_taken_off_the_stream(stage: Stage) -> None:
    async with stage.context() as context:
        kept, ended = Audited(stage.journal, context), Audited(stage.journal, context)
        await kept.ready()
        await ended.ready()
        await ended.close()
        number = stage.watches[1].number
        await until(lambda: any(number in message.cancelled for message in stage.messages))
        stage.watches[1].event(2, x=1.0)
        stage.watches[0].event(2, x=1.0)
        assert (await kept.take(1))[0].revision == 2
        assert await ended.next() is None


@pytest.mark.asyncio
async def test_a_channel_that_its_owner_closes_ends_it(stage: Stage, shell: Shell) -> None:
    """[ORD-19 refuses]"""
    async with shell.lent(stage.address) as channel:
        context = shell.context("s", channel)
        reader = Audited(stage.journal, context)
        await reader.ready()
        await shell.close(channel)
        with pytest.raises(UnavailableError, match="no bridge answers on the given channel"):
            await reader.next()
        await context.close()


@pytest.mark.asyncio
async def test_a_wait_looks_again_after_a_gap(stage: Stage) -> None:
    async with stage.context(timeout=30.0) as context:
        stage.play(reads(1.0))
        waiting = asyncio.ensure_future(context.wait_for("x", lambda x: x > 1))
        await stage.received_all(1)
        stage.play(reads(2.0, 2))
        stage.watches[0].end("WATCH_GAP")
        assert await waiting == 2.0
        assert len(stage.watches) == 2


# ---- interrupts, and the end of programs


@pytest.mark.asyncio
async def test_ctrl_c_ends_a_loop_and_leaves_the_context_usable(blocking: Stage) -> None:
    program = """
        from snakepit_bridge.sync import SessionContext
        with SessionContext("s", address=args[0], timeout=600) as session:
            for number in range(3):
                watch = session.watch()
                try:
                    for event in watch:
                        print(event.changes[0].value)
                except KeyboardInterrupt:
                    print(watch.next(), session["x"])
                    session.invalidate_cache()
    """
    child = await Child.start(program, blocking.address)
    for number in range(3):
        await until(lambda number=number: len(blocking.watches) > number)  # type: ignore[misc]
        blocking.watches[number].event(number + 2, x=float(number))
        assert await child.line() == f"{number}.0"
        blocking.play(reads(7.0))
        child.send(signal.SIGINT)
        assert await child.line() == "None 7.0"
    ended = await child.end()
    assert (ended.code, ended.stderr) == (0, "")


@pytest.mark.asyncio
async def test_ctrl_c_at_any_moment_leaves_a_watch_whole(blocking: Stage) -> None:
    program = """
        import threading
        from snakepit_bridge.sync import SessionContext

        def be_busy():
            while True:
                pass

        # Another thread takes the interpreter wherever the main thread stands.
        threading.Thread(target=be_busy, daemon=True).start()
        interrupts = 0
        with SessionContext("s", address=args[0], timeout=600) as session:
            watch = session.watch()
            watch.ready()
            print("ready")
            told = []
            while interrupts < 20:
                try:
                    while True:
                        told.append(watch.next().revision)
                        if told[-1] % 13 == 10:
                            print("told")
                except KeyboardInterrupt:
                    interrupts += 1
                    print("caught")
            while told[-1] < 262:
                told.append(watch.next().revision)
            print(*told)
            print(session["x"])
    """
    child = await Child.start(program, blocking.address)
    assert await child.line() == "ready"
    for interrupt in range(20):
        for revision in range(13 * interrupt + 2, 13 * interrupt + 15):
            blocking.watches[0].event(revision, x=1.0)
        # Whatever it is doing, it is where it is caught.
        assert await child.line() == "told"
        child.send(signal.SIGINT)
        assert await child.line() == "caught"
    blocking.play(reads(1.0))
    blocking.watches[0].event(262, x=1.0)
    told = [int(word) for word in (await child.line()).split()]
    # An interrupt may take with it what was just handed over, and nothing else.
    assert told == sorted(set(told))
    assert len(told) >= 261 - 20
    ended = await child.end()
    assert (ended.code, ended.stdout, ended.stderr) == (0, "1.0\n", "")


@pytest.mark.asyncio
@pytest.mark.parametrize("follow", ["watch = session.watch()", "session.on_change(print)"])
@pytest.mark.parametrize("end", ["pass", "session.close()", "sys.exit(0)"])
async def test_a_program_with_an_open_watch_ends(stage: Stage, shell: Shell, follow: str, end: str) -> None:
    program = f"""
        from snakepit_bridge.sync import SessionContext
        session = SessionContext("s", address=args[0])
        {follow}
        session.get_variable("x")
        {end}
    """
    if not shell.is_blocking:
        program = f"""
            import asyncio
            from snakepit_bridge import SessionContext
            async def main():
                session = SessionContext("s", address=args[0])
                {follow}
                await session.get_variable("x")
                {end.replace("session.close", "await session.close")}
            asyncio.run(main())
        """
    stage.play(reads(1.0))
    child = await Child.start(program, stage.address)
    ended = await child.end()
    assert (ended.code, ended.stdout, ended.stderr) == (0, "", "")


@pytest.mark.asyncio
async def test_what_on_error_raises_ends_the_callbacks_of_nobody(
    blocking: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    async with blocking.context() as context:

        def call(_event: SessionEvent) -> None:
            raise ValueError("wrong")

        def give_up(error: Exception) -> None:
            raise SystemExit(str(error))

        heard = Heard(blocking.journal, context, call, on_error=give_up)
        with heard.listener:
            await until(lambda: len(blocking.watches) == 1)
            for revision in (2, 3):
                blocking.watches[0].event(revision, x=1.0)
            await until(lambda: [event.revision for event in heard.events] == [2, 3])
            await until(lambda: len(caplog.records) == 2)
        assert "on_error of a callback of on_change: wrong" in caplog.text


@pytest.mark.asyncio
async def test_a_program_whose_bridge_is_gone_ends(blocking: Stage) -> None:
    program = """
        from snakepit_bridge.sync import SessionContext
        with SessionContext("s", address=args[0]) as session:
            session.watch().ready(600)
            watch = session.watch()
            watch.ready()
            session.on_change(print)
            print("ready")
            sys.stdin.readline()
    """
    child = await Child.start(program, blocking.address)
    assert await child.line() == "ready"
    await blocking.line.close()
    ended = await child.end()
    assert (ended.code, ended.stdout, ended.stderr) == (0, "", "")


def test_who_waits_for_a_moment_waits_no_longer_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    class NeverGivenBack:
        def acquire(self, timeout: float | None = None) -> bool:
            waits.extend([] if timeout is None else [timeout])
            return timeout is None

        def release(self) -> None:
            raise AssertionError

    monkeypatch.setattr("snakepit_bridge._sync_watch.threading", SimpleNamespace(Lock=NeverGivenBack))
    watching = Watching("s", [], None, None, False, lambda status: (UnavailableError(status.text), False))
    until_news(watching, watching.rung, 0.001)
    assert waits
    assert max(waits) <= 0.001
