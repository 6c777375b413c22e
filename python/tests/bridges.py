"""Real bridges for the tests that need one: on a free port, ended by their process id."""

from __future__ import annotations

import queue
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "packages" / "bridge" / "bin" / "snakepit-bridge.js"
START_UP = 30.0


@contextmanager
def running_bridge(folder: Path) -> Iterator[str]:
    """The address of a bridge with an empty memory store; its log goes to the folder."""
    log = folder / "stderr.log"
    command = ["node", str(PROGRAM), "serve", "--port", "0", "--store", "memory"]
    with (
        log.open("wb") as stderr,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, text=True
        ) as process,
    ):
        lines: queue.Queue[str | None] = queue.Queue()
        reader = threading.Thread(target=_drain, args=(process, lines), daemon=True)
        reader.start()
        try:
            yield _address_in(lines, log)
        finally:
            process.terminate()
            process.wait(START_UP)
            reader.join(START_UP)


def _drain(process: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
    """Reads on to the end, so that the bridge never waits for room in the pipe."""
    assert process.stdout is not None
    for line in process.stdout:
        lines.put(line)
    lines.put(None)


def _address_in(lines: queue.Queue[str | None], log: Path) -> str:
    seen: list[str] = []
    try:
        while (line := lines.get(timeout=START_UP)) is not None:
            seen.append(line)
            match = re.search(r"listening on (\S+:\d+)", line)
            if match:
                return match[1]
    except queue.Empty:
        pass
    pytest.fail(f"the bridge did not start; it printed {seen!r} and {log.read_text()!r}")
