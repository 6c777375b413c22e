"""The fake of the blocking client."""

from __future__ import annotations

from typing import Any, Literal

from snakepit_bridge._steps import Carry, Share, Step
from snakepit_bridge._subscriptions import Subscription
from snakepit_bridge._sync import SessionContext
from snakepit_bridge._sync_transport import SyncTransport

from ._fake import FakeBridge, describe_fake

__all__ = ["FakeSession"]


class FakeSession(SessionContext):
    """A blocking `SessionContext` without a server, for tests.

    It is to `snakepit_bridge.sync.SessionContext` what `snakepit_bridge.testing.FakeSession` is to the
    asyncio one, and obeys the rules of values only: see there.

    Example:
        >>> session = FakeSession()
        >>> session["calls"] = 1
        >>> session.increment("calls")
        2
        >>> session
        <testing.sync.FakeSession 'fake': the rules of values only, without a server>
    """

    _shown_as = "testing.sync.FakeSession"

    def __init__(
        self,
        session_id: str = "fake",
        *,
        cache: Literal["live", "ttl", "off"] = "live",
        ttl: float = 1.0,
        max_stale: float = 30.0,
        strict: bool = False,
        timeout: float = 5.0,
    ) -> None:
        super().__init__(
            session_id, cache=cache, ttl=ttl, max_stale=max_stale, strict=strict, timeout=timeout
        )
        self._bridge = FakeBridge()
        self._transport = _Transport(self)

    def __repr__(self) -> str:
        return describe_fake(self._shown_as, self.session_id)

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a FakeSession cannot be pickled: its variables are in this process only")

    def _abandon(self) -> None:
        super()._abandon()
        # Its bridge is in this process too, and has to be asked again.
        self._transport.end(self._methods.following)
        self._transport = _Transport(self)

    def _perform(self, step: Step) -> Any:
        if isinstance(step, Carry):
            with self._lock:
                return self._bridge.carry_out(step.errand)
        if isinstance(step, Share):
            return self._run(step.begin(step.identifiers)[1])
        return super()._perform(step)


class _Transport(SyncTransport):
    """Leads to the fake, and no further."""

    def __init__(self, session: FakeSession) -> None:
        now, jitter = session._methods.now, session._methods.jitter
        super().__init__(channel=None, address="", token=None, now=now, jitter=jitter)
        self._bridge = session._bridge
        self._tell_under = session._lock

    def begin(self, subscription: Subscription) -> None:
        with self._tell_under:
            self._bridge.begin(subscription)

    def end(self, subscription: Subscription) -> None:
        self._bridge.end(subscription)

    def close(self) -> None:
        super().close()
        with self._tell_under:
            self._bridge.close()
