"""The methods that read, in the three modes of a cache: `live`, `ttl` and `off`.

As in `_methods`, which has the others: what waits is a flow, and a shell runs it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, TypeVar, cast

from ._bindings import bindings_of, check_bindings
from ._cache import CacheStats, Entry
from ._definitions import Variables, definitions_of
from ._errors import (
    DeadlineError,
    SessionNotFoundError,
    TypeMismatchError,
    VariableNotFoundError,
)
from ._json import value_of
from ._live import Live, Look
from ._options import check_age
from ._pins import Held, Pinned, Snapshot
from ._points import ResumePoint, read_point
from ._results import UNSET, Reading, Value, VariableInfo
from ._steps import Begin, Flow, News

__all__ = ["Reads"]

ParamsT = TypeVar("ParamsT", bound=Variables[Any, Any])


class Reads(Live):
    """The reading methods of one context."""

    def get_variable(
        self,
        name: str,
        default: Any = UNSET,
        bypass_cache: bool = False,
        *,
        timeout: float | None = None,
    ) -> Flow[Any]:
        """Returns the value of a variable, as the mode of the cache says; of json a new object each time.

        Args:
            name: Its name or id.
            default: Returned if the variable or the session does not exist; None is a default too.
            bypass_cache: Ask the server in any case; the answer includes every write acknowledged before.
            timeout: See the class.

        Raises:
            InvalidInputError: It is no name, whatever the default is.
            VariableNotFoundError: There is no such variable, and no default was given.
            SessionNotFoundError: There is no such session, and no default was given.
        """
        self.check_open()
        try:
            pinned = None if bypass_cache else self._pinned(name)
            if pinned is not None:
                return pinned.value
            return (yield from self._read(name, timeout, bypass=bypass_cache)).value
        except (VariableNotFoundError, SessionNotFoundError):
            if default is UNSET:
                raise
            return default

    def read(
        self,
        name: str,
        *,
        after: str | None = None,
        max_age: float | None = None,
        bypass_cache: bool = False,
        timeout: float | None = None,
    ) -> Flow[Reading]:
        """Returns a variable's value together with its version and how fresh the answer is.

        Args:
            name: Its name or id.
            after: The `point` of a write or of a watch, of this program or another: the answer includes all
                up to it. It is waited for a second at most, then the server is asked.
            max_age: How old the answer may be, in seconds; what is older is read from the server. None: as
                the mode of the cache says.
            bypass_cache: Ask the server in any case; the answer includes every write acknowledged before.
            timeout: See the class; for all of it together.

        Raises:
            VariableNotFoundError: There is no such variable.
            SessionNotFoundError: There is no such session.
            InvalidInputError: `after` is no point.
            ValueError: `max_age` is negative or NaN.
        """
        self.check_open()
        if max_age is not None:
            check_age(max_age, "max_age")
        elif after is None and not bypass_cache:
            pinned = self._pinned(name)
            if pinned is not None:
                return pinned
        if after is None:
            return (yield from self._read(name, timeout, bypass=bypass_cache, max_age=max_age))
        point = read_point(after)
        limit = self._options.limit(timeout)
        deadline = self.now() + limit
        if self.is_live and not bypass_cache:
            yield from self._reach(point, limit)
        left = self._left(deadline, "the read", limit)
        return (yield from self._read(name, left, bypass=bypass_cache, max_age=max_age, after=point))

    def _read(
        self,
        name: str,
        timeout: float | None,
        *,
        bypass: bool,
        max_age: float | None = None,
        after: ResumePoint | None = None,
    ) -> Flow[Reading]:
        self.check_open()
        if self.is_live and not bypass:
            reading = yield from self._read_local(name, max_age, after)
            if reading is not None:
                return reading
        # What is cached is not known to be as late as a point.
        exact = bypass or after is not None
        hit = self._held(name, exact, max_age)
        if hit is not None:
            return _reading(hit[0], "cache", hit[1])
        entry = yield from self._fetch_one(name, exact or max_age is not None, timeout)
        return _reading(entry, "server", 0.0)

    def get_variables(
        self,
        names: Iterable[str],
        defaults: Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
    ) -> Flow[dict[str, Any]]:
        """Returns the values of many variables, at one revision.

        With `cache="ttl"` that holds for those that are not cached, and with `live` for all of them.

        Args:
            names: Names or ids, at most 1,000 that are read from the server.
            defaults: Values for variables that do not exist.
            timeout: See the class.

        Returns:
            The values by the identifiers asked for, in their order. A variable that does not exist, in an
            existing session or not, has its default or is left out.
        """
        self.check_open()
        if isinstance(names, str):
            raise TypeError("names is a list of names, not one str")
        wanted = list(dict.fromkeys(names))
        try:
            found = yield from self._find_all(wanted, timeout)
        except SessionNotFoundError:
            found = {}
        values: dict[str, Any] = {}
        for name in wanted:
            if name in found:
                values[name] = found[name]
            elif defaults is not None and name in defaults:
                values[name] = defaults[name]
        return values

    def _find_all(self, names: Sequence[str], timeout: float | None) -> Flow[dict[str, Value]]:
        pinned = self.pins.current
        if pinned is not None:
            readings = {name: self._find_pinned(pinned, name) for name in names}
            return {name: each.value for name, each in readings.items() if each is not None}
        if self.is_live and names:
            look = yield from self._local(names)
            values = None if look is None else _values(names, look)
            if values is not None:
                return values
        entries: dict[str, Entry | VariableNotFoundError] = {}
        missing: list[str] = []
        for name in names:
            hit = self._held(name)
            if hit is None:
                missing.append(name)
            else:
                entries[name] = hit[0]
        if missing:
            entries.update((yield from self._fetch(missing, timeout, shared=True)))
        return {name: entry.value for name, entry in entries.items() if isinstance(entry, Entry)}

    def get_all(self, params: type[ParamsT], *, timeout: float | None = None) -> Flow[ParamsT]:
        """Returns the values of all variables of generated code at one revision.

        They are read from the server, unless the mode of the cache is `live`.

        Args:
            params: The dataclass that `snakepit-bridge types` made, of at most 1,000 variables.
            timeout: See the class.

        Raises:
            VariableNotFoundError: One was deleted.
            TypeMismatchError: One is of another type by now.
            SessionNotFoundError: There is no such session.
        """
        self.check_open()
        definitions = definitions_of(params).variables
        found = yield from self._find_entries(list(definitions), timeout)
        values: list[Value] = []
        for name, definition in definitions.items():
            entry = found[name]
            if isinstance(entry, VariableNotFoundError):
                raise entry
            if entry.type != definition.type:
                raise TypeMismatchError(
                    f"variable {name!r} is of type {entry.type} now, and was defined as {definition.type}",
                    expected=definition.type,
                    actual=entry.type,
                    session_id=self.session_id,
                    identifier=name,
                )
            values.append(entry.value)
        return cast(Callable[..., ParamsT], params)(*values)

    def _find_entries(
        self, names: Sequence[str], timeout: float | None
    ) -> Flow[Mapping[str, Entry | Reading | VariableNotFoundError]]:
        pinned = self.pins.current
        if pinned is not None:
            return {name: self._find_pinned(pinned, name) or self._no_variable(name) for name in names}
        look = (yield from self._local(names)) if self.is_live else None
        if look is not None:
            found: dict[str, Entry | VariableNotFoundError] = {}
            for name, entry in zip(names, look.entries, strict=True):
                if entry is None:
                    found[name] = self._no_variable(name)
                elif entry.held is not None and entry.type is not None:
                    at = look.point
                    found[name] = Entry(entry.id, entry.held, entry.type, entry.version, at.number, str(at))
            if len(found) == len(names):
                return found
        return (yield from self._fetch(names, timeout, shared=False))

    def snapshot(self, *, timeout: float | None = None) -> Flow[Snapshot]:
        """Returns the values of all variables of the session, at one revision; `with` pins them.

        The server may take several answers for them. It is asked again if somebody writes in between. Within
        a `with` block of a snapshot it is that snapshot.

        Args:
            timeout: See the class; for all of it together.

        Raises:
            SessionNotFoundError: There is no such session.
        """
        self.check_open()
        pinned = self.pins.current
        if pinned is None and self.is_live:
            pinned = yield from self._snapshot_here()
        if pinned is None:
            pinned = yield from self._snapshot_there(timeout)
        return pinned.snapshot(self.now())

    def _snapshot_here(self) -> Flow[Pinned | None]:
        look = yield from self._look(self.replica.entries)
        if look is not None and look.point.number == 0:
            raise self._no_session()
        found = [] if look is None else [entry for entry in look.entries if entry is not None]
        variables = [
            Held(each.name, each.id, each.type, each.version, value_of(each.held, each.type))
            for each in found
            if each.held is not None and each.type is not None
        ]
        if look is None or len(variables) < len(found):
            self.misses += 1
            return None
        self._count(look, 1)
        return Pinned(self.pins, variables, look.point, "replica", look.age, look.stale, self.now())

    def _snapshot_there(self, timeout: float | None) -> Flow[Pinned]:
        limit = self._options.limit(timeout)
        deadline = self.now() + limit
        while True:
            listed: dict[str, VariableInfo] = {}
            points = set()
            page_token = ""
            while True:
                call = self._core.list_page(None, None, None, page_token)
                page = yield from self._run(call, self._left(deadline, "the snapshot", limit))
                listed.update(page.variables)
                points.add(page.point)
                page_token = page.next_token
                if not page_token:
                    break
            if len(points) == 1:
                (point,) = points
                variables = [
                    Held(name, each["id"], each["type"], each["version"], each["value"])
                    for name, each in listed.items()
                ]
                return Pinned(self.pins, variables, point, "server", 0.0, False, self.now())

    def peek(self, name: str) -> Any:
        """Returns the value of a variable at once, without waiting and without any call to the server.

        Only with `cache="live"`, and only while the context is in touch with the server, which `ready` waits
        for.

        Raises:
            NotReadyError: It is not, or the value is not held here because it is large.
            InvalidInputError: It is no name.
            VariableNotFoundError: There is no such variable.
            SessionNotFoundError: There is no such session.
        """
        self.check_open()
        return self._peek(name)

    def ready(self, *, timeout: float | None = None) -> Flow[None]:
        """Waits until the context is in touch with the server and has all that is to be read at once.

        Also for a bridge that does not answer yet. From then on reads need no call, and `peek` answers.
        Without `cache="live"` there is nothing to wait for.

        Args:
            timeout: See the class.

        Raises:
            DeadlineError: The time was up; `__cause__` has what stood in the way, if that is known.
            UnavailableError: The channel that the context was given is closed.
        """
        self.check_open()
        if not self.is_live:
            return
        limit = self._options.limit(timeout)
        deadline = self.now() + limit
        following = self.following
        closures = following.closures
        while True:
            mark = following.rung
            if self.replica.is_current:
                return
            self.check_open()
            if following.trouble is not None and self._is_stranded(closures):
                raise following.trouble
            if following.ending is not None:
                raise following.ending
            yield Begin(following)
            left = deadline - self.now()
            if left <= 0:
                trouble = following.trouble
                why = "" if trouble is None else f": {trouble}"
                text = f"the context was not ready within {limit:g} s{why}"
                raise DeadlineError(text, session_id=self.session_id) from trouble
            yield News(following, mark, left)

    def bind(self, params: type[Any], *, timeout: float | None = None) -> Flow[Any]:
        """Returns an object of a dataclass whose fields are always what their variables hold, as `peek` says.

        It waits until the context is ready, and looks once at what the fields are: each is the variable of
        its name, of the type that its annotation says. A field with a default is that while there is no
        variable. The fields are read only. What `dataclasses.replace`, `copy` and `pickle` make of it is a
        plain object with the values of that moment.

        Args:
            params: The dataclass: your own, or one that `snakepit-bridge types` made.
            timeout: See the class.

        Raises:
            TypeError: It is no dataclass, or a field is declared as what no variable can hold.
            ValueError: The context was not made with `cache="live"`.
            DefinitionConflictError: A variable is absent, or of another type; the message has all of them.
            DeadlineError: The time was up, as in `ready`.

        Example:
            >>> from dataclasses import dataclass
            >>> @dataclass
            ... class Params:
            ...     temperature: float
            ...     max_tokens: int = 256
            >>> async def run(session: SessionContext) -> None:
            ...     params = await session.bind(Params)
            ...     print(params.temperature)  # 0.7
            ...     await session.set_variable("temperature", 0.9)
            ...     print(params.temperature)  # 0.9
        """
        self.check_open()
        bindings = bindings_of(params)
        if not self.is_live:
            raise ValueError(f'fields are bound with cache="live", not with cache="{self._options.cache}"')
        limit = self._options.limit(timeout)
        deadline = self.now() + limit
        look: Look | None = None
        # Another thread may close the context, or the bridge be lost, as soon as it is ready.
        while look is None:
            yield from self.ready(timeout=self._left(deadline, "the binding", limit))
            look = self._look_now(self.replica.entries)
        there = {entry.name: entry.type for entry in look.entries if entry is not None}
        check_bindings(bindings, there, self.session_id)
        # A shell makes the object, which holds the context by its way to peek.
        return bindings

    # ---- the cache

    def set_cache_ttl(self, ttl: float) -> None:
        """Sets how long cached answers are used, in seconds; 0: never.

        With `cache="live"` it changes nothing: what is read is never that old.

        Raises:
            ValueError: If it is negative or NaN, or if the context was made with `cache="off"`.
        """
        self.check_open()
        if self._options.cache == "off":
            raise ValueError('the context was made with cache="off": make one with cache="ttl"')
        check_age(ttl, "a cache TTL")
        if self._options.cache == "ttl":
            self.cache.set_ttl(ttl)

    def invalidate_cache(self, name: str | None = None) -> None:
        """Forgets what is cached of a variable, by name or id; None: of all.

        With `cache="live"` there is nothing to forget: the server says what changes. `bypass_cache` asks it.
        """
        self.check_open()
        self.cache.invalidate(name)

    def get_cache_stats(self) -> CacheStats:
        """Returns how often the cache helped: hits, misses, evictions, fetches, size, hit_rate.

        Every variable that is looked up is one hit or one miss; calls that bypass the cache are neither. An
        eviction is an entry that expired or was pushed out. A fetch is one reading call to the server, for
        however many variables and waiters.

        With `cache="live"` also: state (`NOT_READY`, `READY`, `STALE`), reason (why it is not READY), age
        (how long ago the server was heard, in seconds), stale_reads, variables, and bytes (of the values
        held). Size is how many variables have their value here, nothing is evicted, and threads that read at
        the same moment may be counted as one hit.
        """
        self.check_open()
        if not self.is_live:
            return self.cache.stats(self.now())
        replica = self.replica
        hits, misses = replica.served + replica.peeked, self.misses
        return {
            "hits": hits,
            "misses": misses,
            "evictions": 0,
            "fetches": self.cache.fetches,
            "size": replica.loaded,
            "hit_rate": hits / (hits + misses) if hits + misses else 0.0,
            "state": replica.state,
            "reason": replica.reason,
            "age": replica.age(self.now()),
            "stale_reads": self.stale_reads,
            "variables": replica.size,
            "bytes": replica.bytes,
        }


def _values(names: Sequence[str], look: Look) -> dict[str, Value] | None:
    """Returns the values of variables that are there; None if one of them is not held here."""
    values: dict[str, Value] = {}
    for name, entry in zip(names, look.entries, strict=True):
        if entry is None:
            continue
        if entry.held is None or entry.type is None:
            return None
        values[name] = value_of(entry.held, entry.type)
    return values


def _reading(entry: Entry, source: Literal["server", "cache"], age: float) -> Reading:
    return Reading(entry.value, entry.type, entry.version, entry.revision, entry.point, source, age)
