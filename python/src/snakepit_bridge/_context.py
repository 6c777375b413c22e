"""What a context is apart from its waiting: made with options, shown, and moved to another process."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any, ClassVar

from . import _forking, _options
from ._bindings import CurrentValues
from ._errors import NotReadyError
from ._log import log
from ._methods import Methods
from ._request_ids import RequestIds
from ._subscriptions import Subscription

__all__ = ["Context"]


class Context:
    """The part that both shells share.

    Args:
        session_id: The session.
        channel: The caller's channel, or None.
        make_lock: Makes the lock of those who change the replica; one that its holder can take again.
        give_way: Lets other threads run.
        aside: Runs a function where no signal handler can come in between.
        options: As in the shells.
    """

    _shown_as: ClassVar[str]
    _channel_class: ClassVar[type]
    _transport: Any
    peek: Any

    def __init__(
        self,
        session_id: str,
        channel: Any,
        *,
        make_lock: Callable[[], AbstractContextManager[object]] = nullcontext,
        give_way: Callable[[], None] = lambda: None,
        aside: Callable[[Callable[[], None]], None] = lambda function: function(),
        **options: Any,
    ) -> None:
        if channel is not None and not isinstance(channel, self._channel_class):
            package = self._channel_class.__module__.partition("._")[0]
            raise TypeError(f"channel must be a {package}.Channel, not {type(channel).__name__}")
        self._channel = channel
        self._options = _options.resolve_options(
            has_channel=channel is not None, environment=os.environ, **options
        )
        self._methods = Methods(
            session_id,
            self._options,
            has_channel=channel is not None,
            ids=RequestIds(lambda: os.urandom(16), os.getpid),
            now=time.monotonic,
            jitter=random.random,
            lock=make_lock(),
            pins_lock=threading.RLock(),
            give_way=give_way,
            aside=aside,
            tell=log,
        )
        self._pins = self._methods.pins
        self._make_lock = make_lock
        _CONTEXTS.add(self)
        _forking.notice_forks()

    def _abandon(self) -> None:
        """Takes that this is another process now, in which nobody holds a lock or keeps the replica."""
        self._methods.following.abandon(self._make_lock())
        self._pins.abandon(threading.RLock())
        self._transport.abandon()

    @contextmanager
    def _wanting(self) -> Iterator[None]:
        """Has the copy kept for one who looks at it in vain, as for one who reads: he may look again."""
        try:
            yield
        except NotReadyError:
            following = self._methods.following
            if self._methods.is_live and not following.replica.is_current and following.ending is None:
                # Where nothing can be begun, as where no event loop runs, a read says why.
                with suppress(RuntimeError):
                    self._begin(following)
            raise

    def _begin(self, subscription: Subscription) -> None:
        subscription.adrift = False
        self._transport.begin(subscription)

    def _end(self, subscription: Subscription) -> None:
        self._transport.end(subscription)

    @property
    def session_id(self) -> str:
        """The session's id."""
        return self._methods.session_id

    @property
    def v(self) -> CurrentValues:
        """The variables as attributes, each what it holds at the moment: `session.v.temperature`."""
        return CurrentValues(self.peek, lambda: [entry.name for entry in self._methods.replica.entries()])

    def __repr__(self) -> str:
        return _options.describe(
            self._shown_as,
            self.session_id,
            self._options,
            has_channel=self._channel is not None,
            ttl=self._methods.cache.ttl,
        )

    def __reduce__(self) -> tuple[Any, ...]:
        if self._channel is not None:
            raise TypeError("a SessionContext with a channel cannot be pickled: give it address= instead")
        if self._options.token is not None:
            # A pickle is kept and passed on by what is not meant to know a secret: queues, brokers, files.
            raise TypeError(
                "a SessionContext with a token cannot be pickled, which would write the token in clear: hand "
                "the token over by itself, and make the context where it is used"
            )
        keywords = _options.to_keywords(self._options, self._methods.cache.ttl)
        return _unpickle, (type(self), self.session_id, keywords)


_CONTEXTS: _forking.Living[Context] = _forking.Living()


def _forked() -> None:
    for context in _CONTEXTS:
        context._abandon()


_forking.in_child(_forked)


def _unpickle(cls: type[Any], session_id: str, keywords: dict[str, Any]) -> Any:
    return cls(session_id, **keywords)
