"""Pinned snapshots: a block, and all that it awaits, reads a session as it was at one revision (ORD-22).

What is pinned where is kept in a context variable, so it goes along with awaits, into tasks and into
`asyncio.to_thread`. A read that is one look into a dict does not pay for that while nothing is pinned: only
then the dict is covered by another one, which looks at the context variable first.
"""

from __future__ import annotations

import contextvars
import copy
from collections.abc import Callable, Iterable, Mapping
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
        self._pinned.pins.begin(self._pinned)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._pinned is not None:
            self._pinned.pins.end(self._pinned)

    def __reduce__(self) -> tuple[Any, ...]:
        # What is pinned is of this process, and a copy only has the values.
        arguments = (self.values, self.revision, self.point, self.source, self.age, self.stale)
        return Snapshot, arguments


class _Pin:
    """A block that runs."""

    __slots__ = ("is_over", "outer", "pinned")

    def __init__(self, pinned: Pinned, outer: _Pin | None) -> None:
        self.pinned = pinned
        self.outer = outer
        # What the block has started and left behind reads as if there had been none.
        self.is_over = False


_PIN: ContextVar[_Pin | None] = ContextVar("snakepit_bridge_pin", default=None)


class Pins:
    """The pins of one context."""

    def __init__(self, replica: Replica) -> None:
        self.replica = replica
        self.is_closed = False
        # Those that run, so that one that ends where it did not begin is found.
        self._running: list[_Pin] = []

    @property
    def current(self) -> Pinned | None:
        """What is pinned where this is asked, by the outermost of the blocks; None: nothing is."""
        if not self._running:
            return None
        found: Pinned | None = None
        pin = _PIN.get()
        while pin is not None:
            if not pin.is_over and pin.pinned.pins is self:
                found = pin.pinned
            pin = pin.outer
        return found

    def begin(self, pinned: Pinned) -> None:
        """Pins something where this is called."""
        pin = _Pin(pinned, _PIN.get())
        self._running.append(pin)
        _PIN.set(pin)
        self.replica.cover(_Cover(self))

    def end(self, pinned: Pinned) -> None:
        """Ends what `begin` began: here, or if it was not here, anywhere."""
        pin = innermost = _PIN.get()
        while pin is not None and (pin.is_over or pin.pinned is not pinned):
            pin = pin.outer
        if pin is None:
            pin = next(each for each in self._running if each.pinned is pinned)
        elif pin is innermost:
            _PIN.set(pin.outer)
        pin.is_over = True
        self._running.remove(pin)
        self.replica.uncover()


class _Cover(dict[str, Scalar]):
    """Stands where the hits of a replica are found: nothing is in it, so each look asks what is pinned."""

    def __init__(self, pins: Pins) -> None:
        super().__init__()
        self._pins = pins

    def __missing__(self, name: str) -> Scalar:
        pinned = None if self._pins.is_closed else self._pins.current
        hits = self._pins.replica.covered if pinned is None else pinned.hits
        found: Scalar = hits[name]
        return found


def unpinned(function: Callable[..., T], *arguments: Any) -> T:
    """Calls a function where nothing is pinned, of no context; tasks that it makes are there, too."""
    context = contextvars.copy_context()
    context.run(_PIN.set, None)
    return context.run(function, *arguments)
