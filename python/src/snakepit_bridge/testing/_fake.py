"""A bridge for one process that knows the rules of values and nothing else.

It answers a request as a bridge does, so that a `FakeSession` is a `SessionContext` in all but the carrying.
The shared vectors run on it (`python/tests/vectors/`), so it cannot drift away from the bridge unnoticed.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from snakepit_bridge._errands import Errand
from snakepit_bridge._gen import command_pb2, errors_pb2, sessions_pb2, values_pb2, variables_pb2
from snakepit_bridge._names import quote
from snakepit_bridge._subscriptions import Subscription
from snakepit_bridge._values import encode_type

from . import _rules as rules
from ._refused import RefusedError
from ._session import Session, Variable, no_session
from ._states import States
from ._watches import Watches, event_of
from ._writes import Write

__all__ = ["FakeBridge", "describe_fake"]


def describe_fake(shown_as: str, session_id: str) -> str:
    """Returns the repr of a fake."""
    return f"<{shown_as} {session_id!r}: the rules of values only, without a server>"


class FakeBridge:
    """The sessions of one fake."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._watches = Watches(_glob)
        self._states = States(self._sessions.get)
        # What was committed and is to be told before the answer.
        self._tell: list[variables_pb2.SessionEvent] = []
        self._rpcs: dict[str, tuple[Any, Callable[[Any], Any]]] = {
            "CreateSession": (sessions_pb2.CreateSessionRequest, self._create_session),
            "GetSession": (sessions_pb2.GetSessionRequest, self._get_session),
            "Heartbeat": (sessions_pb2.HeartbeatRequest, self._heartbeat),
            "DeleteSession": (sessions_pb2.DeleteSessionRequest, self._delete_session),
            "RegisterVariable": (variables_pb2.RegisterVariableRequest, self._register),
            "EnsureVariables": (variables_pb2.EnsureVariablesRequest, self._ensure),
            "GetVariable": (variables_pb2.GetVariableRequest, self._get),
            "GetVariables": (variables_pb2.GetVariablesRequest, self._get_many),
            "SetVariable": (variables_pb2.SetVariableRequest, self._set),
            "SetVariables": (variables_pb2.SetVariablesRequest, self._set_many),
            "IncrementVariable": (variables_pb2.IncrementVariableRequest, self._increment),
            "DeleteVariable": (variables_pb2.DeleteVariableRequest, self._delete),
            "ListVariables": (variables_pb2.ListVariablesRequest, self._list),
        }

    @property
    def rpcs(self) -> frozenset[str]:
        """The RPCs that it answers."""
        return frozenset(self._rpcs)

    def carry_out(self, errand: Errand) -> None:
        """Does what a bridge would, and answers. Raises NotImplementedError for what the fake has not."""
        name = errand.method.path.rpartition("/")[2]
        if name not in self._rpcs:
            raise NotImplementedError(f"a FakeSession has no {name}: test this with a real bridge")
        request_class, act = self._rpcs[name]
        request = request_class.FromString(errand.payload)
        try:
            rules.check_name(request.session_id, what="session id")
            reply = command_pb2.Reply(**{errand.method.arm: act(request)})
        except RefusedError as refused:
            reply = command_pb2.Reply(error=refused.detail(request.session_id))
        while self._tell:
            event = self._tell.pop(0)
            self._watches.tell(event)
            self._states.tell(event.session_id)
        errand.replied(reply.SerializeToString(), attempt=1, time_left=0.0, jitter=0.0)

    def begin(self, subscription: Subscription) -> None:
        """Does what a bridge would that is asked for a subscription."""
        (self._states if subscription.flag == "state" else self._watches).begin(subscription)

    def end(self, subscription: Subscription) -> None:
        """Lets go of a subscription. Twice is fine."""
        self._states.end(subscription)
        self._watches.end(subscription)

    def close(self) -> None:
        """Ends all subscriptions."""
        self._states.close()
        self._watches.close()

    def _open(self, request: Any) -> Session:
        session = self._sessions.get(request.session_id)
        if session is None:
            raise no_session(request.session_id)
        return session

    def _write(self, request: Any, *, may_create: bool = False) -> Write:
        creates = may_create or getattr(request, "on_missing", 0) == variables_pb2.ON_MISSING_INFER
        return Write(self._sessions.get(request.session_id), request, may_create=creates)

    def _commit(self, request: Any, write: Write) -> values_pb2.Revision:
        write.commit()
        self._sessions[request.session_id] = write.session
        self._tell.append(event_of(request, write))
        return write.session.point()

    def _create_session(self, request: Any) -> sessions_pb2.CreateSessionResponse:
        created = request.session_id not in self._sessions
        if created:
            self._commit(request, self._write(request, may_create=True))
        return sessions_pb2.CreateSessionResponse(session=self._head(request), created=created)

    def _get_session(self, request: Any) -> sessions_pb2.GetSessionResponse:
        return sessions_pb2.GetSessionResponse(session=self._head(request))

    def _head(self, request: Any) -> sessions_pb2.Session:
        session = self._open(request)
        count = len(session.variables)
        return sessions_pb2.Session(id=request.session_id, revision=session.point(), variable_count=count)

    def _heartbeat(self, request: Any) -> sessions_pb2.HeartbeatResponse:
        return sessions_pb2.HeartbeatResponse(revision=self._open(request).point())

    def _delete_session(self, request: Any) -> sessions_pb2.DeleteSessionResponse:
        point = self._commit(request, self._write(request))
        del self._sessions[request.session_id]
        self._tell[-1].kind = variables_pb2.SESSION_EVENT_KIND_DELETED
        return sessions_pb2.DeleteSessionResponse(revision=point)

    def _register(self, request: Any) -> variables_pb2.RegisterVariableResponse:
        write = self._write(request)
        with _about(request.definition.name):
            variable, _ = write.define(request.definition, exclusive=True)
        point = self._commit(request, write)
        return variables_pb2.RegisterVariableResponse(variable=variable.message(), revision=point)

    def _ensure(self, request: Any) -> variables_pb2.EnsureVariablesResponse:
        write = self._write(request)
        names = [definition.name for definition in request.definitions]
        results = list(_each(names, names, lambda i: write.define(request.definitions[i], exclusive=False)))
        _check_batch(names, results)
        changed = any(is_new for _, is_new in results)
        point = self._commit(request, write) if changed else write.session.point()
        return variables_pb2.EnsureVariablesResponse(
            variables=[variable.message() for variable, _ in results], revision=point
        )

    def _get(self, request: Any) -> variables_pb2.GetVariableResponse:
        session = self._open(request)
        variable = session.get(request.identifier)
        return variables_pb2.GetVariableResponse(variable=variable.message(), revision=session.point())

    def _get_many(self, request: Any) -> variables_pb2.GetVariablesResponse:
        session = self._open(request)
        answer = variables_pb2.GetVariablesResponse(revision=session.point())
        for identifier in request.identifiers:
            variable = session.find(identifier)
            if variable is None:
                answer.missing.append(identifier)
            else:
                answer.found.add(identifier=identifier, variable=variable.message())
        return answer

    def _set(self, request: Any) -> variables_pb2.SetVariableResponse:
        write = self._write(request)
        with _about(request.item.identifier):
            variable = write.set(request.item)
        point = self._commit(request, write)
        return variables_pb2.SetVariableResponse(item=variable.item(), revision=point)

    def _set_many(self, request: Any) -> variables_pb2.SetVariablesResponse:
        write = self._write(request)
        identifiers = [item.identifier for item in request.items]
        targets = [_target(write.session, identifier) for identifier in identifiers]
        results = list(_each(identifiers, targets, lambda i: write.set(request.items[i])))
        if request.atomic:
            _check_batch(identifiers, results)
        changed = any(isinstance(result, Variable) for result in results)
        point = self._commit(request, write) if changed else write.session.point()
        answer = variables_pb2.SetVariablesResponse(revision=point)
        for result in results:
            if isinstance(result, RefusedError):
                answer.results.add(error=result.detail())
            else:
                answer.results.add(set=result.item())
        return answer

    def _increment(self, request: Any) -> variables_pb2.IncrementVariableResponse:
        write = self._write(request)
        with _about(request.identifier):
            variable = write.increment(request.identifier, request.by)
        point = self._commit(request, write)
        return variables_pb2.IncrementVariableResponse(item=variable.item(), revision=point)

    def _delete(self, request: Any) -> variables_pb2.DeleteVariableResponse:
        write = self._write(request)
        del write.session.variables[write.session.get(request.identifier).name]
        return variables_pb2.DeleteVariableResponse(revision=self._commit(request, write))

    def _list(self, request: Any) -> variables_pb2.ListVariablesResponse:
        session = self._open(request)
        matches = _glob(request.glob) if request.HasField("glob") else None
        chosen = [
            variable.message()
            for _, variable in sorted(session.variables.items())
            if (matches is None or matches.fullmatch(variable.name))
            and (request.type == 0 or encode_type(variable.type) == request.type)
            and (not request.HasField("source") or variable.source == request.source)
        ]
        return variables_pb2.ListVariablesResponse(variables=chosen, revision=session.point())


# ---- batches


@contextlib.contextmanager
def _about(identifier: str) -> Iterator[None]:
    """Gives a refusal the variable that it is about."""
    try:
        yield
    except RefusedError as refused:
        raise refused.at(identifier) from None


def _each(identifiers: Sequence[str], targets: Sequence[str], act: Callable[[int], Any]) -> Iterator[Any]:
    """Judges every item by itself; yields its result or refusal."""
    for place, identifier in enumerate(identifiers):
        try:
            with _about(identifier):
                if targets[place] in targets[:place]:
                    text = "the variable stands more than once in the batch"
                    raise RefusedError("DUPLICATE_ITEM", text)
                yield act(place)
        except RefusedError as refused:
            yield refused


def _check_batch(identifiers: Sequence[str], results: Sequence[Any]) -> None:
    """Raises RefusedError if any item was refused."""
    faults = [
        errors_pb2.ItemRefusal(index=place, identifier=identifiers[place], error=result.detail())
        for place, result in enumerate(results)
        if isinstance(result, RefusedError)
    ]
    if not faults:
        return
    named = "; ".join(f"{quote(fault.identifier)}: {fault.error.message}" for fault in faults[:5])
    more = f"; and {len(faults) - 5} more" if len(faults) > 5 else ""
    raise RefusedError(
        "BATCH_REFUSED",
        f"the batch was refused, {len(faults)} of {len(identifiers)} items are at fault: {named}{more}",
        batch=errors_pb2.BatchRefused(items=faults),
    )


def _target(session: Session, identifier: str) -> str:
    """Returns the name that an identifier leads to, so that a name and an id of one variable are the same."""
    try:
        variable = session.find(identifier)
    except RefusedError:
        return identifier
    return identifier if variable is None else variable.name


def _glob(glob: str) -> re.Pattern[str]:
    """Returns a pattern for whole names (VAL-9)."""
    if re.fullmatch(r"(?:[^\\]|\\.)*", glob, re.DOTALL) is None:
        field = errors_pb2.InvalidField(field="glob")
        text = "glob: ends in a lone \\; write \\\\ for a backslash"
        raise RefusedError("INVALID_ARGUMENT", text, invalid_field=field)
    runs: list[str] = [""]
    for token in re.findall(r"\\.|[^\\]", glob, re.DOTALL):
        if token == "*":
            runs.append("")
        else:
            runs[-1] += "." if token == "?" else re.escape(token[-1])
    first, *others = runs
    # What stands between two stars is taken where it is found first and not looked for again, so that no name
    # takes long.
    between = "".join(f"(?=(.*?{run}))\\{number}" for number, run in enumerate(others[:-1], 1))
    last = f".*{others[-1]}" if others else ""
    return re.compile(first + between + last, re.DOTALL)
