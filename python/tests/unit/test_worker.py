"""What a program tells its host."""

from __future__ import annotations

import contextlib
import doctest
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from snakepit_bridge import __version__, worker
from snakepit_bridge.worker import _host
from snakepit_bridge.worker._host import Host


class Pipe:
    """The host's end of the pipe."""

    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()
        os.set_blocking(self.reading, False)

    def messages(self) -> list[dict[str, Any]]:
        try:
            text = os.read(self.reading, 1_000_000).decode()
        except BlockingIOError:
            return []
        return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    for end in (pipe.reading, pipe.writing):
        with contextlib.suppress(OSError):
            os.close(end)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, as a list of one, to be changed by the test."""
    time = [100.0]
    monkeypatch.setattr(_host.time, "monotonic", lambda: time[0])
    return time


def test_without_a_host_nothing_happens() -> None:
    worker.ready(address="127.0.0.1:1", alive_within=1)
    worker.alive()


def test_the_examples_are_well_formed() -> None:
    result = doctest.testmod(worker)
    assert (result.failed, result.attempted) == (0, 2)


@pytest.mark.parametrize("wrong", [0, -1, float("nan"), float("inf")])
def test_a_promise_is_a_time_above_zero(wrong: float) -> None:
    with pytest.raises(ValueError, match="alive_within is a time above 0 in seconds"):
        worker.ready(alive_within=wrong)


def test_messages_are_lines_without_what_was_not_said(pipe: Pipe) -> None:
    host = Host()
    host.connect(pipe.writing)
    host.running()
    host.ready(None, None)
    host.ready("127.0.0.1:7", 1.5)
    assert pipe.messages() == [
        {"kind": "running", "pid": os.getpid(), "version": __version__},
        {"kind": "ready"},
        {"kind": "ready", "address": "127.0.0.1:7", "aliveWithinMs": 1500.0},
    ]


def test_signs_of_life_are_sent_only_as_often_as_needed(pipe: Pipe, now: list[float]) -> None:
    host = Host()
    host.connect(pipe.writing)
    host.ready(None, None)
    host.alive()
    assert pipe.messages() == [{"kind": "ready"}]
    host.ready(None, 4)
    pipe.messages()
    for _ in range(1_000):
        host.alive()
        now[0] += 0.01
    assert pipe.messages() == [{"kind": "alive"}] * 9


def test_a_host_that_does_not_read_is_not_waited_for(pipe: Pipe, now: list[float]) -> None:
    host = Host()
    host.connect(pipe.writing)
    host.ready(None, 1)
    for _ in range(100_000):
        now[0] += 1
        host.alive()
    assert pipe.messages()[0]["kind"] == "ready"


def test_a_host_that_is_gone_is_no_error(pipe: Pipe) -> None:
    host = Host()
    host.connect(pipe.writing)
    os.close(pipe.reading)
    host.ready(None, None)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_process_that_the_program_forks_says_nothing(pipe: Pipe) -> None:
    # In a program of its own: here gRPC is in use, which a fork would disturb.
    program = """
import os, sys
from snakepit_bridge.worker._host import Host
host = Host()
host.connect(int(sys.argv[1]))
if os.fork() == 0:
    host.ready("child", None)
    os._exit(0)
os.wait()
host.ready("program", None)
print(os.get_inheritable(int(sys.argv[1])))
"""
    command = [sys.executable, "-c", program, str(pipe.writing)]
    printed = subprocess.run(
        command, pass_fds=[pipe.writing], capture_output=True, text=True, check=True
    ).stdout
    assert printed == "False\n"
    assert pipe.messages() == [{"kind": "ready", "address": "program"}]
