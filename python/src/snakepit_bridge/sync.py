"""The blocking client: `from snakepit_bridge.sync import SessionContext`.

The same methods as the asyncio client, `snakepit_bridge.SessionContext`, without `await`.
"""

from ._sync import SessionContext

__all__ = ["SessionContext"]
