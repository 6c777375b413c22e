"""Speaks to an event loop from wherever one is: another thread, another loop, or garbage collection."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

__all__ = ["soon"]


def soon(loop: asyncio.AbstractEventLoop, function: Callable[..., None], *arguments: Any) -> None:
    """Calls a function in a loop, never amid something else that runs there. A closed loop calls nothing."""
    with contextlib.suppress(RuntimeError):  # it is closed
        loop.call_soon_threadsafe(function, *arguments)
