"""The line to the host: JSON messages, one per line, on a pipe that the host reads.

Nothing here may ever hold up the program: a host that does not read, or is gone, is not waited for.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from typing import Any

from snakepit_bridge._version import __version__

__all__ = ["HOST", "Host"]


class Host:
    """The host of this process; before `connect`, and in processes that this one forks, nobody."""

    def __init__(self) -> None:
        self._pipe: int | None = None
        self._process = 0
        self._pause = 0.0
        self._told = 0.0

    def connect(self, pipe: int) -> None:
        """Speaks to the host through this file descriptor from now on.

        Raises:
            OSError: If there is no such file descriptor.
        """
        # Programs that this one starts have nothing to say to its host.
        os.set_inheritable(pipe, False)
        with contextlib.suppress(AttributeError, OSError):
            os.set_blocking(pipe, False)
        self._pipe = pipe
        self._process = os.getpid()

    def running(self) -> None:
        """Says that the program was found and begins now."""
        self._say({"kind": "running", "pid": os.getpid(), "version": __version__})

    def ready(self, address: str | None, alive_within: float | None) -> None:
        """Says what `snakepit_bridge.worker.ready` was told."""
        # Four times as often as promised is enough, so that calling `alive` in a loop costs next to nothing.
        self._pause = 0.0 if alive_within is None else alive_within / 4
        self._told = time.monotonic()
        within = None if alive_within is None else alive_within * 1_000
        self._say({"kind": "ready", "address": address, "aliveWithinMs": within})

    def alive(self) -> None:
        """Says so, unless it was said a moment ago or nobody was promised it."""
        now = time.monotonic()
        if self._pause and now - self._told >= self._pause:
            self._told = now
            self._say({"kind": "alive"})

    def _say(self, message: dict[str, Any]) -> None:
        if self._pipe is None or self._process != os.getpid():
            return
        line = json.dumps({key: value for key, value in message.items() if value is not None})
        with contextlib.suppress(OSError):
            os.write(self._pipe, f"{line}\n".encode())


HOST = Host()
"""Of this process, as its standard streams are."""
