"""Arguments to request messages, response messages to results, statuses to errors.

Everything about the shape of the contract is here and in `_values`; nothing here remembers anything or waits.
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, TypeVar

from google.protobuf.message import DecodeError

from ._cache import Entry
from ._definitions import Definition
from ._errors import REASONS, BridgeError, InternalError, InvalidInputError, error_for
from ._gen import command_pb2, errors_pb2, status_pb2, values_pb2, variables_pb2
from ._json import value_of
from ._points import ResumePoint
from ._results import HistoryEntry, Scalar, VariableInfo
from ._values import (
    decode_kept,
    decode_operand,
    decode_type,
    encode_scalar,
    encode_text,
    encode_type,
    encode_value,
    type_name,
)

if TYPE_CHECKING:
    from google.protobuf.message import Message

__all__ = [
    "DETAILS_KEY",
    "Method",
    "Point",
    "check_limit",
    "constraint_list",
    "decode_definition",
    "decode_entry",
    "decode_history_entry",
    "decode_info",
    "decode_item",
    "decode_point",
    "definition",
    "detail_of",
    "duration",
    "error_from_detail",
    "error_from_status",
    "instant",
    "item",
    "metadata_list",
    "method_of",
    "parse_refusal",
    "parse_reply",
]

DETAILS_KEY = "grpc-status-details-bin"
"""The trailer that carries the bridge's own detail of a status."""

OK = 0
"""The number of the gRPC status for success."""

SOURCE = "python"

_SESSION = "/snakepit.bridge.v1.SessionService/"
_VARIABLE = "/snakepit.bridge.v1.VariableService/"

R = TypeVar("R", bound="Message")


@dataclass(frozen=True)
class Method:
    """One RPC.

    Attributes:
        path: Its path on the wire.
        arm: The arm of a Command that asks for the same, and of the Reply.
        number: The number of that arm.
        is_write: Whether it changes something, so that an attempt without an answer matters (ORD-16).
    """

    path: str
    arm: str
    number: int
    is_write: bool = False


def method_of(path: str, *, is_write: bool = False) -> Method:
    """Returns the RPC with this path."""
    arm = re.sub("(?<!^)(?=[A-Z])", "_", path.rpartition("/")[2]).lower()
    return Method(path, arm, command_pb2.Command.DESCRIPTOR.fields_by_name[arm].number, is_write)


CREATE_SESSION = method_of(_SESSION + "CreateSession", is_write=True)
HEARTBEAT = method_of(_SESSION + "Heartbeat")
DELETE_SESSION = method_of(_SESSION + "DeleteSession", is_write=True)
REGISTER = method_of(_VARIABLE + "RegisterVariable", is_write=True)
ENSURE = method_of(_VARIABLE + "EnsureVariables", is_write=True)
GET = method_of(_VARIABLE + "GetVariable")
GET_MANY = method_of(_VARIABLE + "GetVariables")
SET = method_of(_VARIABLE + "SetVariable", is_write=True)
SET_MANY = method_of(_VARIABLE + "SetVariables", is_write=True)
INCREMENT = method_of(_VARIABLE + "IncrementVariable", is_write=True)
DELETE = method_of(_VARIABLE + "DeleteVariable", is_write=True)
LIST = method_of(_VARIABLE + "ListVariables")
HISTORY = method_of(_VARIABLE + "GetVariableHistory")


# ---- arguments to messages


def item(identifier: object, value: object, expected_version: int | None = None) -> variables_pb2.SetItem:
    """Returns one value to set."""
    name = check_name(identifier)
    try:
        message = variables_pb2.SetItem(identifier=name, value=encode_value(value))
    except InvalidInputError as error:
        error.identifier = name
        raise
    if expected_version is not None:
        if isinstance(expected_version, bool) or not 0 <= expected_version < 2**64:
            raise InvalidInputError(
                f"expected_version is a version number or 0 for a new variable, not {expected_version}",
                reason="INVALID_ARGUMENT",
                field="expected_version",
            )
        message.expected_version = expected_version
    return message


def definition(
    name: object,
    type_of_it: object,
    initial_value: object,
    constraints: Mapping[str, Any] | None,
    metadata: Mapping[str, str] | None,
) -> values_pb2.Definition:
    """Returns what a variable is to be."""
    checked = check_name(name)
    try:
        return values_pb2.Definition(
            name=checked,
            type=encode_type(type_of_it),
            initial_value=encode_value(initial_value, type_of_it),
            constraints=constraint_list(constraints),
            metadata=metadata_list(metadata),
        )
    except InvalidInputError as error:
        error.identifier = checked
        raise


def constraint_list(constraints: Mapping[str, Any] | None) -> list[values_pb2.Constraint]:
    """Returns constraints by key, of one operand or several in a list; which keys exist is not known here."""
    messages = []
    for key, operand in (constraints or {}).items():
        text = encode_text(key, "the key of a constraint", "INVALID_CONSTRAINT")
        operands = operand if isinstance(operand, (list, tuple)) else (operand,)
        try:
            values = [encode_scalar(value) for value in operands]
        except InvalidInputError as error:
            raise InvalidInputError(f"{text}: {error}", reason="INVALID_CONSTRAINT", field=text) from None
        messages.append(values_pb2.Constraint(key=text, values=values))
    return messages


def metadata_list(metadata: Mapping[str, str] | None) -> list[values_pb2.MetadataEntry]:
    """Returns free text by key."""
    return [
        values_pb2.MetadataEntry(
            key=encode_text(key, "a key of the metadata", "INVALID_METADATA"),
            value=encode_text(value, f"the metadata of {key!r}", "INVALID_METADATA"),
        )
        for key, value in (metadata or {}).items()
    ]


def check_name(identifier: object, what: str = "the name of a variable") -> str:
    """Returns the identifier if it can be sent; all else that VAL-8 asks for is the engine's to judge."""
    return encode_text(identifier, what, "INVALID_NAME")


def check_limit(limit: object) -> int | None:
    """Returns how many entries are asked for at most; None: all."""
    if limit is None:
        return None
    if isinstance(limit, int) and not isinstance(limit, bool) and 1 <= limit < 2**32:
        return limit
    raise InvalidInputError(
        f"limit is a whole number from 1, or None for all, not {limit!r}",
        reason="INVALID_ARGUMENT",
        field="limit",
    )


def duration(ttl: float | timedelta) -> dict[str, int]:
    """Returns a time in seconds as the contract's Duration, to the nearest nanosecond."""
    seconds = ttl.total_seconds() if isinstance(ttl, timedelta) else float(ttl)
    if not math.isfinite(seconds) or abs(seconds) > 315_576_000_000:
        raise InvalidInputError(
            f"ttl is a time in seconds, or 0 for ever, not {ttl}", reason="INVALID_ARGUMENT", field="ttl"
        )
    whole = math.trunc(seconds)
    nanos = round((seconds - whole) * 1e9)
    if abs(nanos) == 1_000_000_000:
        whole, nanos = whole + (1 if nanos > 0 else -1), 0
    return {"seconds": whole, "nanos": nanos}


# ---- messages to results


@dataclass(frozen=True)
class Point:
    """The point in a session's life that an answer is true at (ORD-4)."""

    incarnation: bytes
    number: int


def parse_reply(method: Method, reply: bytes) -> Any:
    """Returns the answer's message in the bytes of a Reply, or the ErrorDetail there.

    Raises:
        InternalError: PROTOCOL, if it is neither.
    """
    try:
        message = command_pb2.Reply.FromString(reply)
    except (DecodeError, UnicodeDecodeError):
        raise nonsense(method) from None
    arm = message.WhichOneof("kind")
    if arm == "error":
        return message.error
    if arm != method.arm:
        raise nonsense(method)
    return getattr(message, arm)


def parse_refusal(reply: bytes) -> errors_pb2.ErrorDetail:
    """Returns why the bridge says that a subscription has ended.

    Raises:
        InternalError: PROTOCOL, if it says anything else.
    """
    message = None
    with contextlib.suppress(DecodeError, UnicodeDecodeError):
        message = command_pb2.Reply.FromString(reply)
    if message is None or message.WhichOneof("kind") != "error":
        raise InternalError("the bridge ended a subscription with what is no error", reason="PROTOCOL")
    return message.error


def nonsense(method: Method) -> InternalError:
    """Returns the error for an answer that contradicts the contract."""
    return InternalError(f"the answer to {method.path} makes no sense", reason="PROTOCOL")


def decode_point(message: values_pb2.Revision) -> Point:
    """Returns the point of an answer."""
    return Point(message.incarnation, message.number)


def decode_entry(message: values_pb2.Variable, point: ResumePoint) -> Entry:
    """Returns a variable as it was read at a point."""
    held, type_of_it = decode_kept(message)
    return Entry(message.id, held, type_of_it, message.version, point.number, str(point))


def decode_item(message: variables_pb2.ItemSet, point: ResumePoint) -> Entry:
    """Returns what a set made of a variable."""
    held, type_of_it = decode_kept(message)
    return Entry(message.id, held, type_of_it, message.version, point.number, str(point))


def decode_info(message: values_pb2.Variable) -> VariableInfo:
    """Returns all that a list tells about a variable."""
    held, type_of_it = decode_kept(message)
    return {
        "id": message.id,
        "type": type_of_it,
        "value": value_of(held, type_of_it),
        "version": message.version,
        "constraints": _constraints(message),
        "metadata": {entry.key: entry.value for entry in message.metadata},
        "source": message.source,
        "created_at": instant(message.created_at),
        "updated_at": instant(message.updated_at),
    }


def decode_history_entry(message: variables_pb2.HistoryEntry) -> HistoryEntry:
    """Returns one value that a variable had."""
    held, type_of_it = decode_kept(message)
    return HistoryEntry(
        version=message.version,
        type=type_of_it,
        value=value_of(held, type_of_it),
        revision=message.revision,
        set_at=instant(message.set_at),
        source=message.source,
        metadata={entry.key: entry.value for entry in message.metadata},
    )


def decode_definition(message: values_pb2.Variable | values_pb2.Definition) -> Definition:
    """Returns what a variable is, apart from its value."""
    return Definition(decode_type(message.type), _constraints(message))


_LISTS = frozenset({"choices"})
"""Constraints that are a list however long it is."""


def _constraints(
    message: values_pb2.Variable | values_pb2.Definition,
) -> dict[str, Scalar | list[Scalar]]:
    return {entry.key: _operands(entry) for entry in message.constraints}


def _operands(constraint: values_pb2.Constraint) -> Scalar | list[Scalar]:
    values = [decode_operand(message) for message in constraint.values]
    return values[0] if len(values) == 1 and constraint.key not in _LISTS else values


_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def instant(message: Any) -> datetime:
    """Returns the time in a Timestamp, in UTC."""
    return _EPOCH + timedelta(seconds=message.seconds, microseconds=message.nanos // 1_000)


# ---- statuses to errors


def detail_of(trailer: bytes | None) -> errors_pb2.ErrorDetail | None:
    """Returns the bridge's own detail in a status trailer; None if there is none that can be read."""
    if not trailer:
        return None
    try:
        for detail in status_pb2.Status.FromString(trailer).details:
            if detail.type_url.rpartition("/")[2] == "snakepit.bridge.v1.ErrorDetail":
                return errors_pb2.ErrorDetail.FromString(detail.value)
    except (DecodeError, UnicodeDecodeError):
        pass
    return None


def error_from_detail(detail: errors_pb2.ErrorDetail, session_id: str | None = None) -> BridgeError:
    """Returns the error that a detail stands for; `session_id` is used if the detail names none."""
    where: dict[str, Any] = {
        "session_id": detail.session_id if detail.HasField("session_id") else session_id,
        "identifier": detail.identifier if detail.HasField("identifier") else None,
    }
    reason = _reason_of(detail.reason)
    if reason is None:
        return InternalError(
            f"{detail.message} (the reason {int(detail.reason)} is unknown to this package: upgrade with "
            "`pip install -U snakepit-bridge`)",
            reason="PROTOCOL",
            **where,
        )
    return error_for(reason, detail.message, **where, **_specific(reason, detail, session_id))


def _reason_of(code: int) -> str | None:
    try:
        name = errors_pb2.ErrorReason.Name(code)
    except ValueError:
        return None
    reason = name.removeprefix("ERROR_REASON_")
    return reason if reason in REASONS else None


def _specific(reason: str, detail: errors_pb2.ErrorDetail, session_id: str | None) -> dict[str, Any]:
    arm = detail.WhichOneof("specific")
    if reason == "TYPE_MISMATCH" and arm == "type_mismatch":
        return {
            "expected": type_name(detail.type_mismatch.expected),
            "actual": detail.type_mismatch.actual,
        }
    if reason == "CONSTRAINT_VIOLATED" and arm == "constraint":
        return {"constraint": detail.constraint.key}
    if reason == "INVALID_CONSTRAINT" and arm == "constraint":
        return {"field": detail.constraint.key}
    if reason == "INVALID_ARGUMENT" and arm == "invalid_field":
        return {"field": detail.invalid_field.field}
    if reason == "VERSION_CONFLICT" and arm == "version_conflict":
        return {"expected": detail.version_conflict.expected, "current": detail.version_conflict.current}
    if arm == "limit" and reason.startswith("TOO_"):
        limit = detail.limit
        actual = limit.actual if limit.HasField("actual") else None
        return {"limit": limit.limit, "actual": actual, "setting": limit.setting}
    if reason == "BATCH_REFUSED" and arm == "batch":
        return {"errors": _item_errors(detail.batch.items, session_id)}
    return {}


def _item_errors(items: Iterable[errors_pb2.ItemRefusal], session_id: str | None) -> dict[str, BridgeError]:
    errors: dict[str, BridgeError] = {}
    for refusal in items:
        error = error_from_detail(refusal.error, session_id)
        error.identifier = refusal.identifier
        errors.setdefault(refusal.identifier, error)
    return errors


_BARE_STATUS = {
    4: "DEADLINE_EXCEEDED",
    7: "PERMISSION_DENIED",
    8: "TOO_LARGE",
    14: "UNAVAILABLE",
    16: "UNAUTHENTICATED",
}
_UNIMPLEMENTED = 12


def error_from_status(code: int, message: str, where: str, session_id: str | None = None) -> BridgeError:
    """Returns the error for a status without a detail of ours: somebody between us and the engine made it.

    Args:
        code: The number of the gRPC status.
        message: Its text.
        where: Whom we asked, for people.
        session_id: The session asked for.
    """
    if code == _UNIMPLEMENTED:
        text = f"{where} answers, but not as a Snakepit Bridge of this version: {message}"
        return InternalError(text, reason="PROTOCOL", session_id=session_id)
    reason = _BARE_STATUS.get(code)
    if reason is None:
        text = f"{where} answered with the gRPC status {code}: {message}"
        return InternalError(text, reason="PROTOCOL", session_id=session_id)
    return error_for(reason, f"{where} answered: {message}", session_id=session_id)
