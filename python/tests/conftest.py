"""What tests ask for: a bridge, and each client in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from processes import running_bridge
from shells import SHELLS, Context, Shell
from watch_records import Journal
from watch_validators import check_readings


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


@pytest.fixture
def journal_of() -> Iterator[Callable[..., Journal]]:
    """Makes journals of sessions; all that is read of their watches is checked at the end of the test."""
    journals: list[Journal] = []

    def journal_of(context: Context | None = None) -> Journal:
        journals.append(Journal(context))
        return journals[-1]

    yield journal_of
    for journal in journals:
        check_readings(journal)
