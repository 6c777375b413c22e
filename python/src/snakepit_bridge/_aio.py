"""The asyncio client: it waits on an event loop for what `_methods` decides, and thinks nothing itself.

Its blocking twin is `_sync`.
"""

from __future__ import annotations

import asyncio
import inspect
import weakref
from collections.abc import Callable, Coroutine, Iterable
from types import TracebackType
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar, cast

import grpc.aio

from ._aio_transport import AioTransport
from ._aio_watch import Listener, Watch, until_news
from ._bindings import bound
from ._context import Context
from ._definitions import Variables
from ._events import SessionEvent
from ._methods import Methods
from ._results import UNSET
from ._steps import Begin, Carry, Flow, News, Pause, Share, Step, present_as
from ._subscriptions import Subscription

__all__ = ["SessionContext"]

P = ParamSpec("P")
T = TypeVar("T")
Self = TypeVar("Self", bound="SessionContext")

_OFTEN = 1_023
"""A loop that awaits nothing but reads from a copy would stand the event loop still: nobody would be told
anything, no time would be up, nothing could be cancelled. So the event loop has a turn every 1,024 reads."""

_SELDOM = 63
"""The same for what takes a flow, which is longer."""


def _awaited(
    flow: Callable[Concatenate[Methods, P], Flow[T]],
) -> Callable[Concatenate[SessionContext, P], Coroutine[Any, Any, T]]:
    """Makes the method that runs a flow."""

    async def method(self: SessionContext, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._run(flow(self._methods, *args, **kwargs))

    return present_as(method, flow)


def _at_once(
    done: Callable[Concatenate[Methods, P], T],
) -> Callable[Concatenate[SessionContext, P], T]:
    """Makes the method for what needs no waiting."""

    def method(self: SessionContext, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return done(self._methods, *args, **kwargs)

    return present_as(method, done)


def _leave(transport: weakref.ref[AioTransport], subscription: Subscription) -> None:
    """Lets go of the subscription of a context that was collected, if its transport lives on.

    The transport is not held for that: to the very end of the interpreter gRPC does not like to live.
    """
    left = transport()
    if left is not None:
        left.end(subscription)


async def _get_variable(
    self: SessionContext,
    name: str,
    default: Any = UNSET,
    bypass_cache: bool = False,
    *,
    timeout: float | None = None,
) -> Any:
    # What a current replica has is one look into a dict; all else is a flow.
    if not bypass_cache and self._transport.is_fed():
        seen = self._pins.seen
        try:
            value = seen.hits[name]
        except (KeyError, TypeError):
            pass
        else:
            seen.served += 1
            if seen.served & _OFTEN:
                return value
            seen.served -= 1
            await asyncio.sleep(0)
    return await self._run(self._methods.get_variable(name, default, bypass_cache, timeout=timeout))


def _peek(self: SessionContext, name: str) -> Any:
    if not self._transport.is_fed():
        self._transport.arrive(self._methods.following)
    seen = self._pins.seen
    try:
        value = seen.hits[name]
    except (KeyError, TypeError):
        with self._wanting():
            return self._methods.peek(name)
    seen.peeked += 1
    return value


async def _typed(self: SessionContext, params: type[Variables[T, Any]], *, timeout: float | None = None) -> T:
    await self._run(self._methods.typed(params, timeout=timeout))
    return cast(T, self)


async def _bind(self: SessionContext, params: type[T], *, timeout: float | None = None) -> T:
    return bound(params, await self._run(self._methods.bind(params, timeout=timeout)), self.peek)


def _watch(
    self: SessionContext,
    names: Iterable[str] | None = None,
    *,
    glob: str | None = None,
    after: str | None = None,
    passive: bool = False,
) -> Watch:
    return Watch(self, self._methods.watch(names, glob=glob, after=after, passive=passive))


def _on_change(
    self: SessionContext,
    callback: Callable[[SessionEvent], Any],
    names: Iterable[str] | None = None,
    *,
    glob: str | None = None,
    on_error: Callable[[Exception], Any] | None = None,
) -> Listener:
    watching = self._methods.on_change(callback, names, glob=glob, on_error=on_error)
    return Listener(self, watching, callback, on_error)


class SessionContext(Context):
    """The variables of one session, read and written from asyncio.

    Making a context does no I/O and needs no running loop; the first call connects. With `address`, a context
    may be used in several event loops in turn, and it pickles to its session id, address and options, but not
    with a token. While it is connected, processes that are forked from this one cannot use the bridge. With
    `channel`, it works in that channel's loop only, does not pickle, and never closes the channel. It is not
    for several threads at once. Programs without asyncio use its blocking twin, `snakepit_bridge.sync`.

    All calls share one stream to the bridge: what is asked in the same tick of the loop goes in one message,
    and commands are carried out in the order in which they were begun, also when a connection breaks.

    While the context has never seen its session exist, `set_variable`, `increment`, `update_variables`,
    `set_variables` and `register_variable` create the session if it is missing; the first four create a
    missing variable too, with the type of the value. After a deletion or expiry of the session they raise
    SessionNotFoundError until `create_session()` is called.

    Every call may raise UnavailableError (nobody answers; nothing was carried out), DeadlineError (a read ran
    out of time), AuthError, InternalError, and ClosedError (after `close()`); every write also
    OutcomeUnknownError (it was sent and never answered, and may or may not have been carried out). Cancelling
    a write stops only the waiting.

    Args:
        session_id: The session.
        channel: A grpc.aio channel of your own, instead of `address` and `token`. With an address, a
            connection that is dead without a word is replaced within seconds where something is subscribed
            to. Only who made a channel can replace it: a context that was given one waits until gRPC finds
            out by itself, as late as the channel's keepalive options say.
        address: HOST:PORT of the bridge. None: the environment variable SNAKEPIT_BRIDGE_ADDRESS, else
            127.0.0.1:50051.
        token: Sent as a bearer token with every call. None: none is sent.
        cache: `live`: from the first read on the server tells of every change, and reads are answered here,
            from a copy that it keeps current. That takes one subscription, keeps the session alive, and holds
            up to 64 MiB of values. `ttl`: a value read or written is used again for `ttl` seconds, counted
            from the start of the call that fetched it; changes made by others are seen after that time at the
            latest. `off`: every read asks the server.
        ttl: See `cache`; 0 keeps nothing.
        max_stale: With `cache="live"`: how long values are still read while the server is out of reach, in
            seconds; `read` marks them as stale. After that reads raise UnavailableError. 0: at once.
        strict: Create nothing by inference: a missing session or variable is an error.
        timeout: How long a call may take, in seconds, retries included; every method's `timeout` overrides
            it.

    Raises:
        ValueError: If an option has no meaning.
        TypeError: If `channel` is not a grpc.aio channel.

    Example:
        >>> async def main() -> None:
        ...     async with SessionContext("experiment-1") as session:
        ...         await session.register_variable("temperature", "float", 0.7, constraints={"max": 2.0})
        ...         await session.set_variable("temperature", 1)
        ...         print(await session.get_variable("temperature"))  # 1.0
        ...         print(await session.get_variable("top_p", default=None))  # None
        ...         state = await session.read("temperature")
        ...         await session.set_variable("temperature", 0.5, expected_version=state.version)
        ...         print(await session.update_variables({"temperature": 3, "done": True}, atomic=False))
        ...         # {'temperature': 'value 3 is above maximum 2', 'done': True}
    """

    _shown_as = "SessionContext"
    _channel_class = grpc.aio.Channel
    # How many flows have waited for nothing.
    _unwaited = 0

    def __init__(
        self,
        session_id: str,
        channel: grpc.aio.Channel | None = None,
        *,
        address: str | None = None,
        token: str | None = None,
        cache: Literal["live", "ttl", "off"] = "live",
        ttl: float = 1.0,
        max_stale: float = 30.0,
        strict: bool = False,
        timeout: float = 5.0,
    ) -> None:
        super().__init__(
            session_id,
            channel,
            address=address,
            token=token,
            cache=cache,
            ttl=ttl,
            max_stale=max_stale,
            strict=strict,
            timeout=timeout,
        )
        methods = self._methods
        self._transport = AioTransport(
            channel=channel,
            address=self._options.address,
            token=token,
            now=lambda: methods.now(),
            jitter=lambda: methods.jitter(),
            may_join=methods.may_join,
        )
        # The tasks of a loop hold the transport, and not the context.
        weakref.finalize(self, _leave, weakref.ref(self._transport), methods.following).atexit = False

    create_session = _awaited(Methods.create_session)
    typed = present_as(_typed, Methods.typed)
    bind = present_as(_bind, Methods.bind)
    get_all = _awaited(Methods.get_all)
    snapshot = _awaited(Methods.snapshot)
    get_variable = present_as(_get_variable, Methods.get_variable)
    read = _awaited(Methods.read)
    get_variables = _awaited(Methods.get_variables)
    set_variable = _awaited(Methods.set_variable)
    increment = _awaited(Methods.increment)
    update_variable = _awaited(Methods.update_variable)
    update_variables = _awaited(Methods.update_variables)
    set_variables = _awaited(Methods.set_variables)
    ready = _awaited(Methods.ready)
    wait_for = _awaited(Methods.wait_for)
    watch = present_as(_watch, Methods.watch)
    on_change = present_as(_on_change, Methods.on_change)
    register_variable = _awaited(Methods.register_variable)
    ensure_variable = _awaited(Methods.ensure_variable)
    delete_variable = _awaited(Methods.delete_variable)
    list_variables = _awaited(Methods.list_variables)
    get_history = _awaited(Methods.get_history)
    heartbeat = _awaited(Methods.heartbeat)
    delete_session = _awaited(Methods.delete_session)
    peek = present_as(_peek, Methods.peek)
    set_cache_ttl = _at_once(Methods.set_cache_ttl)
    invalidate_cache = _at_once(Methods.invalidate_cache)
    get_cache_stats = _at_once(Methods.get_cache_stats)

    async def close(self) -> None:
        """Ends the context; every later call raises ClosedError. A channel that was given stays open."""
        self._methods.close()
        await self._transport.close()

    async def __aenter__(self: Self) -> Self:
        self._methods.check_open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def _run(self, flow: Flow[T]) -> T:
        if not self._transport.is_fed():
            self._transport.arrive(self._methods.following)
        resume: Callable[[Any], Step] = flow.send
        reply: Any = None
        step: Step | None = None
        while True:
            try:
                step = resume(reply)
            except StopIteration as end:
                result: T = end.value
                if step is None:
                    self._unwaited += 1
                    if not self._unwaited & _SELDOM:
                        await asyncio.sleep(0)
                return result
            try:
                reply, resume = await self._perform(step), flow.send
            except BaseException as error:  # noqa: BLE001 - the flow raises it, or knows better
                reply, resume = error, flow.throw

    async def _perform(self, step: Step) -> Any:
        if isinstance(step, Carry):
            return await self._transport.carry(step.errand)
        if isinstance(step, Pause):
            return await self._transport.pause(step.seconds)
        if isinstance(step, Share):
            home = self._transport.home()
            self._methods.check_open()
            return None if home is None else await home.flights.share(step, self._run)
        if isinstance(step, Begin):
            self._begin(step.subscription)
            return lambda: self._end(step.subscription)
        if isinstance(step, News):
            return await until_news(step.subscription, step.mark, step.seconds)
        result = step.function(step.argument)
        return await result if inspect.isawaitable(result) else result

    def _heed(self, event: SessionEvent) -> None:
        self._methods.heed(event)
