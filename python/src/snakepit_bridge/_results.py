"""What the client hands back: plain, frozen, and the same for every way of asking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Final, Literal, TypeAlias, TypedDict

__all__ = [
    "UNSET",
    "Committed",
    "History",
    "HistoryEntry",
    "Reading",
    "Scalar",
    "Unset",
    "Value",
    "VariableInfo",
    "VariableType",
    "Written",
]

Scalar: TypeAlias = bool | int | float | str
"""A value that is not JSON."""

Value: TypeAlias = Scalar | list[Any] | dict[str, Any] | None
"""What a variable can hold, as Python has it: a scalar, or in a json variable anything that JSON has."""

VariableType: TypeAlias = Literal["float", "integer", "string", "boolean", "choice", "json"]
"""The name of a variable's type."""


class Unset(Enum):
    """The type of `UNSET`, for annotations."""

    UNSET = "UNSET"

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET
"""An argument that was not given, where None has a meaning of its own: `default=None` is a default."""


@dataclass(frozen=True)
class Reading:
    """A value and how fresh it is.

    Attributes:
        value: The value.
        type: The variable's type.
        version: The variable's version: 1 at its registration, one more for each accepted set.
        revision: The revision of the session that the answer is true at.
        point: That revision as a point in the life of the session: what was true before it is not read
            `after` it.
        source: Who answered: `server`; `replica`, the copy that the server keeps current (`cache="live"`); or
            `cache` for an answer kept from before (`cache="ttl"`).
        age: An upper bound on how old the answer is, in seconds; 0.0 when the server has just answered. Of
            the replica: how long ago the server was heard last, which is every 2 s where nothing changes.
        stale: True if the replica is out of touch with the server, so that this may have changed meanwhile.
    """

    value: Value
    type: VariableType
    version: int
    revision: int
    point: str
    source: Literal["server", "replica", "cache"]
    age: float
    stale: bool = False


@dataclass(frozen=True)
class Written:
    """An accepted write.

    Attributes:
        version: The variable's new version.
        revision: The session's revision that the write made.
        value: The value as the bridge keeps it: an int that was set into a float variable is a float.
        point: The same revision as a text that `read` and `watch` take as `after`, in any program.
    """

    version: int
    revision: int
    value: Value
    point: str


@dataclass(frozen=True)
class Committed:
    """An accepted batch.

    Attributes:
        revision: The session's revision that the batch made; None for an empty batch, which makes none.
        versions: The new version of each variable, by the identifier it was given by.
        point: The same revision as a text, as in `Written`.
    """

    revision: int | None
    versions: Mapping[str, int]
    point: str | None


@dataclass(frozen=True)
class HistoryEntry:
    """One value that a variable had.

    Attributes:
        version: The version that the variable had with this value.
        type: The type that it had then: one that was only inferred may have become another.
        value: The value.
        revision: The session's revision that the write made.
        set_at: When that was, by the server's clock, in UTC.
        source: Who wrote it: `python`, `typescript`, …
        metadata: The metadata of that write alone.
    """

    version: int
    type: VariableType
    value: Value
    revision: int
    set_at: datetime
    source: str
    metadata: Mapping[str, str]


@dataclass(frozen=True)
class History:
    """The values that a variable had, as far back as they are kept: the newest 50, and at most 1 MiB of them.

    Attributes:
        id: The variable's id: another one that had the name before has a history of its own, which is not
            shown.
        entries: Newest first, from the current value on.
        compacted: True if there were older values that are no longer kept. What a limit left out does not
            count.
        revision: The session's revision that this is true at.
    """

    id: str
    entries: tuple[HistoryEntry, ...]
    compacted: bool
    revision: int


class VariableInfo(TypedDict):
    """What `list_variables` tells about one variable.

    Attributes:
        id: The stable id; a name that is deleted and used again gets a new one.
        type: The variable's type.
        value: Its value.
        version: Its version.
        constraints: The limits on its values, by key; of `choices` the list.
        metadata: The registration's metadata, overlaid by that of the last commit that set the variable.
        source: Who wrote it last: `python`, `typescript`, …
        created_at: When it was created, by the server's clock, in UTC.
        updated_at: When it was set last, by the server's clock, in UTC.
    """

    id: str
    type: VariableType
    value: Value
    version: int
    constraints: dict[str, Scalar | list[Scalar]]
    metadata: dict[str, str]
    source: str
    created_at: datetime
    updated_at: datetime
