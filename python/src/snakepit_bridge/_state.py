"""What one context knows, and the pieces that its methods (`_methods`) are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TypeVar

from ._attempts import Attempts
from ._cache import Entry, Fetch, TtlCache
from ._core import Call, Found, SessionCore
from ._errors import ClosedError, DeadlineError, VariableNotFoundError
from ._events import SessionEvent
from ._following import Following
from ._notices import Tell, nobody
from ._options import Options
from ._pins import Pins
from ._request_ids import RequestIds
from ._steps import Flow, Share

__all__ = ["State"]

T = TypeVar("T")


class State:
    """The state of one context.

    Args:
        session_id: The session.
        options: What the context was made with.
        has_channel: Whether it was given a channel, so that its address does not count.
        ids: The names for its writes.
        now: A monotonic clock in seconds.
        jitter: Draws from [0, 1).
        lock: Of those who change the replica.
        pins_lock: Of those who begin and end pins.
        give_way: Lets other threads run.
        aside: Runs a function where no signal handler can come in between.
        tell: Takes the lines of `_notices`.

    Attributes:
        cache: What is held in the mode `ttl`.
        following: Keeps the replica.
        replica: What is read from in the mode `live`.
        pins: What is pinned, in every mode.
        misses: Look-ups that the replica did not answer.
        stale_reads: Look-ups that it answered while it was out of touch.
    """

    def __init__(
        self,
        session_id: str,
        options: Options,
        *,
        has_channel: bool,
        ids: RequestIds,
        now: Callable[[], float],
        jitter: Callable[[], float],
        lock: AbstractContextManager[object],
        pins_lock: AbstractContextManager[object],
        give_way: Callable[[], None] = lambda: None,
        aside: Callable[[Callable[[], None]], None] = lambda function: function(),
        tell: Tell = nobody,
    ) -> None:
        self.now = now
        self.jitter = jitter
        self.cache = TtlCache(options.ttl)
        self._options = options
        self.misses = 0
        self.stale_reads = 0
        self._core = SessionCore(session_id, cache=self.cache, strict=options.strict, ids=ids, now=self._time)
        self.session_id = self._core.session_id
        self._attempts = Attempts(
            self._core,
            address=None if has_channel else options.address,
            now=self._time,
        )
        self.following = Following(
            session_id,
            now=self._time,
            judge=self._attempts.end_of,
            saw_session=self._core.see,
            lock=lock,
            give_way=give_way,
            aside=aside,
            tell=tell,
        )
        self.replica = self.following.replica
        self.pins = Pins(self.replica, pins_lock)
        if options.cache == "live":
            self._core.answered = self.replica.answered
            self._core.doubt = self.replica.doubt

    def close(self) -> None:
        """Has every call from now on raise ClosedError, and those under way end."""
        self._attempts.closed = True
        self.pins.is_closed = True
        self.following.end(ClosedError("the context is closed", session_id=self.session_id))

    def check_open(self) -> None:
        """Raises ClosedError after `close`."""
        self._attempts.check_open()

    def _left(self, deadline: float, what: str, limit: float) -> float:
        """Returns the seconds that are left for something. Raises DeadlineError if there are none."""
        left = deadline - self.now()
        if left <= 0:
            raise DeadlineError(f"{what} did not end within {limit:g} s", session_id=self.session_id)
        return left

    def _time(self) -> float:
        return self.now()

    def _run(self, call: Call[T], timeout: float | None) -> Flow[T]:
        return self._attempts.carry(call, self._options.limit(timeout))

    def _held(
        self, name: str, bypass: bool = False, max_age: float | None = None
    ) -> tuple[Entry, float] | None:
        """Returns what the cache has of a variable, and its age in seconds."""
        self.check_open()
        if bypass or self._options.cache != "ttl":
            return None
        return self.cache.look_up(name, self.now(), max_age)

    def may_join(self, identifier: str, fetch: Fetch) -> bool:
        """Returns whether who reads a variable now may share a call for it that has begun already."""
        return self.cache.may_join(identifier, fetch, self.now())

    def fetch(self, name: str, timeout: float) -> Flow[Entry]:
        """Reads a variable from the server. Raises as `get_variable` does without a default."""
        return self._fetch_one(name, True, timeout)

    def heed(self, event: SessionEvent) -> None:
        """Takes notice of a commit that a watch told, before its reader does."""
        names = [change.name for change in event.changes] if event.kind == "changed" else None
        self._core.heed(names, event._committed)

    def unanswered(self, timeout: float) -> DeadlineError:
        """Returns the error of one whom the bridge did not answer in time."""
        return self._attempts.unanswered(timeout)

    def _fetch_one(self, name: str, bypass: bool, timeout: float | None) -> Flow[Entry]:
        entry = (yield from self._fetch([name], timeout, shared=not bypass))[name]
        if isinstance(entry, VariableNotFoundError):
            raise entry
        return entry

    def _fetch(self, names: Sequence[str], timeout: float | None, *, shared: bool) -> Flow[Found]:
        # A read that has to be exact, or with a deadline of its own, cannot share the fetch of another.
        if not shared or timeout is not None or self.cache.ttl == 0:
            return (yield from self._ask(self._core.get(names), timeout))
        found: Found = yield Share(names, self._options.limit(None), self._begin)
        self.check_open()
        return found

    def _begin(self, names: Sequence[str]) -> tuple[Fetch, Flow[Found]]:
        call = self._core.get(names)
        return call.fetch, self._ask(call, None)

    def _ask(self, call: Call[Found], timeout: float | None) -> Flow[Found]:
        try:
            return (yield from self._run(call, timeout))
        except VariableNotFoundError as error:
            return {call.about[0]: error} if call.about else {}
