"""Prints at the end how many of the vectors were run."""

from __future__ import annotations

from typing import Any

import pytest
from vector_files import all_cases, share_of_python


class Tally:
    """The ids of the cases that were run."""

    def __init__(self) -> None:
        self.ran: set[str] = set()


TALLY = pytest.StashKey[Tally]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[TALLY] = Tally()


@pytest.fixture(scope="session")
def tally(pytestconfig: pytest.Config) -> Tally:
    return pytestconfig.stash[TALLY]


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    cases = all_cases()
    typescript = sum(case.for_typescript for case in cases)
    ran = len(config.stash[TALLY].ran)
    terminalreporter.write_line(
        f"vectors: python ran {ran} of {len(cases)} ({typescript} are for TypeScript only)"
    )
    if ran < len(share_of_python(cases)):
        terminalreporter.write_line("vectors: some of Python's share were deselected or failed to start")
