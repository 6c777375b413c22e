"""Pinned snapshots: a block, and all that it awaits, reads a session as it was at one revision (ORD-22).

What is pinned where is kept in a context variable, so it goes along with awaits, into tasks and into
`asyncio.to_thread`. A read that is one look into a dict does not pay for that while nothing is pinned: only
then another dict stands there, which looks at the context variable first.
"""

from __future__ import annotations

import contextvars
import copy
import weakref
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, TypeVar

from ._points import ResumePoint
from ._replica import Replica
from ._results import Reading, Scalar, Value, VariableType

__all__ = ["Held", "Pinned", "Pins", "Snapshot", "unpinned"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Held:
    """A variable of a snapshot."""

    name: str
    id: str
    type: VariableType
    version: int
    value: Value

    def copy(self) -> Value:
        """Returns its value; of json each reader is given an object of its own."""
        return copy.deepcopy(self.value) if self.type == "json" else self.value


class Pinned:
    """What a snapshot has of a session.

    Args:
        pins: Those of the context that took it.
        variables: All there are.
        point: What they are true at.
        source: Who answered.
        age: How old they were when they were read, in seconds.
        stale: Whether that was out of touch with the server.
        now: The time.

    Attributes:
        hits: The values by name, but those of json.
    """

    def __init__(
        self,
        pins: Pins,
        variables: Iterable[Held],
        point: ResumePoint,
        source: Literal["server", "replica"],
        age: float,
        stale: bool,
        now: float,
    ) -> None:
        self.pins = pins
        self._variables = {each.name: each for each in variables}
        self._names = {each.id: each.name for each in self._variables.values()}
        self.hits: dict[str, Any] = {
            each.name: each.value for each in self._variables.values() if each.type != "json"
        }
        self._point = point
        self._source: Literal["server", "replica"] = source
        self._read_at = now - age
        self._stale = stale

    def find(self, identifier: str) -> Held | None:
        """Returns a variable by name or id; None: there was no such variable."""
        return self._variables.get(identifier) or self._variables.get(self._names.get(identifier, ""))

    def reading(self, held: Held, now: float) -> Reading:
        """Returns one of the variables as it is read."""
        at = self._point
        age = now - self._read_at
        value = held.copy()
        return Reading(value, held.type, held.version, at.number, str(at), self._source, age, self._stale)

    def snapshot(self, now: float) -> Snapshot:
        """Returns all of it."""
        values = {name: each.copy() for name, each in self._variables.items()}
        at = self._point
        snapshot = Snapshot(values, at.number, str(at), self._source, now - self._read_at, self._stale)
        object.__setattr__(snapshot, "_pinned", self)
        return snapshot


@dataclass(frozen=True)
class Snapshot:
    """The values of all variables of a session, at one revision.

    In a `with` statement the context that took it reads from it until the end of the block: by each reading
    method, in whatever the block awaits, in tasks and `asyncio.to_thread` that it starts. Writes go on as
    ever. A thread that the block starts enters the snapshot itself: it may be entered any number of times.
    Within a block of another snapshot of that context it pins nothing until that block has ended.

    Attributes:
        values: The values by name.
        revision: The revision of the session that they are true at.
        point: The same as a text that `read` and `watch` take as `after`.
        source: Who answered, as in `Reading`; never `cache`.
        age: As in `Reading`.
        stale: As in `Reading`.

    Example:
        >>> async def answer(session: SessionContext, question: str) -> str:
        ...     with await session.snapshot():  # the blocking context: with session.snapshot():
        ...         prompt = await session.get_variable("prompt")
        ...         text = await ask(prompt, question)  # meanwhile somebody sets prompt and temperature
        ...         return text if await session.get_variable("temperature") > 1 else text.strip()
    """

    values: Mapping[str, Value]
    revision: int
    point: str
    source: Literal["server", "replica"]
    age: float
    stale: bool = False
    _pinned: Pinned | None = field(default=None, init=False, repr=False, compare=False)

    def __enter__(self) -> Snapshot:
        if self._pinned is None:
            raise TypeError("only a snapshot that a context has taken in this process can be pinned")
        pins, pin = self._pinned.pins, _Pin(self._pinned)
        # An interrupt leaves nothing pinned, wherever it comes.
        try:
            pins.begin(pin)
            return self
        except BaseException:
            pins.end(weakref.ref(pin))
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        pinned, block = self._pinned, None
        if pinned is None:
            return
        # As above.
        try:
            block = pinned.pins.find(pinned)
            pinned.pins.end(block)
        except BaseException:
            pinned.pins.end(block or pinned.pins.find(pinned))
            raise

    def __reduce__(self) -> tuple[Any, ...]:
        # What is pinned is of this process, and a copy only has the values.
        arguments = (self.values, self.revision, self.point, self.source, self.age, self.stale)
        return Snapshot, arguments


class _Pin:
    """A block that runs, or has run: what it has started and left behind still has it.

    Attributes:
        pinned: What it reads; None once it is over.
        outer: The block around it.
    """

    __slots__ = ("__weakref__", "outer", "pinned")

    def __init__(self, pinned: Pinned) -> None:
        self.pinned: Pinned | None = pinned
        self.outer = _running(_PIN.get())


def _running(pin: _Pin | None) -> _Pin | None:
    """Returns the innermost block that is not over."""
    while pin is not None and pin.pinned is None:
        pin = pin.outer
    return pin


_PIN: ContextVar[_Pin | None] = ContextVar("snakepit_bridge_pin", default=None)


class Pins:
    """The pins of one context.

    A block holds its pin by the context variable alone, so one whose task or thread is gone has gone with it.

    Args:
        replica: What is read from where nothing is pinned.
        lock: Keeps apart those who begin and end blocks; one that its holder can take again. No thread of
            gRPC waits for it: its holder can be interrupted, by a signal handler that waits for gRPC.

    Attributes:
        seen: Where a look into `hits` finds what is to be read: the replica, or while something is pinned
            what asks where that is.
    """

    def __init__(self, replica: Replica, lock: AbstractContextManager[object]) -> None:
        self.replica = replica
        self.seen: Replica | _Pinning = replica
        self.is_closed = False
        self._lock = lock
        # What has begun and not ended. It is changed by single instructions.
        self._begun: dict[weakref.ref[_Pin], Pinned | None] = {}

    def abandon(self, lock: AbstractContextManager[object]) -> None:
        """Takes that it is in another process now, in which nobody is who could hold the old lock."""
        self._lock = lock

    @property
    def current(self) -> Pinned | None:
        """What is pinned where this is asked, by the outermost of the blocks; None: nothing is."""
        if not self._begun:
            return None
        found: Pinned | None = None
        pin = _PIN.get()
        while pin is not None:
            pinned = pin.pinned
            if pinned is not None and pinned.pins is self:
                found = pinned
            pin = pin.outer
        return found

    def begin(self, pin: _Pin) -> None:
        """Has a block read what it has pinned, where this is called."""
        _PIN.set(pin)
        self._begun[weakref.ref(pin)] = pin.pinned
        self._arrange()

    def find(self, pinned: Pinned) -> weakref.ref[_Pin] | None:
        """Returns the block that has pinned something here, or one that has elsewhere; None: none has.

        A block may end in another task or thread. Then it is one whose own are gone, if there is one.
        """
        pin = _PIN.get()
        while pin is not None:
            if pin.pinned is pinned:
                return weakref.ref(pin)
            pin = pin.outer
        blocks = [block for block, what in list(self._begun.items()) if what is pinned]
        gone = [block for block in blocks if block() is None]
        return next(iter((gone or blocks)[-1:]), None)

    def end(self, block: weakref.ref[_Pin] | None) -> None:
        """Ends a block. Twice is fine."""
        if block is None:
            return
        pin = block()
        if pin is not None:
            # From here on it is over, whatever comes in between.
            pin.pinned = None
            # Nothing is held for what is over: blocks may overlap without end.
            pin.outer = _running(pin.outer)
            if _PIN.get() is pin:
                _PIN.set(pin.outer)
        self._begun.pop(block, None)
        self._arrange()

    def _arrange(self) -> None:
        """Has readers find what is pinned, as long as anything is."""
        with self._lock:
            while bool(self._begun) is (self.seen is self.replica):
                self.seen = _Pinning(self) if self._begun else self.replica


class _Pinning:
    """Stands where the replica is read from: each look into `hits` asks what is pinned."""

    __slots__ = ("_replica", "hits")

    def __init__(self, pins: Pins) -> None:
        self.hits: dict[str, Scalar] = _Hits(pins)
        self._replica = pins.replica

    @property
    def served(self) -> int:
        """See `Replica`."""
        return self._replica.served

    @served.setter
    def served(self, served: int) -> None:
        self._replica.served = served

    @property
    def peeked(self) -> int:
        """See `Replica`."""
        return self._replica.peeked

    @peeked.setter
    def peeked(self, peeked: int) -> None:
        self._replica.peeked = peeked


class _Hits(dict[str, Scalar]):
    """Nothing is in it, so each look is a question."""

    def __init__(self, pins: Pins) -> None:
        super().__init__()
        self._pins = pins

    def __missing__(self, name: str) -> Scalar:
        pinned = None if self._pins.is_closed else self._pins.current
        hits = self._pins.replica.hits if pinned is None else pinned.hits
        found: Scalar = hits[name]
        return found


def unpinned(function: Callable[..., T], *arguments: Any) -> T:
    """Calls a function where nothing is pinned, of no context; tasks that it makes are there, too."""
    context = contextvars.copy_context()
    context.run(_PIN.set, None)
    return context.run(function, *arguments)
