"""A real bridge for a test: `snakepit-bridge serve` of the npm package, on a free port and in memory."""

from __future__ import annotations

import contextlib
import os
import queue
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

__all__ = ["BridgeNotFoundError", "find_bridge", "running_bridge"]

_START_TIMEOUT = 30.0
_STOP_TIMEOUT = 10.0
_PROGRAM = Path("node_modules", "snakepit-bridge", "bin", "snakepit-bridge.js")
_LISTENING = re.compile(r"listening on (\S+:\d+)")


class BridgeNotFoundError(RuntimeError):
    """There is no bridge to start: the npm package or Node is missing. The text says what to do."""


def find_bridge(folder: Path) -> list[str]:
    """Returns the command that runs the npm package: that of a folder or of one above it, else of the PATH.

    Raises:
        BridgeNotFoundError: There is none, or no Node to run it with.
    """
    for place in (folder, *folder.parents):
        program = place / _PROGRAM
        if program.exists():
            node = shutil.which("node")
            if node is None:
                raise BridgeNotFoundError(
                    f"{program} needs Node, which is not on the PATH: install Node 20.19 or newer"
                )
            # Not by way of npx, which would stand between us and the process that is to be ended.
            return [node, str(program)]
    command = shutil.which("snakepit-bridge")
    if command is None:
        raise BridgeNotFoundError(
            f"the npm package snakepit-bridge is neither in {folder / 'node_modules'}, nor in a folder above "
            "it, nor on the PATH: run `npm install snakepit-bridge` there, or take a FakeSession, which "
            "needs no server"
        )
    return [command]


@contextlib.contextmanager
def running_bridge(folder: str | os.PathLike[str] = ".") -> Iterator[str]:
    """Runs a bridge of its own as long as the block: empty, in memory, on a free port.

    Args:
        folder: Where the npm package is looked for, and in the folders above it.

    Yields:
        Its HOST:PORT, for `SessionContext(address=…)`.

    Raises:
        BridgeNotFoundError: There is no bridge to start.
        RuntimeError: It did not start; the text has what it printed.

    Example:
        >>> def test() -> None:
        ...     with running_bridge() as address, SessionContext("test", address=address) as session:
        ...         session["calls"] = 1
    """
    command = [*find_bridge(Path(folder).resolve()), "serve", "--port", "0", "--store", "memory"]
    with subprocess.Popen(
        [*command, "--log-level", "warn"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        lines: queue.Queue[str] = queue.Queue()
        reader = threading.Thread(target=_drain, args=(process, lines), daemon=True)
        reader.start()
        try:
            yield _address(lines)
        finally:
            # This process and no other, by its id.
            process.terminate()
            try:
                process.wait(_STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()
            reader.join(_STOP_TIMEOUT)


def _drain(process: subprocess.Popen[str], lines: queue.Queue[str]) -> None:
    """Reads on to the end, so that the bridge never waits for room in the pipe; "" is the end."""
    for line in process.stdout or ():
        lines.put(line)
    lines.put("")


def _address(lines: queue.Queue[str]) -> str:
    printed = ""
    while True:
        try:
            line = lines.get(timeout=_START_TIMEOUT)
        except queue.Empty:
            raise RuntimeError(f"the bridge did not start within {_START_TIMEOUT:g} s: {printed}") from None
        found = _LISTENING.search(line)
        if found is not None:
            return found[1]
        if line == "":
            raise RuntimeError(f"the bridge did not start: {printed.strip()}")
        printed += line
