"""A bridge for a test: started from the npm package, and gone when the test is over."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from processes import ROOT

from snakepit_bridge import UnavailableError
from snakepit_bridge.sync import SessionContext
from snakepit_bridge.testing import BridgeNotFoundError, running_bridge
from snakepit_bridge.testing._server import find_bridge


def test_a_bridge_runs_as_long_as_the_block() -> None:
    with running_bridge(ROOT / "python") as address, SessionContext("s", address=address) as session:
        session["x"] = 1
        assert [entry.value for entry in session.get_history("x").entries] == [1]
    with SessionContext("s", address=address) as session, pytest.raises(UnavailableError):
        session.get_variable("x")


def test_a_bridge_ends_also_when_the_test_fails() -> None:
    with pytest.raises(ZeroDivisionError), running_bridge(ROOT) as address:
        raise ZeroDivisionError
    with SessionContext("s", address=address) as session, pytest.raises(UnavailableError):
        session.get_variable("x")


def test_without_the_package_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BridgeNotFoundError, match="run `npm install snakepit-bridge` there"):
        find_bridge(tmp_path)
    with pytest.raises(BridgeNotFoundError, match="needs Node, which is not on the PATH"):
        find_bridge(ROOT)


def test_a_command_of_the_path_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = tmp_path / "snakepit-bridge"
    command.write_text("#!/bin/sh\necho it is broken\nexit 1\n")
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert find_bridge(tmp_path) == [str(command)]
    with (
        pytest.raises(RuntimeError, match="the bridge did not start: it is broken"),
        running_bridge(tmp_path),
    ):
        pass
