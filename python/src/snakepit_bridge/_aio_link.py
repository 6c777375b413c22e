"""Drives a link (`_link`) over grpc.aio: connects when there is something to send, and feeds its streams.

    idle → connecting → a stream is open → (it ends) → pausing → connecting …

What is submitted in the same tick of the event loop leaves in one message. A command counts as handed over
once gRPC has asked for the message that it is in, and none is given to a channel that was not READY just
then: gRPC would fail or queue it without telling which. A stream that nobody uses is let go, so that an idle
context has no task and no call under way. One that carries a subscription is in use.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import grpc
import grpc.aio

from ._aio_connecting import settled
from ._channels import CHANNEL, CHANNEL_CLOSED, status_of
from ._errands import Errand
from ._frames import SenselessError
from ._link import Carried, Link, Stream
from ._log import log
from ._retry import CANCELLED, INTERNAL, UNAVAILABLE
from ._steps import Status
from ._subscriptions import Subscription

__all__ = ["AioLink"]

_LOOK = 0.15
"""How often it is looked whether a stream is used, in seconds."""


class _Line:
    """A stream, and what serves it.

    Attributes:
        task: Reads what the bridge says, until the stream ends.
        channel: What it is on.
        call: What gRPC knows it by; None before it was begun.
        news: Set when there may be something to send, or nothing any more.
        ended: Whether the stream has ended. Its feed ends by itself then: gRPC forgets it, and asyncio would
            log that.
        look: The next look whether it is used.
    """

    def __init__(self, stream: Stream, channel: grpc.aio.Channel) -> None:
        self.stream = stream
        self.channel = channel
        self.call: Any = None
        self.news = asyncio.Event()
        self.ended = False
        self.task: asyncio.Task[None]
        self.look: asyncio.TimerHandle


class AioLink:
    """The streams on one channel, in its event loop.

    Args:
        channel: The channel. Who closes this closes it after, unless it was replaced.
        renew: Makes another one, with a connection of its own; None: there is no other.
        metadata: Sent with every stream.
        now: The clock of the errands' deadlines, in seconds.
        jitter: Draws from [0, 1).
        pause: Waits so many seconds.
        where: Where the bridge is, for people.
    """

    def __init__(
        self,
        channel: grpc.aio.Channel,
        renew: Callable[[], grpc.aio.Channel] | None,
        metadata: tuple[tuple[str, str], ...],
        *,
        now: Callable[[], float],
        jitter: Callable[[], float],
        pause: Callable[[float], Coroutine[Any, Any, None]],
        where: str,
    ) -> None:
        self.channel = channel
        self._renew = renew
        self._metadata = metadata
        self._now = now
        self._pause = pause
        self._loop = asyncio.get_running_loop()
        self._link = Link(now=now, jitter=jitter, where=where, tell=log)
        self._lines: dict[Stream, _Line] = {}
        self._connecting: asyncio.Task[None] | None = None
        self._pausing = False
        # Rings when the link has to be told that time has passed.
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = 0.0
        # A loop does not hold the tasks that it runs.
        self._tasks: set[asyncio.Task[None]] = set()

    async def carry(self, errand: Errand) -> None:
        """Has an errand carried out."""
        ended = self._loop.create_future()
        errand.ended = lambda: None if ended.done() else ended.set_result(None)
        left = errand.deadline - self._now()
        timer = self._loop.call_later(left, self._expire, errand) if left < float("inf") else None
        self._submit(errand)
        try:
            await ended
        except asyncio.CancelledError:
            self._let_go(self._link.withdraw(errand))
            raise
        finally:
            if timer is not None:
                timer.cancel()

    def begin(self, subscription: Subscription) -> None:
        """Has something subscribed to, until it has ended or `end` is called; one that rests, soon."""
        self._submit(subscription)
        self._set_alarm()

    def carries(self, subscription: Subscription) -> bool:
        """Returns whether it has a subscription that has not ended."""
        return self._link.carries(subscription)

    def abandon(self) -> None:
        """Takes that the event loop is closed, and nothing runs in it again.

        gRPC holds a call as long as the bridge tells it anything, and who waits for it for ever. So the calls
        are ended here, and those who wait let go of what they have.
        """
        calls: list[Any] = [line.call for line in self._lines.values() if line.call is not None]
        waiting: list[Any] = [task.get_coro() for task in self._tasks]
        for end in (*(call.cancel for call in calls), *(each.close for each in waiting)):
            with contextlib.suppress(RuntimeError):  # when it has done so: that its loop is closed
                end()
        self._link.abandon()

    def end(self, subscription: Subscription) -> None:
        """Lets go of a subscription. Twice is fine."""
        self._let_go(self._link.withdraw(subscription))

    async def close(self) -> None:
        """Ends all errands and streams."""
        self._link.close()
        if self._alarm is not None:
            self._alarm.cancel()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if tasks:
            # Some of them may have been settling.
            await _settle()

    # ---- errands

    def _submit(self, errand: Carried) -> None:
        self._link.submit(errand)
        self._go()

    def _expire(self, errand: Errand) -> None:
        self._let_go(self._link.expire(errand))

    def _let_go(self, stream: Stream | None) -> None:
        if stream is not None:
            self._lines[stream].news.set()
        elif self._pausing and not self._link.waiting and self._connecting is not None:
            # The pause was for those who are gone.
            self._connecting.cancel()
            self._connecting, self._pausing = None, False
        # They may have been all that a stream still owed an answer.
        self._go()

    # ---- streams

    def _go(self) -> None:
        """Has what waits sent."""
        if not self._link.waiting:
            return
        if self._link.open is not None:
            self._lines[self._link.open].news.set()
        elif self._connecting is None and self._link.wants_stream:
            self._connecting = self._start(self._connect(None))

    async def _connect(self, pause: float | None) -> None:
        """Opens a stream, if somebody still waits then."""
        try:
            while self._link.wants_stream:
                if pause is not None:
                    self._pausing = True
                    await self._pause(pause)
                    self._pausing = False
                not_ready = await self._become_ready()
                if not_ready is not None:
                    pause = self._link.fail(not_ready)
                    self._set_alarm()
                elif self._link.wants_stream:
                    self._open()
        finally:
            if self._connecting is asyncio.current_task(self._loop):
                self._connecting, self._pausing = None, False
        self._go()

    async def _become_ready(self) -> Status | None:
        """Waits until the channel is connected; returns what stands in the way."""
        while True:
            channel = self.channel
            state = await settled(channel)
            if channel is not self.channel:
                continue  # it was given up meanwhile
            if state is grpc.ChannelConnectivity.READY:
                return None
            return CHANNEL_CLOSED if state is grpc.ChannelConnectivity.SHUTDOWN else Status(None, "")

    def _open(self) -> None:
        line = _Line(self._link.begin(), self.channel)
        self._lines[line.stream] = line
        line.look = self._loop.call_later(_LOOK, self._look, line, line.stream.count)
        line.task = self._start(self._serve(line))

    def _look(self, line: _Line, count: int) -> None:
        """Lets go of a stream if nobody used it since the last look."""
        stream = line.stream
        if stream.sent or stream.count != count or (stream is self._link.open and self._link.waiting):
            line.look = self._loop.call_later(_LOOK, self._look, line, stream.count)
        else:
            self._link.retire(stream)
            line.task.cancel()

    async def _serve(self, line: _Line) -> None:
        """Reads from a stream until it ends."""
        status = await self._read(line)
        line.look.cancel()
        line.ended = True
        line.news.set()
        del self._lines[line.stream]
        self._lost(self._link.lose(line.stream, status))
        used = {self.channel, *(each.channel for each in self._lines.values())}
        if line.channel not in used:
            await line.channel.close()
        if status.closed:
            await _settle()

    def _lost(self, pause: float | None) -> None:
        """Has what a stream left unanswered sent again, after a pause if there is to be one."""
        if pause is not None and self._connecting is None:
            self._connecting = self._start(self._connect(pause))
        else:
            self._go()
        self._set_alarm()

    # ---- time

    def _set_alarm(self) -> None:
        """Sees to it that the link is told when time has passed."""
        due = self._link.due
        if due is None or (self._alarm is not None and self._alarm_at <= due):
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_at = due
        self._alarm = self._loop.call_later(max(0.0, due - self._now()), self._rise)

    def _rise(self) -> None:
        self._alarm = None
        for stream, pause in self._link.rise():
            line = self._lines[stream]
            line.task.cancel()
            # Its connection is as dead, and gRPC would find that out much later.
            if self._renew is not None and self._link.is_cut_off and line.channel is self.channel:
                self.channel = self._renew()
            self._lost(pause)
        self._go()
        self._set_alarm()

    async def _read(self, line: _Line) -> Status:
        call: Any = None
        try:
            # Bytes in, bytes out.
            rpc: Any = line.channel.stream_stream(CHANNEL)
            line.call = call = rpc(self._feed(line), metadata=self._metadata)
            async for message in call:
                self._link.receive(line.stream, message)
                # It may have been told to take no more, or have to say that somebody has heard enough.
                self._go()
                if line.stream.outbox:
                    line.news.set()
                self._set_alarm()
        except grpc.aio.AioRpcError as error:
            return status_of(error)
        except SenselessError as error:
            call.cancel()
            return Status(INTERNAL, str(error), cause=error)
        except grpc.aio.UsageError as error:
            return Status(CANCELLED, CHANNEL_CLOSED.text, cause=error, closed=True)
        except asyncio.CancelledError as error:
            # By us, by the loop that ends, or by gRPC because its channel was closed.
            return Status(CANCELLED, "the channel was closed under the call", cause=error, closed=True)
        except Exception as error:  # noqa: BLE001 - however a stream ends, what was sent on it is judged
            if call is not None:
                call.cancel()
            return Status(INTERNAL, f"{type(error).__name__}: {error}", cause=error)
        # A bridge that shuts down ends its streams in peace.
        return Status(UNAVAILABLE, "the bridge ended the stream")

    async def _feed(self, line: _Line) -> AsyncIterator[bytes]:
        """Says what there is to say on a stream."""
        stream = line.stream
        while not line.ended:
            if stream is self._link.open and line.channel.get_state() is not grpc.ChannelConnectivity.READY:
                self._link.retire(stream)
                self._go()
            message = self._link.take(stream)
            if message is not None:
                self._set_alarm()
                yield message
            else:
                await line.news.wait()
                line.news.clear()

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


async def _settle() -> None:
    """Waits until gRPC has done with the calls that were ended before.

    It does so a moment later, in whatever loop runs then, and logs an error there if theirs has ended. What
    is asked behind them is answered behind them, and a call without any time is answered here.
    """
    async with grpc.aio.insecure_channel("localhost") as channel:
        rpc: Any = channel.unary_unary("/")
        with contextlib.suppress(grpc.aio.AioRpcError):
            await rpc(b"", timeout=0)
