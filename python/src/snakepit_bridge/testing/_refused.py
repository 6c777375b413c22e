"""How the fake refuses: as a bridge does, by a detail in a status."""

from __future__ import annotations

import json
import re
from typing import Any

import grpc

from snakepit_bridge._errors import REASONS
from snakepit_bridge._gen import any_pb2, errors_pb2, status_pb2
from snakepit_bridge._steps import Status

__all__ = ["RefusedError", "quote"]

_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff]")


class RefusedError(Exception):
    """A refusal.

    Args:
        reason: One of the contract's reasons.
        message: The text of it.
        fields: The typed fields of an ErrorDetail.
    """

    def __init__(self, reason: str, message: str, **fields: Any) -> None:
        super().__init__(message)
        self.reason = reason
        self.fields = fields

    def at(self, identifier: str) -> RefusedError:
        """Returns the same refusal with the variable it is about, unless it names one."""
        return RefusedError(self.reason, str(self), **{"identifier": identifier, **self.fields})

    def detail(self, session_id: str | None = None) -> errors_pb2.ErrorDetail:
        """Returns the message that a bridge would send."""
        fields = self.fields if session_id is None else {"session_id": session_id, **self.fields}
        return errors_pb2.ErrorDetail(
            reason=f"ERROR_REASON_{self.reason}",
            message=str(self),
            **fields,
        )

    def status(self, session_id: str | None) -> Status:
        """Returns how a call that is refused ends."""
        number: int = grpc.StatusCode[REASONS[self.reason].code or "UNKNOWN"].value[0]
        packed = any_pb2.Any(
            type_url="type.googleapis.com/snakepit.bridge.v1.ErrorDetail",
            value=self.detail(session_id).SerializeToString(),
        )
        trailer = status_pb2.Status(code=number, message=str(self), details=[packed])
        return Status(number, str(self), trailer.SerializeToString())


def quote(text: str) -> str:
    """Returns a caller's text as it stands in messages (VAL-2)."""
    short = text if len(text) <= 64 else f"{text[:64]}…"
    quoted = json.dumps(short, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)
