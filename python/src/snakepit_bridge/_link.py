"""What waits for a bridge, what was sent on which stream, and what becomes of it when a stream ends.

Commands are handed over in the order in which they came. What a stream has not answered when it ends is
judged as a failed attempt (`_retry`), and what may be sent again waits in front of all that came later, in
its old order (ORD-17). What a bridge refuses only for now pauses by itself, and holds up nobody. Then it
waits in front of what came later, too.

Subscriptions (`_subscriptions`) go the same way, but for two things. One that is lost rests by itself before
it is asked for again, and holds up nothing else; no longer than a call would, if somebody wants it. And a
stream that carries one and says nothing for 5 s is dead: a bridge has something to say every 2 s, if only
where it stands.

Nothing here waits: a driver asks for the next message, and tells what was received and that time has passed.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from . import _notices as notices
from ._errands import Errand
from ._frames import LONGEST_MESSAGE, Parts, cancellation, command_frames, hello, read_response
from ._retry import CANCELLED, DEADLINE_EXCEEDED, UNAVAILABLE, backoff, rest
from ._steps import Status
from ._subscriptions import Subscription
from ._version import __version__

__all__ = ["SILENCE", "Carried", "Link", "Stream"]

Carried: TypeAlias = Errand | Subscription
"""What has a place on a stream."""

SILENCE = 5.0
"""After how long a stream that carries a subscription and says nothing is dead, in seconds."""

LATE = 1.0
"""A look that comes later than this, in seconds, says nothing: it was we who stood still."""

LONGEST_REPLY = 64 * 1_048_576
"""How long a reply may be is the server's setting; this keeps a broken one from filling the memory."""

_NUMBERS = 2**32
_CLOSED = Status(CANCELLED, "the context was closed", closed=True)
_ABANDONED = Status(CANCELLED, "its event loop has ended", closed=True)
_SILENT = Status(UNAVAILABLE, "nothing was heard for too long")


@dataclass(frozen=True)
class _Rest:
    """When a subscription that was lost is asked for again; `wanted`: if somebody wants it meanwhile."""

    due: float
    wanted: float


@dataclass(eq=False)
class Stream:
    """One stream: what is to be said on it, and what was sent and is not answered, in order.

    Attributes:
        outbox: Messages of one frame each.
        sent: The commands, by their numbers.
        subscriptions: The numbers of the subscriptions among them.
        count: How many commands were handed over.
        heard: When something was received last, while there are subscriptions.
        greeted: Whether anything was received.
    """

    outbox: deque[bytes] = field(default_factory=lambda: deque([hello(__version__)]))
    sent: dict[int, Carried] = field(default_factory=dict)
    subscriptions: set[int] = field(default_factory=set)
    parts: Parts = field(default_factory=lambda: Parts(LONGEST_REPLY))
    events: Parts = field(default_factory=lambda: Parts(LONGEST_REPLY, "event"))
    count: int = 0
    heard: float = 0.0
    greeted: bool = False

    def remove(self, number: int) -> Carried | None:
        """Takes what was sent under a number off the stream; returns it."""
        self.subscriptions.discard(number)
        return self.sent.pop(number, None)


class Link:
    """See the module.

    Args:
        now: The clock of the errands' deadlines, in seconds.
        jitter: Draws from [0, 1).
        where: Where the bridge is, for people.
        tell: Takes the lines of `_notices`.

    Attributes:
        waiting: What is to be sent, in order.
        open: The stream that takes commands; None: there is none.
    """

    def __init__(
        self,
        *,
        now: Callable[[], float],
        jitter: Callable[[], float],
        where: str = "its channel",
        tell: notices.Tell = notices.nobody,
    ) -> None:
        self.waiting: dict[Carried, None] = {}
        self.open: Stream | None = None
        self._now = now
        self._jitter = jitter
        self._where = where
        self._tell = tell
        # Whether the bridge was heard since it was lost.
        self._is_there = False
        self._places: dict[Carried, tuple[Stream, int]] = {}
        self._streams: list[Stream] = []
        # Subscriptions that were lost.
        self._resting: dict[Subscription, _Rest] = {}
        # Errands that were refused for now, and when each is sent again: none sooner than one before it.
        self._pausing: dict[Errand, float] = {}
        self._turns = itertools.count(1)
        self._failures = 0
        self._last_number = 0

    # ---- errands

    def submit(self, errand: Carried) -> None:
        """Takes an errand; a subscription that it has already, it has, and who wants one ends a long rest."""
        if isinstance(errand, Subscription) and errand in self._resting:
            wanted = self._resting[errand].wanted
            self._resting[errand] = _Rest(wanted, wanted)
        elif not self.carries(errand):
            errand.turn = next(self._turns)
            self.waiting[errand] = None

    def carries(self, errand: Carried) -> bool:
        """Returns whether it has an errand that has not ended."""
        return any(errand in each for each in (self.waiting, self._places, self._resting, self._pausing))

    @property
    def subscriptions(self) -> list[Subscription]:
        """What it has of them."""
        carried = [*self._places, *self._resting, *self.waiting]
        return [each for each in carried if isinstance(each, Subscription)]

    def abandon(self) -> None:
        """Tells subscriptions that nobody drives this any more."""
        for subscription in self.subscriptions:
            self.withdraw(subscription)
            subscription.failed(_ABANDONED, attempt=1, time_left=0.0, jitter=0.0)

    def withdraw(self, errand: Carried) -> Stream | None:
        """Lets go of an errand that nobody waits for. Returns the stream on which that is to be said."""
        self.waiting.pop(errand, None)
        if isinstance(errand, Subscription):
            self._resting.pop(errand, None)
        else:
            self._pausing.pop(errand, None)
        stream, number = self._places.pop(errand, (None, 0))
        if stream is not None:
            stream.remove(number)
            stream.outbox.append(cancellation(number))
        return stream

    def expire(self, errand: Errand) -> Stream | None:
        """Lets go of an errand whose time is up, and tells it so. Returns as `withdraw` does."""
        if errand.ending is not None:
            return None
        stream = self.withdraw(errand)
        if stream is not None:
            status = Status(DEADLINE_EXCEEDED, "")
        elif self.open is None and not self._is_owed:
            status = Status(None, "it could not be connected in time")
        else:
            status = Status(None, "the time was up before anything was sent")
        errand.failed(status, attempt=1, time_left=0.0, jitter=0.0)
        return stream

    def fail(self, status: Status) -> float | None:
        """Takes that there is no connection. Returns as `lose` does."""
        self._is_there = False
        waiting, self.waiting = self.waiting, {}
        return self._judge(waiting, status)

    def close(self) -> None:
        """Tells all errands that nothing more is sent or received."""
        sent, self._places, self.open = self._places, {}, None
        for stream, number in sent.values():
            stream.remove(number)
        self._judge(sent, _CLOSED)
        resting, self._resting = self._resting, {}
        self._judge(resting, _CLOSED)
        pausing, self._pausing = self._pausing, {}
        self._put_back(pausing)
        self.fail(Status(None, _CLOSED.text, closed=True))

    # ---- streams

    @property
    def wants_stream(self) -> bool:
        """Whether there is something to send and has to be a stream for it."""
        return self.open is None and bool(self.waiting) and not self._is_owed

    @property
    def _is_owed(self) -> bool:
        """Whether a stream that takes no more has still to answer; what it does not is to be sent first."""
        return any(
            isinstance(each, Errand)
            for stream in self._streams
            if stream is not self.open
            for each in stream.sent.values()
        )

    def begin(self) -> Stream:
        """Takes that there is a new stream."""
        self.open = stream = Stream()
        self._streams.append(stream)
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
        number = self._next_number(stream)
        stream.sent[number] = errand
        stream.count += 1
        self._places[errand] = stream, number
        now = self._now()
        if isinstance(errand, Subscription):
            if not stream.subscriptions:
                stream.heard = now
            stream.subscriptions.add(number)
            errand.count = 0
        stream.outbox.extend(command_frames(number, errand.deadline - now, errand.command, errand.flag))
        return True

    def _next_number(self, stream: Stream) -> int:
        """Numbers begin again where the field ends, and a subscription may have had one ever since."""
        while True:
            self._last_number = number = (self._last_number + 1) % _NUMBERS
            if number not in stream.sent:
                return number

    def receive(self, stream: Stream, message: bytes) -> None:
        """Takes a message.

        Raises:
            SenselessError: If the stream is of no more use.
        """
        response = read_response(message)
        stream.heard = self._now()
        if not stream.greeted:
            # The bridge is there, so nobody need rest any longer.
            stream.greeted = True
            if not self._is_there:
                notices.connected(self._tell, self._where)
            self._is_there = True
            self._resting = dict.fromkeys(self._resting, _Rest(stream.heard, stream.heard))
        # Before the replies: each is true at a revision whose events come before it (ORD-2).
        for event in response.events:
            data = stream.events.add(event.id, event.event, event.more)
            told = None if data is None else stream.sent.get(event.id)
            if data is not None and isinstance(told, Subscription):
                told.count += 1
                if told.told(data):
                    # A bridge that only says where things stand, and then ends, is no success.
                    self._failures = 0 if told.count > 1 else self._failures
                else:
                    self._let_go(told)
        for frame in response.replies:
            reply = stream.parts.add(frame.id, frame.reply, frame.more)
            errand = None if reply is None else stream.remove(frame.id)
            # The one who asked may have gone.
            if reply is None or errand is None:
                continue
            del self._places[errand]
            attempt, jitter = self._failures + 1, self._jitter()
            left = errand.deadline - self._now()
            pause = errand.replied(reply, attempt=attempt, time_left=left, jitter=jitter)
            self._failures = 0 if pause is None else attempt
            if pause is not None and isinstance(errand, Subscription):
                self._let_rest(errand, pause, jitter)
            elif pause is not None and isinstance(errand, Errand):
                self._let_pause(errand, pause)
        if response.going_away:
            self.retire(stream)

    def _let_go(self, told: Subscription) -> None:
        """Takes that a subscription wants to be told no more, as things are."""
        self.withdraw(told)
        if told.ending is None and told.trouble is not None:
            self._failures += 1
            jitter = self._jitter()
            self._let_rest(told, rest(self._failures, jitter), jitter)

    def _let_rest(self, lost: Subscription, seconds: float, jitter: float) -> None:
        now = self._now()
        self._resting[lost] = _Rest(now + seconds, now + min(seconds, backoff(self._failures, jitter)))

    def _let_pause(self, refused: Errand, seconds: float) -> None:
        last = next(reversed(self._pausing.values()), 0.0)
        self._pausing[refused] = max(last, self._now() + seconds)

    def retire(self, stream: Stream) -> None:
        """Gives a stream no more commands; what it has taken it may answer."""
        if self.open is stream:
            self.open = None

    def lose(self, stream: Stream, status: Status) -> float | None:
        """Takes that a stream has ended.

        Returns:
            How long to pause, in seconds, before what it has not answered is sent again; None: nothing is.
        """
        if stream not in self._streams:
            return None
        # One that was going away has a follower, which may have been heard.
        if self.open is stream or self.open is None:
            self._is_there = False
        self.retire(stream)
        self._streams.remove(stream)
        lost = list(stream.sent.values())
        stream.sent.clear()
        stream.subscriptions.clear()
        for errand in lost:
            del self._places[errand]
        return self._judge(lost, status) if lost else None

    def set_aside(self) -> None:
        """Takes that all streams are ended on purpose. What they did not answer is sent again, in order."""
        lost, self._places, self.open = list(self._places), {}, None
        for stream in self._streams:
            stream.sent.clear()
            stream.subscriptions.clear()
        self._streams.clear()
        for each in lost:
            each.set_aside()
        self._put_back(lost)

    def _put_back(self, errands: Iterable[Carried]) -> None:
        """Has errands wait again, before all that came later (ORD-17)."""
        everything = [*errands, *self.waiting]
        self.waiting = dict.fromkeys(sorted(everything, key=lambda each: each.turn))

    def _judge(self, errands: Iterable[Carried], status: Status) -> float | None:
        """Tells errands that an attempt has failed; those not settled by that wait before all others."""
        now, jitter = self._now(), self._jitter()
        self._failures += 1
        pause: float | None = None
        again: list[Carried] = []
        for errand in errands:
            left = errand.deadline - now
            after = errand.failed(status, attempt=self._failures, time_left=left, jitter=jitter)
            if after is None:
                continue
            if isinstance(errand, Subscription):
                self._let_rest(errand, after, jitter)
            else:
                pause = after
                again.append(errand)
        self._put_back(again)
        return pause

    @property
    def is_cut_off(self) -> bool:
        """Whether no stream takes commands or has to answer any, so that nothing is lost with them."""
        return self.open is None and not self._is_owed

    # ---- time

    @property
    def due(self) -> float | None:
        """When `rise` has something to do at the soonest; None: never, as things are."""
        times = [*(each.due for each in self._resting.values()), *self._pausing.values()]
        times += [stream.heard + SILENCE for stream in self._streams if stream.subscriptions]
        return min(times, default=None)

    def rise(self) -> list[tuple[Stream, float | None]]:
        """Takes that time has passed, and has sent again what has paused or rested for long enough.

        Returns:
            The streams that are dead, each with what `lose` would have returned: they are to be ended, and
            so is the connection that they were on if there `is_cut_off`.
        """
        now = self._now()
        for subscription in [each for each, resting in self._resting.items() if resting.due <= now]:
            del self._resting[subscription]
            self.submit(subscription)
        refused = [errand for errand, due in self._pausing.items() if due <= now]
        for errand in refused:
            del self._pausing[errand]
        self._put_back(refused)
        dead: list[tuple[Stream, float | None]] = []
        for stream in [each for each in self._streams if each.subscriptions]:
            silent = now - (stream.heard + SILENCE)
            if silent > LATE:
                stream.heard = now - SILENCE + LATE
            elif silent >= 0:
                dead.append((stream, self.lose(stream, _SILENT)))
        return dead
