"""What tests ask for: a bridge, and each client in turn."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from processes import running_bridge
from shells import SHELLS, Shell


@pytest.fixture(params=SHELLS, ids=lambda shell: shell.name)
def shell(request: pytest.FixtureRequest) -> Shell:
    """Each of the two clients in turn."""
    chosen: Shell = request.param
    return chosen


@pytest.fixture(scope="session")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a bridge that all tests share."""
    with running_bridge(tmp_path_factory.mktemp("bridge")) as address:
        yield address
