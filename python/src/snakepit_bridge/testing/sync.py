"""The blocking fake: `from snakepit_bridge.testing.sync import FakeSession`."""

from ._sync import FakeSession

__all__ = ["FakeSession"]
