"""What waits for a bridge, what was sent on which stream, and what becomes of it when a stream ends.

Commands are handed over in the order in which they came. What a stream has not answered when it ends is
judged as a failed attempt (`_retry`), and what may be sent again waits in front of all that came later, in
its old order (ORD-17). Nothing here waits: a driver asks for the next message, and tells what was received.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from ._errands import Errand
from ._frames import LONGEST_MESSAGE, Parts, cancellation, command_frames, hello, read_response
from ._retry import CANCELLED, DEADLINE_EXCEEDED
from ._steps import Status
from ._version import __version__

__all__ = ["Link", "Stream"]

LONGEST_REPLY = 64 * 1_048_576
"""How long a reply may be is the server's setting; this keeps a broken one from filling the memory."""

_NUMBERS = 2**32
_CLOSED = Status(CANCELLED, "the context was closed", closed=True)


@dataclass(eq=False)
class Stream:
    """One stream: what is to be said on it, and what was sent and is not answered, in order.

    Attributes:
        outbox: Messages of one frame each.
        sent: The commands, by their numbers.
        count: How many commands were handed over.
    """

    outbox: deque[bytes] = field(default_factory=lambda: deque([hello(__version__)]))
    sent: dict[int, Errand] = field(default_factory=dict)
    parts: Parts = field(default_factory=lambda: Parts(LONGEST_REPLY))
    count: int = 0


class Link:
    """See the module.

    Args:
        now: The clock of the errands' deadlines, in seconds.
        jitter: Draws from [0, 1).

    Attributes:
        waiting: What is to be sent, in order.
        open: The stream that takes commands; None: there is none.
    """

    def __init__(self, *, now: Callable[[], float], jitter: Callable[[], float]) -> None:
        self.waiting: dict[Errand, None] = {}
        self.open: Stream | None = None
        self._now = now
        self._jitter = jitter
        self._places: dict[Errand, tuple[Stream, int]] = {}
        self._failures = 0
        self._last_number = 0

    # ---- errands

    def submit(self, errand: Errand) -> None:
        """Takes an errand."""
        self.waiting[errand] = None

    def withdraw(self, errand: Errand) -> Stream | None:
        """Lets go of an errand that nobody waits for. Returns the stream on which that is to be said."""
        self.waiting.pop(errand, None)
        stream, number = self._places.pop(errand, (None, 0))
        if stream is not None:
            del stream.sent[number]
            stream.outbox.append(cancellation(number))
        return stream

    def expire(self, errand: Errand) -> Stream | None:
        """Lets go of an errand whose time is up, and tells it so. Returns as `withdraw` does."""
        if errand.ending is not None:
            return None
        stream = self.withdraw(errand)
        if stream is not None:
            status = Status(DEADLINE_EXCEEDED, "")
        elif self.open is None:
            status = Status(None, "it could not be connected in time")
        else:
            status = Status(None, "the time was up before anything was sent")
        errand.failed(status, attempt=1, time_left=0.0, jitter=0.0)
        return stream

    def fail(self, status: Status) -> float | None:
        """Takes that there is no connection. Returns as `lose` does."""
        waiting, self.waiting = self.waiting, {}
        return self._judge(waiting, status)

    def close(self) -> None:
        """Tells all errands that nothing more is sent or received."""
        sent, self._places, self.open = self._places, {}, None
        for stream, _ in sent.values():
            stream.sent.clear()
        self._judge(sent, _CLOSED)
        self.fail(Status(None, _CLOSED.text, closed=True))

    # ---- streams

    def begin(self) -> Stream:
        """Takes that there is a new stream."""
        self.open = stream = Stream()
        return stream

    def take(self, stream: Stream) -> bytes | None:
        """Returns the next message for a stream, with all that fits in; None if there is nothing to say.

        Commands in it are handed over: from here on a write may be carried out.
        """
        message: list[bytes] = []
        length = 0
        while stream.outbox or self._hand_over(stream):
            length += len(stream.outbox[0])
            if message and length > LONGEST_MESSAGE:
                break
            message.append(stream.outbox.popleft())
        return b"".join(message) if message else None

    def _hand_over(self, stream: Stream) -> bool:
        """Puts the next command into the outbox; returns whether there was one."""
        errand = next(iter(self.waiting), None)
        if errand is None or stream is not self.open:
            return False
        del self.waiting[errand]
        self._last_number = number = (self._last_number + 1) % _NUMBERS
        stream.sent[number] = errand
        stream.count += 1
        self._places[errand] = stream, number
        stream.outbox.extend(command_frames(number, errand.deadline - self._now(), errand.command))
        return True

    def receive(self, stream: Stream, message: bytes) -> Iterator[tuple[Errand, float]]:
        """Takes a message, step by step. Yields what is to be submitted again, and after how many seconds.

        Raises:
            SenselessError: If the stream is of no more use.
        """
        response = read_response(message)
        for frame in response.replies:
            reply = stream.parts.add(frame.id, frame.reply, frame.more)
            errand = None if reply is None else stream.sent.pop(frame.id, None)
            # The one who asked may have gone.
            if reply is None or errand is None:
                continue
            del self._places[errand]
            attempt = self._failures + 1
            pause = errand.replied(
                reply, attempt=attempt, time_left=errand.deadline - self._now(), jitter=self._jitter()
            )
            self._failures = 0 if pause is None else attempt
            if pause is not None:
                yield errand, pause
        if response.going_away:
            self.retire(stream)

    def retire(self, stream: Stream) -> None:
        """Gives a stream no more commands; what it has taken it may answer."""
        if self.open is stream:
            self.open = None

    def lose(self, stream: Stream, status: Status) -> float | None:
        """Takes that a stream has ended.

        Returns:
            How long to pause, in seconds, before what it has not answered is sent again; None: nothing is.
        """
        self.retire(stream)
        lost = list(stream.sent.values())
        stream.sent.clear()
        for errand in lost:
            del self._places[errand]
        return self._judge(lost, status) if lost else None

    def _judge(self, errands: Iterable[Errand], status: Status) -> float | None:
        """Tells errands that an attempt has failed; those not settled by that wait before all others."""
        now, jitter = self._now(), self._jitter()
        self._failures += 1
        pause: float | None = None
        again: dict[Errand, None] = {}
        for errand in errands:
            left = errand.deadline - now
            after = errand.failed(status, attempt=self._failures, time_left=left, jitter=jitter)
            if after is not None:
                again[errand], pause = None, after
        self.waiting = again | self.waiting
        return pause
