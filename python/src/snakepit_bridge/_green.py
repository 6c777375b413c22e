"""Tells where threads are not threads: gevent and eventlet put functions of their own in their place.

The clients wait on locks that gRPC's threads give back, and gRPC's threads are none of theirs: there a wait
would stand the whole program still, and never end.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

__all__ = ["refuse_green_threads"]


def refuse_green_threads() -> None:
    """Looks whether this program has threads and sockets as Python has them. Neither library is imported.

    Raises:
        RuntimeError: It has not.
    """
    gevent = sys.modules.get("gevent.monkey")
    eventlet = sys.modules.get("eventlet.patcher")
    found = _patched(getattr(gevent, "is_module_patched", None), ("threading", "thread", "socket", "queue"))
    name = "gevent" if found else "eventlet"
    found = found or _patched(getattr(eventlet, "is_monkey_patched", None), ("thread", "socket"))
    if found:
        raise RuntimeError(
            f"{name} has replaced Python's {found} in this program, and gRPC works with real threads and "
            f"sockets only: use a context in a process without {name}'s monkey-patching"
        )


def _patched(is_patched: Callable[[str], bool] | None, names: tuple[str, ...]) -> str | None:
    return None if is_patched is None else next((name for name in names if is_patched(name)), None)
