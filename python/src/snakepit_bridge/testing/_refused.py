"""How the fake refuses: as a bridge does, by a detail."""

from __future__ import annotations

import json
import re
from typing import Any

from snakepit_bridge._gen import errors_pb2

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


def quote(text: str) -> str:
    """Returns a caller's text as it stands in messages (VAL-2)."""
    short = text if len(text) <= 64 else f"{text[:64]}…"
    quoted = json.dumps(short, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)
