"""Definitions as data, as generated code has them (`snakepit-bridge types`), and whether a session fits them.

A session fits if its variables have the types and constraints that the code was generated for, which one
fingerprint tells (DOOR-12). It may have more variables. Initial values do not count, because a session does
not keep them, nor does metadata, which changes nothing for those who use a variable.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

from ._errors import DefinitionConflictError
from ._results import Scalar, VariableType

__all__ = ["Definition", "Definitions", "Variables", "check_fit", "definitions_of", "fingerprint"]

AsyncT = TypeVar("AsyncT", covariant=True)
SyncT = TypeVar("SyncT", covariant=True)

Operand = Scalar | Sequence[Scalar]


@dataclass(frozen=True)
class Definition:
    """What a variable is, apart from its value.

    Attributes:
        type: Its type.
        constraints: The limits on its values, by key; of `choices` the list.
    """

    type: VariableType
    constraints: Mapping[str, Operand] = field(default_factory=dict)


@dataclass(frozen=True)
class Definitions:
    """The variables that code was generated for.

    Attributes:
        fingerprint: What stands for all of them together.
        variables: By name, in the order of the dataclass.
    """

    fingerprint: str
    variables: Mapping[str, Definition]


class Variables(Generic[AsyncT, SyncT]):
    """The base of generated dataclasses, which have a field for the value of each variable.

    The parameters are the classes of the typed sessions, for asyncio and blocking.
    """

    __definitions__: ClassVar[Definitions]


def definitions_of(params: type[Variables[Any, Any]]) -> Definitions:
    """Returns the definitions of a generated dataclass. Raises TypeError for any other class."""
    definitions = getattr(params, "__definitions__", None)
    if isinstance(definitions, Definitions):
        return definitions
    raise TypeError(f"a dataclass made by `snakepit-bridge types` is needed, not {params!r}")


def fingerprint(variables: Mapping[str, Definition]) -> str:
    """Returns the fingerprint of definitions, as 64 hexadecimal digits; their order does not matter."""
    text = "".join(f"{_line(name, variables[name])}\n" for name in sorted(variables))
    return hashlib.sha256(text.encode()).hexdigest()


def check_fit(params: type[Variables[Any, Any]], found: Mapping[str, Definition], session_id: str) -> None:
    """Checks the variables of a session against those that a dataclass was generated for.

    Args:
        params: The dataclass.
        found: What the session has of them.
        session_id: The session.

    Raises:
        DefinitionConflictError: The session does not fit; the message has every variable that differs.
    """
    definitions = definitions_of(params)
    if fingerprint(found) == definitions.fingerprint:
        return
    wanted = definitions.variables
    differing = [name for name in wanted if name not in found or _differ(name, wanted[name], found[name])]
    if differing:
        what = "; ".join(_difference(name, wanted[name], found.get(name)) for name in differing)
    else:
        what = "the fingerprint is not that of the definitions beside it"
    code = f"{params.__module__}.{params.__qualname__}"
    raise DefinitionConflictError(
        f"the session {session_id!r} is not what {code} was made for: {what}. "
        "If the definitions have changed, run `snakepit-bridge types` again",
        session_id=session_id,
        identifier=differing[0] if differing else None,
    )


def _line(name: str, definition: Definition) -> str:
    limits = sorted(definition.constraints.items())
    content = [name, definition.type, [[key, *_texts(operand)] for key, operand in limits]]
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _texts(operand: Operand) -> Iterator[str]:
    for value in [operand] if isinstance(operand, (bool, int, float, str)) else operand:
        # Of a float its bits, because languages write one number differently.
        yield struct.pack(">d", value).hex() if isinstance(value, float) else str(value)


def _differ(name: str, one: Definition, other: Definition) -> bool:
    return _line(name, one) != _line(name, other)


def _difference(name: str, wanted: Definition, found: Definition | None) -> str:
    if found is None:
        return f"{name!r} is missing"
    if found.type != wanted.type:
        return f"{name!r} is of type {found.type}, not {wanted.type}"
    limits = [
        f"{key} {_shown(found, key)}, not {_shown(wanted, key)}"
        for key in sorted({*wanted.constraints, *found.constraints})
        if _limit(found, key) != _limit(wanted, key)
    ]
    return f"{name!r} has {' and '.join(limits)}"


def _limit(definition: Definition, key: str) -> list[str] | None:
    operand = definition.constraints.get(key)
    return None if operand is None else list(_texts(operand))


def _shown(definition: Definition, key: str) -> str:
    operand = definition.constraints.get(key)
    text = "none" if operand is None else repr(operand)
    return text if len(text) <= 200 else f"{text[:200]}…"
