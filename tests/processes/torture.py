"""Forks a program with a live context again and again, and counts what fails: a child, or its parent.

    python tests/processes/torture.py [FORKS]

In each situation it forks so often (400 times unless told otherwise). A child writes, reads that from its
copy, and its parent has to see it.
"""

from __future__ import annotations

import asyncio
import faulthandler
import os
import re
import signal
import subprocess
import sys
import threading
import time
import traceback
import uuid
import warnings
from collections.abc import Callable
from pathlib import Path

import google.protobuf
import grpc

import snakepit_bridge
from snakepit_bridge.sync import SessionContext

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 20.0
MOST_FAILURES = 10


def name_of(number: int) -> str:
    """The variable that a child writes: those of one time have one each."""
    return f"x{number % 3}"


def blocking_child(session: SessionContext, number: int) -> None:
    name = name_of(number)
    session[name] = number
    session.ready()
    assert session.peek(name) == number


def asyncio_child(session: SessionContext, number: int) -> None:
    name = name_of(number)

    async def main() -> None:
        address = session._options.address
        async with snakepit_bridge.SessionContext(session.session_id, address=address) as context:
            await context.set_variable(name, number)
            await context.ready()
            assert context.peek(name) == number

    asyncio.run(main())
    blocking_child(session, number)


class Situation:
    """How a program forks.

    Args:
        at_once: How many children it forks one after the other.
        busy: Whether another thread of it writes meanwhile.
        child: What a child does.
        leaves: Whether a child ends through the whole interpreter.
    """

    def __init__(
        self,
        at_once: int = 1,
        busy: bool = False,
        child: Callable[[SessionContext, int], None] = blocking_child,
        leaves: bool = False,
    ) -> None:
        self.at_once = at_once
        self.busy = busy
        self.child = child
        self.leaves = leaves

    def play(self, address: str, forks: int) -> tuple[int, int]:
        """Returns how many children were forked, and how many or whose parents failed."""
        session = SessionContext(f"forks {uuid.uuid4()}", address=address, timeout=PATIENCE)
        session["calls"] = 0
        session.ready()
        over = threading.Event()

        def write() -> None:
            while not over.wait(0.003):
                session.increment("calls")

        writer = threading.Thread(target=write)
        if self.busy:
            writer.start()
        forked = failures = 0
        while forked < forks and failures < MOST_FAILURES:
            numbers = range(forked + 1, forked + self.at_once + 1)
            children = [self._fork(session, number) for number in numbers]
            forked += self.at_once
            failures += sum(not ended_well(child) for child in children)
            try:
                for number in numbers:
                    session.wait_for(name_of(number), lambda x, number=number: x == number)
            except snakepit_bridge.BridgeError as error:
                print(f"  the parent: {error}", flush=True)
                failures += 1
        over.set()
        if self.busy:
            writer.join()
        session.close()
        return forked, failures

    def _fork(self, session: SessionContext, number: int) -> int:
        child = os.fork()
        if child > 0:
            return child
        code = 1
        try:
            self.child(session, number)
            code = 0
        except BaseException:  # noqa: BLE001 - told to the parent
            traceback.print_exc()
        if self.leaves:
            sys.exit(code)
        os._exit(code)


def ended_well(child: int) -> bool:
    """Waits for the end of a child. One that comes to none is ended, and says where it stood."""
    deadline = time.monotonic() + 2 * PATIENCE
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status == 0
        threading.Event().wait(0.002)
    os.kill(child, signal.SIGABRT)
    os.waitpid(child, 0)
    return False


SITUATIONS = {
    "a quiet parent, one child at a time": Situation(),
    "a quiet parent, three children at once": Situation(at_once=3),
    "a parent that writes every 3 ms, children that leave through the interpreter": Situation(
        busy=True, leaves=True
    ),
    "a parent that writes every 3 ms, three children at once": Situation(at_once=3, busy=True),
    "a quiet parent, children with asyncio": Situation(child=asyncio_child),
}


def main(forks: int) -> int:
    faulthandler.enable()
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
    versions = f"grpcio {grpc.__version__}, protobuf {google.protobuf.__version__}"
    print(f"Python {sys.version.split()[0]}, {versions}", flush=True)
    command = ("node", "packages/bridge/bin/snakepit-bridge.js", "serve", "--port", "0", "--store", "memory")
    failed, parent = 0, os.getpid()
    quiet, pipe = subprocess.DEVNULL, subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=quiet, text=True) as bridge:
        assert bridge.stdout is not None
        listens = re.search(r"listening on (\S+:\d+)", bridge.stdout.readline())
        assert listens is not None
        try:
            for name, situation in SITUATIONS.items():
                forked, failures = situation.play(listens[1], forks)
                print(f"{name}: {forked} forks, {failures} failures", flush=True)
                failed += failures
        finally:
            if os.getpid() == parent:
                bridge.terminate()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 400))
