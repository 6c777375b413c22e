"""A session of its own for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from snakepit_bridge import SessionContext


@pytest.fixture
def make(bridge: str, request: pytest.FixtureRequest) -> Callable[..., SessionContext]:
    """Makes contexts in a session of the test's own; a suffix gives another session."""
    name = request.node.name.replace("[", "-").replace("]", "")[:200]

    def make(suffix: str = "", **options: Any) -> SessionContext:
        # Real time passes in these tests, so no entry may expire by it.
        return SessionContext(f"e2e {name}{suffix}", address=bridge, **{"ttl": 60.0, **options})

    return make


@pytest_asyncio.fixture
async def session(make: Callable[..., SessionContext]) -> AsyncIterator[SessionContext]:
    async with make() as context:
        await context.create_session()
        yield context
