"""Keeps a program, and all that it starts, from outliving whoever started it.

    starter ── pipe ──▶ supervisor ──▶ program, leader of a process group ──▶ what it starts in turn

The supervisor waits for the pipe to end, or for the program. Then what is left gets SIGTERM, and after a
grace time SIGKILL. A thread in the program could do this only as long as the program is well: one that was
killed, or whose C code holds the interpreter's lock, runs no thread. On Linux the supervisor adopts what
loses its parent, so it also finds what has left the process group; elsewhere such a process has escaped.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
import traceback
from pathlib import Path

from ._stdin import STDIN, is_watched, read_to_end

__all__ = ["fork_supervised"]

# Constants of Linux's prctl.
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36

_HEARD = frozenset({signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
"""What the supervisor wakes up for."""

_LOOK_AGAIN = 0.02
"""How often to look, in seconds, where the system does not tell that somebody else's child has ended."""

_GIVE_UP = 1.0
"""How long after SIGKILL a process may still hang in the kernel before nobody waits for it any more."""

_FAILED = 70


def fork_supervised(grace: float) -> None:
    """Forks, and returns in the child, where the program is to be run.

    The parent becomes its supervisor. It ends when nothing of the program is left, with the program's exit
    code, or 128 and the number of the signal that ended it.

    Args:
        grace: How long, in seconds, those who were told to end may take.
    """
    adopts = _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    supervisor = os.getpid()
    # The program may be ready, and its starter end it, before the supervisor has learnt to listen.
    unmasked = signal.pthread_sigmask(signal.SIG_BLOCK, _HEARD)
    program = os.fork()
    if program == 0:
        signal.pthread_sigmask(signal.SIG_SETMASK, unmasked)
        _leave(supervisor)
        return
    code = _FAILED
    try:
        wakeup = _wake_on(*_HEARD)
        signal.pthread_sigmask(signal.SIG_SETMASK, unmasked)
        code = Supervisor(program, grace, adopts=adopts).run(wakeup)
    finally:
        if sys.exc_info()[0] is not None:
            # Whatever happened here: it is told, and the program does not stay behind.
            traceback.print_exc()
            with contextlib.suppress(OSError):
                os.killpg(program, signal.SIGKILL)
        sys.stderr.flush()
        os._exit(code)


def _leave(supervisor: int) -> None:
    """Makes this process the program's: on its own, with an empty input, and not without its supervisor."""
    os.setpgid(0, 0)
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != supervisor:
        os._exit(_FAILED)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, STDIN)
    os.close(nothing)


def _prctl(option: int, value: int) -> bool:
    if not sys.platform.startswith("linux"):
        return False
    try:
        import ctypes

        return int(ctypes.CDLL(None).prctl(option, value, 0, 0, 0)) == 0
    except (ImportError, OSError, AttributeError):
        return False


class Supervisor:
    """Waits for the end of a program, and brings it about when the starter's pipe ends.

    Args:
        program: The process id of the program, which is a child of this process.
        grace: See `fork_supervised`.
        adopts: Whether this process becomes the parent of descendants that lose theirs.
    """

    def __init__(self, program: int, grace: float, *, adopts: bool) -> None:
        self._program = program
        self._grace = grace
        self._adopts = adopts
        self._code: int | None = None
        self._childless = False
        self._deadline: float | None = None
        self._told: set[int] = set()
        self._killed = False

    def run(self, wakeup: int) -> int:
        """Returns the exit code of the program, when nothing is left of it.

        Args:
            wakeup: Can be read when a signal has come; each byte is the number of one.
        """
        with contextlib.suppress(OSError):
            os.setpgid(self._program, self._program)  # so that it is done, whoever is first
        watched = {wakeup, STDIN} if is_watched() else {wakeup}
        while True:
            self._reap()
            if self._code is not None:
                self._end()
                if self._is_alone():
                    return self._code
            if self._hangs():
                return _FAILED if self._code is None else self._code
            self._signal_rest()
            readable, _, _ = select.select(watched, [], [], self._patience())
            if wakeup in readable and set(os.read(wakeup, 512)) - {signal.SIGCHLD}:
                self._end()
            if STDIN in readable and read_to_end():
                watched.discard(STDIN)
                self._end()

    def _end(self) -> None:
        """Tells the program, and all in its group, to end; once."""
        if self._deadline is None:
            self._deadline = time.monotonic() + self._grace
            self._signal_group(signal.SIGTERM)

    def _signal_rest(self) -> None:
        """Tells those to end that lost their parent meanwhile, and kills all when the grace is over."""
        if self._deadline is None:
            return
        if time.monotonic() >= self._deadline:
            self._killed = True
            self._signal_group(signal.SIGKILL)
        for child in self._adopted() if self._adopts else ():
            if self._killed or child not in self._told:
                self._told.add(child)
                with contextlib.suppress(OSError):
                    os.kill(child, signal.SIGKILL if self._killed else signal.SIGTERM)

    def _signal_group(self, number: int) -> None:
        with contextlib.suppress(OSError):
            os.killpg(self._program, number)

    def _patience(self) -> float | None:
        """Returns how long to wait for news, in seconds; None: for ever."""
        if self._killed or (self._code is not None and not self._adopts):
            return _LOOK_AGAIN
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def _reap(self) -> None:
        while True:
            try:
                child, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                self._childless = True
                return
            if child == 0:
                return
            if child == self._program:
                code = os.waitstatus_to_exitcode(status)
                self._code = code if code >= 0 else 128 - code

    def _is_alone(self) -> bool:
        if self._adopts:
            return self._childless
        try:
            os.killpg(self._program, 0)
        except (ProcessLookupError, PermissionError):
            return True
        return False

    def _hangs(self) -> bool:
        """Returns whether somebody survives SIGKILL, as one does that is stuck in the kernel."""
        return self._deadline is not None and time.monotonic() >= self._deadline + _GIVE_UP

    def _adopted(self) -> list[int]:
        """Returns the children of this process that are not the program."""
        me = str(os.getpid())
        found = []
        for stat_file in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                # pid (name) state parent …, and a name may hold anything.
                parent = stat_file.read_text(errors="replace").rpartition(")")[2].split()[1]
                if parent == me and int(stat_file.parent.name) != self._program:
                    found.append(int(stat_file.parent.name))
        return found


def _wake_on(*signals: int) -> int:
    """Returns a file descriptor from which the number of each such signal can be read as a byte."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    for number in signals:
        signal.signal(number, lambda *_: None)
    return reading
