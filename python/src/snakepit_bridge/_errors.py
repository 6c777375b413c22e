"""The errors a caller catches, and the one table of reasons.

    Exception
    └── BridgeError
        ├── SessionNotFoundError     (and KeyError)      no such session: never created, deleted or expired
        ├── VariableNotFoundError    (and KeyError)      no such variable in the session
        ├── AlreadyExistsError                           the name is taken
        ├── DefinitionConflictError  (and ValueError)    the variable stands with another definition
        ├── TypeMismatchError        (and ValueError)    the value is not of the variable's type
        ├── ConstraintError          (and ValueError)    the value breaks a constraint
        ├── InvalidInputError        (and ValueError)    wrong whatever the state of the session is
        ├── BatchError               (and ValueError)    a batch was refused; it names every item at fault
        ├── ConflictError                                compare-and-set found another version
        ├── LimitError                                   over one of the server's limits
        ├── AuthError                                    not allowed
        ├── VersionMismatchError                         versions that do not work together
        ├── UnavailableError                             no bridge answered; nothing was carried out
        ├── DeadlineError            (and TimeoutError)  out of time; a read, or nothing was carried out
        ├── WatchGapError                                a watch cannot go on where it was; read again
        ├── OutcomeUnknownError                          a write may or may not have been carried out
        ├── NotReadyError                                no current copy to look at without waiting
        ├── ClosedError                                  used after close()
        └── InternalError                                a bug of the peer, or an answer that makes no sense

A class exists where a caller would catch it separately or where it has its own fields; reasons are many,
classes are few. A second base is one that users would write in `except` anyway. Branch on the class or on
`reason`, never on the text. Every error survives pickling, so it may cross a process boundary.

Mistakes in the arguments of our own constructors (a negative timeout) are plain `ValueError` and `TypeError`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

__all__ = [
    "REASONS",
    "AlreadyExistsError",
    "AuthError",
    "BatchError",
    "BridgeError",
    "ClosedError",
    "ConflictError",
    "ConstraintError",
    "DeadlineError",
    "DefinitionConflictError",
    "InternalError",
    "InvalidInputError",
    "LimitError",
    "NotReadyError",
    "OutcomeUnknownError",
    "ReasonRow",
    "SessionNotFoundError",
    "TypeMismatchError",
    "UnavailableError",
    "VariableNotFoundError",
    "VersionMismatchError",
    "WatchGapError",
    "error_for",
]


class BridgeError(Exception):
    """The base of everything this package raises on purpose at run time.

    Attributes:
        reason: What happened, as one of a closed list of words such as `VARIABLE_NOT_FOUND`.
        session_id: The session asked for; None where the error is not about one.
        identifier: The variable as the caller named it; None where the error is not about one.
    """

    usual_reason: ClassVar[str] = "PROTOCOL"
    """The reason of an error that is made without one."""

    reason: str
    session_id: str | None
    identifier: str | None

    def __init__(
        self,
        message: str,
        *,
        reason: str | None = None,
        session_id: str | None = None,
        identifier: str | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = self.usual_reason if reason is None else reason
        self.session_id = session_id
        self.identifier = identifier

    @property
    def retryable(self) -> bool:
        """True if the same call may succeed later; for a version conflict, after a new read."""
        row = REASONS.get(self.reason)
        return row is not None and row.retryable

    def __str__(self) -> str:
        # KeyError would show the repr of its argument.
        return str(self.args[0]) if self.args else ""

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions pickle to cls(*args), which cannot carry keyword-only fields.
        return _restore, (type(self), self.args, self.__dict__)


def _restore(cls: type[BridgeError], args: tuple[Any, ...], fields: dict[str, Any]) -> BridgeError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(fields)
    return error


class SessionNotFoundError(BridgeError, KeyError):
    """No session of this id exists: it was never created, was deleted, or expired."""

    usual_reason = "SESSION_NOT_FOUND"


class VariableNotFoundError(BridgeError, KeyError):
    """No variable of this name or id exists in the session."""

    usual_reason = "VARIABLE_NOT_FOUND"


class AlreadyExistsError(BridgeError):
    """The name is taken, and `register_variable` is exclusive; `ensure_variable` is not."""

    usual_reason = "VARIABLE_EXISTS"


class DefinitionConflictError(BridgeError, ValueError):
    """The variable stands with a definition that the given one cannot replace.

    Or, from `typed`: the session's variables are not those that generated code was made for.
    """

    usual_reason = "DEFINITION_CONFLICT"


class TypeMismatchError(BridgeError, ValueError):
    """The value is not of the variable's type; nothing is coerced.

    Attributes:
        expected: The variable's type, such as `integer`; None if the bridge did not say.
        actual: The kind of the refused value; None if the bridge did not say.
    """

    usual_reason = "TYPE_MISMATCH"

    def __init__(
        self, message: str, *, expected: str | None = None, actual: str | None = None, **common: str | None
    ) -> None:
        super().__init__(message, **common)
        self.expected = expected
        self.actual = actual


class ConstraintError(BridgeError, ValueError):
    """The value breaks one of the variable's constraints.

    Attributes:
        constraint: The key of that constraint, such as `max`; None if the bridge did not say.
    """

    usual_reason = "CONSTRAINT_VIOLATED"

    def __init__(self, message: str, *, constraint: str | None = None, **common: str | None) -> None:
        super().__init__(message, **common)
        self.constraint = constraint


class InvalidInputError(BridgeError, ValueError):
    """The request is wrong whatever the state of the session is: a name, a value, a constraint.

    Attributes:
        field: The argument or constraint key at fault; None where there is no single one.
    """

    usual_reason = "INVALID_VALUE"

    def __init__(self, message: str, *, field: str | None = None, **common: str | None) -> None:
        super().__init__(message, **common)
        self.field = field


class BatchError(BridgeError, ValueError):
    """A batch was refused, and nothing of it was applied.

    Attributes:
        errors: Every item at fault: its identifier as given, and its own error.
    """

    usual_reason = "BATCH_REFUSED"

    def __init__(
        self, message: str, *, errors: Mapping[str, BridgeError] | None = None, **common: str | None
    ) -> None:
        super().__init__(message, **common)
        self.errors: dict[str, BridgeError] = dict(errors or {})


class ConflictError(BridgeError):
    """Compare-and-set found another version: read again, decide again, and set with the version read.

    Attributes:
        expected: The version the caller expected; 0 is "must not exist".
        current: The version found.
    """

    usual_reason = "VERSION_CONFLICT"

    def __init__(self, message: str, *, expected: int = 0, current: int = 0, **common: str | None) -> None:
        super().__init__(message, **common)
        self.expected = expected
        self.current = current


class LimitError(BridgeError):
    """Over one of the server's limits.

    Attributes:
        limit: The limit; None if the transport refused before the bridge could.
        actual: What the request would have needed; None if it is not known.
        setting: The server's setting, as in `snakepit-bridge serve --limit NAME=N`; None as for `limit`.
    """

    usual_reason = "TOO_LARGE"

    def __init__(
        self,
        message: str,
        *,
        limit: int | None = None,
        actual: int | None = None,
        setting: str | None = None,
        **common: str | None,
    ) -> None:
        super().__init__(message, **common)
        self.limit = limit
        self.actual = actual
        self.setting = setting


class AuthError(BridgeError):
    """The token is missing, unknown, or does not allow this."""

    usual_reason = "PERMISSION_DENIED"


class UnavailableError(BridgeError):
    """No bridge answered, and nothing was carried out."""

    usual_reason = "UNAVAILABLE"


class DeadlineError(BridgeError, TimeoutError):
    """Out of time. The call was a read, or nothing was carried out."""

    usual_reason = "DEADLINE_EXCEEDED"


class OutcomeUnknownError(BridgeError):
    """A write was handed over and never answered: it may or may not have been carried out."""

    usual_reason = "OUTCOME_UNKNOWN"


class VersionMismatchError(BridgeError):
    """Client and bridge are of versions that do not work together. Nothing was carried out."""

    usual_reason = "VERSION_MISMATCH"


class WatchGapError(BridgeError):
    """A watch cannot go on from where it was: some of what happened cannot be told any more.

    This client has no watch yet; the error is known because the bridge may answer with it.
    """

    usual_reason = "WATCH_GAP"


class NotReadyError(BridgeError):
    """There is no current copy of the session to look at without waiting, or the value is not in it."""

    usual_reason = "NOT_READY"


class ClosedError(BridgeError):
    """The context was used after `close()`."""

    usual_reason = "CLOSED"


class InternalError(BridgeError):
    """A bug on the other side, or an answer that makes no sense to this version of the package."""

    usual_reason = "INTERNAL"


@dataclass(frozen=True)
class ReasonRow:
    """What a reason means to a caller.

    Attributes:
        error: The class that is raised.
        code: The name of the gRPC status code that goes with it; None where nothing was answered.
        retryable: See `BridgeError.retryable`.
    """

    error: type[BridgeError]
    code: str | None
    retryable: bool = False


REASONS: Mapping[str, ReasonRow] = MappingProxyType(
    {
        # What a bridge answers. A test compares these with ErrorReason in the contract.
        "SESSION_NOT_FOUND": ReasonRow(SessionNotFoundError, "NOT_FOUND"),
        "VARIABLE_NOT_FOUND": ReasonRow(VariableNotFoundError, "NOT_FOUND"),
        "VARIABLE_EXISTS": ReasonRow(AlreadyExistsError, "ALREADY_EXISTS"),
        "DEFINITION_CONFLICT": ReasonRow(DefinitionConflictError, "FAILED_PRECONDITION"),
        "TYPE_MISMATCH": ReasonRow(TypeMismatchError, "FAILED_PRECONDITION"),
        "CONSTRAINT_VIOLATED": ReasonRow(ConstraintError, "FAILED_PRECONDITION"),
        "BATCH_REFUSED": ReasonRow(BatchError, "FAILED_PRECONDITION"),
        "INVALID_NAME": ReasonRow(InvalidInputError, "INVALID_ARGUMENT"),
        "INVALID_VALUE": ReasonRow(InvalidInputError, "INVALID_ARGUMENT"),
        "INVALID_CONSTRAINT": ReasonRow(InvalidInputError, "INVALID_ARGUMENT"),
        "UNKNOWN_TYPE": ReasonRow(InvalidInputError, "INVALID_ARGUMENT"),
        "DUPLICATE_ITEM": ReasonRow(InvalidInputError, "INVALID_ARGUMENT"),
        "INVALID_METADATA": ReasonRow(InvalidInputError, "INVALID_ARGUMENT"),
        "INVALID_ARGUMENT": ReasonRow(InvalidInputError, "INVALID_ARGUMENT"),
        "VERSION_CONFLICT": ReasonRow(ConflictError, "ABORTED", retryable=True),
        "TOO_LARGE": ReasonRow(LimitError, "RESOURCE_EXHAUSTED"),
        "TOO_MANY_VARIABLES": ReasonRow(LimitError, "RESOURCE_EXHAUSTED"),
        "TOO_MANY_SESSIONS": ReasonRow(LimitError, "RESOURCE_EXHAUSTED", retryable=True),
        "TOO_MANY_ITEMS": ReasonRow(LimitError, "RESOURCE_EXHAUSTED"),
        "DEADLINE_EXCEEDED": ReasonRow(DeadlineError, "DEADLINE_EXCEEDED", retryable=True),
        "SHUTTING_DOWN": ReasonRow(UnavailableError, "UNAVAILABLE", retryable=True),
        "OUTCOME_UNKNOWN": ReasonRow(OutcomeUnknownError, "ABORTED"),
        "INTERNAL": ReasonRow(InternalError, "INTERNAL"),
        "VERSION_MISMATCH": ReasonRow(VersionMismatchError, "FAILED_PRECONDITION"),
        "HISTORY_COMPACTED": ReasonRow(WatchGapError, "OUT_OF_RANGE"),
        "WATCH_GAP": ReasonRow(WatchGapError, "OUT_OF_RANGE"),
        "WATCH_OVERFLOW": ReasonRow(WatchGapError, "OUT_OF_RANGE", retryable=True),
        "TOO_MANY_WATCHES": ReasonRow(LimitError, "RESOURCE_EXHAUSTED", retryable=True),
        # What only a client says.
        "UNAVAILABLE": ReasonRow(UnavailableError, "UNAVAILABLE", retryable=True),
        "UNAUTHENTICATED": ReasonRow(AuthError, "UNAUTHENTICATED"),
        "PERMISSION_DENIED": ReasonRow(AuthError, "PERMISSION_DENIED"),
        "NOT_READY": ReasonRow(NotReadyError, None, retryable=True),
        "CLOSED": ReasonRow(ClosedError, None),
        "PROTOCOL": ReasonRow(InternalError, None),
    }
)


def error_for(reason: str, message: str, **fields: Any) -> BridgeError:
    """Returns the error for a reason of the table, of the class that the reason belongs to."""
    return REASONS[reason].error(message, reason=reason, **fields)
