"""The end of standard input as the order to stop: it comes however the starter ends."""

from __future__ import annotations

import os
import signal
import stat
import threading
from collections.abc import Callable

__all__ = ["end_with_stdin", "is_watched", "read_to_end", "when_stdin_ends"]

STDIN = 0


def is_watched() -> bool:
    """Returns whether somebody holds the other end of standard input: not of a file, nor of /dev/null."""
    try:
        mode = os.fstat(STDIN).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(STDIN)


def read_to_end() -> bool:
    """Reads what there is, and returns whether that was the end. What is read is thrown away."""
    try:
        return not os.read(STDIN, 65_536)
    except OSError:
        return True  # such as a connection that was reset


def when_stdin_ends(act: Callable[[], None]) -> None:
    """Calls `act` from a thread of its own when standard input ends, if it is watched at all."""

    def wait() -> None:
        while not read_to_end():
            pass
        act()

    if is_watched():
        threading.Thread(target=wait, name="end of stdin", daemon=True).start()


def end_with_stdin(grace: float) -> None:
    """Ends this process when standard input ends: by SIGTERM, and after so many seconds at once.

    For systems without fork. What the process has started is not found there, and the thread has its turn
    only when Python code runs.
    """

    def end() -> None:
        signal.raise_signal(signal.SIGTERM)
        threading.Event().wait(grace)
        os._exit(128 + signal.SIGTERM)

    when_stdin_ends(end)
