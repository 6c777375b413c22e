"""Bridges in processes of their own: started on a free port, ended by their process id."""

from __future__ import annotations

import contextlib
import queue
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "packages" / "bridge" / "bin" / "snakepit-bridge.js"
TIMEOUT = 30.0


class BridgeProcess:
    """A bridge that listens."""

    def __init__(self, process: subprocess.Popen[str], lines: queue.Queue[str | None], log: Path) -> None:
        self.process = process
        self._lines = lines
        self._log = log
        self.address = self._address()

    def advance(self, milliseconds: int) -> None:
        """Lets time pass. Only a `clocked_bridge` can do this."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"advance {milliseconds}\n")
        self.process.stdin.flush()
        assert self._line() == "done\n"

    def tell(self, session: str) -> None:
        """Has TypeScript answer in a session. Only an `answering_host` can do this."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{session}\n")
        self.process.stdin.flush()
        assert self._line() == "done\n"

    def _address(self) -> str:
        line = self._line()
        match = re.search(r"listening on (\S+:\d+)", line)
        assert match is not None, (
            f"the bridge did not start; it printed {line!r} and {self._log.read_text()!r}"
        )
        return match[1]

    def _line(self) -> str:
        try:
            return self._lines.get(timeout=TIMEOUT) or ""
        except queue.Empty:
            pytest.fail(f"the bridge does not answer; it printed {self._log.read_text()!r}")


@contextlib.contextmanager
def running_bridge(folder: Path) -> Iterator[str]:
    """The address of a bridge with an empty memory store; its log goes to the folder."""
    command = (str(PROGRAM), "serve", "--port", "0", "--store", "memory")
    with _running(folder / "stderr.log", *command) as process:
        yield process.address


class DurableBridge:
    """A bridge that is started again at its address, and keeps its sessions in a file, or in memory only."""

    def __init__(self, folder: Path, *, forgets: bool = False) -> None:
        self._folder = folder
        self._store = "memory" if forgets else f"sqlite:{folder / 'bridge.db'}"
        self._open = contextlib.ExitStack()
        self._process: subprocess.Popen[str] | None = None
        self.address = "127.0.0.1:0"

    def start(self) -> None:
        """Starts it; the second time on the port of the first."""
        port = self.address.rpartition(":")[2]
        command = (str(PROGRAM), "serve", "--port", port, "--store", self._store)
        bridge = self._open.enter_context(_running(self._folder / "stderr.log", *command))
        self.address = bridge.address
        self._process = bridge.process

    def kill(self) -> None:
        """Ends it as a crash would."""
        assert self._process is not None
        self._process.kill()
        self._open.close()

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Has it stand still meanwhile."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """Ends it in an orderly way."""
        self._open.close()


@contextlib.contextmanager
def durable_bridge(folder: Path, *, forgets: bool = False) -> Iterator[DurableBridge]:
    """A bridge on a file in the folder, or in memory, started."""
    bridge = DurableBridge(folder, forgets=forgets)
    bridge.start()
    try:
        yield bridge
    finally:
        bridge.stop()


@contextlib.contextmanager
def clocked_bridge(folder: Path) -> Iterator[BridgeProcess]:
    """The same, with a clock that stands still until a test moves it."""
    with _running(folder / "stderr.log", "--import", "tsx", "tests/clocked-bridge.ts") as process:
        yield process


@contextlib.contextmanager
def answering_host(folder: Path) -> Iterator[BridgeProcess]:
    """A bridge, and a TypeScript program that answers in the sessions that it is told of."""
    with _running(folder / "stderr.log", "--import", "tsx", "tests/processes/host.ts") as process:
        yield process


@contextlib.contextmanager
def _running(log: Path, *arguments: str) -> Iterator[BridgeProcess]:
    """Starts `node` with these arguments, which make it a bridge; its log goes to a file."""
    with (
        log.open("wb") as stderr,
        subprocess.Popen(
            ["node", *arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        ) as process,
    ):
        lines: queue.Queue[str | None] = queue.Queue()
        reader = threading.Thread(target=_drain, args=(process, lines), daemon=True)
        reader.start()
        try:
            yield BridgeProcess(process, lines, log)
        finally:
            process.terminate()
            process.wait(TIMEOUT)
            reader.join(TIMEOUT)


def _drain(process: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
    """Reads on to the end, so that the bridge never waits for room in the pipe."""
    assert process.stdout is not None
    for line in process.stdout:
        lines.put(line)
    lines.put(None)
