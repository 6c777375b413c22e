"""Carries errands over blocking gRPC: one channel, and callers that wait for what threads of ours do.

A command counts as handed over once gRPC has asked for it on a stream, and a stream is only begun where a
server has just answered. A blocking channel cannot be asked for its state: it only tells subscribers, late
and from a thread that outlives its closing. So the bridge's health is asked for instead.

If it does not answer in time on a channel on which it was heard before, the connection may be dead without a
word, and is replaced if it is ours. Else nobody is there, and callers are told so. A channel on which it was
never heard is kept: a bridge that is only slow would have all its clients connect again and again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import grpc

from . import _forking
from ._channels import ALONE_OPTIONS, CHANNEL, CHANNEL_CLOSED, CHANNEL_OPTIONS, call_metadata
from ._errands import Errand
from ._green import refuse_green_threads
from ._link import SILENCE
from ._steps import Status
from ._subscriptions import Subscription
from ._sync_helpers import LOOK, Helpers
from ._sync_link import INTERRUPTED, SyncLink

__all__ = ["SyncTransport"]

_CHECK = "/grpc.health.v1.Health/Check"
_WHOLE_SERVER = b""
"""The request: every field of it has its default."""

# A check fails as if nobody were there, too, if it meets a connection that is just breaking.
_CHECKS = 3

_PATIENCE = SILENCE
"""How long a check may take, in seconds: as long as a stream may be silent."""

_NOBODY_THERE = Status(None, "")
_SILENT = Status(None, f"it said nothing for {_PATIENCE:g} s")

_OF_THE_PARENT = (
    "the channel given to this context belongs to the process that this one was forked from: make the "
    "channel and the context after the fork, or give address= instead of a channel"
)


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
        self._jitter = jitter
        self._closed = False
        self._refusal: str | None = None
        self._left_behind: list[Subscription] = []
        self._arm()
        _forking.at_fork(self)

    def _arm(self) -> None:
        """Makes everything that belongs to one process."""
        self._lock = threading.Lock()
        self._helpers = Helpers()
        # Held while the context is open.
        self._open = threading.Lock()
        if not self._closed:
            self._open.acquire()
        self._channel: Any = None
        self._is_started = False
        # Whether a bridge has answered on the channel.
        self._was_heard = False
        self._check: Any = None
        self._interrupted: Any = None
        self._link = SyncLink(
            connect=self._connect,
            interrupt=self._interrupt,
            begin=self._begin,
            renew=self._renew,
            now=self._now,
            jitter=self._jitter,
            where="the end of its channel" if self._given is not None else self._address,
        )

    def carry(self, errand: Errand) -> None:
        """Has an errand carried out.

        Raises:
            RuntimeError: If this process was forked, and nothing can be carried in it.
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
        refusal = self._refusal or _forking.refusal()
        if refusal is not None:
            raise RuntimeError(refusal)
        # They may have been replaced since there is a channel.
        refuse_green_threads()
        if not self._is_started:
            self._helpers.run(self._start)

    def pause(self, seconds: float) -> None:
        """Waits between attempts, not longer than the context is open."""
        if self._open.acquire(timeout=seconds):
            self._open.release()

    def close(self) -> None:
        """Ends what is under way and closes the channel if it is ours. Twice is fine."""
        if _forking.refusal() is not None:
            return
        self._helpers.run(self._close)
        self._helpers.close()

    def leave(self) -> None:
        """Ends the threads of a context that nobody holds any more."""
        self._link.leave()
        self._helpers.close()

    # ---- forks

    def hold(self) -> None:
        """Has no thread in gRPC until `resume`."""
        self._link.hold()

    def resume(self) -> None:
        """Goes on after `hold`."""
        self._link.resume()

    def abandon(self) -> None:
        """Takes that this is another process now: it connects anew when it is used, and owes nothing.

        Subscriptions are begun again by those who want to hear of them, who are woken then.
        """
        _forking.leave_alone(self._channel, self._link)
        adrift = self._link.left_behind()
        for each in adrift:
            each.adrift = True
            self.wake_when_used(each)
        self._refusal = None if self._given is None else _OF_THE_PARENT
        self._arm()

    def wake_when_used(self, subscription: Subscription) -> None:
        """Has those woken who want to hear of a subscription, once this is used in this process."""
        if subscription not in self._left_behind:
            self._left_behind.append(subscription)

    # ---- within

    def _start(self) -> None:
        with _forking.use_grpc(), self._lock:
            if self._is_started or self._closed:
                return
            if self._channel is None:
                options = ALONE_OPTIONS if _forking.is_forked() else CHANNEL_OPTIONS
                self._channel = self._given or grpc.insecure_channel(self._address, options=options)
            self._link.start()
            self._is_started = True
        left_behind, self._left_behind = self._left_behind, []
        for each in left_behind:
            each.ring()

    def _interrupt(self) -> None:
        check = self._interrupted = self._check
        if check is not None:
            check.cancel()

    def _close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._open.release()
        self._interrupt()
        self._link.close()
        if self._channel is not None and self._given is None:
            with _forking.quiet():
                self._channel.close()

    def _renew(self) -> bool:
        """Gives up a channel of ours that is dead; returns whether there is another one now."""
        with self._lock:
            if self._closed or self._given is not None:
                return False
            dead, self._channel = self._channel, grpc.insecure_channel(self._address, options=ALONE_OPTIONS)
            self._was_heard = False
        dead.close()
        return True

    def _connect(self) -> Status | None:
        """Waits until a server answers; returns what stands in the way."""
        for _ in range(_CHECKS):
            check: Any = None
            try:
                check = self._channel.unary_unary(_CHECK).future(_WHOLE_SERVER, metadata=self._metadata)
                self._check = check
                if self._closed:
                    check.cancel()
                check.result(_PATIENCE)
            except grpc.FutureTimeoutError:
                check.cancel()
                return INTERRUPTED if self._was_heard and self._renew() else _SILENT
            except grpc.RpcError as error:
                # It is the call, and would live as long as the frames that it was raised in.
                error.__traceback__ = None
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    # Whatever else it said: it is there.
                    self._was_heard = True
                    return None
            except (grpc.FutureCancelledError, ValueError):  # gRPC's ways to say it
                return INTERRUPTED if check is not None and check is self._interrupted else CHANNEL_CLOSED
            else:
                self._was_heard = True
                return None
            finally:
                self._check = None
        return _NOBODY_THERE

    def _begin(self, messages: Iterator[bytes], receive: Callable[[bytes], object]) -> Any:
        # Bytes out; what comes in is taken where gRPC has it decoded.
        return self._channel.stream_stream(CHANNEL, None, receive)(messages, metadata=self._metadata)
