"""Writes lines to the logger `snakepit_bridge`, whoever has them to write: in a thread of its own.

A program's logging runs functions of the program's: handlers, filters. They may use a context (`_turns`).
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import traceback

from . import _forking
from ._turns import Turns

__all__ = ["log"]

_LOG = logging.getLogger("snakepit_bridge")

_PATIENCE = 1.0
"""How long a program that ends waits for its last lines, in seconds."""

_turns = Turns("snakepit-bridge log")


def log(text: str, *about: object) -> None:
    """Writes a line at INFO, soon: it waits for nothing, so any thread may say so, and under any lock."""
    # Not `isEnabledFor`, which takes a lock of logging's, under which a handler may be made or closed.
    if max(_LOG.getEffectiveLevel(), _LOG.manager.disable + 1) > logging.INFO:
        return
    # Where no thread can be begun any more the line waits for the next.
    with contextlib.suppress(RuntimeError):
        _turns.put(lambda: _write(text, about))


def _write(text: str, about: tuple[object, ...]) -> None:
    try:
        _LOG.info(text, *about)
    except BaseException:  # noqa: BLE001 - a filter's, say; it must not end the thread
        # As logging does with what handlers raise.
        if logging.raiseExceptions:
            traceback.print_exc()


_forking.in_child(_turns.abandon)
# Before logging's own, which came first and closes the handlers.
atexit.register(_turns.flush, _PATIENCE)
