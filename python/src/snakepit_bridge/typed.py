"""What generated code stands on: `snakepit-bridge types` writes it down, and imports these names.

A typed session is the context itself, as type checkers are to see it: its methods take the names of the
generated code only, and for each name the values of its type. What has to do with no name, such as `close` or
`create_session`, stays with the context.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypedDict, TypeVar

from ._definitions import Definition, Definitions, Variables
from ._events import SessionEvent
from ._pins import Snapshot
from ._results import Committed, History, Reading

if TYPE_CHECKING:
    # Of typing from Python 3.11 on. Only type checkers read it here, and they bring it along.
    from typing_extensions import Unpack as Unpack

    from ._aio_watch import Listener, Watch
    from ._dispatcher import Listener as SyncListener
    from ._sync_watch import Watch as SyncWatch

__all__ = [
    "AsyncCompute",
    "Compute",
    "Definition",
    "Definitions",
    "Get",
    "Predicate",
    "Session",
    "Set",
    "SyncSession",
    "Variables",
    "Wait",
    "Write",
]

V = TypeVar("V")
NameT = TypeVar("NameT", bound=str, contravariant=True)
UpdatesT = TypeVar("UpdatesT", contravariant=True)
ParamsT = TypeVar("ParamsT", bound=Variables[Any, Any])
BoundT = TypeVar("BoundT")

Compute: TypeAlias = Callable[[V], V]
"""Makes a new value of a value."""

AsyncCompute: TypeAlias = Callable[[V], V | Awaitable[V]]
"""The same with asyncio, where it may be a coroutine function."""

Predicate: TypeAlias = Callable[[V], object] | None
"""Tells whether a value is the one waited for. None: any is."""


class Get(TypedDict, total=False):
    """The options of `get_variable`; no default, as the variable was there when the session was checked."""

    bypass_cache: bool
    timeout: float | None


class Write(TypedDict, total=False):
    """The options of `increment` and `update_variable`."""

    metadata: Mapping[str, str] | None
    timeout: float | None


class Set(TypedDict, total=False):
    """The options of `set_variable`."""

    metadata: Mapping[str, str] | None
    expected_version: int | None
    timeout: float | None


class Wait(TypedDict, total=False):
    """The options of `wait_for`."""

    timeout: float | None


class Session(Protocol[NameT, UpdatesT]):
    """What is the same for all typed sessions for asyncio; `SessionContext` says what methods do."""

    @property
    def session_id(self) -> str:
        """The session's id."""
        ...

    async def get_all(self, params: type[ParamsT], *, timeout: float | None = None) -> ParamsT:
        """Returns the values of all variables at one revision."""
        ...

    async def bind(self, params: type[BoundT], *, timeout: float | None = None) -> BoundT:
        """Returns an object of a dataclass whose fields are always what their variables hold."""
        ...

    async def read(
        self,
        name: NameT,
        *,
        after: str | None = None,
        max_age: float | None = None,
        bypass_cache: bool = False,
        timeout: float | None = None,
    ) -> Reading:
        """Returns a variable's value together with its version and how fresh the answer is."""
        ...

    async def snapshot(self, *, timeout: float | None = None) -> Snapshot:
        """Returns the values of all variables of the session, also of those that have no type here."""
        ...

    async def ready(self, *, timeout: float | None = None) -> None:
        """Waits until `peek` answers, and reads need no call."""
        ...

    def watch(
        self,
        names: Iterable[NameT] | None = None,
        *,
        glob: str | None = None,
        after: str | None = None,
        passive: bool = False,
    ) -> Watch:
        """Tells every commit of the session; with names or a glob, the changes of those variables."""
        ...

    def on_change(
        self,
        callback: Callable[[SessionEvent], object],
        names: Iterable[NameT] | None = None,
        *,
        glob: str | None = None,
        on_error: Callable[[Exception], object] | None = None,
    ) -> Listener:
        """Has a function called with every commit that `watch` would tell."""
        ...

    async def set_variables(
        self, updates: UpdatesT, metadata: Mapping[str, str] | None = None, *, timeout: float | None = None
    ) -> Committed:
        """Sets many variables in one commit, all or nothing."""
        ...

    async def update_variables(
        self,
        updates: UpdatesT,
        metadata: Mapping[str, str] | None = None,
        atomic: bool = True,
        *,
        timeout: float | None = None,
    ) -> dict[str, bool | str]:
        """Sets many variables and reports on each."""
        ...

    async def get_history(
        self, name: NameT, limit: int | None = None, *, timeout: float | None = None
    ) -> History:
        """Returns the values that a variable had, newest first."""
        ...


class SyncSession(Protocol[NameT, UpdatesT]):
    """What is the same for all typed sessions that block; `sync.SessionContext` says what methods do."""

    @property
    def session_id(self) -> str:
        """The session's id."""
        ...

    def get_all(self, params: type[ParamsT], *, timeout: float | None = None) -> ParamsT:
        """Returns the values of all variables at one revision."""
        ...

    def bind(self, params: type[BoundT], *, timeout: float | None = None) -> BoundT:
        """Returns an object of a dataclass whose fields are always what their variables hold."""
        ...

    def read(
        self,
        name: NameT,
        *,
        after: str | None = None,
        max_age: float | None = None,
        bypass_cache: bool = False,
        timeout: float | None = None,
    ) -> Reading:
        """Returns a variable's value together with its version and how fresh the answer is."""
        ...

    def snapshot(self, *, timeout: float | None = None) -> Snapshot:
        """Returns the values of all variables of the session, also of those that have no type here."""
        ...

    def ready(self, *, timeout: float | None = None) -> None:
        """Waits until `peek` answers, and reads need no call."""
        ...

    def watch(
        self,
        names: Iterable[NameT] | None = None,
        *,
        glob: str | None = None,
        after: str | None = None,
        passive: bool = False,
    ) -> SyncWatch:
        """Tells every commit of the session; with names or a glob, the changes of those variables."""
        ...

    def on_change(
        self,
        callback: Callable[[SessionEvent], object],
        names: Iterable[NameT] | None = None,
        *,
        glob: str | None = None,
        on_error: Callable[[Exception], object] | None = None,
    ) -> SyncListener:
        """Has a function called with every commit that `watch` would tell."""
        ...

    def set_variables(
        self, updates: UpdatesT, metadata: Mapping[str, str] | None = None, *, timeout: float | None = None
    ) -> Committed:
        """Sets many variables in one commit, all or nothing."""
        ...

    def update_variables(
        self,
        updates: UpdatesT,
        metadata: Mapping[str, str] | None = None,
        atomic: bool = True,
        *,
        timeout: float | None = None,
    ) -> dict[str, bool | str]:
        """Sets many variables and reports on each."""
        ...

    def get_history(self, name: NameT, limit: int | None = None, *, timeout: float | None = None) -> History:
        """Returns the values that a variable had, newest first."""
        ...
