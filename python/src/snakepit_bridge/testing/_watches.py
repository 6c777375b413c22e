"""The watches of a fake: what was committed, for those who were there and those who resume."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from snakepit_bridge._gen import command_pb2, values_pb2, variables_pb2
from snakepit_bridge._steps import Status
from snakepit_bridge._subscriptions import Subscription

from . import _rules as rules
from ._refused import RefusedError
from ._session import Variable, timestamp
from ._writes import Write

__all__ = ["Watches", "event_of"]

_CLOSED = Status(None, "the context was closed", closed=True)
_ENDED = variables_pb2.SESSION_EVENT_KIND_DELETED

Matches = Callable[[str], bool]


def event_of(request: Any, write: Write) -> variables_pb2.SessionEvent:
    """Returns what the commit of a request did, told of a session that goes on after it."""
    before, after = write.before, write.session
    dropped = [name for name in before.variables if name not in after.variables]
    return variables_pb2.SessionEvent(
        session_id=request.session_id,
        revision=after.point(),
        kind="SESSION_EVENT_KIND_CHANGED" if before.revision > 0 else "SESSION_EVENT_KIND_CREATED",
        source=write.source,
        committed_at=timestamp(write.now),
        metadata=[{"key": key, "value": value} for key, value in sorted(write.metadata.items())],
        changes=[
            _change(name, before.variables.get(name), after.variables.get(name))
            for name in [*write.kept, *dropped]
        ],
    )


def _change(name: str, before: Variable | None, after: Variable | None) -> variables_pb2.VariableChange:
    stands = after or before
    return variables_pb2.VariableChange(
        name=name,
        id=None if stands is None else stands.id,
        # A name that is used again is another variable.
        before=None if before is None or (after and after.id != before.id) else _side(before),
        after=None if after is None else _side(after),
    )


def _side(variable: Variable) -> variables_pb2.VariableAt:
    item = variable.item()
    return variables_pb2.VariableAt(version=item.version, type=item.type, value=item.value)


@dataclass
class _Watch:
    session_id: str
    wants: Matches | None


@dataclass
class Watches:
    """The watches of one fake, and the events of each session in its present life."""

    glob: Callable[[str], re.Pattern[str]]
    """Makes a pattern for whole names of a glob. Raises RefusedError."""
    _open: dict[Subscription, _Watch] = field(default_factory=dict)
    _told: dict[str, list[variables_pb2.SessionEvent]] = field(default_factory=dict)

    def begin(self, subscription: Subscription) -> None:
        """Does what a bridge would that is asked for a watch."""
        request = variables_pb2.WatchRequest.FromString(subscription.command)
        try:
            rules.check_name(request.session_id, what="session id")
            watch = _Watch(request.session_id, self._filter(request))
            events = self._told.get(request.session_id, [])
            start = self._start(request, events)
        except RefusedError as refused:
            reply = command_pb2.Reply(error=refused.detail(request.session_id))
            subscription.replied(reply.SerializeToString(), attempt=1, time_left=0.0, jitter=0.0)
            return
        self._open[subscription] = watch
        point = events[start - 1].revision if start > 0 else values_pb2.Revision()
        self._tell(subscription, variables_pb2.WatchResponse(bookmark=point))
        for event in events[start:]:
            self._pass_on(subscription, watch, event)

    def end(self, subscription: Subscription) -> None:
        """Lets go of a watch. Twice is fine."""
        self._open.pop(subscription, None)

    def close(self) -> None:
        """Ends all watches."""
        for subscription in list(self._open):
            self.end(subscription)
            subscription.failed(_CLOSED, attempt=1, time_left=0.0, jitter=0.0)

    def tell(self, event: variables_pb2.SessionEvent) -> None:
        """Tells a commit to all who watch its session."""
        events = self._told.setdefault(event.session_id, [])
        events.append(event)
        if event.kind == _ENDED:
            del self._told[event.session_id]
        for subscription, watch in list(self._open.items()):
            if watch.session_id == event.session_id:
                self._pass_on(subscription, watch, event)

    def _pass_on(self, subscription: Subscription, watch: _Watch, event: variables_pb2.SessionEvent) -> None:
        told = variables_pb2.WatchResponse(event=event)
        if watch.wants is not None:
            changes = [change for change in event.changes if watch.wants(change.name)]
            if not changes and event.kind == variables_pb2.SESSION_EVENT_KIND_CHANGED:
                told = variables_pb2.WatchResponse(bookmark=event.revision)
            else:
                del told.event.changes[:]
                told.event.changes.extend(changes)
        self._tell(subscription, told)

    def _tell(self, subscription: Subscription, told: variables_pb2.WatchResponse) -> None:
        if subscription in self._open and not subscription.told(told.SerializeToString()):
            self.end(subscription)

    def _filter(self, request: variables_pb2.WatchRequest) -> Matches | None:
        for name in request.names:
            rules.check_name(name)
        matches = self.glob(request.glob) if request.HasField("glob") else None
        if not request.names and matches is None:
            return None
        names = set(request.names)
        return lambda name: name in names or (matches is not None and matches.fullmatch(name) is not None)

    def _start(
        self, request: variables_pb2.WatchRequest, events: Sequence[variables_pb2.SessionEvent]
    ) -> int:
        """Returns how many events the one who asks knows already."""
        if not request.HasField("after"):
            return len(events)
        number = request.after.number
        if number == 0:
            return 0
        if number <= len(events) and events[number - 1].revision == request.after:
            return number
        raise RefusedError("WATCH_GAP", "the session is not the one that the point to resume from is of")
