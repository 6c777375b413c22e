"""What a client tells whoever operates it: lines for the logger `snakepit_bridge`, at INFO."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

__all__ = ["Tell", "connected", "current", "gave_up", "nobody", "out_of_touch"]

Tell: TypeAlias = Callable[..., None]
"""Takes a line as a logger does: its text, and what it is about. It does not run what is a program's own."""


def nobody(text: str, *about: object) -> None:
    """Tells nobody."""


def connected(tell: Tell, where: str) -> None:
    """A client has heard its bridge, for the first time or again."""
    tell("connected to the bridge at %s", where)


def out_of_touch(tell: Tell, session_id: str, reason: str) -> None:
    """A copy of a session is STALE."""
    tell("the copy of session %r is STALE: %s", session_id, reason)


def current(tell: Tell, session_id: str) -> None:
    """A copy of a session is what the session is."""
    tell("the copy of session %r is READY", session_id)


def gave_up(tell: Tell, session_id: str, error: BaseException) -> None:
    """A copy of a session will not be current any more, since another attempt would change nothing."""
    tell("the copy of session %r is given up: %s", session_id, error)
