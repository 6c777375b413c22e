"""The asyncio client: a thin shell over `_core`, which thinks, and `_aio_transport`, which carries.

A blocking twin will have the same methods in the same order, so nothing is decided here that a twin would
have to decide again.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable, Mapping
from datetime import timedelta
from types import TracebackType
from typing import Any, Literal, TypeVar

import grpc.aio

from . import _core as core
from . import _options
from ._aio_transport import AioTransport
from ._cache import CacheStats, Entry, TtlCache
from ._errors import BatchError, DeadlineError, SessionNotFoundError, VariableNotFoundError
from ._request_ids import RequestIds
from ._results import UNSET, Committed, Reading, VariableInfo, VariableType, Written

__all__ = ["SessionContext"]

T = TypeVar("T")
Self = TypeVar("Self", bound="SessionContext")


class SessionContext:
    """The variables of one session, read and written from asyncio.

    Making a context does no I/O and needs no running loop; the first call connects. With `address`, a context
    may be used in several event loops in turn, and it pickles to its session id, address and options. With
    `channel`, it works in that channel's loop only, does not pickle, and never closes the channel. It is not
    for several threads at once.

    While the context has never seen its session exist, `set_variable`, `increment`, `update_variables`,
    `set_variables` and `register_variable` create the session if it is missing; the first four create a
    missing variable too, with the type of the value. After a deletion or expiry of the session they raise
    SessionNotFoundError until `create_session()` is called.

    Every call may raise UnavailableError (nobody answers; nothing was carried out), DeadlineError (a read ran
    out of time), AuthError, InternalError, and ClosedError (after `close()`); every write also
    OutcomeUnknownError (it was sent and never answered, and may or may not have been carried out). Cancelling
    a write stops only the waiting.

    Args:
        session_id: The session.
        channel: A grpc.aio channel of your own, instead of `address` and `token`.
        address: HOST:PORT of the bridge. None: the environment variable SNAKEPIT_BRIDGE_ADDRESS, else
            127.0.0.1:50051.
        token: Sent as a bearer token with every call. None: none is sent.
        cache: `ttl`: a value read or written is used again for `ttl` seconds, counted from the start of the
            call that fetched it; changes made by others are seen after that time at the latest. `off`: every
            read asks the server.
        ttl: See `cache`; 0 keeps nothing.
        strict: Create nothing by inference: a missing session or variable is an error.
        timeout: How long a call may take, in seconds, retries included; every method's `timeout` overrides
            it.

    Raises:
        ValueError: If an option has no meaning.
        TypeError: If `channel` is not a grpc.aio channel.

    Example:
        >>> async def main() -> None:
        ...     async with SessionContext("experiment-1") as session:
        ...         await session.register_variable("temperature", "float", 0.7, constraints={"max": 2.0})
        ...         await session.set_variable("temperature", 1)
        ...         print(await session.get_variable("temperature"))  # 1.0
    """

    def __init__(
        self,
        session_id: str,
        channel: grpc.aio.Channel | None = None,
        *,
        address: str | None = None,
        token: str | None = None,
        cache: Literal["ttl", "off"] = "ttl",
        ttl: float = 1.0,
        strict: bool = False,
        timeout: float = 5.0,
    ) -> None:
        if channel is not None and not isinstance(channel, grpc.aio.Channel):
            raise TypeError(f"channel must be a grpc.aio.Channel, not {type(channel).__name__}")
        self._options = _options.resolve_options(
            has_channel=channel is not None,
            address=address,
            token=token,
            cache=cache,
            ttl=ttl,
            strict=strict,
            timeout=timeout,
            environment=os.environ,
        )
        self._channel = channel
        self._now = time.monotonic
        self._cache = TtlCache(self._options.ttl)
        self._core = core.SessionCore(
            session_id,
            cache=self._cache,
            strict=strict,
            ids=RequestIds(lambda: os.urandom(16), os.getpid),
            now=lambda: self._now(),
        )
        self._transport = AioTransport(
            self._core, channel=channel, address=self._options.address, token=token
        )

    @property
    def session_id(self) -> str:
        """The session's id."""
        return self._core.session_id

    async def create_session(
        self,
        *,
        ttl: float | timedelta | None = None,
        metadata: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> bool:
        """Makes sure that the session exists.

        Args:
            ttl: The idle time after which the session expires, in seconds; 0: never. None: the server's
                default, an hour. Ignored, as the metadata is, if the session exists.
            metadata: Free text about the session.
            timeout: See the class.

        Returns:
            True if it was created, False if it existed.
        """
        return await self._run(self._core.create_session(ttl, metadata), timeout)

    async def get_variable(
        self,
        name: str,
        default: Any = UNSET,
        bypass_cache: bool = False,
        *,
        timeout: float | None = None,
    ) -> Any:
        """Returns the value of a variable, at most the cache's TTL old; of json a new object each time.

        Args:
            name: Its name or id.
            default: Returned if the variable or the session does not exist; None is a default too.
            bypass_cache: Ask the server in any case; the answer includes every write acknowledged before.
            timeout: See the class.

        Raises:
            VariableNotFoundError: There is no such variable, and no default was given.
            SessionNotFoundError: There is no such session, and no default was given.

        Example:
            >>> async def temperature(session: SessionContext) -> float:
            ...     return await session.get_variable("temperature", default=0.7)
        """
        try:
            return (await self._read(name, bypass_cache, timeout))[0].value
        except (VariableNotFoundError, SessionNotFoundError):
            if default is UNSET:
                raise
            return default

    async def read(self, name: str, *, timeout: float | None = None) -> Reading:
        """Returns a variable's value together with its version and how fresh the answer is.

        Raises:
            VariableNotFoundError: There is no such variable.
            SessionNotFoundError: There is no such session.
        """
        entry, age = await self._read(name, False, timeout)
        source: Literal["server", "cache"] = "server" if age is None else "cache"
        return Reading(entry.value, entry.type, entry.version, entry.revision, source, age or 0.0)

    async def get_variables(
        self,
        names: Iterable[str],
        defaults: Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
    ) -> dict[str, Any]:
        """Returns the values of many variables; those that are not cached are read at one revision.

        Args:
            names: Names or ids, at most 1,000 that are not cached.
            defaults: Values for variables that do not exist.
            timeout: See the class.

        Returns:
            The values by the identifiers asked for, in their order. A variable that does not exist, in an
            existing session or not, has its default or is left out.
        """
        self._transport.check_open()
        if isinstance(names, str):
            raise TypeError("names is a list of names, not one str")
        entries: dict[str, Entry | VariableNotFoundError] = {}
        missing: list[str] = []
        wanted = list(dict.fromkeys(names))
        for name in wanted:
            hit = self._look_up(name)
            if hit is None:
                missing.append(name)
            else:
                entries[name] = hit[0]
        if missing:
            try:
                entries.update(await self._fetch(missing, timeout, shared=True))
            except SessionNotFoundError:
                entries.clear()  # what was cached is of a session that is gone
        values: dict[str, Any] = {}
        for name in wanted:
            entry = entries.get(name)
            if isinstance(entry, Entry):
                values[name] = entry.value
            elif defaults is not None and name in defaults:
                values[name] = defaults[name]
        return values

    async def set_variable(
        self,
        name: str,
        value: Any,
        metadata: Mapping[str, str] | None = None,
        *,
        expected_version: int | None = None,
        timeout: float | None = None,
    ) -> Written:
        """Sets a variable.

        Args:
            name: Its name or id.
            value: A bool, int, float or str, or a numpy scalar of these kinds; for a json variable also None,
                a list, tuple or dict of such values, which comes back as it was, a tuple as a list. An int is
                taken by a float variable if a float holds it exactly; nothing else is converted.
            metadata: Free text that belongs to this write.
            expected_version: Set only if the variable is at this version; 0: only if it does not exist. None:
                always.
            timeout: See the class.

        Raises:
            TypeMismatchError: The value is not of the variable's type.
            ConstraintError: It breaks a constraint.
            ConflictError: The variable is at another version.
            InvalidInputError: The name, value or metadata cannot be one.
            VariableNotFoundError: There is no such variable (`strict`, or `expected_version` above 0).
            SessionNotFoundError: There is no such session (`strict`, or it existed before).

        Example:
            >>> async def claim(session: SessionContext) -> None:
            ...     state = await session.read("state")
            ...     if state.value == "free":
            ...         await session.set_variable("state", "mine", expected_version=state.version)
        """
        return await self._run(self._core.set(name, value, metadata, expected_version), timeout)

    async def increment(
        self,
        name: str,
        by: float = 1,
        metadata: Mapping[str, str] | None = None,
        *,
        timeout: float | None = None,
    ) -> Any:
        """Adds to a float or integer variable, as one step that no other write can come between.

        Args:
            name: Its name or id.
            by: What to add; negative to subtract. An integer variable takes only an int.
            metadata: Free text that belongs to this write.
            timeout: See the class.

        Returns:
            The sum. Raises as `set_variable` does.
        """
        return await self._run(self._core.increment(name, by, metadata), timeout)

    async def update_variables(
        self,
        updates: Mapping[str, Any],
        metadata: Mapping[str, str] | None = None,
        atomic: bool = True,
        *,
        timeout: float | None = None,
    ) -> dict[str, bool | str]:
        """Sets many variables and reports on each.

        Args:
            updates: Values by name or id, at most 1,000.
            metadata: Free text that belongs to these writes.
            atomic: True: all or nothing. False: those that are acceptable.
            timeout: See the class.

        Returns:
            True for each that was set, else the text of its error. No item makes this raise; a failure of the
            whole request does.

        Example:
            >>> async def report(session: SessionContext, loss: float) -> bool:
            ...     results = await session.update_variables({"loss": loss, "done": True}, atomic=False)
            ...     return all(result is True for result in results.values())
        """
        self._transport.check_open()
        items, faults = self._core.batch(updates)
        refused = atomic and bool(faults)
        if items and not refused:
            try:
                faults.update((await self._run(self._core.set_many(items, metadata, atomic), timeout))[1])
            except BatchError as error:
                faults, refused = error.errors, True
        return core.verdicts(updates, faults, refused=refused)

    async def set_variables(
        self,
        updates: Mapping[str, Any],
        metadata: Mapping[str, str] | None = None,
        *,
        timeout: float | None = None,
    ) -> Committed:
        """Sets many variables in one commit, all or nothing.

        Args:
            updates: Values by name or id, at most 1,000; without any, no call is made.
            metadata: Free text that belongs to these writes.
            timeout: See the class.

        Raises:
            BatchError: At least one cannot be set, and none was; `errors` has all of them.
        """
        self._transport.check_open()
        items, faults = self._core.batch(updates)
        if faults:
            raise core.batch_error(faults, len(updates), self.session_id)
        if not items:
            return Committed(None, {})
        return (await self._run(self._core.set_many(items, metadata, True), timeout))[0]

    async def register_variable(
        self,
        name: str,
        type: VariableType,
        initial_value: Any,
        constraints: Mapping[str, Any] | None = None,
        metadata: Mapping[str, str] | None = None,
        *,
        timeout: float | None = None,
    ) -> str:
        """Defines a new variable.

        Args:
            name: 1 to 256 bytes of text.
            type: `float`, `integer`, `string`, `boolean`, `choice` or `json`.
            initial_value: Its first value, which has to satisfy the constraints.
            constraints: Limits on every value: `min`, `max` (float, integer), `step` (integer), `min_length`,
                `max_length`, `pattern` (string), `choices` (choice, which needs it): a list of str.
            metadata: Free text about the variable.
            timeout: See the class.

        Returns:
            The variable's id, which methods take in place of the name.

        Raises:
            AlreadyExistsError: The name is taken, and not by a variable that was only inferred.
            DefinitionConflictError: An inferred variable of this name has a value that does not fit.
            TypeMismatchError: The initial value is not of the type.
            ConstraintError: The initial value breaks a constraint.
            InvalidInputError: The name, type, value, metadata or a constraint cannot be one.
        """
        call = self._core.register(name, type, initial_value, constraints, metadata)
        return await self._run(call, timeout)

    async def ensure_variable(
        self,
        name: str,
        type: VariableType,
        initial_value: Any,
        constraints: Mapping[str, Any] | None = None,
        metadata: Mapping[str, str] | None = None,
        *,
        timeout: float | None = None,
    ) -> str:
        """Makes sure that a variable with this definition exists, so that a program can start twice.

        A missing variable is created. An existing one keeps its value; other constraints replace its own if
        the value satisfies them. The session has to exist. The arguments are those of `register_variable`.

        Returns:
            The variable's id.

        Raises:
            DefinitionConflictError: It exists with another type, or with a value that breaks the constraints.
            SessionNotFoundError: There is no such session.
        """
        call = self._core.ensure(name, type, initial_value, constraints, metadata)
        try:
            return await self._run(call, timeout)
        except BatchError as error:
            # On the wire this is a batch of one; here it is one variable.
            only = error.errors.get(name)
            if only is None:
                raise
            raise only from error

    async def delete_variable(self, name: str, *, timeout: float | None = None) -> None:
        """Deletes a variable, by name or id.

        Raises:
            VariableNotFoundError: There is no such variable.
            SessionNotFoundError: There is no such session.
        """
        await self._run(self._core.delete(name), timeout)

    async def list_variables(
        self,
        glob: str | None = None,
        *,
        type: VariableType | None = None,
        source: str | None = None,
        timeout: float | None = None,
    ) -> dict[str, VariableInfo]:
        r"""Returns all there is to know about the variables, by name, from the server.

        Args:
            glob: Only names that match: `*` is any run of characters, `?` one, and `\` takes the next as it
                is.
            type: Only variables of this type.
            source: Only variables written last by this language, such as `typescript`.
            timeout: See the class; for all pages together.

        Raises:
            SessionNotFoundError: There is no such session.
        """
        limit = self._options.limit(timeout)
        deadline = self._now() + limit
        variables: dict[str, VariableInfo] = {}
        page_token = ""
        while True:
            left = deadline - self._now()
            if left <= 0:
                raise DeadlineError(f"the list did not end within {limit:g} s", session_id=self.session_id)
            call = self._core.list_page(glob, type, source, page_token)
            page, page_token = await self._run(call, left)
            variables.update(page)
            if not page_token:
                return variables

    async def heartbeat(self, *, timeout: float | None = None) -> None:
        """Restarts the session's idle time.

        Raises:
            SessionNotFoundError: There is no such session.
        """
        await self._run(self._core.heartbeat(), timeout)

    async def delete_session(self, *, timeout: float | None = None) -> None:
        """Ends the session with all its variables.

        Raises:
            SessionNotFoundError: There is no such session.
        """
        await self._run(self._core.delete_session(), timeout)

    def set_cache_ttl(self, ttl: float) -> None:
        """Sets how long cached answers are used, in seconds; 0: never.

        Raises:
            ValueError: If it is negative or NaN, or if the context was made with `cache="off"`.
        """
        self._transport.check_open()
        if self._options.cache == "off":
            raise ValueError('the context was made with cache="off": make one with cache="ttl"')
        self._cache.set_ttl(ttl)

    def invalidate_cache(self, name: str | None = None) -> None:
        """Forgets what is cached of a variable, by name or id; None: of all."""
        self._transport.check_open()
        self._cache.invalidate(name)

    def get_cache_stats(self) -> CacheStats:
        """Returns how often the cache helped: hits, misses, evictions, fetches, size, hit_rate.

        Every variable that is looked up is one hit or one miss; calls that bypass the cache are neither. An
        eviction is an entry that expired or was pushed out. A fetch is one reading call to the server, for
        however many variables and waiters.
        """
        self._transport.check_open()
        return self._cache.stats(self._now())

    async def close(self) -> None:
        """Ends the context; every later call raises ClosedError. A channel that was given stays open."""
        await self._transport.close()

    async def __aenter__(self: Self) -> Self:
        self._transport.check_open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return _options.describe(
            self.session_id, self._options, has_channel=self._channel is not None, ttl=self._cache.ttl
        )

    def __reduce__(self) -> tuple[Any, ...]:
        if self._channel is not None:
            raise TypeError("a SessionContext with a channel cannot be pickled: give it address= instead")
        return _unpickle, (type(self), self.session_id, _options.to_keywords(self._options, self._cache.ttl))

    # ---- within

    async def _run(self, call: core.Call[T], timeout: float | None) -> T:
        return await self._transport.run(call, self._options.limit(timeout))

    def _look_up(self, name: str) -> tuple[Entry, float] | None:
        return None if self._options.cache == "off" else self._cache.look_up(name, self._now())

    async def _read(self, name: str, bypass: bool, timeout: float | None) -> tuple[Entry, float | None]:
        """Returns what is known of a variable, and its age if it comes from the cache."""
        self._transport.check_open()
        hit = None if bypass else self._look_up(name)
        if hit is not None:
            return hit
        entry = (await self._fetch([name], timeout, shared=not bypass))[name]
        if isinstance(entry, VariableNotFoundError):
            raise entry
        return entry, None

    async def _fetch(self, names: list[str], timeout: float | None, *, shared: bool) -> core.Found:
        # A read that has to be exact, or with a deadline of its own, cannot share the fetch of another.
        if not shared or timeout is not None or self._cache.ttl == 0:
            return await self._ask(self._core.get(names), timeout)
        flights = self._transport.link().flights
        tasks = {name: flights.find(name) for name in names}
        alone = [name for name, task in tasks.items() if task is None]
        if alone:
            call = self._core.get(alone)
            started = flights.start(alone, call.fetch, self._ask(call, None))
            tasks.update(dict.fromkeys(alone, started))
        found: dict[str, Entry | VariableNotFoundError] = {}
        for name, task in tasks.items():
            answer = None if task is None else await flights.land(task)
            self._transport.check_open()
            if answer is None:
                raise asyncio.CancelledError  # the fetch itself was cancelled, as a loop does at its end
            found[name] = answer[name]
        return found

    async def _ask(self, call: core.Call[core.Found], timeout: float | None) -> core.Found:
        try:
            return await self._run(call, timeout)
        except VariableNotFoundError as error:
            return {call.about[0]: error} if call.about else {}


def _unpickle(cls: type[SessionContext], session_id: str, keywords: dict[str, Any]) -> SessionContext:
    return cls(session_id, **keywords)
