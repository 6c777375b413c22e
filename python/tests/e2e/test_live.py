"""Live reads with a real bridge."""

from __future__ import annotations

import asyncio
import gc
import os
import pickle
import signal
import sys
import threading
import weakref
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from children import Child
from processes import PROGRAM, clocked_bridge, durable_bridge
from scripted import Line
from shells import Context, Shell, in_thread, until
from watch_records import Journal
from watches import Audited, Heard

from snakepit_bridge import (
    NotReadyError,
    SessionContext,
    SessionNotFoundError,
    UnavailableError,
    VariableNotFoundError,
    _channels,
    sync,
)
from snakepit_bridge._following import Following


async def told(context: Context, name: str, value: Any) -> None:
    """Waits until a read that asks nobody has a value."""
    await until(lambda: _held(context, name) == value)


def _held(context: Context, name: str) -> Any:
    try:
        return context.peek(name)
    except (NotReadyError, VariableNotFoundError, SessionNotFoundError) as error:
        return type(error)


def state(context: Context) -> str:
    return context.get_cache_stats()["state"]


async def written(change: Callable[[], Awaitable[Any]]) -> Any:
    """Makes a write as soon as there is a bridge."""
    while True:
        try:
            return await change()
        except UnavailableError:
            await asyncio.sleep(0.01)


@pytest.mark.asyncio
async def test_who_only_looks_has_a_copy_as_who_reads(make: Callable[..., Context]) -> None:
    """[ORD-10 accepts]"""
    async with make() as other, make() as context:
        await other.set_variable("x", 1)
        with pytest.raises(NotReadyError):
            context.peek("x")
        await asyncio.wait_for(until(lambda: state(context) == "READY"), 30.0)
        assert context.v.x == 1


# ---- what others write


@pytest.mark.asyncio
async def test_a_write_from_the_other_language_is_seen(make: Callable[..., Context], bridge: str) -> None:
    """[ORD-2 accepts]"""
    async with make() as context:
        await context.create_session()
        await context.register_variable("temperature", "float", 0.5)
        await context.ready()
        command = (str(PROGRAM), "set", context.session_id, "temperature=1.5", "--address", bridge)
        ended = await asyncio.create_subprocess_exec("node", *command)
        assert await ended.wait() == 0
        await told(context, "temperature", 1.5)
        reading = await context.read("temperature")
        assert (reading.value, reading.type, reading.version) == (1.5, "float", 2)
        assert (reading.source, reading.stale) == ("replica", False)
        assert context.get_cache_stats()["fetches"] == 0


@pytest.mark.asyncio
@pytest.mark.parametrize("way", ["get_variable", "read", "get_variables"])
async def test_a_loop_that_awaits_nothing_but_reads_lets_the_event_loop_go_on(bridge: str, way: str) -> None:
    """[ORD-9 accepts]"""
    async with SessionContext("spin", address=bridge) as context:
        await context.set_variable("x", 0)
        await context.ready()

        async def poll() -> bool:
            for _ in range(200_000):
                got = await getattr(context, way)(["x"] if way == "get_variables" else "x")
                if (got["x"] if way == "get_variables" else getattr(got, "value", got)) == 1:
                    return True
            return False

        async def write() -> None:
            async with SessionContext("spin", address=bridge) as other:
                await other.set_variable("x", 1)

        writing = asyncio.create_task(write())
        assert await poll()
        await writing


@pytest.mark.asyncio
async def test_the_thread_that_receives_is_the_thread_that_applies(
    make: Callable[..., Context], shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """[ORD-9 accepts] [ORD-9 refuses] Neither a thread of ours nor another interval comes in between."""
    threads: set[threading.Thread] = set()
    take = Following.told

    def told_by(following: Following, data: bytes) -> bool:
        threads.add(threading.current_thread())
        return take(following, data)

    monkeypatch.setattr(Following, "told", told_by)
    interval = sys.getswitchinterval()
    async with make() as context:
        await context.create_session()
        await context.ready()
        await context.set_variable("x", 1)
    assert sys.getswitchinterval() == interval
    assert threads
    ours = {thread for thread in threads if thread.name.startswith("snakepit")}
    assert ours == set()
    assert (threads == {threading.main_thread()}) is not shell.is_blocking


@pytest.mark.asyncio
async def test_own_writes_are_read_at_once(make: Callable[..., Context]) -> None:
    """[ORD-1 accepts]"""
    async with make() as context:
        await context.create_session()
        await context.ready()
        for number in range(50):
            await context.set_variable("x", number)
            assert await context.get_variable("x") == number
            assert await context.increment("x") == number + 1
            assert context.peek("x") == number + 1
        assert context.get_cache_stats()["fetches"] == 0


@pytest.mark.asyncio
async def test_a_point_leads_from_one_context_to_another(make: Callable[..., Context]) -> None:
    """[ORD-3 accepts]"""
    async with make() as one, make() as two:
        await one.create_session()
        await two.ready()
        for number in range(50):
            point = (await one.set_variable("x", number)).point
            assert (await two.read("x", after=point)).value == number
        batch = await one.set_variables({"a": 1, "b": 2})
        assert (await two.read("a", after=batch.point)).revision == batch.revision
        assert two.get_cache_stats()["fetches"] == 0


@pytest.mark.asyncio
async def test_a_session_that_is_not_there_is_told_of(make: Callable[..., Context]) -> None:
    """[ORD-13 accepts]"""
    async with make() as context, make() as other:
        await context.ready()
        assert await context.get_variable("x", default=7) == 7
        with pytest.raises(SessionNotFoundError):
            await context.get_variable("x")
        await other.set_variable("x", 1)
        await told(context, "x", 1)
        await other.delete_variable("x")
        await told(context, "x", VariableNotFoundError)
        await other.delete_session()
        await told(context, "x", SessionNotFoundError)
        # It has seen the session, so it does not make another one in its place.
        with pytest.raises(SessionNotFoundError):
            await context.set_variable("x", 2)
        assert await context.create_session()
        await context.set_variable("x", 3)
        assert context.peek("x") == 3
        await told(other, "x", NotReadyError)
        assert await other.get_variable("x") == 3
        assert context.get_cache_stats()["fetches"] == 0


@pytest.mark.asyncio
async def test_a_deletion_of_ones_own_is_known_at_once(make: Callable[..., Context]) -> None:
    async with make() as context:
        await context.set_variable("x", 1)
        await context.ready()
        await context.delete_session()
        assert await context.get_variable("x", default=None) is None
        with pytest.raises(SessionNotFoundError):
            context.peek("x")
        assert context.get_cache_stats()["fetches"] == 0


@pytest.mark.asyncio
async def test_large_values_are_read_when_they_are_wanted(make: Callable[..., Context]) -> None:
    """[ORD-7 accepts]"""
    large = "x" * 100_000
    async with make() as context, make() as other:
        await other.set_variables({"large": large, "small": "y", "all": "z" * 65_536})
        await context.ready()
        reading = await context.read("large")
        assert (len(reading.value), reading.source) == (100_000, "server")  # type: ignore[arg-type]
        assert await context.get_variables(["small", "large"]) == {"small": "y", "large": large}
        assert set((await context.snapshot()).values) == {"all", "large", "small"}
        assert (await context.read("all")).source == "replica"
        with pytest.raises(NotReadyError, match="not held here"):
            context.peek("large")
        await other.set_variable("large", "small now")
        await told(context, "large", "small now")


@pytest.mark.asyncio
async def test_many_variables_come_whole(make: Callable[..., Context]) -> None:
    """More than one message of the channel has room for."""
    async with make(timeout=30.0) as context, make(timeout=30.0) as other:
        values = {f"v{number}": f"{number} " * 1_000 for number in range(500)}
        await other.set_variables(values)
        await context.ready()
        assert (await context.snapshot()).values == values
        await other.set_variables(dict.fromkeys(values, "z" * 2_000))
        await told(context, "v0", "z" * 2_000)
        assert set((await context.snapshot()).values.values()) == {"z" * 2_000}
        assert context.get_cache_stats()["fetches"] == 0


@pytest.mark.asyncio
async def test_a_snapshot_is_the_same_in_every_mode(make: Callable[..., Context]) -> None:
    async with make() as live, make(cache="ttl") as ttl, make(cache="off") as off:
        values = {f"v{number}": number for number in range(1_200)}
        await off.create_session()
        for start in range(0, 1_200, 400):
            await off.set_variables({f"v{number}": number for number in range(start, start + 400)})
        await live.ready()
        snapshots = [await each.snapshot() for each in (live, ttl, off)]
        assert [each.values for each in snapshots] == [values] * 3
        assert len({each.point for each in snapshots}) == 1
        assert [each.source for each in snapshots] == ["replica", "server", "server"]


@pytest.mark.asyncio
async def test_an_update_begins_with_what_is_held_and_loses_nothing(make: Callable[..., Context]) -> None:
    async with make(timeout=30.0) as context, make(timeout=30.0) as other:
        await context.set_variable("x", 0)
        await context.ready()
        await context.update_variable("x", lambda x: x + 1)
        assert context.get_cache_stats()["fetches"] == 0
        both = [each.update_variable("x", lambda x: x + 1) for each in [context, other] * 8]
        written = await asyncio.gather(*both)
        assert sorted(each.value for each in written) == list(range(2, 18))
        # The last write may have been that of the other one.
        last = max(written, key=lambda each: each.revision)
        assert (await context.read("x", after=last.point)).value == 17


# ---- when the bridge goes away


@pytest.mark.asyncio
async def test_it_goes_on_over_restarts_and_crashes(shell: Shell, tmp_path: Path) -> None:
    """[ORD-10 accepts]"""
    with durable_bridge(tmp_path) as bridge:
        async with (
            shell.context("run", address=bridge.address, timeout=30.0) as writer,
            shell.context("run", address=bridge.address) as context,
        ):
            await writer.set_variables({"x": 0, "y": 0})
            await context.ready()
            for number, end in enumerate((bridge.stop, bridge.kill), 1):
                await in_thread(end)
                await until(lambda: state(context) == "STALE")
                reading = await context.read("x")
                assert (reading.value, reading.source, reading.stale) == (number - 1, "replica", True)
                assert await context.get_variables(["x", "y"]) == {"x": number - 1, "y": number - 1}
                with pytest.raises(NotReadyError):
                    context.peek("x")
                with pytest.raises(UnavailableError):
                    await context.get_variable("x", bypass_cache=True)
                await in_thread(bridge.start)
                change = {"x": number, "y": number}
                point = (await written(lambda change=change: writer.set_variables(change))).point  # type: ignore[misc]
                await context.ready(timeout=30.0)
                assert (await context.read("x", after=point)).value == number
            # Those that bypassed the copy.
            assert context.get_cache_stats()["fetches"] == 2


@pytest.mark.asyncio
async def test_a_connection_that_is_dead_without_a_word_is_given_up(
    make: Callable[..., Context], shell: Shell, bridge: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """[ORD-6 accepts]"""
    for name in ("CHANNEL_OPTIONS", "ALONE_OPTIONS"):
        options = [each for each in getattr(_channels, name) if not each[0].startswith("grpc.keepalive")]
        # Otherwise gRPC would find it out too, though much later.
        monkeypatch.setattr(f"{shell.cls.__module__}_transport.{name}", options)
    line = Line(int(bridge.rpartition(":")[2]))
    await line.open()
    async with make() as other:
        await other.create_session()
        async with shell.context(other.session_id, address=f"127.0.0.1:{line.port}") as context:
            for value in (1, 2):
                await other.set_variable("x", value)
                await context.ready(timeout=60)
                await told(context, "x", value)
                line.freeze()
                await until(lambda: state(context) == "STALE")
            await other.set_variable("x", 3)
            writing = asyncio.ensure_future(context.set_variable("y", 4, timeout=60))
            await told(context, "x", 3)
            await writing
            await told(context, "y", 4)
            # What was given up is gone: one connection is left.
            await until(lambda: line.connections == 1)
    await line.close()


@pytest.mark.asyncio
async def test_a_bridge_that_forgot_says_so(shell: Shell, tmp_path: Path) -> None:
    """[ORD-4 refuses]"""
    with durable_bridge(tmp_path, forgets=True) as bridge:
        async with shell.context("run", address=bridge.address) as context:
            await context.set_variable("x", 1)
            await context.ready()
            await in_thread(bridge.kill)
            await until(lambda: state(context) == "STALE")
            assert await context.get_variable("x") == 1
            await in_thread(bridge.start)
            await context.ready(timeout=30.0)
            assert await context.get_variable("x", default=None) is None
            with pytest.raises(SessionNotFoundError):
                await context.set_variable("x", 2)
            await context.create_session()
            # Another life of the session, at a number that the first one had too.
            await context.set_variable("x", 2)
            assert context.peek("x") == 2


@pytest.mark.asyncio
async def test_what_is_too_old_is_not_read(shell: Shell, tmp_path: Path) -> None:
    """[ORD-10 refuses]"""
    with durable_bridge(tmp_path) as bridge:
        async with (
            shell.context("run", address=bridge.address, max_stale=0.0) as strict,
            shell.context("run", address=bridge.address, max_stale=600.0) as context,
        ):
            await context.set_variable("x", 1)
            for each in (strict, context):
                await each.ready()
            await in_thread(bridge.kill)
            await until(lambda: state(strict) == state(context) == "STALE")
            with pytest.raises(UnavailableError):
                await strict.get_variable("x", default=None)
            assert (await context.read("x")).stale
            clock = context._methods.now
            context._methods.now = lambda: clock() + 600.0
            with pytest.raises(UnavailableError, match="nothing was heard of the session for 60"):
                await context.get_variable("x", default=None)


@pytest.mark.asyncio
async def test_programs_start_in_any_order(shell: Shell, tmp_path: Path) -> None:
    with durable_bridge(tmp_path) as bridge:
        await in_thread(bridge.stop)
        async with shell.context("run", address=bridge.address) as context:
            ready = asyncio.ensure_future(context.ready(timeout=60.0))
            await until(lambda: context.get_cache_stats()["reason"] is not None)
            await in_thread(bridge.start)
            await ready
            assert await context.get_variable("x", default=None) is None


# ---- what a live context costs


@pytest.mark.asyncio
async def test_a_live_context_keeps_its_session_alive(shell: Shell, tmp_path: Path) -> None:
    """[ORD-12 accepts]"""
    with clocked_bridge(tmp_path) as bridge:
        async with shell.context("run", address=bridge.address, cache="off") as other:
            async with shell.context("run", address=bridge.address) as context:
                await context.create_session(ttl=10)
                await context.ready()
                for _ in range(5):
                    await in_thread(bridge.advance, 9_000)
                    await in_thread(bridge.advance, 9_000)
                assert await other.get_variable("x", default=7) == 7
                await other.heartbeat()
            # The last one to leave.
            while True:
                await in_thread(bridge.advance, 11_000)
                try:
                    await other.list_variables()
                except SessionNotFoundError:
                    break


def test_it_lives_in_one_event_loop_after_another(make: Callable[..., Context], shell: Shell) -> None:
    """[ORD-19 accepts]"""
    if shell.is_blocking:
        pytest.skip("a blocking context has no event loop")
    context = make()

    async def use(number: int) -> None:
        await context.set_variable("x", number)
        await context.ready()
        assert context.peek("x") == number

    for number in range(3):
        asyncio.run(use(number))
        assert state(context) == "STALE"
    asyncio.run(context.close())


def test_a_loop_that_does_not_run_feeds_no_other(make: Callable[..., Context], shell: Shell) -> None:
    """[ORD-1 accepts] [ORD-19 accepts]"""
    if shell.is_blocking:
        pytest.skip("a blocking context has no event loop")
    context, loops = make(), [asyncio.new_event_loop(), asyncio.new_event_loop()]
    writer = sync.SessionContext(context.session_id, address=context._options.address)

    async def look() -> tuple[Any, Any]:
        peeked = _held(context, "x")
        reading = await context.read("x")
        assert not reading.stale
        await context.ready()
        assert await context.get_variable("x") == context.peek("x") == context.v.x == reading.value
        return peeked, reading.value

    with writer:
        # Each was told the last value but one, and nobody hears what it is told now.
        for number in range(6):
            writer["x"] = number
            assert loops[number % 2].run_until_complete(look()) == (NotReadyError, number)
    # One that has ended is no better than one that stands still.
    loops[1].close()
    assert loops[0].run_until_complete(look()) == (NotReadyError, 5)
    loops[0].run_until_complete(context.close())
    loops[0].close()


def test_a_loop_that_runs_in_another_thread_feeds_all(make: Callable[..., Context], shell: Shell) -> None:
    if shell.is_blocking:
        pytest.skip("a blocking context has no event loop")
    context, feeding = make(), asyncio.new_event_loop()
    thread = threading.Thread(target=feeding.run_forever)
    thread.start()

    def there(work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, feeding).result()

    async def here() -> tuple[Any, str]:
        reading = await context.read("x")
        assert context.peek("x") == await context.get_variable("x") == reading.value
        return reading.value, reading.source

    async def begin() -> None:
        await context.set_variable("x", 1)
        await context.ready()

    there(begin())
    assert asyncio.run(here()) == (1, "replica")
    there(context.set_variable("x", 2))
    assert asyncio.run(here()) == (2, "replica")
    there(context.close())
    feeding.call_soon_threadsafe(feeding.stop)
    thread.join()
    feeding.close()


def test_a_loop_that_is_closed_amid_waiting_is_forgotten(
    make: Callable[..., Context], journal_of: Callable[..., Journal], shell: Shell
) -> None:
    """[ORD-19 accepts]"""
    if shell.is_blocking:
        pytest.skip("a blocking context has no event loop")
    context = make()
    journal = journal_of(context)

    def leave() -> list[weakref.ref[Any]]:
        loop = asyncio.new_event_loop()

        async def wait() -> list[weakref.ref[Any]]:
            await journal.create()
            await journal.set("x", 1)
            await context.ready()
            reader, listener = Audited(journal), Heard(journal).listener
            await reader.ready()
            watch = reader.watch
            tasks = [loop.create_task(watch.next()), loop.create_task(context.wait_for("never"))]
            link = shell.link(context)
            await until(lambda: len([each for each in link.subscriptions if each._bells]) == 3)
            assert not any(task.done() for task in tasks)
            return [weakref.ref(each) for each in (link, watch, listener)]

        held = loop.run_until_complete(wait())
        loop.close()
        return held

    async def use(number: int) -> None:
        assert await context.get_variable("x") == number
        await context.set_variable("x", number + 1)
        await context.ready()
        assert context.peek("x") == number + 1

    held = leave()
    for number in range(1, 3):
        asyncio.run(use(number))
    gc.collect()
    # gRPC keeps the loop itself, and writes into the log that it can call nothing there.
    assert [each() for each in held] == [None, None, None]
    asyncio.run(context.close())


@pytest.mark.asyncio
async def test_a_copy_in_another_process_is_live_too(make: Callable[..., Context], shell: Shell) -> None:
    async with make(max_stale=5.0) as context:
        await context.set_variable("x", 1)
        await context.ready()
        pickled = pickle.dumps(shell.bare(context))
        copy: Context = shell.awaitable(pickle.loads(pickled))  # noqa: TID251 - bytes made above
        async with copy:
            await copy.ready()
            assert copy.peek("x") == 1
            assert copy._options == context._options


PROGRAMS = {
    "asyncio": """
        import asyncio
        from snakepit_bridge import SessionContext
        async def main():
            # A busy machine is no matter of this test.
            asyncio.get_running_loop().slow_callback_duration = 60
            session = SessionContext("ends", address=args[0])
            await session.set_variable("x", 1)
            await session.ready()
            print(session.peek("x"))
        asyncio.run(main())
    """,
    "blocking": """
        from snakepit_bridge.sync import SessionContext
        session = SessionContext("ends", address=args[0])
        session["x"] = 1
        session.ready()
        print(session.peek("x"))
    """,
}


@pytest.mark.asyncio
async def test_a_program_ends_without_closing_a_live_context(bridge: str, shell: Shell) -> None:
    for _ in range(3):
        ended = await (await Child.start(PROGRAMS[shell.name], bridge)).end()
        assert (ended.code, ended.stdout, ended.stderr) == (0, "1\n", "")


@pytest.mark.asyncio
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timers of that kind")
async def test_signal_handlers_write_wherever_the_main_thread_stands(bridge: str) -> None:
    program = """
        import signal
        from snakepit_bridge.sync import SessionContext
        handled = 0
        with SessionContext("handlers", address=args[0], timeout=60) as session:
            session.set_variables({"main": 0, "handler": 0})
            session.ready()
            def handle(*_):
                global handled
                handled += 1
                assert session.increment("handler") == handled
                assert session["handler"] == session.peek("handler") == handled
                signal.setitimer(signal.ITIMER_REAL, 0.0007 + handled % 50 * 0.00005)
            signal.signal(signal.SIGALRM, handle)
            handle()
            number = 0
            while handled < 200:
                number += 1
                assert session.increment("main") == number == session["main"]
                assert session.get_variables(["main"]) == {"main": number}
            signal.signal(signal.SIGALRM, signal.SIG_IGN)
            assert session.get_cache_stats()["fetches"] == 0
        print("done")
    """
    ended = await (await Child.start(program, bridge)).end()
    assert (ended.code, ended.stdout, ended.stderr) == (0, "done\n", "")


@pytest.mark.asyncio
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
async def test_a_forked_process_does_not_wait_for_a_thread_that_it_has_not(bridge: str) -> None:
    """[ORD-20 accepts]"""
    program = """
        import os, signal, threading, warnings
        from snakepit_bridge.sync import SessionContext
        warnings.simplefilter("ignore", DeprecationWarning)
        session = SessionContext("forks amid a call", address=args[0], cache=args[1])
        busy, over = threading.Event(), threading.Event()
        def be_busy():
            with session._lock:
                busy.set()
                over.wait()
        threading.Thread(target=be_busy).start()
        busy.wait()
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            session["x"] = 1
            assert session["x"] == 1 and session.get_variables(["x"]) == {"x": 1}
            session.close()
            os._exit(7)
        over.set()
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        print(session["x"])
        session.close()
    """
    for mode in ("live", "ttl"):
        ended = await (await Child.start(program, bridge, mode)).end()
        assert (ended.code, ended.stdout) == (0, "1\n"), ended.stderr


# ---- threads


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads that change as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("restless")
def test_threads_see_whole_commits_that_never_go_back(bridge: str) -> None:
    """[ORD-8 accepts]"""
    names = [f"v{number}" for number in range(4)]
    wrong: list[object] = []
    over = threading.Event()
    with (
        sync.SessionContext("e2e threads", address=bridge) as context,
        sync.SessionContext("e2e threads", address=bridge) as writer,
    ):
        writer.set_variables(dict.fromkeys(names, 0))
        context.ready()

        def read_many() -> None:
            last = 0
            while not over.is_set():
                values = set(context.get_variables(names).values())
                if len(values) != 1 or min(values) < last:
                    wrong.append((values, last))
                last = max(values)

        def read_singly() -> None:
            last = 0
            while not over.is_set():
                for name in names:
                    value = context.get_variable(name)
                    if value < last:
                        wrong.append((name, value, last))
                    last = value

        readers = [threading.Thread(target=read) for read in (read_many, read_singly)]
        for reader in readers:
            reader.start()
        for number in range(1, 201):
            writer.set_variables(dict.fromkeys(names, number))
        over.set()
        for reader in readers:
            reader.join(30)
        assert wrong == []
        assert context.get_cache_stats()["fetches"] == 0
