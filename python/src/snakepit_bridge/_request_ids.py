"""Names for writes, so that a retry is applied once (ORD-15)."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from ._gen import sessions_pb2

__all__ = ["RequestIds"]


class RequestIds:
    """The names that one context gives to its writes.

    A copy in another process would use the same numbers for other writes and get the answers of ours: the
    random part is drawn again where the process is another one.
    """

    def __init__(self, draw: Callable[[], bytes], process: Callable[[], int]) -> None:
        self._draw = draw
        self._process = process
        self._owner: int | None = None
        self._client = b""
        self._sequence = itertools.count(1)

    def next(self) -> sessions_pb2.RequestId:
        """Returns the name of one more write."""
        if self._owner != self._process():
            self._owner = self._process()
            self._client = self._draw()
            self._sequence = itertools.count(1)
        return sessions_pb2.RequestId(client_id=self._client, sequence=next(self._sequence))
