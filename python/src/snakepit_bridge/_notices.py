"""What a client tells whoever operates it: lines for the logger `snakepit_bridge`, at INFO."""

from __future__ import annotations

import logging

__all__ = ["connected", "current", "gave_up", "out_of_touch"]

_LOG = logging.getLogger("snakepit_bridge")


def connected(where: str) -> None:
    """A client has heard its bridge, for the first time or again."""
    _LOG.info("connected to the bridge at %s", where)


def out_of_touch(session_id: str, reason: str) -> None:
    """A copy of a session is STALE."""
    _LOG.info("the copy of session %r is STALE: %s", session_id, reason)


def current(session_id: str) -> None:
    """A copy of a session is what the session is."""
    _LOG.info("the copy of session %r is READY", session_id)


def gave_up(session_id: str, error: BaseException) -> None:
    """A copy of a session will not be current any more, since another attempt would change nothing."""
    _LOG.info("the copy of session %r is given up: %s", session_id, error)
