"""An older import path: `from snakepit_bridge.session_context import SessionContext` goes on working."""

from ._aio import SessionContext

__all__ = ["SessionContext"]
