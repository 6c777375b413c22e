"""For the tests of programs that share variables.

`FakeSession` takes the place of a `SessionContext` where a test wants no server; it obeys the rules of values
only. A test that is about more takes a real bridge: the fixtures of `snakepit_bridge.testing.plugin`, or
`running_bridge` without pytest.
"""

from . import sync
from ._aio import FakeSession
from ._server import BridgeNotFoundError, running_bridge

__all__ = ["BridgeNotFoundError", "FakeSession", "running_bridge", "sync"]
