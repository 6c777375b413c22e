"""A session of its own for each test and each client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from shells import Context, Shell
from watch_records import Journal


@pytest.fixture
def make(bridge: str, shell: Shell, request: pytest.FixtureRequest) -> Callable[..., Context]:
    """Makes contexts in a session of the test's own; a suffix gives another session."""
    name = request.node.name.replace("[", "-").replace("]", "")[:200]

    def make(suffix: str = "", **options: Any) -> Context:
        # Real time passes in these tests, so no entry may expire by it.
        session_id = f"e2e {shell.name} {name}{suffix}"
        return shell.context(session_id, address=bridge, **{"ttl": 60.0, **options})

    return make


@pytest_asyncio.fixture
async def session(make: Callable[..., Context]) -> AsyncIterator[Context]:
    async with make() as context:
        await context.create_session()
        yield context


@pytest.fixture
def journal(session: Context, journal_of: Callable[..., Journal]) -> Journal:
    """The journal of the session that the test has."""
    journal = journal_of(session)
    journal.note(kind="created")
    return journal


@pytest_asyncio.fixture
async def cached(make: Callable[..., Context]) -> AsyncIterator[Context]:
    """A session whose context has a cache of the mode `ttl`."""
    async with make(cache="ttl") as context:
        await context.create_session()
        yield context
