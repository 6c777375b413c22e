"""The cache of mode `ttl`: answers of the server, kept for a short time.

One entry per variable, whether it was asked for by name or by id (the form of an id tells the name, VAL-8).
An entry is as old as the *start* of the call that fetched it, so "younger than the TTL" is a promise about
the value and not about the arrival of the answer. Three things keep an outdated answer out:

- within one life of the session, an answer at an older revision never replaces a newer one;
- an answer of a call that began before an invalidation or an own write of the same variable is not stored,
  nor one of a call that began before an entry of the variable left by its age or to make room;
- an answer from another incarnation of the session empties the cache, and nothing is stored from calls that
  were under way then, because their answers cannot be ordered.

Pure: `now` is passed in, in seconds of a monotonic clock. No locks: one event loop or one lock of the owner
is around it. A dictionary with an expiry time per entry was considered; it cannot change the TTL of what it
already holds.

How the numbers are counted: every identifier that a reading call looks up is one hit or one miss, unless the
call bypasses the cache. An eviction is an entry that left because it expired or because the cache was full;
invalidated and replaced entries are not evictions. A fetch is one reading call sent to the server, for
however many names and waiters; bypassing calls included, retries not.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal, TypedDict

from ._json import value_of
from ._results import Scalar, Value, VariableType

__all__ = ["CacheStats", "Entry", "Fetch", "TtlCache", "name_of"]

_ID = re.compile(r"var_(.+)_[0-9]+", re.DOTALL)


def name_of(identifier: str) -> str:
    """Returns the name that a name or an id stands for (VAL-8: the two forms never meet)."""
    if not identifier.startswith("var_"):
        return identifier
    match = _ID.fullmatch(identifier)
    return identifier if match is None else match[1]


@dataclass(frozen=True)
class Entry:
    """What is known about one variable.

    Attributes:
        id: Its id.
        held: What it holds; of json the text, so that each reader is given an object of its own.
        type: Its type.
        version: Its version.
        revision: The revision of the session at which all this was true.
        point: The same, as a point in the life of the session.
    """

    id: str
    held: Scalar
    type: VariableType
    version: int
    revision: int
    point: str = ""

    @property
    def value(self) -> Value:
        """Its value; of json a new object each time."""
        return value_of(self.held, self.type)


@dataclass(frozen=True)
class Fetch:
    """The beginning of a call, which decides later whether its answer may be stored.

    Attributes:
        sequence: The cache's count of changes when the call began.
        began: When that was, in seconds.
    """

    sequence: int
    began: float


class _Counts(TypedDict):
    hits: int
    misses: int
    evictions: int
    fetches: int
    size: int
    hit_rate: float


class CacheStats(_Counts, total=False):
    """A snapshot of the counts; the module's docstring says how those of mode `ttl` are counted.

    Attributes:
        hits: Look-ups that the cache answered.
        misses: Look-ups that it did not answer.
        evictions: Entries that expired or were pushed out.
        fetches: Reading calls sent to the server.
        size: Entries held now.
        hit_rate: hits / (hits + misses), 0.0 before the first look-up.
        state: With `cache="live"`: `NOT_READY`, `READY` or `STALE`.
        reason: With `cache="live"`: why it is not READY, for people; None if it is.
        age: With `cache="live"`: how long ago the server was heard last, in seconds; None: never.
        stale_reads: With `cache="live"`: hits that were marked as stale.
        variables: With `cache="live"`: the variables that are known.
        bytes: With `cache="live"`: what the values take that are held here.
    """

    state: Literal["NOT_READY", "READY", "STALE"]
    reason: str | None
    age: float | None
    stale_reads: int
    variables: int
    bytes: int


class TtlCache:
    """See the module. The bounds: `max_entries` entries, and as many marks of recent changes.

    Attributes:
        fetches: Reading calls sent to the server.
    """

    def __init__(self, ttl: float, max_entries: int = 10_000) -> None:
        if max_entries < 1:
            raise ValueError(f"max_entries must be at least 1, not {max_entries}")
        self.max_entries = max_entries
        self.set_ttl(ttl)
        # By name; the entry that was fetched longest ago stands first.
        self._entries: OrderedDict[str, tuple[Entry, float]] = OrderedDict()
        self._incarnation: bytes | None = None
        # Fetches that began before a mark of their variable are outdated; without a mark, the floor decides.
        self._sequence = 0
        self._marks: OrderedDict[str, int] = OrderedDict()
        self._floor = 0
        self._hits = self._misses = self._evictions = self.fetches = 0

    def set_ttl(self, ttl: float) -> None:
        """Sets how long answers are used, in seconds; also those already held. 0: never.

        Raises:
            ValueError: If it is negative or NaN.
        """
        if not ttl >= 0:
            raise ValueError(f"a cache TTL is 0 or more seconds, not {ttl}")
        self.ttl = float(ttl)

    def look_up(
        self, identifier: str, now: float, max_age: float | None = None
    ) -> tuple[Entry, float] | None:
        """Returns the entry and its age in seconds, or None; counts a hit or a miss.

        Args:
            identifier: The name or id.
            now: The time.
            max_age: What is older is not returned, but stays; None: as the TTL says.
        """
        name = name_of(identifier)
        held = self._entries.get(name)
        if held is not None:
            entry, began = held
            if now - began >= self.ttl:
                self._evict(name)
            elif identifier in (name, entry.id) and (max_age is None or now - began <= max_age):
                self._hits += 1
                return entry, max(0.0, now - began)
        self._misses += 1
        return None

    def begin(self, now: float) -> Fetch:
        """Notes that a call begins whose answer may be stored."""
        return Fetch(self._sequence, now)

    def count_fetch(self) -> None:
        """Notes that a reading call was sent."""
        self.fetches += 1

    def is_current(self, identifier: str, fetch: Fetch) -> bool:
        """Returns whether the variable was neither invalidated nor written by us since the call began."""
        return self._marks.get(name_of(identifier), self._floor) <= fetch.sequence

    def may_join(self, identifier: str, fetch: Fetch, now: float) -> bool:
        """Returns whether one who reads now may have the answer of a call that has begun already."""
        return self.is_current(identifier, fetch) and now - fetch.began < self.ttl

    def store(self, entry: Entry, fetch: Fetch, now: float) -> None:
        """Keeps an answer, if it may be kept (see the module)."""
        name = name_of(entry.id)
        held = self._entries.get(name)
        current = self.is_current(name, fetch)
        if held is not None:
            newer = entry.revision - held[0].revision
            if newer < 0 or (newer == 0 and not current):
                return
        began = fetch.began
        if held is not None:
            del self._entries[name]
            # The held answer was given after its own call began, and the new one is not older than that.
            began = max(began, held[1])
        if now - began >= self.ttl or not current:
            return
        self._drop_expired(now)
        if len(self._entries) >= self.max_entries:
            self._evict(next(iter(self._entries)))
        self._entries[name] = (entry, began)

    def note_write(self, identifier: str) -> None:
        """Notes an own write of a variable: answers of calls that began before are not stored any more."""
        self._sequence += 1
        name = name_of(identifier)
        self._marks.pop(name, None)
        self._marks[name] = self._sequence
        if len(self._marks) > self.max_entries:
            self._floor = self._marks.popitem(last=False)[1]

    def invalidate(self, identifier: str | None = None) -> None:
        """Forgets one variable, by name or id; None forgets all. An empty name is only a name."""
        if identifier is not None:
            self.note_write(identifier)
            self._entries.pop(name_of(identifier), None)
            return
        self._sequence += 1
        self._floor = self._sequence
        self._marks.clear()
        self._entries.clear()

    def observe(self, incarnation: bytes) -> None:
        """Takes notice of the life of the session that an answer is from; another one empties the cache."""
        if self._incarnation not in (None, incarnation):
            self.invalidate()
        self._incarnation = incarnation

    def stats(self, now: float) -> CacheStats:
        """Returns the counts; entries that are expired by now are evicted first."""
        for name in [name for name, (_, began) in self._entries.items() if now - began >= self.ttl]:
            self._evict(name)
        looked_up = self._hits + self._misses
        return {
            "hits": self._hits,
            "misses": self._misses,
            "evictions": self._evictions,
            "fetches": self.fetches,
            "size": len(self._entries),
            "hit_rate": self._hits / looked_up if looked_up else 0.0,
        }

    def _drop_expired(self, now: float) -> None:
        while self._entries:
            name = next(iter(self._entries))
            if now - self._entries[name][1] < self.ttl:
                break
            self._evict(name)

    def _evict(self, name: str) -> None:
        """Lets an entry go. It may have been read, so an older answer must not be kept after it."""
        del self._entries[name]
        self._evictions += 1
        self.note_write(name)
