"""Real bridges for the tests that need one, each started once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from processes import PROGRAM, BridgeProcess, running


@pytest.fixture(scope="session")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a bridge with an empty memory store."""
    log = tmp_path_factory.mktemp("bridge") / "stderr.log"
    with running(log, str(PROGRAM), "serve", "--port", "0", "--store", "memory") as process:
        yield process.address


@pytest.fixture(scope="session")
def clocked_bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BridgeProcess]:
    """A bridge with an empty memory store, whose clock stands still until a test moves it."""
    log = tmp_path_factory.mktemp("clocked") / "stderr.log"
    with running(log, "--import", "tsx", "tests/clocked-bridge.ts") as process:
        yield process
