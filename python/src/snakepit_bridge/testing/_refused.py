"""How the fake refuses: as a bridge does, by a detail."""

from __future__ import annotations

from typing import Any

from snakepit_bridge._gen import errors_pb2

__all__ = ["RefusedError"]


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
