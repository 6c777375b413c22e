"""The blocking client: `from snakepit_bridge.sync import SessionContext`.

The same methods as the asyncio client, `snakepit_bridge.SessionContext`, without `await`.
"""

from ._dispatcher import Listener
from ._sync import SessionContext
from ._sync_watch import Watch

__all__ = ["Listener", "SessionContext", "Watch"]
