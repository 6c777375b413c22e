"""What a client has to see of one session, written from the rules (spec/README.md) and from nothing else."""

from __future__ import annotations

import math
import re
import struct
from dataclasses import dataclass, field, replace
from typing import Any

from snakepit_bridge import (
    AlreadyExistsError,
    BatchError,
    BridgeError,
    ConflictError,
    ConstraintError,
    DefinitionConflictError,
    InvalidInputError,
    TypeMismatchError,
    VariableNotFoundError,
)

INT64 = range(-(2**63), 2**63)
EXACT_IN_JSON = range(-(2**53) + 1, 2**53)
JSON_DEPTH = 64
TYPES = {bool: "boolean", int: "integer", float: "float", str: "string"}
JSON = (type(None), list, tuple, dict)
"""What only a json variable holds."""


class RefusedError(Exception):
    """The model refuses: with an error of this class, and for a batch with these items."""

    def __init__(self, cls: type[BridgeError], items: dict[str, type[BridgeError]] | None = None) -> None:
        super().__init__(cls.__name__)
        self.cls = cls
        self.items = items or {}


@dataclass(frozen=True)
class Variable:
    id: str
    type: str
    value: Any
    version: int
    constraints: dict[str, Any] = field(default_factory=dict)
    provisional: bool = False


@dataclass
class SessionModel:
    """One session that exists, and its variables by name."""

    revision: int = 1
    variables: dict[str, Variable] = field(default_factory=dict)
    last_versions: dict[str, int] = field(default_factory=dict)

    def get(self, name: str) -> Variable:
        if name not in self.variables:
            raise RefusedError(VariableNotFoundError)
        return self.variables[name]

    def set(self, name: str, value: Any, expected_version: int | None = None) -> Variable:
        return self._commit({name: self._judge(name, value, expected_version)})[name]

    def increment(self, name: str, by: Any) -> Variable:
        variable = self.variables.get(name)
        if variable is None:
            return self._commit({name: self._judge(name, 0 + by)})[name]
        if variable.type not in ("float", "integer"):
            raise RefusedError(TypeMismatchError)
        kind = "float" if variable.provisional and isinstance(by, float) else variable.type
        total = accepted(kind, variable.value) + accepted(kind, by)
        if isinstance(total, int) and total not in INT64:
            raise RefusedError(ConstraintError)
        return self._commit({name: self._judge(name, total)})[name]

    def set_many(self, updates: dict[str, Any], *, atomic: bool) -> dict[str, Variable | type[BridgeError]]:
        judged: dict[str, Variable | type[BridgeError]] = {}
        for name, value in updates.items():
            try:
                judged[name] = self._judge(name, value)
            except RefusedError as refused:
                judged[name] = refused.cls
        faults = {name: each for name, each in judged.items() if isinstance(each, type)}
        # A batch with what is no value is not sent, so that nobody judges the rest.
        unsent = {name: each for name, each in faults.items() if not is_value(updates[name])}
        if atomic and faults:
            raise RefusedError(BatchError, unsent or faults)
        self._commit({name: each for name, each in judged.items() if isinstance(each, Variable)})
        return judged

    def register(self, name: str, kind: str, initial: Any, constraints: dict[str, Any]) -> Variable:
        first = judged_first(kind, initial, constraints)
        standing = self.variables.get(name)
        if standing is None:
            return self._commit({name: self._new(name, kind, first, constraints)})[name]
        if not standing.provisional:
            raise RefusedError(AlreadyExistsError)
        return self._commit({name: settled(standing, kind, constraints)})[name]

    def ensure(self, name: str, kind: str, initial: Any, constraints: dict[str, Any]) -> Variable:
        standing = self.variables.get(name)
        if standing is None or standing.provisional:
            return self.register(name, kind, initial, constraints)
        judged_first(kind, initial, constraints)
        if standing.type != kind:
            raise RefusedError(DefinitionConflictError)
        if standing.constraints == constraints:
            return standing
        return self._commit({name: settled(standing, kind, constraints)})[name]

    def delete(self, name: str) -> None:
        self.last_versions[name] = self.get(name).version
        del self.variables[name]
        self.revision += 1

    def _judge(self, name: str, value: Any, expected_version: int | None = None) -> Variable:
        """Returns what setting a variable makes of it."""
        check_value(value)
        variable = self.variables.get(name)
        if variable is None:
            if expected_version:
                raise RefusedError(VariableNotFoundError)
            if isinstance(value, JSON):
                raise RefusedError(InvalidInputError)
            return replace(self._new(name, TYPES[type(value)], value, {}), provisional=True)
        if expected_version not in (None, variable.version):
            raise RefusedError(ConflictError)
        widens = variable.provisional and variable.type == "integer" and isinstance(value, float)
        kind = "float" if widens else variable.type
        kept = accepted(kind, value)
        check(variable.constraints, kept)
        return replace(variable, type=kind, value=kept, version=variable.version + 1)

    def _new(self, name: str, kind: str, value: Any, constraints: dict[str, Any]) -> Variable:
        version = self.last_versions.get(name, 0) + 1
        return Variable(f"var_{name}_{self.revision + 1}", kind, value, version, constraints)

    def _commit(self, changed: dict[str, Variable]) -> dict[str, Variable]:
        self.variables.update(changed)
        self.revision += bool(changed)
        return changed


def check_value(value: Any) -> None:
    if not is_value(value):
        raise RefusedError(InvalidInputError)


def is_value(value: Any) -> bool:
    """Whether a client sends it."""
    if isinstance(value, str):
        return not any(0xD800 <= ord(character) < 0xE000 for character in value)
    if type(value) is int:
        return value in INT64
    return type(value) in TYPES or (isinstance(value, JSON) and is_json(value))


def is_json(value: Any, depth: int = 0) -> bool:
    """Whether JSON has it, and every language reads it as it is."""
    if isinstance(value, (list, tuple)):
        return depth < JSON_DEPTH and all(is_json(item, depth + 1) for item in value)
    if isinstance(value, dict):
        keys = all(isinstance(key, str) and is_value(key) for key in value)
        return keys and depth < JSON_DEPTH and all(is_json(item, depth + 1) for item in value.values())
    if type(value) is int:
        return value in EXACT_IN_JSON
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or (type(value) in TYPES and is_value(value))


def read_back(value: Any) -> Any:
    """Returns what JSON makes of a value: it has one kind of list."""
    if isinstance(value, (list, tuple)):
        return [read_back(item) for item in value]
    return {key: read_back(item) for key, item in value.items()} if isinstance(value, dict) else value


def accepted(kind: str, value: Any) -> Any:
    """Returns the value as a variable of the type keeps it: nothing is coerced but an exact integer."""
    check_value(value)
    if kind == "json":
        if not is_json(value):
            raise RefusedError(InvalidInputError)
        return read_back(value)
    if kind == "float" and type(value) is int and int(float(value)) == value:
        return float(value)
    if value is None:
        raise RefusedError(InvalidInputError)
    if TYPES.get(type(value)) != {"choice": "string"}.get(kind, kind):
        raise RefusedError(TypeMismatchError)
    return value


def judged_first(kind: str, initial: Any, constraints: dict[str, Any]) -> Any:
    """Returns what a new variable of this definition holds."""
    if kind == "choice" and "choices" not in constraints:
        raise RefusedError(InvalidInputError)
    if kind != "json" and isinstance(initial, JSON):
        raise RefusedError(InvalidInputError)
    first = accepted(kind, initial)
    check(constraints, first)
    return first


def check(constraints: dict[str, Any], value: Any) -> None:
    broken = {
        "min": lambda bound: not value >= bound,
        "max": lambda bound: not value <= bound,
        "step": lambda step: (value - constraints.get("min", 0)) % step != 0,
        "min_length": lambda length: len(value) < length,
        "max_length": lambda length: len(value) > length,
        "pattern": lambda pattern: re.search(pattern, value) is None,
        "choices": lambda choices: value not in choices,
    }
    if any(broken[key](operand) for key, operand in constraints.items()):
        raise RefusedError(ConstraintError)


def settled(variable: Variable, kind: str, constraints: dict[str, Any]) -> Variable:
    """Returns a variable with a definition that it did not have; its value has to fit."""
    try:
        value = accepted(kind, variable.value)
        check(constraints, value)
    except RefusedError:
        raise RefusedError(DefinitionConflictError) from None
    return replace(variable, type=kind, value=value, constraints=constraints, provisional=False)


def same(one: Any, other: Any) -> bool:
    """Whether two values are one: of one type throughout, and floats bit by bit, but any NaN is NaN."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(map(same, one.values(), other.values()))
    if isinstance(one, float) and isinstance(other, float):
        return (math.isnan(one) and math.isnan(other)) or struct.pack("d", one) == struct.pack("d", other)
    return type(one) is type(other) and bool(one == other)
