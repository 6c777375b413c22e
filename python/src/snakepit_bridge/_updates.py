"""What a bridge tells of the state of a session, in bytes, and what a replica takes of it."""

from __future__ import annotations

import contextlib

from google.protobuf.message import DecodeError

from ._errors import InternalError
from ._gen import state_pb2
from ._points import read_point
from ._replica import StateEntry, StateUpdate
from ._results import Scalar
from ._values import decode_kept, type_name

__all__ = ["decode_update"]


def decode_update(data: bytes) -> StateUpdate:
    """Returns the update in the bytes of a StateUpdate.

    A type or a kind of value that this version does not know is one that has to be read: who reads it is told
    what to do about it.

    Raises:
        InternalError: PROTOCOL, if they make no sense.
    """
    try:
        message = state_pb2.StateUpdate.FromString(data)
    except (DecodeError, UnicodeDecodeError):
        raise InternalError("the bridge told a state that makes no sense", reason="PROTOCOL") from None
    return StateUpdate(
        base=read_point(message.base) if message.HasField("base") else None,
        revision=read_point(message.revision),
        changed=[_entry(each) for each in message.changed],
        deleted=list(message.deleted),
        more=message.more,
    )


def _entry(message: state_pb2.StateEntry) -> StateEntry:
    held: Scalar | None = None
    if message.HasField("value"):
        with contextlib.suppress(InternalError):
            held, _ = decode_kept(message)
    return StateEntry(message.name, message.id, message.version, type_name(message.type), held)
