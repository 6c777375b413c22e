"""Carries attempts over blocking gRPC: one channel, readiness, deadlines. For many threads at once.

A command counts as handed over once the channel was seen READY and the call was made, as in `_aio_transport`.
But a blocking channel cannot be asked for its state: it only tells subscribers, late and from a thread that
outlives its closing. So the bridge's health is watched instead, by a call that ends when the connection does.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable
from typing import Any

import grpc

from ._channels import CHANNEL_OPTIONS, call_metadata, status_of
from ._errands import Errand
from ._steps import Status
from ._sync_helpers import Helpers

__all__ = ["SyncTransport"]

_CHECK = "/grpc.health.v1.Health/Check"
_WATCH = "/grpc.health.v1.Health/Watch"
_WHOLE_SERVER = b""
"""The request: every field of it has its default."""

# A check fails as if nobody were there, too, if it meets a connection that is just breaking.
_CHECKS = 3

_CANCELLED = 1
_DEADLINE_EXCEEDED = 4
_UNAVAILABLE = 14
_TOO_LATE = Status(_DEADLINE_EXCEEDED, "")


class SyncTransport:
    """Carries the attempts of one context.

    Args:
        channel: The caller's own channel, never closed here; None to make one to the address.
        address: HOST:PORT; not used with a channel.
        token: Sent with every call; None: none is.
        now: The context's clock, in seconds.
        jitter: Draws from [0, 1).
    """

    def __init__(
        self,
        *,
        channel: grpc.Channel | None,
        address: str,
        token: str | None,
        now: Callable[[], float],
        jitter: Callable[[], float],
    ) -> None:
        self._given = channel
        self._address = address
        self._metadata = call_metadata(given_channel=channel is not None, token=token)
        self._now = now
        self._jitter = jitter
        self._lock = threading.Lock()
        self._helpers = Helpers()
        self._closed = False
        # Held while the context is open.
        self._open = threading.Lock()
        self._open.acquire()
        self._channel: grpc.Channel | None = None
        self._process: int | None = None
        self._stubs: dict[str, Callable[..., Any]] = {}
        self._watch: Any = None

    def carry(self, errand: Errand) -> None:
        """Has an errand carried out, in as many attempts as it asks for.

        Raises:
            RuntimeError: If this process was forked from one in which the channel was already in use.
        """
        if self._process not in (None, os.getpid()):
            raise RuntimeError(
                "this process was forked from one in which the context was already connected: make the "
                "context after the fork, or start processes with spawn or forkserver"
            )
        for attempt in itertools.count(1):
            answer = self._helpers.run(lambda: self._attempt(errand))
            if not isinstance(answer, Status):
                errand.answered(answer)
                return
            left = errand.deadline - self._now()
            pause = errand.failed(answer, attempt=attempt, time_left=left, jitter=self._jitter())
            if pause is None:
                return
            self.pause(pause)

    def _attempt(self, errand: Errand) -> bytes | Status:
        """Sends a request as soon as the channel is ready; returns the answer, or why there is none."""
        if not self._is_connected():
            not_ready = self._connect(errand.deadline)
            if not_ready is not None:
                return not_ready
        left = errand.deadline - self._now()
        if left <= 0:
            return Status(None, "the time was up before anything was sent")
        return self._call(errand.method.path, errand.payload, left)

    def _is_connected(self) -> bool:
        watch = self._watch
        return watch is not None and watch.is_active()

    def _connect(self, deadline: float) -> Status | None:
        """Waits until a server answers; returns what stands in the way."""
        answer: bytes | Status = _TOO_LATE
        for _ in range(_CHECKS):
            left = deadline - self._now()
            answer = self._call(_CHECK, _WHOLE_SERVER, left) if left > 0 else _TOO_LATE
            if not isinstance(answer, Status) or answer.code != _UNAVAILABLE:
                break
        if isinstance(answer, Status):
            if answer.code == _UNAVAILABLE:
                return Status(None, "")
            if answer.code == _DEADLINE_EXCEEDED:
                return Status(None, "it could not be connected in time")
            if answer.code in (None, _CANCELLED):
                return Status(None, answer.text, cause=answer.cause, closed=answer.closed)
        # Whatever else it said: it is there.
        try:
            self._watch_health()
        except ValueError as error:
            return Status(None, "the channel is closed", cause=error, closed=True)
        return None

    def _watch_health(self) -> None:
        with self._lock:
            if self._channel is not None and not self._is_connected():
                watch: Any = self._channel.unary_stream(_WATCH)
                self._watch = watch(_WHOLE_SERVER, metadata=self._metadata)

    def _call(self, path: str, payload: bytes, seconds: float) -> bytes | Status:
        try:
            answer: bytes = self._stub(path)(
                payload, timeout=seconds if seconds < float("inf") else None, metadata=self._metadata
            )
        except grpc.RpcError as error:
            return status_of(error)
        except ValueError as error:  # gRPC's way to say it
            return Status(None, "the channel is closed", cause=error, closed=True)
        return answer

    def _stub(self, path: str) -> Callable[..., Any]:
        """Returns what makes calls of an RPC. Bytes in, bytes out: the core does the translation."""
        with self._lock:
            if self._closed:
                raise ValueError("closed")
            if self._channel is None:
                self._process = os.getpid()
                self._channel = self._given or grpc.insecure_channel(self._address, options=CHANNEL_OPTIONS)
            stub = self._stubs.get(path)
            if stub is None:
                stub = self._stubs[path] = self._channel.unary_unary(path)
            return stub

    def pause(self, seconds: float) -> None:
        """Waits between attempts, not longer than the context is open."""
        if self._open.acquire(timeout=seconds):
            self._open.release()

    def close(self) -> None:
        """Ends what is under way and closes the channel if it is ours. Twice is fine."""
        if self._process not in (None, os.getpid()):
            return
        self._helpers.run(self._close)
        self._helpers.close()

    def _close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
            channel, self._channel = self._channel, None
            watch, self._watch = self._watch, None
        self._open.release()
        if watch is not None:
            watch.cancel()
        if channel is not None and self._given is None:
            channel.close()
