"""What contexts do about a fork of their process (ORD-20).

gRPC survives a fork only if none of its threads is at work in that moment, and if the channel object still
lives. So before a fork all streams are ended and those who drive them stand still. The parent goes on where
it was. The child has its contexts too, and each connects anew when it is used first. Where gRPC would not
work in a child, using it would hang there, or even break the parent: contexts refuse instead.

gRPC's asyncio keeps a thread at work for as long as anything of it lives, so there is no such moment.
"""

from __future__ import annotations

import contextlib
import gc
import os
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, Protocol, TypeVar

from ._sync_helpers import rest, wait_on

__all__ = [
    "Living",
    "at_fork",
    "in_child",
    "is_forked",
    "leave_alone",
    "notice_forks",
    "quiet",
    "refusal",
    "use_grpc",
]

T = TypeVar("T")

_SWITCH = "GRPC_ENABLE_FORK_SUPPORT"
"""Turns on what gRPC's core does at a fork, if it is set before the first channel.

Before gRPC is imported it would turn on what its Python part does, too: that waits for the calls of a whole
program, and with old versions a child can hang in it.
"""

_POLLER = "_poll_wrapper"
"""In the name of the thread of gRPC's asyncio."""

_PATIENCE = 1.0
"""How long anybody waits for another one here, in seconds."""

_SETTLING = 0.01
"""How long gRPC is given to come to rest after the last call and the last fork, in seconds."""

_ASYNCIO_WAS_IN_USE = (
    "this process was forked while gRPC's asyncio was in use, and gRPC cannot be used in it: close the "
    "asyncio contexts and channels before the fork, or start processes with spawn or forkserver"
)
_SWITCHED_OFF = (
    f"this process was forked from one that uses gRPC with {_SWITCH}={{}}, and gRPC cannot be used in it: do "
    "not set that variable, or start processes with spawn or forkserver"
)
_UNNOTICED = (
    "this process was forked without a word to Python, and gRPC cannot be used in it: fork with os.fork, use "
    "contexts only after the fork, or start processes with spawn or forkserver"
)


class Forks(Protocol):
    """What takes part in a fork. None of this raises."""

    def hold(self) -> None:
        """Has no thread of its own in gRPC from now on, and nothing under way."""

    def resume(self) -> None:
        """Goes on, in the parent."""


class Living(Generic[T]):
    """The objects of a kind that live. What is done to it takes one instruction."""

    def __init__(self) -> None:
        self._all: dict[int, weakref.ref[T]] = {}

    def add(self, one: T) -> None:
        """Has it found as long as it lives."""
        key, everything = id(one), self._all
        everything[key] = weakref.ref(one, lambda _: everything.pop(key, None))

    def __iter__(self) -> Iterator[T]:
        found = [one() for one in list(self._all.values())]
        return iter([one for one in found if one is not None])


class _Process:
    """What is known of forks in this process.

    Attributes:
        id: Its number.
        turn: Held from before a fork until after it.
        depth: How many forks are under way: a signal handler may fork amid one.
        held: What was told to hold for them.
        uses_grpc: Whether contexts use gRPC here.
        refusal: Why they cannot; None: they can.
        refusal_in_child: Why they will not be able to in the child of the fork under way.
        is_forked: Whether it has memory of a parent that uses gRPC.
    """

    def __init__(self, refusal: str | None = None, *, is_forked: bool = False) -> None:
        self.id = os.getpid()
        self.turn = threading.RLock()
        self.depth = 0
        self.held: list[Forks] = []
        self.uses_grpc = False
        self.refusal = refusal
        self.refusal_in_child = refusal
        self.is_forked = is_forked


_process = _Process()
_taking_part: Living[Forks] = Living()
_in_child: list[Callable[[], None]] = []
# A channel of the parent's is neither closed in a child nor collected.
_left_alone: list[object] = []
# Which hooks Python has of this module.
_registered: list[str] = []


def at_fork(one: Forks) -> None:
    """Has something take part in the forks of this process as long as it lives."""
    _taking_part.add(one)


def in_child(function: Callable[[], None]) -> None:
    """Has a function called in every process that is forked from this one, once forks are noticed."""
    _in_child.append(function)


def notice_forks() -> None:
    """Has those functions called from now on. Twice is fine."""
    if not _registered and hasattr(os, "register_at_fork"):
        _registered.append("child")
        os.register_at_fork(after_in_child=_after_in_child)


def leave_alone(*things: object) -> None:
    """Keeps what belongs to the parent of this process from being collected."""
    _left_alone.extend(things)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keeps forks away while gRPC is called, or a moment is waited for."""
    turn = _process.turn
    # One who forks may be waiting for us, if a signal handler came in between.
    has_turn = turn.acquire(timeout=_PATIENCE)
    try:
        yield
    finally:
        if has_turn:
            turn.release()


@contextlib.contextmanager
def use_grpc() -> Iterator[None]:
    """Keeps forks away while a channel is made, and notices them from then on.

    Raises:
        RuntimeError: gRPC cannot be used in this process.
    """
    refused = refusal()
    if refused is not None:
        raise RuntimeError(refused)
    with quiet():
        os.environ.setdefault(_SWITCH, "1")
        if not _process.uses_grpc:
            # Until now it did not matter whose child this is.
            _process.id = os.getpid()
            _process.uses_grpc = True
        yield
        # Who came last is asked first. gRPC comes with its first channel, and waits for its threads.
        if "parent" not in _registered and hasattr(os, "register_at_fork"):
            _registered.append("parent")
            os.register_at_fork(before=_before, after_in_parent=_after_in_parent)


def is_forked() -> bool:
    """Returns whether this process was forked from one that uses gRPC.

    A channel here must not share a connection with another: it could be one of the parent's.
    """
    return _process.is_forked


def refusal() -> str | None:
    """Returns why gRPC cannot be used in this process; None: it can."""
    if _process.id != os.getpid() and _process.uses_grpc:
        return _UNNOTICED
    return _process.refusal


def _before() -> None:
    process = _process
    process.turn.acquire()
    process.depth += 1
    if process.depth > 1 or not process.uses_grpc:
        return
    # The main thread can be interrupted anywhere, so another one does it (`_sync_helpers`).
    if threading.current_thread() is not threading.main_thread():
        _hold()
        return
    over: list[bool] = []
    held = threading.Lock()
    held.acquire()

    def work() -> None:
        try:
            _hold()
        finally:
            over.append(True)
            held.release()

    helper = threading.Thread(target=work, name="snakepit-bridge fork", daemon=True)
    helper.start()
    interrupt: BaseException | None = None
    while not over:
        try:
            wait_on(held)
        except BaseException as error:  # noqa: BLE001 - the fork cannot be called off
            interrupt = error
    helper.join(_PATIENCE)
    if interrupt is not None:
        # Python drops what is raised here, and says so.
        raise interrupt


def _hold() -> None:
    process = _process
    process.held = list(_taking_part)
    try:
        _do_all(one.hold for one in process.held)
    finally:
        _come_to_rest(process)


def _come_to_rest(process: _Process) -> None:
    """Waits until gRPC is at rest, and finds out whether it can be used in the child."""
    rest(_SETTLING)
    if _polls():
        # What was closed may only not have been collected yet.
        gc.collect()
    switch = os.environ.get(_SWITCH, "1")
    if _polls():
        process.refusal_in_child = _ASYNCIO_WAS_IN_USE
    elif switch.lower() not in ("1", "true", "yes", "t", "y"):
        process.refusal_in_child = _SWITCHED_OFF.format(switch)


def _do_all(actions: Iterable[Callable[[], None]]) -> None:
    """Does all of this, whatever one of it raises; that is raised at the end."""
    with contextlib.ExitStack() as stack:
        # The last to be pushed is the first to be called.
        for action in reversed(list(actions)):
            stack.callback(action)


def _polls() -> bool:
    return any(_POLLER in thread.name for thread in threading.enumerate())


def _after_in_parent() -> None:
    process = _process
    process.depth -= 1
    try:
        if process.depth == 0:
            held, process.held = process.held, []
            process.refusal_in_child = process.refusal
            _do_all(one.resume for one in held)
    finally:
        process.turn.release()


def _after_in_child() -> None:
    global _process
    parent = _process
    unnoticed = parent.uses_grpc and parent.depth == 0
    refused = _UNNOTICED if unnoticed else parent.refusal_in_child
    _process = _Process(refused, is_forked=parent.uses_grpc or parent.is_forked)
    _do_all(_in_child)
