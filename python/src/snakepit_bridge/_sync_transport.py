"""Carries errands over blocking gRPC: one channel, and callers that wait for what threads of ours do.

A command counts as handed over once gRPC has asked for it on a stream, and a stream is only begun where a
server has just answered. A blocking channel cannot be asked for its state: it only tells subscribers, late
and from a thread that outlives its closing. So the bridge's health is asked for instead.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import grpc

from ._channels import ALONE, CHANNEL_OPTIONS, call_metadata
from ._errands import Errand
from ._steps import Status
from ._subscriptions import Subscription
from ._sync_helpers import LOOK, Helpers
from ._sync_link import SyncLink

__all__ = ["SyncTransport"]

_CHANNEL = "/snakepit.bridge.v1.ChannelService/Channel"
_CHECK = "/grpc.health.v1.Health/Check"
_WHOLE_SERVER = b""
"""The request: every field of it has its default."""

# A check fails as if nobody were there, too, if it meets a connection that is just breaking.
_CHECKS = 3

_NOBODY_THERE = Status(None, "")
_CLOSED = Status(None, "the channel is closed", closed=True)


class SyncTransport:
    """Carries the errands of one context. Nothing that is given to it may hold the context.

    Args:
        channel: The caller's own channel, never closed here; None to make one to the address.
        address: HOST:PORT; not used with a channel.
        token: Sent with every stream; None: none is.
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
        self._lock = threading.Lock()
        self._helpers = Helpers()
        self._closed = False
        # Held while the context is open.
        self._open = threading.Lock()
        self._open.acquire()
        self._channel: Any = None
        self._process: int | None = None
        self._check: Any = None
        self._link = SyncLink(
            connect=self._connect,
            begin=self._begin,
            now=now,
            jitter=jitter,
            pause=lambda seconds: self.pause(seconds),
            where="the end of its channel" if channel is not None else address,
            abandon=self._abandon,
        )

    def carry(self, errand: Errand) -> None:
        """Has an errand carried out.

        Raises:
            RuntimeError: If this process was forked from one in which the channel was already in use.
        """
        self._be_started()
        ended = threading.Lock()
        ended.acquire()
        errand.ended = ended.release
        try:
            self._link.submit(errand)
            if self._closed:
                self._helpers.run(self._link.close)
            # A signal that comes in the instant before the waiting does not end it: so never for long.
            while not ended.acquire(timeout=min(LOOK, max(0.0, errand.deadline - self._now()))):
                if self._now() >= errand.deadline:
                    self._helpers.run(lambda: self._link.expire(errand))
        except BaseException:
            self._helpers.run(lambda: self._link.withdraw(errand))
            raise

    def begin(self, subscription: Subscription) -> None:
        """Has something subscribed to, until it has ended or `end` is called. Raises as `carry` does."""
        self._be_started()
        self._link.submit(subscription)
        if self._closed:
            self._helpers.run(self._link.close)

    def end(self, subscription: Subscription) -> None:
        """Lets go of a subscription. Garbage collection may do it. Twice is fine."""
        self._link.end(subscription)

    def _be_started(self) -> None:
        if self._process not in (None, os.getpid()):
            raise RuntimeError(
                "this process was forked from one in which the context was already connected: make the "
                "context after the fork, or start processes with spawn or forkserver"
            )
        if self._channel is None:
            self._helpers.run(self._start)

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

    def leave(self) -> None:
        """Ends the threads of a context that nobody holds any more."""
        if self._process == os.getpid():
            self._link.leave()
        self._helpers.close()

    def _start(self) -> None:
        with self._lock:
            if self._channel is None and not self._closed:
                self._process = os.getpid()
                self._channel = self._given or grpc.insecure_channel(self._address, options=CHANNEL_OPTIONS)
                self._link.start()

    def _abandon(self) -> None:
        """Makes another connection in place of one on which nothing is heard, unless it is the caller's."""
        with self._lock:
            if self._given is not None or self._closed:
                return
            dead = self._channel
            self._channel = grpc.insecure_channel(self._address, options=ALONE)
        dead.close()

    def _close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._open.release()
        check = self._check
        if check is not None:
            check.cancel()
        self._link.close()
        if self._channel is not None and self._given is None:
            self._channel.close()

    def _connect(self) -> Status | None:
        """Waits until a server answers; returns what stands in the way."""
        for _ in range(_CHECKS):
            try:
                self._check = self._channel.unary_unary(_CHECK).future(_WHOLE_SERVER, metadata=self._metadata)
                if self._closed:
                    self._check.cancel()
                self._check.result()
            except grpc.RpcError as error:
                # It is the call, and would live as long as the frames that it was raised in.
                error.__traceback__ = None
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    # Whatever else it said: it is there.
                    return None
            except (grpc.FutureCancelledError, ValueError):  # gRPC's ways to say it
                return _CLOSED
            else:
                return None
            finally:
                self._check = None
        return _NOBODY_THERE

    def _begin(self, messages: Iterator[bytes]) -> Any:
        # Bytes in, bytes out.
        return self._channel.stream_stream(_CHANNEL)(messages, metadata=self._metadata)
