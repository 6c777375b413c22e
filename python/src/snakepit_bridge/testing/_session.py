"""A session of the fake and its variables, as a read finds them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from snakepit_bridge._gen import values_pb2, variables_pb2
from snakepit_bridge._results import Scalar, VariableType
from snakepit_bridge._values import encode_scalar, encode_type

from . import _rules as rules
from ._refused import RefusedError

__all__ = ["Session", "Variable", "missing", "no_session", "timestamp"]


@dataclass(frozen=True)
class Variable:
    id: str
    name: str
    type: VariableType
    held: Scalar
    version: int
    limits: rules.Limits
    registered: dict[str, str]
    latest: dict[str, str]
    source: str
    created_at: datetime
    updated_at: datetime
    provisional: bool = False

    def message(self) -> values_pb2.Variable:
        return values_pb2.Variable(
            id=self.id,
            name=self.name,
            type=encode_type(self.type),
            value=rules.message(self.type, self.held),
            version=self.version,
            constraints=[
                values_pb2.Constraint(key=key, values=[encode_scalar(each) for each in operands])
                for key, operands in self.limits.items()
            ],
            metadata=[
                values_pb2.MetadataEntry(key=key, value=value)
                for key, value in sorted({**self.registered, **self.latest}.items())
            ],
            source=self.source,
            created_at=timestamp(self.created_at),
            updated_at=timestamp(self.updated_at),
            provisional=self.provisional,
        )

    def item(self) -> variables_pb2.ItemSet:
        kept = rules.message(self.type, self.held)
        return variables_pb2.ItemSet(
            id=self.id, version=self.version, value=kept, type=encode_type(self.type)
        )


@dataclass
class Session:
    """A session; what does not exist has revision 0."""

    incarnation: bytes = b""
    revision: int = 0
    variables: dict[str, Variable] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    """The last version of each name, of deleted ones too."""

    def point(self) -> values_pb2.Revision:
        return values_pb2.Revision(incarnation=self.incarnation, number=self.revision)

    def find(self, identifier: str) -> Variable | None:
        name, is_id = rules.check_name(identifier)
        variable = self.variables.get(name)
        return variable if variable is None or not is_id or variable.id == identifier else None

    def get(self, identifier: str) -> Variable:
        variable = self.find(identifier)
        if variable is None:
            raise missing(identifier)
        return variable

    def keep(self, variable: Variable) -> Variable:
        self.variables[variable.name] = variable
        self.versions[variable.name] = variable.version
        return variable


def no_session(session_id: str) -> RefusedError:
    return RefusedError("SESSION_NOT_FOUND", f"Session not found: {session_id}", session_id=session_id)


def missing(identifier: str) -> RefusedError:
    return RefusedError("VARIABLE_NOT_FOUND", f"Variable not found: {identifier}", identifier=identifier)


def timestamp(at: datetime) -> dict[str, int]:
    return {"seconds": int(at.timestamp()), "nanos": at.microsecond * 1_000}
