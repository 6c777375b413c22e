"""A real bridge for the tests that need one: started once, on a free port, ended by its process id."""

from __future__ import annotations

import queue
import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from shells import SHELLS, Shell

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "packages" / "bridge" / "bin" / "snakepit-bridge.js"
START_UP = 30.0


@pytest.fixture(params=SHELLS, ids=lambda shell: shell.name)
def shell(request: pytest.FixtureRequest) -> Shell:
    """Each of the two clients in turn."""
    chosen: Shell = request.param
    return chosen


@pytest.fixture(scope="session")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a bridge with an empty memory store."""
    log = tmp_path_factory.mktemp("bridge") / "stderr.log"
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
