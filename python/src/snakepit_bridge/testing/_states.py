"""Who follows the state of a fake's sessions: told the whole session again after each commit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from snakepit_bridge._gen import command_pb2, state_pb2
from snakepit_bridge._steps import Status
from snakepit_bridge._subscriptions import Subscription

from . import _rules as rules
from ._refused import RefusedError
from ._session import Session

__all__ = ["States"]

_CLOSED = Status(None, "the context was closed", closed=True)


@dataclass
class States:
    """The followers of one fake, by what they follow."""

    find: Callable[[str], Session | None]
    """Returns a session by its id; None: there is none."""
    _open: dict[Subscription, str] = field(default_factory=dict)

    def begin(self, subscription: Subscription) -> None:
        """Does what a bridge would that is asked for the state of a session."""
        if subscription in self._open:
            return
        request = state_pb2.StateRequest.FromString(subscription.command)
        try:
            rules.check_name(request.session_id, what="session id")
        except RefusedError as refused:
            reply = command_pb2.Reply(error=refused.detail(request.session_id))
            subscription.replied(reply.SerializeToString(), attempt=1, time_left=0.0, jitter=0.0)
            return
        self._open[subscription] = request.session_id
        self._tell(subscription)

    def end(self, subscription: Subscription) -> None:
        """Lets go of a follower. Twice is fine."""
        self._open.pop(subscription, None)

    def close(self) -> None:
        """Ends all of them."""
        for subscription in list(self._open):
            self.end(subscription)
            subscription.failed(_CLOSED, attempt=1, time_left=0.0, jitter=0.0)

    def tell(self, session_id: str) -> None:
        """Tells those who follow a session what it is now."""
        for subscription, followed in list(self._open.items()):
            if followed == session_id:
                self._tell(subscription)

    def _tell(self, subscription: Subscription) -> None:
        session = self.find(self._open[subscription]) or Session()
        update = state_pb2.StateUpdate(
            revision=session.point(),
            changed=[
                state_pb2.StateEntry(
                    name=item.name, id=item.id, version=item.version, type=item.type, value=item.value
                )
                for item in (variable.message() for variable in session.variables.values())
            ],
        )
        if not subscription.told(update.SerializeToString()):
            self.end(subscription)
