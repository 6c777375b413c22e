"""Points in the life of a session, and the texts that a program keeps to go on from there.

The texts are those of TypeScript, so a program in one language can go on where one in the other was.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ._errors import InternalError, InvalidInputError
from ._gen import values_pb2

__all__ = ["NOWHERE", "ResumePoint", "read_point"]

_TEXT = re.compile(r"([0-9a-f]{32})?-([0-9]{1,16})-([0-9a-f]{16})")
_INCARNATION = 16


@dataclass(frozen=True)
class ResumePoint:
    """A revision, and what tells it from others of the same number (ORD-4).

    Attributes:
        incarnation: 16 bytes of the session's life; none before its creation.
        number: The number of the revision.
        check: What the commits up to it come to.
    """

    incarnation: bytes
    number: int
    check: int

    def __str__(self) -> str:
        return f"{self.incarnation.hex()}-{self.number}-{self.check:016x}"

    def message(self) -> values_pb2.Revision:
        """Returns what a bridge is asked to go on from."""
        return values_pb2.Revision(incarnation=self.incarnation, number=self.number, commit_check=self.check)


NOWHERE = ResumePoint(b"", 0, 0)
"""The point before a session's creation, and after its end."""


def read_point(told: object) -> ResumePoint:
    """Returns the point in a text that `str` made of one, or in the words of a bridge.

    Raises:
        InvalidInputError: INVALID_ARGUMENT, if the text is no point.
        InternalError: PROTOCOL, if a bridge said what is none.
    """
    if isinstance(told, values_pb2.Revision):
        if told.number > 0 and len(told.incarnation) != _INCARNATION:
            raise InternalError("the bridge told a revision that makes no sense", reason="PROTOCOL")
        return ResumePoint(told.incarnation, told.number, told.commit_check)
    found = _TEXT.fullmatch(told) if isinstance(told, str) else None
    if found is None or int(found[2]) > 2**53 - 1:
        raise InvalidInputError(
            "after is no point of a watch: give what `point` of one was",
            reason="INVALID_ARGUMENT",
            field="after",
        )
    return ResumePoint(bytes.fromhex(found[1] or ""), int(found[2]), int(found[3], 16))
