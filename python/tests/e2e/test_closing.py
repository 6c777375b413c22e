"""Closing and leaving, wherever the bridge is: it may be absent, silent, frozen, or something else."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from children import PATIENCE, Child
from processes import durable_bridge
from scripted import talking
from shells import Context, Shell, in_thread

from snakepit_bridge import ClosedError, OutcomeUnknownError, sync

REFUSES = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"

servers = pytest.mark.parametrize("server", ["absent", "silent", "refusing", "frozen"])


@asynccontextmanager
async def serving(server: str, folder: Path) -> AsyncIterator[str]:
    """The address of a server that is of no use."""
    if server == "absent":
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        yield f"127.0.0.1:{port}"
    elif server == "frozen":
        if not hasattr(signal, "SIGSTOP"):
            pytest.skip("this system cannot stop a process")
        with durable_bridge(folder, forgets=True) as bridge, bridge.frozen():
            yield bridge.address
    else:
        async with talking(b"" if server == "silent" else REFUSES) as address:
            yield address


async def ticks(call: asyncio.Future[object]) -> None:
    """Has the loop run again and again while a call waits."""
    for _ in range(30):
        await asyncio.sleep(0.01)
        assert not call.done()


async def ended(context: Context, *calls: asyncio.Future[object]) -> None:
    """Closes a context amid calls that would wait for ten minutes."""
    await asyncio.wait_for(context.close(), PATIENCE)
    for call in calls:
        with pytest.raises((ClosedError, OutcomeUnknownError)):
            await asyncio.wait_for(call, PATIENCE)


@pytest.mark.asyncio
@servers
async def test_the_loop_runs_on_while_a_call_waits_and_closing_ends_it(
    shell: Shell, server: str, tmp_path: Path
) -> None:
    async with serving(server, tmp_path) as address:
        context = shell.context("s", address=address, timeout=600.0)
        waiting = asyncio.ensure_future(context.wait_for("x", lambda _: False))
        ready = asyncio.ensure_future(context.ready())
        await ticks(waiting)
        assert not ready.done()
        await ended(context, waiting, ready)


@pytest.mark.asyncio
@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system cannot stop a process")
async def test_closing_amid_writes_that_a_frozen_bridge_has_or_has_not(shell: Shell, tmp_path: Path) -> None:
    with durable_bridge(tmp_path, forgets=True) as bridge:
        context = shell.context("s", address=bridge.address, timeout=600.0)
        await context.set_variable("x", 1.0)
        await context.ready()
        with bridge.frozen():
            writes = [asyncio.ensure_future(context.set_variable("x", float(n))) for n in range(100)]
            await ticks(writes[0])
            await ended(context, *writes)


@pytest.mark.asyncio
@servers
async def test_closing_from_several_threads(server: str, tmp_path: Path) -> None:
    async with serving(server, tmp_path) as address:
        context = sync.SessionContext("s", address=address, timeout=600.0)
        calls = [asyncio.ensure_future(in_thread(context.wait_for, "x", lambda _: False)) for _ in range(8)]
        await ticks(calls[0])
        closers = [in_thread(context.close) for _ in range(4)]
        await asyncio.wait_for(asyncio.gather(*closers), PATIENCE)
        for call in calls:
            with pytest.raises(ClosedError):
                await asyncio.wait_for(call, PATIENCE)


LEAVING = {
    "blocking": """
        import threading
        from snakepit_bridge.sync import SessionContext
        session = SessionContext("s", address=args[0], timeout=600)
        for _ in range(4):
            threading.Thread(target=session.wait_for, args=("x",), daemon=True).start()
        while session._transport._channel is None:
            pass
    """,
    "asyncio": """
        import asyncio
        from snakepit_bridge import SessionContext
        async def main():
            # A busy machine is no matter of this test.
            asyncio.get_running_loop().slow_callback_duration = 60
            session = SessionContext("s", address=args[0], timeout=600)
            calls = [asyncio.ensure_future(session.wait_for("x")) for _ in range(4)]
            await asyncio.wait(calls, timeout=0.3)
        asyncio.run(main())
    """,
}


@pytest.mark.asyncio
@servers
async def test_a_program_ends_amid_calls(shell: Shell, server: str, tmp_path: Path) -> None:
    async with serving(server, tmp_path) as address:
        ended = await (await Child.start(LEAVING[shell.name], address)).end()
        assert (ended.code, ended.stdout, ended.stderr) == (0, "", "")


@pytest.mark.asyncio
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system cannot stop a process")
@servers
async def test_a_fork_waits_for_no_server(server: str, tmp_path: Path) -> None:
    program = """
        import os, threading, warnings
        from snakepit_bridge.sync import SessionContext
        warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
        session = SessionContext("s", address=args[0], timeout=600)
        threading.Thread(target=session.wait_for, args=("x",), daemon=True).start()
        while session._transport._channel is None:
            pass
        for _ in range(5):
            child = os.fork()
            if child == 0:
                session.close()
                os._exit(0)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        print("done")
    """
    async with serving(server, tmp_path) as address:
        ended = await (await Child.start(program, address)).end()
        assert (ended.code, ended.stdout, ended.stderr) == (0, "done\n", "")
