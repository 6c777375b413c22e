"""What a watch tells of a commit: plain and frozen, as everything that the client hands back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, TypeAlias

from . import _calls as calls
from ._errors import InternalError
from ._gen import variables_pb2
from ._json import value_of
from ._points import NOWHERE, ResumePoint, read_point
from ._results import UNSET, Scalar, Unset, Value, VariableType
from ._values import decode_kept

__all__ = ["EventKind", "SessionEvent", "VariableChange", "decode_change", "decode_event", "point_after"]

EventKind: TypeAlias = Literal["changed", "created", "deleted", "expired"]
"""What a commit did to its session."""

_KINDS: Final[dict[int, EventKind]] = {1: "changed", 2: "created", 3: "deleted", 4: "expired"}

Kept: TypeAlias = tuple[Scalar, VariableType]


@dataclass(frozen=True, repr=False)
class VariableChange:
    """What a commit did to one variable. Equal versions: it was defined anew, and not set.

    Attributes:
        name: The variable.
        version: Its version now; None if it was deleted.
        previous_version: Its version before; None if it did not exist.
    """

    name: str
    version: int | None
    previous_version: int | None
    _now: Kept | None = field(default=None)
    _before: Kept | None = field(default=None)

    @property
    def value(self) -> Value | Unset:
        """Its value now; of json a new object each time.

        UNSET if the variable was deleted; with a version, if it was too long to be told and has to be read.
        """
        return UNSET if self._now is None else value_of(*self._now)

    @property
    def previous(self) -> Value | Unset:
        """Its value before; of json a new object each time.

        UNSET if it did not exist; with a version, if the bridge could not tell: what a commit replaced is
        known while it happens, and of those that were missed only what another of them had made.
        """
        return UNSET if self._before is None else value_of(*self._before)

    def __repr__(self) -> str:
        return (
            f"VariableChange(name={self.name!r}, value={self.value!r}, version={self.version}, "
            f"previous={self.previous!r}, previous_version={self.previous_version})"
        )


@dataclass(frozen=True)
class SessionEvent:
    """A commit of a session.

    Attributes:
        kind: `created`: the session begins, and `changes` has the variables that were created with it.
            `deleted`, `expired`: it ends; its watch goes on, and is told when it is created again. Else
            `changed`.
        session_id: The session.
        revision: The revision of the session that the commit made.
        source: The language of the writer: `typescript`, `python`, …; `expiry` where nobody wrote.
        at: When, by the server's clock, in UTC.
        metadata: The metadata of this commit alone.
        changes: The changes that were asked for, each variable at most once.
    """

    kind: EventKind
    session_id: str
    revision: int
    source: str
    at: datetime
    metadata: Mapping[str, str]
    changes: tuple[VariableChange, ...]
    _committed: ResumePoint = field(default=NOWHERE, repr=False, compare=False)


def point_after(told: variables_pb2.WatchResponse) -> ResumePoint:
    """Returns where one stands who was told this: the session's end leaves it with no session.

    Raises:
        InternalError: PROTOCOL, if nothing that this version knows was told.
    """
    kind = told.WhichOneof("kind")
    if kind == "bookmark":
        return read_point(told.bookmark)
    if kind is None or told.event.kind not in _KINDS:
        raise InternalError(
            "the bridge told a watch what is unknown to this package: upgrade with "
            "`pip install -U snakepit-bridge`",
            reason="PROTOCOL",
        )
    point = read_point(told.event.revision)
    return NOWHERE if _KINDS[told.event.kind] in ("deleted", "expired") else point


def decode_event(message: variables_pb2.SessionEvent) -> SessionEvent:
    """Returns an event. Raises InternalError, PROTOCOL, if a value in it makes no sense."""
    return SessionEvent(
        kind=_KINDS[message.kind],
        session_id=message.session_id,
        revision=message.revision.number,
        source=message.source,
        at=calls.instant(message.committed_at),
        metadata={entry.key: entry.value for entry in message.metadata},
        changes=tuple(decode_change(change) for change in message.changes),
        _committed=read_point(message.revision),
    )


def decode_change(message: variables_pb2.VariableChange) -> VariableChange:
    """Returns a change. Raises as `decode_event`."""
    now, before = message.HasField("after"), message.HasField("before")
    return VariableChange(
        name=message.name,
        version=message.after.version if now else None,
        previous_version=message.before.version if before else None,
        _now=_kept(message.after),
        _before=_kept(message.before),
    )


def _kept(side: variables_pb2.VariableAt) -> Kept | None:
    return decode_kept(side) if side.HasField("value") else None
