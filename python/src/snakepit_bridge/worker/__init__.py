"""What a program tells the host that started it: that it is ready, and that it is still at work.

A host (`startWorker` of the npm package) starts programs as `python -m snakepit_bridge.worker`. A program
that knows nothing of this module works too. Without a host all of it may be called: nothing happens.
"""

from __future__ import annotations

from ._host import HOST

__all__ = ["alive", "ready"]


def ready(*, address: str | None = None, alive_within: float | None = None) -> None:
    """Tells the host that the program is ready; until then `startWorker` waits.

    Args:
        address: HOST:PORT at which the program serves something of its own, for the host to know.
        alive_within: A promise to call `alive()` at least every so many seconds from now on. If it is broken,
            the host takes the program for hung, ends it, and starts it again. None: no promise.

    Raises:
        ValueError: If `alive_within` is not above 0.

    Example:
        >>> ready(alive_within=30)
        >>> for step in range(3):
        ...     alive()
    """
    if alive_within is not None and not 0 < alive_within < float("inf"):
        raise ValueError(f"alive_within is a time above 0 in seconds, not {alive_within}")
    HOST.ready(address, alive_within)


def alive() -> None:
    """Tells the host that the program is still at work. It may be called as often as one likes."""
    HOST.alive()
