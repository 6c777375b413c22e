"""What becomes of what a callback raises, for every shell."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from ._errors import ClosedError

__all__ = ["report"]

_LOG = logging.getLogger("snakepit_bridge")


def report(error: BaseException, on_error: Callable[[Any], Any] | None, what: str) -> None:
    """Tells a program of an error that it could not catch; it goes to the log if nobody takes it.

    Args:
        error: The error.
        on_error: The program's own function for such errors; what it raises goes to the log.
        what: What has failed, for people.
    """
    if on_error is None:
        # Who closes a context knows.
        if not isinstance(error, ClosedError):
            _LOG.error("%s: %s", what, error, exc_info=error)
        return
    try:
        on_error(error)
    except Exception as problem:  # noqa: BLE001 - there is nobody left to tell
        _LOG.error("on_error of %s raised: %s", what, problem, exc_info=problem)
