"""What one write makes of a session of the fake, or why it may not."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from snakepit_bridge._gen import errors_pb2, values_pb2, variables_pb2
from snakepit_bridge._names import quote
from snakepit_bridge._results import Scalar, VariableType
from snakepit_bridge._values import encode_scalar, type_name

from . import _rules as rules
from ._refused import RefusedError
from ._session import Session, Variable, missing, no_session

__all__ = ["Write"]

_INFERRED: dict[str, VariableType] = {
    "float": "float",
    "number": "float",
    "integer": "integer",
    "string": "string",
    "boolean": "boolean",
}


class Write:
    """One write: a copy of the session that takes its place if the write is not refused."""

    def __init__(self, session: Session | None, request: Any, *, may_create: bool) -> None:
        if session is None and not may_create:
            raise no_session(request.session_id)
        self.before = session or Session()
        self.session = replace(
            self.before, variables=dict(self.before.variables), versions=dict(self.before.versions)
        )
        self.kept: list[str] = []
        """The variables that were set or defined, in order."""
        self.source = request.source if request.HasField("source") else "unknown"
        metadata = getattr(request, "metadata", ())
        self.metadata = {entry.key: entry.value for entry in metadata}
        self.now = datetime.now(timezone.utc)
        self.infers = may_create or getattr(request, "on_missing", 0) in (
            variables_pb2.ON_MISSING_INFER_VARIABLE,
            variables_pb2.ON_MISSING_INFER,
        )

    def set(self, item: variables_pb2.SetItem) -> Variable:
        variable = self.session.find(item.identifier)
        expected = item.expected_version if item.HasField("expected_version") else None
        if variable is None:
            is_id = rules.check_name(item.identifier)[1]
            if is_id or expected or not (expected == 0 or self.infers):
                raise missing(item.identifier)
            return self._infer(item.identifier, item.value)
        if expected not in (None, variable.version):
            raise _version_conflict(int(expected or 0), variable.version)
        return self._put(variable, item.value)

    def increment(self, identifier: str, by: values_pb2.Value) -> Variable:
        variable = self.session.find(identifier)
        arm: Any = by.WhichOneof("kind")
        if variable is None:
            if rules.check_name(identifier)[1] or not self.infers:
                raise missing(identifier)
            if _INFERRED.get(arm) not in ("float", "integer"):
                raise _not_summable(arm, by)
            return self._infer(identifier, values_pb2.Value(**{arm: 0 + getattr(by, arm)}))
        if variable.type not in ("float", "integer"):
            raise _not_summable(variable.type, by)
        kind = _type_for(variable, by)
        addend: Any = rules.accept(kind, by)
        base: Any = rules.accept(kind, rules.message(variable.type, variable.held))
        total = base + addend
        return self._put(
            variable, rules.message(kind, rules.in_range(total) if isinstance(total, int) else total)
        )

    def define(self, definition: values_pb2.Definition, *, exclusive: bool) -> tuple[Variable, bool]:
        """Registers or ensures; returns the variable, and whether something has changed."""
        name = definition.name
        if rules.check_name(name)[1]:
            text = f"variable name {quote(name)} has the form of a variable id"
            raise RefusedError("INVALID_NAME", text, identifier=name)
        kind = type_name(definition.type)
        if kind is None:
            raise RefusedError("UNKNOWN_TYPE", f"unknown type {definition.type}")
        limits = rules.limits(kind, definition.constraints)
        first = rules.accept(kind, definition.initial_value)
        rules.check(limits, first)
        registered = {entry.key: entry.value for entry in definition.metadata}
        standing = self.session.find(name)
        if standing is None:
            born = self._born(name, kind, first, limits)
            return self._keep(replace(born, registered=registered, latest={})), True
        if standing.provisional:
            settled = self._refit(standing, kind, limits)
            return self._keep(replace(settled, registered=registered, provisional=False)), True
        if exclusive:
            text = (
                f"variable {quote(name)} exists already, as {standing.type}; ensure accepts an existing one"
            )
            raise RefusedError("VARIABLE_EXISTS", text)
        if standing.type != kind:
            text = f"it is of type {standing.type}, not {kind}"
            raise rules.conflicting(name, standing.held, text)
        if _operands(standing.limits) == _operands(limits):
            return standing, False
        return self._keep(self._refit(standing, kind, limits)), True

    def commit(self) -> None:
        self.session.incarnation = self.session.incarnation or os.urandom(16)
        self.session.revision += 1

    def _keep(self, variable: Variable) -> Variable:
        self.kept.append(variable.name)
        return self.session.keep(variable)

    def _put(self, variable: Variable, value: values_pb2.Value) -> Variable:
        kind = _type_for(variable, value)
        held = rules.accept(kind, value)
        rules.check(variable.limits, held)
        return self._keep(
            replace(
                variable,
                type=kind,
                held=held,
                version=variable.version + 1,
                latest=self.metadata,
                source=self.source,
                updated_at=self.now,
            )
        )

    def _infer(self, name: str, value: values_pb2.Value) -> Variable:
        arm: Any = value.WhichOneof("kind")
        if arm == "json":
            text = (
                "no variable is created from null, a list or an object: register it with the type json first"
            )
            raise RefusedError("INVALID_VALUE", text)
        kind = _INFERRED.get(arm, "float")
        return self._keep(replace(self._born(name, kind, rules.accept(kind, value), {}), provisional=True))

    def _born(self, name: str, kind: VariableType, held: Scalar, limits: rules.Limits) -> Variable:
        version = self.session.versions.get(name, 0) + 1
        unique = f"var_{name}_{self.session.revision + 1}"
        return Variable(
            unique, name, kind, held, version, limits, {}, self.metadata, self.source, self.now, self.now
        )

    def _refit(self, variable: Variable, kind: VariableType, limits: rules.Limits) -> Variable:
        try:
            held = rules.accept(kind, rules.message(variable.type, variable.held))
            rules.check(limits, held)
        except RefusedError as refused:
            raise rules.conflicting(variable.name, variable.held, str(refused)) from None
        return replace(variable, type=kind, held=held, limits=limits)


def _type_for(variable: Variable, value: values_pb2.Value) -> VariableType:
    """Returns the type a value goes to: a provisional integer turns float with the first float (VAL-4)."""
    arm: Any = value.WhichOneof("kind")
    if variable.provisional and variable.type == "integer" and arm in ("float", "number"):
        try:
            rules.accept("integer", value)
        except RefusedError:
            return "float"
    return variable.type


def _version_conflict(expected: int, current: int) -> RefusedError:
    wanted = "the variable not to exist" if expected == 0 else f"version {expected}"
    return RefusedError(
        "VERSION_CONFLICT",
        f"expected {wanted}, found version {current}; read again and retry",
        version_conflict=errors_pb2.VersionConflict(expected=expected, current=current),
    )


def _not_summable(kind: str, by: values_pb2.Value) -> RefusedError:
    arm: Any = by.WhichOneof("kind")
    expected = f"VARIABLE_TYPE_{kind.upper()}"
    return RefusedError(
        "TYPE_MISMATCH",
        f"only a float or an integer can be incremented, not a {kind}",
        type_mismatch=errors_pb2.TypeMismatch(expected=expected, actual=arm),
    )


def _operands(limits: rules.Limits) -> list[tuple[str, list[bytes]]]:
    """Returns constraints in a form that can be compared: 0.0 is not -0.0, nor 1 the same as 1.0."""
    return [
        (key, [encode_scalar(operand).SerializeToString() for operand in operands])
        for key, operands in limits.items()
    ]
