"""Prints at the end how many of the vectors each client ran."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from shells import SHELLS
from vector_files import all_cases, all_forms, share_of_python


class Tally:
    """The ids of the cases that were run, by client."""

    def __init__(self) -> None:
        self.ran: dict[str, set[str]] = {shell.name: set() for shell in SHELLS}


TALLY = pytest.StashKey[Tally]()
FAKES = pytest.StashKey[Counter[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[TALLY] = Tally()
    config.stash[FAKES] = Counter()


@pytest.fixture(scope="session")
def tally(pytestconfig: pytest.Config) -> Tally:
    return pytestconfig.stash[TALLY]


@pytest.fixture(scope="session")
def fakes(pytestconfig: pytest.Config) -> Counter[str]:
    """How many vectors each fake ran, and how many it need not obey, by reason."""
    return pytestconfig.stash[FAKES]


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    cases = all_cases()
    shared = {case.id for case in cases if not case.forms}
    for client, ran in config.stash[TALLY].ran.items():
        terminalreporter.write_line(
            f"vectors: python, {client}, ran {len(ran & shared)} of the {len(shared)} "
            f"that every client runs, and {len(ran - shared)} of its own"
        )
        if len(ran) < len(share_of_python(cases)):
            terminalreporter.write_line("vectors: some of Python's share were deselected or failed to start")
    for form in all_forms():
        about = sum(form in case.forms for case in cases)
        if form.only != "python" and about:
            terminalreporter.write_line(
                f"vectors: python has no {form.tag}, which {about} are about: {form.why}"
            )
    for what, count in config.stash[FAKES].items():
        terminalreporter.write_line(f"vectors: fakes, {what}: {count}")
