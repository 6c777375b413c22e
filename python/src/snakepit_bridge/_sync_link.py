"""Drives a link (`_link`) over blocking gRPC. For many threads at once.

Three threads serve a context that is in use, and none of them is the caller's:

- the driver connects and opens streams when there is something to send and no stream to send it on, and looks
  at the clock for the link;
- gRPC's own thread asks a stream's feed for the next message: all that is ready goes in it;
- a reader asks gRPC for the next message, which gRPC's thread has taken by then.

While the process is being forked there are no streams, and the driver stands still (`_forking`).

They share the link under a lock. A caller does not take it: it could be the main thread, which can be
interrupted anywhere, and an interrupt in the wrong place would leave the link in a state that it never has.
It leaves its errand in a mailbox (`_mailbox`), wakes whoever has to look there, and waits on a bare lock of
its own.

Whatever goes wrong in one of the threads, such as a thread that the system has no room for, ends an attempt
and not the link: those who wait are told, and the driver goes on.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import grpc

from ._channels import CHANNEL_CLOSED, status_of
from ._errands import Errand
from ._frames import SenselessError
from ._link import Carried, Link, Stream
from ._log import log
from ._mailbox import Bell, Mailbox
from ._retry import CANCELLED, INTERNAL, UNAVAILABLE
from ._steps import Status
from ._subscriptions import Subscription
from ._sync_helpers import rest

__all__ = ["INTERRUPTED", "SyncLink"]

INTERRUPTED = Status(None, "the waiting for a connection was interrupted")
"""Says nothing of the connection: it has to be waited for anew."""

_LOOK = 2.0
"""How often it is looked whether a stream is used, in seconds: gRPC has its reader look about every 0.1 s."""

_JOIN = 1.0
"""How long `close` waits for its threads at most, in seconds."""

_STANDSTILL = 0.05
"""How long there are no streams after a fork, in seconds."""

_AFTER_TROUBLE = 0.1
"""How long the driver rests after what should not have happened, in seconds: it may happen again at once."""

_LOOKS = 20
"""How often the driver is asked to leave gRPC in that time: it may be about to begin what is to be ended."""


def _status_without_call(error: grpc.RpcError) -> Status:
    """Returns how a stream has ended, without what it was.

    gRPC raises the call itself, and a call that is collected takes a lock. It must not live until the
    interpreter ends, which may stop a thread of gRPC that has this lock, and then waits for it for ever.
    """
    status = status_of(error)
    error.__traceback__ = None
    return replace(status, cause=grpc.RpcError(f"{status.code}: {status.text}"))


def _status_of_trouble(error: Exception, *, handed_over: bool) -> Status:
    """Returns how an attempt has ended that failed in a way that nobody has thought of."""
    return Status(INTERNAL if handed_over else None, f"{type(error).__name__}: {error}", cause=error)


class _Line:
    """A stream, and what serves it.

    Attributes:
        bell: Wakes its feed, and ends it.
        call: What gRPC has of it; None before it began.
        is_over: Whether it was ended here.
        reader: The thread that reads from it.
    """

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.bell = Bell()
        self.call: Any = None
        self.is_over = False
        self.reader: threading.Thread

    def end(self) -> None:
        self.is_over = True
        self.bell.end()
        if self.call is not None:
            self.call.cancel()


def _join(threads: list[threading.Thread]) -> None:
    """Waits for the end of threads, not longer than `close` may."""
    deadline = time.monotonic() + _JOIN
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))


class SyncLink:
    """The streams on one channel.

    Args:
        connect: Waits for a connection; returns what stands in the way.
        interrupt: Ends that waiting.
        begin: Begins a call that sends what the iterator gives. What comes is decoded by a function.
        renew: Takes that the connection is dead, and has the next call begun on another if it can.
        now: The clock of the errands' deadlines, in seconds.
        jitter: Draws from [0, 1).
        where: Where the bridge is, for people.
    """

    def __init__(
        self,
        *,
        connect: Callable[[], Status | None],
        interrupt: Callable[[], None],
        begin: Callable[[Iterator[bytes], Callable[[bytes], object]], Any],
        renew: Callable[[], object],
        now: Callable[[], float],
        jitter: Callable[[], float],
        where: str,
    ) -> None:
        self._connect = connect
        self._interrupt = interrupt
        self._begin = begin
        self._renew = renew
        self._now = now
        self._lock = threading.Lock()
        self._link = Link(now=now, jitter=jitter, where=where, tell=log)
        self._mailbox = Mailbox()
        # Wakes the driver, and ends it.
        self._bell = Bell()
        self._open: _Line | None = None
        self._lines: dict[Stream, _Line] = {}
        self._threads: set[threading.Thread] = set()
        # Held by the driver while it is in gRPC, and while it may not be.
        self._turn = threading.Lock()
        self._holds = False
        # Until when there is no stream for those who wait, and for nobody because of a fork, on the clock.
        self._rests_until = 0.0
        self._stands_until = 0.0
        # When the driver looks at the clock, if it is not woken before.
        self._look_at: float | None = None
        self._started = False
        self._closed = False

    @property
    def is_open(self) -> bool:
        """Whether there is a stream that takes commands."""
        return self._open is not None

    # ---- for callers

    def submit(self, errand: Carried) -> None:
        """Takes an errand. It is one instruction after the other that an interrupt leaves whole.

        Who ends a stream looks into the mailbox after it has taken the stream away from here. So an errand
        that comes too late for one is found all the same.
        """
        self._mailbox.submit(errand)
        self._ring()

    def end(self, subscription: Subscription) -> None:
        """Lets go of a subscription, as `submit` takes one; garbage collection may do it. Twice is fine."""
        self._mailbox.let_go(subscription)
        self._ring()

    def _ring(self) -> None:
        line = self._open
        (self._bell if line is None else line.bell).ring()

    # ---- for all threads that cannot be interrupted

    def start(self) -> None:
        """Has errands carried out from now on."""
        with self._lock:
            if not self._started and not self._closed:
                self._start(self._drive)
                self._started = True

    def withdraw(self, errand: Errand) -> None:
        """Lets go of an errand that nobody waits for."""
        with self._lock:
            self._look()
            self._wake(self._link.withdraw(errand))

    def expire(self, errand: Errand) -> None:
        """Lets go of an errand whose time is up, and tells it so."""
        with self._lock:
            self._look()
            self._wake(self._link.expire(errand))

    def close(self) -> None:
        """Ends all errands, those that come later too, and then all streams."""
        with self._lock:
            self._closed = True
            self._look()
            self._link.close()
            self._open = None
            lines, threads = list(self._lines.values()), list(self._threads)
        self.leave()
        for line in lines:
            line.end()
        _join([thread for thread in threads if thread is not threading.current_thread()])

    def hold(self) -> None:
        """Ends all streams, and has no thread in gRPC until `resume`. It takes two seconds at most.

        What is under way goes on then. A process that is forked meanwhile has nothing of it.
        """
        for _ in range(_LOOKS):
            self._interrupt()
            if self._turn.acquire(timeout=_JOIN / _LOOKS):
                self._holds = True
                break
        with self._lock:
            self._open = None
            self._look()
            self._link.set_aside()
            lines = list(self._lines.values())
        for line in lines:
            line.end()
        _join([line.reader for line in lines])

    def resume(self) -> None:
        """Goes on a moment after `hold`: who forks often does so again, and gRPC has to be at rest then."""
        self._stands_until = self._now() + _STANDSTILL
        if self._holds:
            self._holds = False
            self._turn.release()
        self._bell.ring()

    def left_behind(self) -> list[Subscription]:
        """Returns the subscriptions that it has, in a process where nobody drives it any more."""
        self._look()
        return self._link.subscriptions

    def leave(self) -> None:
        """Ends the driver, and with it everything. It is one instruction: garbage collection may do it."""
        self._bell.end()

    # ---- within, under the lock

    def _look(self) -> None:
        """Takes what was submitted."""
        if not self._link.waiting:
            # The rest was for those who have gone, if it was for anybody.
            self._rests_until = 0.0
        for errand, is_wanted in self._mailbox.take():
            if is_wanted:
                self._link.submit(errand)
            else:
                self._wake(self._link.withdraw(errand))

    def _wake(self, stream: Stream | None) -> None:
        if stream is not None:
            self._lines[stream].bell.ring()
            # It may have been all that the stream still owed an answer.
            if self._link.wants_stream:
                self._bell.ring()

    def _rest(self, seconds: float | None) -> None:
        """Takes how long those who wait do so before the next stream, in seconds; None: nobody has to."""
        if seconds is not None:
            self._rests_until = self._now() + seconds

    def _hurry(self) -> None:
        """Wakes the driver if it has to look at the clock sooner than it means to."""
        due = self._link.due
        if due is not None and (self._look_at is None or due < self._look_at):
            self._look_at = due
            self._bell.ring()

    def _retire(self, line: _Line) -> None:
        """Gives a stream no more commands, and has those that wait sent on another."""
        self._link.retire(line.stream)
        if self._open is line:
            self._open = None
        self._look()
        if self._link.waiting:
            self._bell.ring()

    def _start(self, work: Callable[..., None], *arguments: Any) -> threading.Thread:
        def run() -> None:
            try:
                work(*arguments)
            finally:
                self._threads.discard(thread)

        thread = threading.Thread(target=run, name="snakepit-bridge link", daemon=True)
        self._threads.add(thread)
        try:
            thread.start()
        except BaseException:
            self._threads.discard(thread)
            raise
        return thread

    # ---- the driver

    def _drive(self) -> None:
        while not self._bell.is_over:
            try:
                self._go_on()
            except Exception as error:  # noqa: BLE001 - told to those who wait
                self._take_trouble(error)
        if not self._closed:
            self.close()

    def _go_on(self) -> None:
        """Does what there is to do, or waits for that."""
        self._rise()
        with self._lock:
            wants_stream = self._wants_stream()
            now = self._now()
            left = max(self._rests_until, self._stands_until) - now
            self._look_at = due = self._link.due
            until_due = None if due is None else max(0.0, due - now)
        if not wants_stream:
            self._bell.wait(until_due)
        elif left > 0:
            self._pause(left if until_due is None else min(left, until_due))
        else:
            self._open_line()

    def _wants_stream(self) -> bool:
        self._look()
        if self._open is not None:
            self._open.bell.ring()
        return self._link.wants_stream

    def _pause(self, seconds: float) -> None:
        """Lets time pass before the next stream, or something happen that ends the need to."""
        self._bell.wait(seconds)

    def _take_trouble(self, error: Exception) -> None:
        with contextlib.suppress(Exception), self._lock:
            self._rest(self._link.fail(_status_of_trouble(error, handed_over=False)))
        rest(_AFTER_TROUBLE)

    def _rise(self) -> None:
        """Tells the link that time has passed, and ends the streams that are dead by that."""
        with self._lock:
            dead = [(self._lines[stream], pause) for stream, pause in self._link.rise()]
            for line, pause in dead:
                self._rest(pause)
                self._retire(line)
            is_cut_off = bool(dead) and self._link.is_cut_off
        for line, _ in dead:
            line.end()
        if is_cut_off:
            # Their connection is as dead, and gRPC would find that out much later.
            with self._turn:
                self._renew()

    def _open_line(self) -> None:
        with self._turn:
            not_ready = self._connect()
        with self._turn, self._lock:
            self._look()
            if self._closed or not self._link.waiting or not_ready is INTERRUPTED:
                return
            if not_ready is not None:
                self._rest(self._link.fail(not_ready))
                return
            line = _Line(self._link.begin())
            self._lines[line.stream] = self._open = line
            try:
                line.reader = self._start(self._read, line)
            except Exception as error:
                self._lost(line, _status_of_trouble(error, handed_over=False))
                raise

    # ---- a stream

    def _feed(self, line: _Line) -> Iterator[bytes]:
        """Says what there is to say on a stream."""
        stream = line.stream
        while True:
            with self._lock:
                self._look()
                message = self._link.take(stream)
                self._hurry()
                if message is None and self._link.waiting:
                    self._bell.ring()
            if message is not None:
                yield message
                continue
            count = stream.count
            if line.bell.wait(_LOOK):
                if line.bell.is_over:
                    return
                continue
            with self._lock:
                if not stream.sent and stream.count == count:
                    # Nobody uses it, so it is let go: the bridge ends what has been said to its end.
                    self._retire(line)
                    return

    def _read(self, line: _Line) -> None:
        status = self._listen(line)
        line.bell.end()
        with self._lock:
            self._lost(line, status)

    def _lost(self, line: _Line, status: Status) -> None:
        """Takes that a stream has ended. Under the lock."""
        del self._lines[line.stream]
        self._rest(self._link.lose(line.stream, status))
        self._retire(line)
        self._hurry()

    def _listen(self, line: _Line) -> Status:
        call: Any = None
        try:
            call = self._begin(self._feed(line), lambda message: self._receive(line, message))
            with self._lock:
                line.call = call
            if self._closed or line.is_over:
                call.cancel()
            for (problem,) in call:
                if problem is not None:
                    raise problem
        except grpc.RpcError as error:
            return _status_without_call(error)
        except SenselessError as error:
            call.cancel()
            return Status(INTERNAL, str(error), cause=error)
        except ValueError as error:  # gRPC's way to say it
            return Status(CANCELLED, CHANNEL_CLOSED.text, cause=error, closed=True)
        except Exception as error:  # noqa: BLE001 - however it ends, what was sent on it is judged
            if call is not None:
                call.cancel()
            return _status_of_trouble(error, handed_over=True)
        # A bridge that shuts down ends its streams in peace.
        return Status(UNAVAILABLE, "the bridge ended the stream")

    def _receive(self, line: _Line, message: bytes) -> tuple[Exception | None]:
        """Takes a message, in the thread of gRPC that has received it; returns what is wrong with it.

        gRPC has its messages decoded there: so what is told is known before another thread wakes (ORD-9). It
        holds a lock of the call meanwhile: nothing here may call it, raise, or run what is a program's own.
        """
        try:
            with self._lock:
                self._link.receive(line.stream, message)
                if line.stream.outbox:
                    # Somebody has heard enough.
                    line.bell.ring()
                self._hurry()
                if line.stream is not self._link.open:
                    self._retire(line)
        except Exception as error:  # noqa: BLE001 - raised by the reader
            return (error,)
        return (None,)
