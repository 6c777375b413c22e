"""The blocking client: it waits in the caller's thread for what `_methods` decides, and thinks nothing.

Its asyncio twin is `_aio`. No event loop is in it: a loop in a thread behind it was considered, and would
hide a thread in every program, break under fork, and make tracebacks strange.
"""

from __future__ import annotations

import inspect
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar, cast

import grpc

from ._bindings import bound
from ._context import Context
from ._definitions import Variables
from ._dispatcher import Listener
from ._events import SessionEvent
from ._html import LONGEST_LOOK, html_of
from ._methods import Methods
from ._results import UNSET
from ._steps import Begin, Carry, Flow, News, Pause, Share, Step, present_as
from ._sync_flights import Flights
from ._sync_helpers import aside, give_way
from ._sync_transport import SyncTransport
from ._sync_watch import Watch, until_news

__all__ = ["SessionContext"]

P = ParamSpec("P")
T = TypeVar("T")
Self = TypeVar("Self", bound="SessionContext")

_ABSENT = object()


def _blocking(
    flow: Callable[Concatenate[Methods, P], Flow[T]],
) -> Callable[Concatenate[SessionContext, P], T]:
    """Makes the method that runs a flow."""

    def method(self: SessionContext, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._run(flow(self._methods, *args, **kwargs))

    return present_as(method, flow)


def _at_once(
    done: Callable[Concatenate[Methods, P], T],
) -> Callable[Concatenate[SessionContext, P], T]:
    """Makes the method for what needs no waiting."""

    def method(self: SessionContext, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with self._lock:
            return done(self._methods, *args, **kwargs)

    return present_as(method, done)


def _get_variable(
    self: SessionContext,
    name: str,
    default: Any = UNSET,
    bypass_cache: bool = False,
    *,
    timeout: float | None = None,
) -> Any:
    # What a current replica has is one look into a dict, without a lock; all else is a flow.
    if not bypass_cache:
        seen = self._pins.seen
        try:
            value = seen.hits[name]
        except (KeyError, TypeError):
            pass
        else:
            seen.served += 1
            return value
    return self._run(self._methods.get_variable(name, default, bypass_cache, timeout=timeout))


def _peek(self: SessionContext, name: str) -> Any:
    seen = self._pins.seen
    try:
        value = seen.hits[name]
    except (KeyError, TypeError):
        with self._wanting(), self._lock:
            return self._methods.peek(name)
    seen.peeked += 1
    return value


def _typed(self: SessionContext, params: type[Variables[Any, T]], *, timeout: float | None = None) -> T:
    self._run(self._methods.typed(params, timeout=timeout))
    return cast(T, self)


def _bind(self: SessionContext, params: type[T], *, timeout: float | None = None) -> T:
    return bound(params, self._run(self._methods.bind(params, timeout=timeout)), self.peek)


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
    """The variables of one session, read and written by blocking calls.

    Making a context does no I/O; the first call connects. A context may be used by several threads at once,
    by signal handlers, and under a running event loop, which stands still for the length of a call. With
    `address`, it works in processes that are forked from this one, and pickles to its session id, address
    and options, but not with a token. With `channel`, it does neither, and never closes the channel. Programs
    with asyncio use its twin, `snakepit_bridge.SessionContext`.

    It can be used like a dict: `context["x"]` is `get_variable("x")`, `context["x"] = 1` is
    `set_variable("x", 1)`, `del context["x"]` is `delete_variable("x")`, and `"x" in context` tells whether
    there is such a variable. Each costs what the method costs: one call to the server, or none for a read
    that the cache answers. `for name in context` reads the list of all variables once. There is no `len()`,
    because `if context:` would ask the server.

    All calls share one stream to the bridge: what threads ask at the same time goes in one message.

    While the context has never seen its session exist, `set_variable`, `increment`, `update_variables`,
    `set_variables` and `register_variable` create the session if it is missing; the first four create a
    missing variable too, with the type of the value. After a deletion or expiry of the session they raise
    SessionNotFoundError until `create_session()` is called.

    Every call may raise UnavailableError (nobody answers; nothing was carried out), DeadlineError (a read ran
    out of time), AuthError, InternalError, and ClosedError (after `close()`); every write also
    OutcomeUnknownError (it was sent and never answered, and may or may not have been carried out). Ctrl-C
    during a write stops only the waiting.

    Args:
        session_id: The session.
        channel: A grpc channel of your own, instead of `address` and `token`. With an address, a
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
        TypeError: If `channel` is not a grpc channel.

    Example:
        >>> def main() -> None:
        ...     with SessionContext("experiment-1") as session:
        ...         session.register_variable("temperature", "float", 0.7, constraints={"max": 2.0})
        ...         session["temperature"] = 1
        ...         print(session["temperature"])  # 1.0
        ...         print(session.get_variable("top_p", default=None))  # None
        ...         state = session.read("temperature")
        ...         session.set_variable("temperature", 0.5, expected_version=state.version)
        ...         print(session.update_variables({"temperature": 3, "done": True}, atomic=False))
        ...         # {'temperature': 'value 3 is above maximum 2', 'done': True}
    """

    _shown_as = "sync.SessionContext"
    _channel_class = grpc.Channel

    def __init__(
        self,
        session_id: str,
        channel: grpc.Channel | None = None,
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
            make_lock=threading.RLock,
            give_way=give_way,
            aside=aside,
            address=address,
            token=token,
            cache=cache,
            ttl=ttl,
            max_stale=max_stale,
            strict=strict,
            timeout=timeout,
        )
        # Held while something is looked at or changed, never while anything is waited for. A signal handler
        # may come in between in the same thread, so it is one that its holder can take again.
        self._lock = threading.RLock()
        self._flights = Flights(self._methods.may_join, self._lock)
        methods = self._methods
        self._transport = SyncTransport(
            channel=channel,
            address=self._options.address,
            token=token,
            now=lambda: methods.now(),
            jitter=lambda: methods.jitter(),
        )
        # Its threads hold the transport, and not the context.
        weakref.finalize(self, self._transport.leave).atexit = False

    create_session = _blocking(Methods.create_session)
    typed = present_as(_typed, Methods.typed)
    bind = present_as(_bind, Methods.bind)
    get_all = _blocking(Methods.get_all)
    snapshot = _blocking(Methods.snapshot)
    get_variable = present_as(_get_variable, Methods.get_variable)
    read = _blocking(Methods.read)
    get_variables = _blocking(Methods.get_variables)
    set_variable = _blocking(Methods.set_variable)
    increment = _blocking(Methods.increment)
    update_variable = _blocking(Methods.update_variable)
    update_variables = _blocking(Methods.update_variables)
    set_variables = _blocking(Methods.set_variables)
    ready = _blocking(Methods.ready)
    wait_for = _blocking(Methods.wait_for)
    watch = present_as(_watch, Methods.watch)
    on_change = present_as(_on_change, Methods.on_change)
    register_variable = _blocking(Methods.register_variable)
    ensure_variable = _blocking(Methods.ensure_variable)
    delete_variable = _blocking(Methods.delete_variable)
    list_variables = _blocking(Methods.list_variables)
    get_history = _blocking(Methods.get_history)
    heartbeat = _blocking(Methods.heartbeat)
    delete_session = _blocking(Methods.delete_session)
    peek = present_as(_peek, Methods.peek)
    set_cache_ttl = _at_once(Methods.set_cache_ttl)
    invalidate_cache = _at_once(Methods.invalidate_cache)
    get_cache_stats = _at_once(Methods.get_cache_stats)

    def _abandon(self) -> None:
        super()._abandon()
        self._lock = threading.RLock()
        self._flights = Flights(self._methods.may_join, self._lock)

    def close(self) -> None:
        """Ends the context; every later call raises ClosedError. A channel that was given stays open."""
        self._methods.close()
        self._transport.close()

    def __enter__(self: Self) -> Self:
        self._methods.check_open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # ---- like a dict

    def __getitem__(self, name: str) -> Any:
        return self.get_variable(name)

    def __setitem__(self, name: str, value: Any) -> None:
        self.set_variable(name, value)

    def __delitem__(self, name: str) -> None:
        self.delete_variable(name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get_variable(name, _ABSENT) is not _ABSENT

    def __iter__(self) -> Iterator[str]:
        return iter(self.list_variables())

    def _repr_html_(self) -> str:
        """Returns the variables as a table for a notebook. It asks the server, and never raises."""
        timeout = min(LONGEST_LOOK, self._options.timeout)
        return html_of(self.session_id, lambda: self.list_variables(timeout=timeout))

    # ---- within

    def _run(self, flow: Flow[T]) -> T:
        resume: Callable[[Any], Step] = flow.send
        reply: Any = None
        while True:
            try:
                with self._lock:
                    step = resume(reply)
            except StopIteration as end:
                result: T = end.value
                return result
            try:
                reply, resume = self._perform(step), flow.send
            except BaseException as error:  # noqa: BLE001 - the flow raises it, or knows better
                reply, resume = error, flow.throw

    def _perform(self, step: Step) -> Any:
        if isinstance(step, Carry):
            return self._transport.carry(step.errand)
        if isinstance(step, Pause):
            return self._transport.pause(step.seconds)
        if isinstance(step, Share):
            return self._flights.share(step, self._run)
        if isinstance(step, Begin):
            self._begin(step.subscription)
            return lambda: self._end(step.subscription)
        if isinstance(step, News):
            return until_news(step.subscription, step.mark, step.seconds)
        result = step.function(step.argument)
        if inspect.iscoroutine(result):
            result.close()
            raise TypeError("a coroutine function is for the asyncio context only")
        return result

    def _heed(self, event: SessionEvent) -> None:
        with self._lock:
            self._methods.heed(event)
