"""Typed variables, grouped in sessions, shared live between TypeScript and Python.

`SessionContext` is the door: it reads and writes the variables of one session from asyncio. Its blocking twin
is `snakepit_bridge.sync.SessionContext`. Everything else here is what they return and raise.
"""

from . import sync
from ._aio import SessionContext
from ._aio_watch import Listener, Watch
from ._cache import CacheStats
from ._errors import (
    AlreadyExistsError,
    AuthError,
    BatchError,
    BridgeError,
    ClosedError,
    ConflictError,
    ConstraintError,
    DeadlineError,
    DefinitionConflictError,
    InternalError,
    InvalidInputError,
    LimitError,
    NotReadyError,
    OutcomeUnknownError,
    SessionNotFoundError,
    TypeMismatchError,
    UnavailableError,
    VariableNotFoundError,
    VersionMismatchError,
    WatchGapError,
)
from ._events import EventKind, SessionEvent, VariableChange
from ._results import (
    UNSET,
    Committed,
    History,
    HistoryEntry,
    Reading,
    Snapshot,
    Unset,
    Value,
    VariableInfo,
    VariableType,
    Written,
)
from ._version import __version__

__all__ = [
    "UNSET",
    "AlreadyExistsError",
    "AuthError",
    "BatchError",
    "BridgeError",
    "CacheStats",
    "ClosedError",
    "Committed",
    "ConflictError",
    "ConstraintError",
    "DeadlineError",
    "DefinitionConflictError",
    "EventKind",
    "History",
    "HistoryEntry",
    "InternalError",
    "InvalidInputError",
    "LimitError",
    "Listener",
    "NotReadyError",
    "OutcomeUnknownError",
    "Reading",
    "SessionContext",
    "SessionEvent",
    "SessionNotFoundError",
    "Snapshot",
    "TypeMismatchError",
    "UnavailableError",
    "Unset",
    "Value",
    "VariableChange",
    "VariableInfo",
    "VariableNotFoundError",
    "VariableType",
    "VersionMismatchError",
    "Watch",
    "WatchGapError",
    "Written",
    "__version__",
    "sync",
]
