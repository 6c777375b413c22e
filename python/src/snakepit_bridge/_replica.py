"""A copy of a session that a subscription keeps current (ORD-2, ORD-6, ORD-7).

    NOT_READY ──the whole session──▶ READY ──the subscription is lost──▶ STALE ──an update──▶ READY …

It moves by whole updates, in order, and by nothing else: an answer to a call never writes into it, so a late
one cannot overwrite what is newer. It only remembers what calls were answered at, and is not read from while
it has not come to that. TypeScript has the same (`client/replica.ts`), held to it by the same vectors.

Pure: it waits for nothing, and `now` is passed in, of a clock that never jumps; any unit will do.

One thread changes it at a time, under the lock of its owner; any number of others read, and say what calls
were answered at, without the lock: one of them may be the main thread, in which a signal handler can run at
any time and wait for the very thread that wants the lock. Where they need the lock all the same, which is
seldom, another thread takes it for them.
What they find in `hits` is of one revision, because an update changes it by a single instruction. All else
takes several, and those who look at several things do it in `at_once`, which begins anew if they change
meanwhile (ORD-8). A lock around each read was considered; it would cost more than the read.
All of this rests on the interpreter's own lock; on a Python without one it would not hold.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias, TypeVar

from ._points import ResumePoint
from ._results import Scalar, VariableType

__all__ = ["REPLICA_BYTES", "Access", "Replica", "ReplicaState", "StateEntry", "StateUpdate", "Taken"]

T = TypeVar("T")

ReplicaState: TypeAlias = Literal["NOT_READY", "READY", "STALE"]
"""How far a replica is to be trusted."""

Access: TypeAlias = Literal["current", "stale", "ask", "unavailable"]
"""How a replica may be read from.

- `current`: as it is, as far as anybody here knows;
- `stale`: as it was, and the reader is to be told so;
- `ask`: not at all, the server has to be asked;
- `unavailable`: not at all, and there is nobody to ask.
"""

Taken: TypeAlias = Literal["taken", "part", "gap"]
"""What became of an update; `gap`: it does not follow, nothing was done, and no later one can follow."""

REPLICA_BYTES: Final = 64 * 1_048_576
"""What values may take together, if nobody says otherwise."""

_MOST_ANSWERED = 1_000
"""So many answers are kept before they are summed up, where no update does it."""

_MOST_ROUNDS = 100
"""How often a reader of several things begins anew before it has the changes wait."""


@dataclass(frozen=True, slots=True)
class StateEntry:
    """A variable as a replica has it.

    Attributes:
        name: Its name.
        id: Its id.
        version: Its version.
        type: Its type; None: one of a newer bridge.
        held: What it holds, JSON as its text; None: it is not here and has to be read.
    """

    name: str
    id: str
    version: int
    type: VariableType | None
    held: Scalar | None


@dataclass(frozen=True, slots=True)
class StateUpdate:
    """What takes a replica from one revision to another, or a part of that.

    Attributes:
        base: Where the replica has to stand; None: this is the whole session.
        revision: Where it stands then; number 0: there is no session.
        changed: What the variables are that have changed.
        deleted: The names of those that were deleted.
        more: Whether the rest is in the next one.
    """

    base: ResumePoint | None
    revision: ResumePoint
    changed: Sequence[StateEntry]
    deleted: Sequence[str]
    more: bool = False


class Replica:
    """See the module.

    Args:
        budget: How many bytes values may take together.
        lock: What keeps those apart who change it; one that its holder can take again.
        give_way: Lets other threads run.
        aside: Runs a function where no signal handler can come in between.

    Attributes:
        hits: The values by name, but those of json; empty unless it is current. It is replaced whenever
            something leaves it, so what is found in it needs no other look.
        is_current: Whether it may be read from without a mark.
        served: How many reads it answered; readers count, each by itself.
        peeked: How many look-ups.
    """

    def __init__(
        self,
        budget: int = REPLICA_BYTES,
        lock: AbstractContextManager[object] | None = None,
        give_way: Callable[[], None] = lambda: None,
        aside: Callable[[Callable[[], None]], None] = lambda function: function(),
    ) -> None:
        self.hits: dict[str, Scalar] = {}
        self.is_current = False
        self.served = 0
        self.peeked = 0
        self._budget = budget
        self._lock: AbstractContextManager[object] = nullcontext() if lock is None else lock
        self._give_way = give_way
        self._aside = aside
        # Odd while it is being changed.
        self._sequence = 0
        self._state: ReplicaState = "NOT_READY"
        self._reason: str | None = None
        # Whether nobody can be asked either.
        self._down = False
        self._revision: ResumePoint | None = None
        self._heard_at = 0.0
        # What calls were answered at, with the latest in each life of the session that may be the present
        # one. Anybody adds to it, by one instruction.
        self._answered: deque[ResumePoint] = deque()
        # The last life of the session before the present one: it is over.
        self._former_life: bytes | None = None
        # Whether the server said something since it was lost, of which it is not known what it was true at.
        self._doubted = False
        self._entries: dict[str, StateEntry] = {}
        # The names of ids.
        self._names: dict[str, str] = {}
        # The bytes of the values that are here, by name, those that have been unchanged longest first.
        self._loaded: dict[str, int] = {}
        self._bytes = 0
        # Parts of an update whose rest is to come.
        self._parts: list[StateUpdate] = []

    @property
    def state(self) -> ReplicaState:
        """How far it is to be trusted."""
        return self._state

    @property
    def reason(self) -> str | None:
        """Why it is not READY, for people; None if it is, or has only just been made."""
        return self._reason

    @property
    def revision(self) -> ResumePoint | None:
        """Where it stands; number 0: there is no session. None while it has never been told."""
        return self._revision

    @property
    def size(self) -> int:
        """How many variables there are."""
        return len(self._entries)

    @property
    def loaded(self) -> int:
        """How many variables have their value here."""
        return len(self._loaded)

    @property
    def bytes(self) -> int:
        """How many bytes the values take that are here."""
        return self._bytes

    def age(self, now: float) -> float | None:
        """Returns how long ago the server was heard of last; None: never."""
        return None if self._revision is None else max(0.0, now - self._heard_at)

    # ---- what it is told

    def abandon(self, lock: AbstractContextManager[object]) -> None:
        """Takes that it is in another process now, in which nobody is who could hold the old lock."""
        self._lock = lock
        self._sequence = 0
        self._answered.clear()
        self._former_life = None
        self.forget("the process was forked")

    def take(self, update: StateUpdate, now: float) -> Taken:
        """Takes an update, or a part of one."""
        first = self._parts[0] if self._parts else update
        follows = update.base is None or update.base == self._revision
        if not follows or update.revision != first.revision or (update.base is None) != (first.base is None):
            self._parts = []
            return "gap"
        self._parts.append(update)
        if update.more:
            return "part"
        parts, self._parts = self._parts, []
        with self._lock:
            self._move(parts, update.revision)
            self._heard_at = now
        return "taken"

    def lost(self, reason: str) -> None:
        """Takes that the subscription is lost. What is here stays, and is not current."""
        self._parts = []
        with self._lock:
            if self._state == "READY":
                self._state = "STALE"
            self._reason = reason
            self._down = True
            self._settle()

    def forget(self, reason: str) -> None:
        """Takes that there will be no subscription any more: what is here is of no use."""
        self._parts = []
        with self._lock:
            self._sequence += 1
            try:
                self._clear()
                self._state = "NOT_READY"
                self._reason = reason
                self._down = False
                self._revision = None
                self._settle()
            finally:
                self._sequence += 1

    def asking(self) -> None:
        """Takes that somebody can be asked again, as far as anybody knows, and is."""
        self._parts = []
        self._down = False

    def answered(self, revision: ResumePoint) -> None:
        """Takes that a call was answered with what is true at a revision (ORD-1).

        What is older is not to be read after it, not even if the server goes back to it. Any
        thread may say so.
        """
        if revision.incarnation == self._former_life or self._is_answered(revision):
            return
        # Noted first: whoever changes the copy now looks at it last.
        self._answered.append(revision)
        if not _covers(self._revision, revision):
            self._take_away()
            if _covers(self._revision, revision):
                self._alone(self._settle)
        if len(self._answered) > _MOST_ANSWERED:
            self._alone(self._sum_up)

    def _alone(self, function: Callable[[], None]) -> None:
        """Runs a reader's function under the lock."""

        def locked() -> None:
            with self._lock:
                function()

        self._aside(locked)

    def _is_answered(self, revision: ResumePoint) -> bool:
        return any(_covers(each, revision) for each in list(self._answered))

    def _sum_up(self) -> None:
        """Keeps the latest answer of each life that may be the present one."""
        answered = list(self._answered)
        latest = {each.incarnation: each for each in sorted(answered, key=lambda each: each.number)}
        # In this order: what is looked for is there all the time.
        self._answered.extend(latest.values())
        for _ in answered:
            self._answered.popleft()

    def doubt(self) -> None:
        """Takes that the server refused a call or a watch because of what the session is.

        A refusal does not say what it was true at. What is out of touch may be older than that, and is not
        read after it; what is in touch was told before. The same goes for what is out of touch on purpose.
        """
        if self._state == "STALE":
            self._doubted = True

    # ---- reading

    def access(self, now: float, max_stale: float) -> Access:
        """Returns how it may be read from.

        Args:
            now: The time.
            max_stale: How old what is read may be while the server is out of reach; 0: it is not read then.
        """
        if self.is_current:
            return "current"
        if self._state != "STALE" or self._doubted or self._is_behind():
            return "ask"
        if max_stale > 0 and now - self._heard_at <= max_stale:
            return "stale"
        return "unavailable" if self._down else "ask"

    def find(self, identifier: str) -> StateEntry | None:
        """Returns what it has of a variable, by name or id; None: there is no such variable."""
        entry = self._entries.get(identifier)
        if entry is None:
            name = self._names.get(identifier)
            entry = None if name is None else self._entries.get(name)
        return entry

    def entries(self) -> list[StateEntry]:
        """Returns what it has of all variables."""
        return list(self._entries.values())

    def reaches(self, point: ResumePoint) -> bool:
        """Returns whether what is true at a point is known here."""
        return _covers(self._revision, point)

    def at_once(self, look: Callable[[], T]) -> T:
        """Returns what a function finds that only looks, and looks at one revision (ORD-8)."""
        for _ in range(_MOST_ROUNDS):
            before = self._sequence
            if before % 2 == 0:
                found = look()
                if self._sequence == before:
                    return found
            self._give_way()
        last: list[T] = []
        self._alone(lambda: last.append(look()))
        return last[0]

    # ---- the copy, under the lock

    def _move(self, parts: Sequence[StateUpdate], revision: ResumePoint) -> None:
        is_whole = parts[0].base is None
        was_current = self.is_current
        touched: set[str] = set()
        self._sequence += 1
        try:
            if is_whole:
                self._clear()
            for part in parts:
                for entry in part.changed:
                    self._put(entry)
                    touched.add(entry.name)
                for name in part.deleted:
                    self._drop(name)
                touched.update(part.deleted)
            touched.update(self._unload())
            life = b"" if self._revision is None else self._revision.incarnation
            if life and life != revision.incarnation:
                self._former_life = life
            self._revision = revision
            self._state = "READY"
            self._reason = None
            self._down = False
            self._doubted = False
            self._forget_other_lives(revision)
            self._settle()
            if was_current and self.is_current:
                self._renew_hits(is_whole, touched)
                self._give_up_if_behind()
        finally:
            self._sequence += 1

    def _forget_other_lives(self, revision: ResumePoint) -> None:
        """What was answered of another life of the session was sent before this, so that life is over."""
        answered = list(self._answered)
        present = [each for each in answered if each.incarnation == revision.incarnation]
        if len(present) < len(answered):
            self._answered.extend(present)
            for _ in answered:
                self._answered.popleft()

    def _settle(self) -> None:
        """Sees whether it may be read from."""
        if self._state != "READY":
            self._take_away()
        elif not self.is_current:
            self.hits = self._all_hits()
            self.is_current = True
        self._give_up_if_behind()

    def _give_up_if_behind(self) -> None:
        # Asked after all else, since it may have become so meanwhile.
        if self._is_behind():
            self._take_away()

    def _take_away(self) -> None:
        """Has it not read from."""
        self.is_current = False
        self.hits = {}

    def _is_behind(self) -> bool:
        """Returns whether a call was answered with what this has not come to."""
        at = self._revision
        return any(not _covers(at, each) for each in list(self._answered))

    def _renew_hits(self, is_whole: bool, touched: set[str]) -> None:
        """Has the change seen by a single instruction, whatever a reader does meanwhile."""
        if is_whole:
            self.hits = self._all_hits()
            return
        found = {name: self._hit(self._entries.get(name)) for name in touched}
        fresh = {name: held for name, held in found.items() if held is not None}
        gone = [name for name, held in found.items() if held is None and name in self.hits]
        if not gone:
            self.hits.update(fresh)
            return
        hits = {**self.hits, **fresh}
        for name in gone:
            del hits[name]
        self.hits = hits

    def _all_hits(self) -> dict[str, Scalar]:
        found = {name: self._hit(entry) for name, entry in self._entries.items()}
        return {name: held for name, held in found.items() if held is not None}

    @staticmethod
    def _hit(entry: StateEntry | None) -> Scalar | None:
        # Each reader of json is given an object of its own, so that is no hit.
        return None if entry is None or entry.type in (None, "json") else entry.held

    def _put(self, entry: StateEntry) -> None:
        self._drop(entry.name)
        self._names[entry.id] = entry.name
        size = 0 if entry.held is None else _bytes_of(entry.held)
        # All others together would not make room for it.
        if size > self._budget:
            entry = replace(entry, held=None)
        self._entries[entry.name] = entry
        if entry.held is not None:
            self._loaded[entry.name] = size
            self._bytes += size

    def _drop(self, name: str) -> None:
        before = self._entries.pop(name, None)
        if before is not None:
            self._names.pop(before.id, None)
            self._bytes -= self._loaded.pop(name, 0)

    def _clear(self) -> None:
        self._entries = {}
        self._names = {}
        self._loaded = {}
        self._bytes = 0

    def _unload(self) -> list[str]:
        """Lets go of values until the rest has room; returns the names of their variables."""
        names: list[str] = []
        while self._bytes > self._budget:
            name, size = next(iter(self._loaded.items()))
            del self._loaded[name]
            self._bytes -= size
            self._entries[name] = replace(self._entries[name], held=None)
            names.append(name)
        return names


def _bytes_of(held: Scalar) -> int:
    if not isinstance(held, str):
        return 8
    return len(held) if held.isascii() else len(held.encode())


def _covers(reached: ResumePoint | None, revision: ResumePoint) -> bool:
    """Returns whether what is true at a revision is known where another was reached."""
    return (
        reached is not None
        and revision.incarnation == reached.incarnation
        and revision.number <= reached.number
    )
