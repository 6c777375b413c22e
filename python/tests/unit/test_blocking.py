"""What only the blocking shell meets: signals, the end of the interpreter, threads that share a fetch."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
import pytest_asyncio
from children import Child
from interrupts import Interrupting
from scripted import Stage, fails, healthy, never, reads, staged, talking, writes
from shells import SHELLS, in_thread, until
from watches import Audited

from snakepit_bridge import ClosedError, SessionNotFoundError, UnavailableError, _sync_flights
from snakepit_bridge.sync import SessionContext

(BLOCKING,) = [shell for shell in SHELLS if shell.is_blocking]


@pytest_asyncio.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged(BLOCKING) as stage:
        yield stage


@pytest_asyncio.fixture
async def silent() -> AsyncIterator[str]:
    async with talking(b"") as address:
        yield address


# ---- Ctrl-C

HANGING = """
    from snakepit_bridge.sync import SessionContext
    session = SessionContext("s", address=args[0], timeout=600)
    print("ready")
    {call}
"""


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "call", ['session["x"]', 'session["x"] = 1.0', 'session.wait_for("x", lambda x: False)']
)
async def test_ctrl_c_ends_a_call_that_is_not_answered(stage: Stage, call: str) -> None:
    stage.play(never)
    child = await Child.start(HANGING.format(call=call), stage.address)
    await stage.received.wait()
    child.send(signal.SIGINT)
    ended = await child.end()
    assert (ended.code, ended.stdout) == (-signal.SIGINT, "ready\n")
    assert ended.stderr.endswith("\nKeyboardInterrupt\n")


@pytest.mark.asyncio
async def test_ctrl_c_ends_the_waiting_for_a_connection(silent: str) -> None:
    child = await Child.start(HANGING.format(call='session["x"]'), silent)
    assert await child.line() == "ready"
    child.send(signal.SIGINT)
    ended = await child.end()
    assert ended.code == -signal.SIGINT
    assert ended.stderr.endswith("\nKeyboardInterrupt\n")


@pytest.mark.asyncio
async def test_ctrl_c_ends_the_pauses_between_attempts(stage: Stage) -> None:
    stage.play(*[fails(grpc.StatusCode.UNAVAILABLE)] * 100)
    child = await Child.start(HANGING.format(call='session["x"] = 1.0'), stage.address)
    await stage.received_all(3)
    child.send(signal.SIGINT)
    ended = await child.end()
    assert ended.code == -signal.SIGINT
    assert len(stage.requests) < 10


@pytest.mark.asyncio
async def test_a_context_goes_on_after_ctrl_c_and_does_not_trust_what_it_had(stage: Stage) -> None:
    """[ORD-16 refuses]"""
    stage.play(reads(1.0), never, reads(2.0, 2))
    program = """
        from snakepit_bridge.sync import SessionContext
        with SessionContext("s", address=args[0], ttl=600, timeout=600) as session:
            print(session["x"])
            try:
                session["x"] = 2.0
            except KeyboardInterrupt:
                print(session["x"])
    """
    child = await Child.start(program, stage.address)
    await stage.received_all(2)
    child.send(signal.SIGINT)
    ended = await child.end()
    assert (ended.code, ended.stdout, ended.stderr) == (0, "1.0\n2.0\n", "")


@pytest.mark.asyncio
async def test_ctrl_c_while_a_call_is_being_made_leaves_the_context_usable(stage: Stage) -> None:
    """The interrupt comes when the request does, and so in the middle of what gRPC does to send it."""
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
            print("ready")
            for _ in range(30):
                try:
                    session["x"]
                except KeyboardInterrupt:
                    interrupts += 1
            print(interrupts, session["x"])
    """
    child = await Child.start(program, stage.address)
    assert await child.line() == "ready"

    async def interrupt(request: bytes, context: Any) -> bytes:
        child.send(signal.SIGINT)
        return await never(request, context)

    stage.play(*[interrupt] * 30, reads(1.0))
    ended = await child.end()
    assert (ended.code, ended.stdout, ended.stderr) == (0, "30 1.0\n", "")


@pytest.mark.asyncio
async def test_ctrl_c_ends_the_call_of_one_thread_only(stage: Stage) -> None:
    stage.play(never, reads(1.5))
    program = """
        import threading
        from snakepit_bridge.sync import SessionContext
        session = SessionContext("s", address=args[0], timeout=600)
        found = []
        def follow():
            while not session.get_cache_stats()["fetches"]:
                pass
            print("following")
            found.append(session["x"])
        follower = threading.Thread(target=follow)
        try:
            follower.start()
            session["x"]
        except KeyboardInterrupt:
            follower.join()
        print(found)
        session.close()
    """
    child = await Child.start(program, stage.address)
    await stage.received.wait()
    assert await child.line() == "following"
    child.send(signal.SIGINT)
    ended = await child.end()
    assert (ended.code, ended.stdout, ended.stderr) == (0, "[1.5]\n", "")


@pytest.mark.asyncio
async def test_a_signal_handler_may_use_the_context_that_it_interrupts(stage: Stage) -> None:
    gate = asyncio.Event()

    async def wait(request: bytes, context: Any) -> bytes:
        await gate.wait()
        return await reads(1.0)(request, context)

    async def release(request: bytes, context: Any) -> bytes:
        gate.set()
        return await reads(1.0)(request, context)

    stage.play(wait, release)
    program = """
        import signal
        from snakepit_bridge.sync import SessionContext
        session = SessionContext("s", address=args[0], timeout=600)
        signal.signal(signal.SIGTERM, lambda *_: print("in the handler:", session["x"]))
        print("outside:", session["x"])
        session.close()
    """
    child = await Child.start(program, stage.address)
    await stage.received.wait()
    child.send(signal.SIGTERM)
    ended = await child.end()
    assert (ended.code, ended.stderr) == (0, "")
    assert ended.stdout == "in the handler: 1.0\noutside: 1.0\n"


@pytest.mark.asyncio
async def test_a_signal_handler_reads_what_another_thread_is_reading(stage: Stage) -> None:
    """The main thread is interrupted where it holds what that thread needs to take its answer."""
    gate = asyncio.Event()

    async def wait(request: bytes, context: Any) -> bytes:
        await gate.wait()
        return await reads(1.0)(request, context)

    async def release(request: bytes, context: Any) -> bytes:
        gate.set()
        return await reads(1.0)(request, context)

    stage.play(wait, release)
    program = """
        import signal, threading
        from snakepit_bridge.sync import SessionContext
        session = SessionContext("s", address=args[0], cache="ttl", timeout=600)
        signal.signal(signal.SIGTERM, lambda *_: print("in the handler:", session["x"]))
        other = threading.Thread(target=lambda: print("elsewhere:", session["x"]))
        other.start()
        while not session.get_cache_stats()["fetches"]:
            pass
        with session._lock:
            signal.raise_signal(signal.SIGTERM)
        other.join()
        session.close()
    """
    ended = await (await Child.start(program, stage.address)).end()
    assert (ended.code, ended.stderr) == (0, "")
    assert ended.stdout == "in the handler: 1.0\nelsewhere: 1.0\n"


# ---- the end of the interpreter


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "rest", ["", "import threading; threading.Thread(target=session.heartbeat, daemon=True).start()"]
)
async def test_a_program_ends_without_closing_anything(stage: Stage, rest: str) -> None:
    stage.play(writes(1.0), never)
    program = f"""
        from snakepit_bridge.sync import SessionContext
        session = SessionContext("s", address=args[0], timeout=600)
        session["x"] = 1.0
        {rest}
    """
    ended = await (await Child.start(program, stage.address)).end()
    assert (ended.code, ended.stdout, ended.stderr) == (0, "", "")


# ---- forks


@pytest.mark.asyncio
async def test_a_process_that_was_forked_without_a_word_is_told_what_to_do(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.play(reads(1.0))
    async with stage.context(cache="off") as context:
        await context.get_variable("x")
        with monkeypatch.context() as forked:
            forked.setattr("snakepit_bridge._forking.os.getpid", lambda: -1)
            with pytest.raises(RuntimeError, match="forked without a word to Python"):
                await context.get_variable("x")


# ---- a bridge that is silent


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has a bridge that is asked for its health be taken for silent sooner."""
    monkeypatch.setattr("snakepit_bridge._sync_transport._PATIENCE", 0.2)


@pytest.mark.asyncio
@pytest.mark.usefixtures("soon")
async def test_a_connection_that_died_without_a_word_while_no_stream_was_open_is_replaced(
    stage: Stage,
) -> None:
    """[ORD-6 refuses]"""
    stage.play(reads(1.0), writes(2.0, 2))
    async with stage.context(cache="off") as context:
        await context.get_variable("x")
        await until(lambda: stage.channels[0].ended)
        stage.line.freeze()
        # Nobody is told that nobody is there.
        assert (await context.set_variable("x", 2.0, timeout=20.0)).revision == 2
        await Audited(stage.journal, context).ready()


@pytest.mark.asyncio
@pytest.mark.usefixtures("soon")
async def test_those_who_wait_for_a_bridge_that_is_silent_on_a_given_channel_are_told(stage: Stage) -> None:
    """[ORD-16 refuses]"""
    stage.health = never
    stage.play(reads(1.0))
    async with BLOCKING.lent(stage.address) as channel:
        with SessionContext("s", channel, cache="off", timeout=20.0) as context:
            with pytest.raises(
                UnavailableError, match="no bridge answers on the given channel: it said nothing"
            ):
                await in_thread(context.set_variable, "x", 1.0)
            # And it goes on.
            stage.health = healthy
            assert await in_thread(context.get_variable, "x") == 1.0


@pytest.mark.asyncio
@pytest.mark.usefixtures("soon")
async def test_a_bridge_that_is_slow_is_not_connected_to_again_and_again(stage: Stage) -> None:
    stage.health = never
    async with stage.context(cache="off", timeout=20.0) as context:
        for _ in range(3):
            with pytest.raises(UnavailableError, match="it said nothing"):
                await context.get_variable("x")
            assert stage.line.connections == 1


# ---- closing


@pytest.mark.asyncio
async def test_close_ends_the_waiting_for_a_connection(silent: str) -> None:
    context = SessionContext("s", address=silent, timeout=600.0)
    call = asyncio.ensure_future(in_thread(context.heartbeat))
    await until(lambda: context._transport._channel is not None)
    await in_thread(context.close)
    with pytest.raises(ClosedError):
        await call


@pytest.mark.asyncio
async def test_close_ends_a_pause(stage: Stage) -> None:
    stage.play(fails(grpc.StatusCode.UNAVAILABLE))
    context = SessionContext("s", address=stage.address, timeout=600.0)
    paused = threading.Event()
    pause = context._transport._link._pause

    def long_pause(_seconds: float) -> None:
        paused.set()
        pause(600.0)

    context._transport._link._pause = long_pause  # type: ignore[method-assign]
    call = asyncio.ensure_future(in_thread(context.heartbeat))
    await in_thread(paused.wait)
    await in_thread(context.close)
    with pytest.raises(ClosedError):
        await call


@pytest.mark.asyncio
async def test_a_given_channel_that_is_closed_already(stage: Stage) -> None:
    channel = grpc.insecure_channel(stage.address)
    channel.close()
    with SessionContext("s", channel) as context:
        for call in (lambda: context.get_variable("x"), lambda: context.set_variable("x", 1.0)):
            with pytest.raises(UnavailableError, match="the channel is closed"):
                await in_thread(call)


# ---- one stream for all threads


@pytest.mark.asyncio
async def test_threads_share_a_stream_and_what_they_lose_is_sent_again_once(stage: Stage) -> None:
    """[ORD-15 accepts] [ORD-17 accepts]"""
    stage.play(*[never] * 8, *[writes(1.0)] * 9)
    async with stage.context(timeout=30.0) as context:
        calls = [asyncio.ensure_future(context.set_variable("x", float(number))) for number in range(8)]
        await stage.received_all(8)
        stage.line.cut()
        await asyncio.gather(*calls)
        await context.set_variable("x", 8.0)
    assert stage.requests[:8] == stage.requests[8:16]
    assert (len(stage.requests), len(stage.channels)) == (17, 2)


@pytest.mark.asyncio
async def test_a_stream_that_nobody_uses_is_let_go(stage: Stage) -> None:
    stage.play(reads(1.0), reads(2.0))
    async with stage.context(cache="off") as context:
        assert await context.get_variable("x") == 1.0
        await until(lambda: stage.channels[0].ended)
        assert await context.get_variable("x") == 2.0
    assert len(stage.channels) == 2


# ---- sharing a fetch


@pytest.mark.asyncio
async def test_threads_that_miss_at_the_same_time_share_one_fetch(stage: Stage) -> None:
    release = asyncio.Event()

    async def slowly(request: bytes, context: Any) -> bytes:
        await release.wait()
        return await reads(1.5)(request, context)

    stage.play(slowly)
    async with stage.context() as context:
        tasks = [asyncio.ensure_future(context.get_variable("x")) for _ in range(20)]
        batch = asyncio.ensure_future(context.get_variables(["x"]))
        await until(lambda: context.get_cache_stats()["misses"] == 21)
        release.set()
        assert await asyncio.gather(*tasks) == [1.5] * 20
        assert await batch == {"x": 1.5}
        assert context.get_cache_stats()["fetches"] == 1
    assert len(stage.requests) == 1


@pytest.mark.asyncio
async def test_each_thread_raises_an_error_of_its_own(stage: Stage) -> None:
    release = asyncio.Event()

    async def slowly(request: bytes, context: Any) -> bytes:
        await release.wait()
        return await fails(grpc.StatusCode.NOT_FOUND, "SESSION_NOT_FOUND", text="gone")(request, context)

    stage.play(slowly)
    async with stage.context() as context:
        tasks = [asyncio.ensure_future(context.get_variable("x")) for _ in range(5)]
        await until(lambda: context.get_cache_stats()["misses"] == 5)
        release.set()
        errors = await asyncio.gather(*tasks, return_exceptions=True)
    assert len({id(error) for error in errors}) == 5
    assert {type(error) for error in errors} == {SessionNotFoundError}
    assert {(str(error), error.session_id) for error in errors} == {("gone", "s")}
    assert len(stage.requests) == 1


@pytest.mark.asyncio
async def test_wherever_a_fetch_is_interrupted_nobody_waits_for_it(stage: Stage) -> None:
    line = 0
    while True:
        interrupting = Interrupting(_sync_flights, line)
        async with stage.context(timeout=600.0) as context:

            async def answer(request: bytes, grpc_context: Any, context: Any = context) -> bytes:
                # Both are there: one has begun or is interrupted, and the other has joined it or goes alone.
                await until(lambda: context.get_cache_stats()["misses"] >= 2)
                return await reads(1.5)(request, grpc_context)

            stage.script[:] = [answer, answer]
            bare = stage.shell.bare(context)
            first = asyncio.ensure_future(in_thread(interrupting, lambda bare=bare: bare.get_variable("x")))
            await until(lambda context=context: context.get_cache_stats()["misses"] >= 1)
            assert await context.get_variable("x") == 1.5
            assert await first in (1.5, None)
        if not interrupting.came:
            break
        line += 1
    assert line > 20


@pytest.mark.asyncio
async def test_who_waits_for_a_fetch_in_vain_asks_by_itself(stage: Stage) -> None:
    stage.play(reads(1.5))
    async with stage.context(timeout=0.5) as context:
        bare = stage.shell.bare(context)
        fetch = bare._methods.cache.begin(bare._methods.now())
        bare._flights._under_way["x"] = fetch, await in_thread(_sync_flights.Flight)
        assert await context.get_variable("x") == 1.5
    assert len(stage.requests) == 1
