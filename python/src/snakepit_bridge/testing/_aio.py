"""The fake of the asyncio client."""

from __future__ import annotations

from typing import Any, Literal

from snakepit_bridge._aio import SessionContext
from snakepit_bridge._aio_transport import AioTransport
from snakepit_bridge._steps import Carry, Share, Step
from snakepit_bridge._subscriptions import Subscription

from ._fake import FakeBridge, describe_fake

__all__ = ["FakeSession"]


class FakeSession(SessionContext):
    """A `SessionContext` without a server, for tests: the same methods, arguments, results and errors.

    It keeps its variables in this object and obeys the rules of values: types, constraints, versions,
    compare-and-set, increments, batches, inference. What is set is told to those who watch, and live
    reads are always current. That is all. There are no other programs that write, no time to live (a `ttl`
    is taken and forgotten), no history, no limits on sizes and numbers, no durability, no lost connections;
    `get_history`, and a pattern that Python's `re` might read otherwise than a bridge, raise
    NotImplementedError. A test that is about one of these takes a real bridge.

    Args:
        session_id: The session. It does not exist until it is created, or something is set.
        cache: As of a `SessionContext`.
        ttl: As of a `SessionContext`.
        max_stale: As of a `SessionContext`.
        strict: As of a `SessionContext`.
        timeout: As of a `SessionContext`; only `wait_for` takes time.

    Example:
        >>> async def test() -> None:
        ...     session = FakeSession()
        ...     await session.register_variable("temperature", "float", 0.7, constraints={"max": 2.0})
        ...     await session.set_variable("temperature", 3)  # ConstraintError: value 3 is above maximum 2
    """

    _shown_as = "testing.FakeSession"

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

    async def _perform(self, step: Step) -> Any:
        if isinstance(step, Carry):
            return self._bridge.carry_out(step.errand)
        if isinstance(step, Share):
            return await self._run(step.begin(step.identifiers)[1])
        return await super()._perform(step)


class _Transport(AioTransport):
    """Leads to the fake, and no further."""

    def __init__(self, session: FakeSession) -> None:
        methods = session._methods
        super().__init__(
            channel=None,
            address="",
            token=None,
            now=methods.now,
            jitter=methods.jitter,
            may_join=methods.may_join,
        )
        self._bridge = session._bridge
        self.is_fed = lambda: True

    def begin(self, subscription: Subscription) -> None:
        self._bridge.begin(subscription)

    def end(self, subscription: Subscription) -> None:
        self._bridge.end(subscription)

    async def close(self) -> None:
        await super().close()
        self._bridge.close()
