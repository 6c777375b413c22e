"""Carries calls over grpc.aio: one channel per event loop, readiness, deadlines, retries.

A command counts as handed over once the channel was seen READY and the call was made. That is why no call is
made on a channel that is not: gRPC would fail or queue it without telling which.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar

import grpc
import grpc.aio

from . import _calls as calls
from ._core import Call, Found, SessionCore
from ._errors import BridgeError, ClosedError, DeadlineError, OutcomeUnknownError, UnavailableError
from ._flights import Flights
from ._retry import Failure, Outcome, after_failure

__all__ = ["AioTransport", "Link"]

T = TypeVar("T")

# How many bytes of error details a bridge may send, enough to name some hundred items of a refused batch. A
# third is added on the way, and gRPC takes only 8 KiB of trailers unless its channel is told otherwise.
_DETAIL_BYTES = 40_000
_DETAIL_BYTES_KEY = "snakepit-max-detail-bytes"

_CHANNEL_OPTIONS = (
    # Answers of the default limit of a server (4 MiB) and their framing, and of servers with a somewhat
    # higher one.
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_metadata_size", 64 * 1024),
    ("grpc.absolute_max_metadata_size", 64 * 1024),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    # A bridge is near. gRPC would take a proxy for the web from the environment, which does not know the way.
    ("grpc.enable_http_proxy", 0),
    # gRPC waits up to two minutes before it looks again; a bridge that was restarted is back within a second.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
)


@dataclass
class Link:
    """What belongs to one event loop."""

    loop: asyncio.AbstractEventLoop
    channel: grpc.aio.Channel
    flights: Flights[Found]
    process: int = field(default_factory=os.getpid)
    stubs: dict[str, Callable[..., Any]] = field(default_factory=dict)

    def stub(self, path: str) -> Callable[..., Any]:
        """Returns what makes calls of an RPC. Bytes in, bytes out: the core does the translation."""
        stub = self.stubs.get(path)
        if stub is None:
            stub = self.stubs[path] = self.channel.unary_unary(path)
        return stub


@dataclass(frozen=True)
class Status:
    """How an attempt failed: as `_retry.Failure` has it, with what people want to read."""

    code: int | None
    text: str
    trailer: bytes | None = None
    cause: BaseException | None = None
    closed: bool = False


class AioTransport:
    """Carries the calls of one context.

    Args:
        core: Told how each call ends.
        channel: The caller's own channel, never closed here; None to make channels to the address.
        address: HOST:PORT; not used with a channel.
        token: Sent with every call; None: none is.
        now: A monotonic clock in seconds.
        pause: Waits between attempts.
    """

    def __init__(
        self,
        core: SessionCore,
        *,
        channel: grpc.aio.Channel | None,
        address: str,
        token: str | None,
        now: Callable[[], float] = time.monotonic,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.closed = False
        self._core = core
        self._channel = channel
        self._address = address
        # A channel of the caller's takes what it was told to take, which nobody can ask it.
        self._metadata: tuple[tuple[str, str], ...] = (
            () if channel is not None else ((_DETAIL_BYTES_KEY, str(_DETAIL_BYTES)),)
        )
        if token is not None:
            self._metadata += (("authorization", f"Bearer {token}"),)
        self._now = now
        self._pause = pause
        self._links: list[Link] = []
        self._where = "the bridge on the given channel" if channel is not None else f"the bridge at {address}"

    def link(self) -> Link:
        """Returns what belongs to the running loop.

        Raises:
            ClosedError: After `close()`.
            RuntimeError: If the caller's channel is of another loop, or if this process was forked from one
                in which the channel was already in use.
        """
        self.check_open()
        loop = asyncio.get_running_loop()
        for link in self._links:
            if link.process != os.getpid():
                raise RuntimeError(
                    "this process was forked from one in which the context was already connected, and gRPC's "
                    "asyncio cannot be used on both sides of a fork: make the context after the fork, or "
                    "start processes with spawn or forkserver"
                )
            if link.loop is loop:
                return link
        if self._channel is not None and self._links:
            raise RuntimeError(
                "the channel given to this context belongs to another event loop: give each loop a channel "
                "of its own, or give address= instead of a channel"
            )
        self._links = [link for link in self._links if not link.loop.is_closed()]
        channel = self._channel or grpc.aio.insecure_channel(self._address, options=_CHANNEL_OPTIONS)
        link = Link(loop, channel, Flights(self._core.cache.is_current))
        self._links.append(link)
        return link

    async def run(self, call: Call[T], timeout: float) -> T:
        """Carries a call to its end, in as many attempts as the rules allow (`_retry`)."""
        link = self.link()
        deadline = self._now() + timeout
        attempt, lost = 0, False
        try:
            while True:
                attempt += 1
                answer = await self._attempt(link, call, deadline)
                if isinstance(answer, bytes):
                    return self._core.accept(call, answer)
                detail = calls.detail_of(answer.trailer)
                error = None if detail is None else calls.error_from_detail(detail, self._core.session_id)
                if error is not None and call.settled_by is not None and attempt > 1:
                    reason, result = call.settled_by
                    if error.reason == reason:
                        self._core.refuse(call, error)
                        return result
                failure = Failure(
                    is_write=call.method.is_write,
                    attempt=attempt,
                    time_left=deadline - self._now(),
                    code=answer.code,
                    reason=None if error is None else error.reason,
                    lost_before=lost,
                    closed=answer.closed,
                )
                verdict = after_failure(failure, random.random())
                if self.closed or isinstance(verdict, Outcome):
                    self._fail(call, answer, error, verdict, lost, timeout)
                lost = lost or answer.code is not None
                await self._pause(verdict)
        except asyncio.CancelledError:
            if call.method.is_write:
                self._core.lose(call)
            raise

    async def _attempt(self, link: Link, call: Call[Any], deadline: float) -> bytes | Status:
        not_ready = await self._become_ready(link.channel, deadline)
        if not_ready is not None:
            return not_ready
        left = deadline - self._now()
        if left <= 0:
            return Status(None, "the time was up before anything was sent")
        cancellations = _cancellations()
        try:
            answer: bytes = await link.stub(call.method.path)(
                call.payload, timeout=left if left < float("inf") else None, metadata=self._metadata
            )
        except grpc.aio.AioRpcError as error:
            return _status_of(error)
        except asyncio.CancelledError as error:
            if _asked_for(cancellations, link.channel):
                raise
            return Status(1, "the channel was closed under the call", cause=error, closed=True)
        except grpc.aio.UsageError as error:
            return Status(None, "the channel is closed", cause=error, closed=True)
        return answer

    async def _become_ready(self, channel: grpc.aio.Channel, deadline: float) -> Status | None:
        """Waits until the channel is connected; returns what stands in the way."""
        while (state := channel.get_state(try_to_connect=True)) is not grpc.ChannelConnectivity.READY:
            if state is grpc.ChannelConnectivity.TRANSIENT_FAILURE:
                return Status(None, "")
            if state is grpc.ChannelConnectivity.SHUTDOWN:
                return Status(None, "the channel is closed", closed=True)
            left = deadline - self._now()
            if left <= 0:
                return Status(None, "it could not be connected in time")
            change = asyncio.ensure_future(channel.wait_for_state_change(state))
            try:
                await asyncio.wait({change}, timeout=left if left < float("inf") else None)
            finally:
                if not change.done():
                    change.cancel()
            if not change.cancelled() and change.done():
                change.exception()  # closed meanwhile; the state says so
        return None

    def _fail(
        self,
        call: Call[Any],
        status: Status,
        error: BridgeError | None,
        verdict: Outcome | float,
        lost: bool,
        timeout: float,
    ) -> NoReturn:
        handed_over = lost or status.code is not None
        if self.closed and error is None and not (call.method.is_write and handed_over):
            raise self._closed_error()
        raised: BridgeError
        if verdict is Outcome.AS_ANSWERED:
            raised = error or calls.error_from_status(
                status.code or 0, status.text, self._where, self._core.session_id
            )
            self._core.refuse(call, raised)
        elif verdict is Outcome.UNAVAILABLE:
            raised = self._unavailable(status)
        elif verdict is Outcome.DEADLINE:
            raised = DeadlineError(
                f"{self._where} did not answer within {timeout:g} s", session_id=self._core.session_id
            )
        else:
            self._core.lose(call)
            raised = OutcomeUnknownError(
                f"the write may or may not have been carried out: {self._where} gave no definite answer "
                f"within {timeout:g} s",
                session_id=self._core.session_id,
            )
        raise raised from status.cause

    def _unavailable(self, status: Status) -> UnavailableError:
        if self._channel is not None:
            text = f"no bridge answers on the given channel{status.text and ': ' + status.text}"
        else:
            port = self._address.rpartition(":")[2]
            text = (
                f"no bridge answers at {self._address}{status.text and ': ' + status.text}. Start one with "
                f"`npx snakepit-bridge serve --port {port}`, or name another with address= or the "
                "environment variable SNAKEPIT_BRIDGE_ADDRESS"
            )
        return UnavailableError(text, session_id=self._core.session_id)

    def check_open(self) -> None:
        """Raises ClosedError after `close()`."""
        if self.closed:
            raise self._closed_error()

    def _closed_error(self) -> ClosedError:
        return ClosedError(
            f"the context of the session {self._core.session_id!r} is closed: make a new one",
            session_id=self._core.session_id,
        )

    async def close(self) -> None:
        """Ends what is under way and closes the channels that are ours. Twice is fine."""
        self.closed = True
        links, self._links = self._links, []
        for link in links:
            if link.process != os.getpid() or link.loop.is_closed():
                continue
            if link.loop is asyncio.get_running_loop():
                link.flights.abandon()
                if self._channel is None:
                    await link.channel.close()


def _status_of(error: grpc.aio.AioRpcError) -> Status:
    trailer: bytes | None = None
    for key, value in error.trailing_metadata() or ():
        if key == calls.DETAILS_KEY and isinstance(value, bytes):
            trailer = value
    return Status(error.code().value[0], error.details() or "", trailer, error)


def _cancellations() -> int | None:
    """How often the running task was asked to end; None where Python cannot say (before 3.11)."""
    task: Any = asyncio.current_task()
    return task.cancelling() if hasattr(task, "cancelling") else None


def _asked_for(before: int | None, channel: grpc.aio.Channel) -> bool:
    """Returns whether a CancelledError is meant for us: grpc raises it too when a channel is closed."""
    if before is None:
        return channel.get_state() is not grpc.ChannelConnectivity.SHUTDOWN
    now = _cancellations()
    return now is not None and now > before
