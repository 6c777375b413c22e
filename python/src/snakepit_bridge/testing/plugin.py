"""Fixtures for tests against a real bridge.

They are there for who asks for them, in a `conftest.py`:

    pytest_plugins = ["snakepit_bridge.testing.plugin"]

pytest does not load them by itself: a package that is installed should not change its neighbours' tests.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from snakepit_bridge.sync import SessionContext

from ._server import running_bridge

__all__ = ["bridge_address", "bridge_session"]


@pytest.fixture(scope="session")
def bridge_address(pytestconfig: pytest.Config) -> Iterator[str]:
    """The HOST:PORT of a bridge that all tests of this run share; it starts with the first test that asks."""
    with running_bridge(pytestconfig.rootpath) as address:
        yield address


@pytest.fixture
def bridge_session(bridge_address: str) -> Iterator[SessionContext]:
    """A blocking SessionContext for one test, in a session that nobody else has, without a cache.

    Its `session_id` and `bridge_address` are what another context of the same session takes, the asyncio one
    too.
    """
    with SessionContext(f"test-{uuid.uuid4()}", address=bridge_address, cache="off") as session:
        session.create_session()
        yield session
