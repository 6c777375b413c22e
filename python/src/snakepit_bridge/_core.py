"""All that a session context knows and decides, without any waiting.

A shell asks the core for a `Call`, carries its bytes to a bridge and back, and tells the core how it ended:
with an answer (`accept`), a refusal (`refuse`), or with nothing (`lose`). The core keeps the cache true to
that, and remembers whether the session was ever seen (ORD-14). It is not safe for use by several threads at
once.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from . import _calls as calls
from ._cache import Entry, Fetch, TtlCache
from ._definitions import Definition
from ._errors import (
    BatchError,
    BridgeError,
    InternalError,
    InvalidInputError,
    OutcomeUnknownError,
    VariableNotFoundError,
)
from ._gen import sessions_pb2, variables_pb2
from ._points import ResumePoint, read_point
from ._request_ids import RequestIds
from ._results import Committed, History, Value, VariableInfo, Written
from ._values import encode_scalar, encode_text, encode_type

if TYPE_CHECKING:
    from google.protobuf.message import Message

__all__ = ["Call", "SessionCore", "batch_error", "verdicts"]

T = TypeVar("T")

Items = Sequence[variables_pb2.SetItem]
Found = Mapping[str, Entry | VariableNotFoundError]
ItemResults = Mapping[str, Entry | BridgeError]

_STALE_HERE = frozenset({"VERSION_CONFLICT", "VARIABLE_NOT_FOUND"})
"""Refusals which show that what we hold of the variable is out of date."""

_OF_THE_STATE = frozenset(
    {
        "SESSION_NOT_FOUND",
        "VARIABLE_NOT_FOUND",
        "VARIABLE_EXISTS",
        "DEFINITION_CONFLICT",
        "VERSION_CONFLICT",
        "BATCH_REFUSED",
        "HISTORY_COMPACTED",
        "WATCH_GAP",
    }
)
"""Refusals from which one learns what the session is."""

_PROOFS_OF_SESSION = frozenset({"VARIABLE_EXISTS", "DEFINITION_CONFLICT", "VERSION_CONFLICT"})
"""Refusals that only an existing session gives, whatever the request asked to be created."""


@dataclass(frozen=True)
class Call(Generic[T]):
    """One thing to ask, and what its answer means.

    Attributes:
        method: The RPC.
        payload: The bytes to send; the same for every attempt, so the request id too.
        fetch: When it began, for the cache.
        about: The variables that it reads or may change; None: all of them.
        understand: Turns the answer's message into the result and stores what may be cached.
        settled_by: The refusal of a repeated attempt which tells that an earlier attempt was carried out, and
            the result then; None: there is none.
    """

    method: calls.Method
    payload: bytes
    fetch: Fetch
    about: Sequence[str] | None
    understand: Callable[[Any], T]
    settled_by: tuple[str, T] | None = None


@dataclass(frozen=True)
class Page:
    """A page of a list.

    Attributes:
        variables: The variables by name.
        point: What it is true at.
        next_token: Asks for the next page; empty: there is none.
    """

    variables: Mapping[str, VariableInfo]
    point: ResumePoint
    next_token: str


class SessionCore:
    """See the module.

    Args:
        session_id: The session.
        cache: Where answers are kept; with a TTL of 0 nothing is.
        strict: Whether nothing is created by inference (VAL-12).
        ids: The names for writes.
        now: A monotonic clock, in seconds.
    """

    def __init__(
        self, session_id: str, *, cache: TtlCache, strict: bool, ids: RequestIds, now: Callable[[], float]
    ) -> None:
        self.session_id = calls.check_name(session_id, "the session id")
        self.cache = cache
        self._strict = strict
        self._ids = ids
        self._now = now
        self._seen = False
        # Told the point of every answer, and of all that a watch tells.
        self.answered: Callable[[ResumePoint], None] = _ignore
        # Called after a refusal that shows what the session is.
        self.doubt: Callable[[], None] = lambda: None

    def see(self) -> None:
        """Notes that the session exists."""
        self._seen = True

    # ---- how a call ends

    def accept(self, call: Call[T], answer: Message | InternalError) -> T:
        """Takes in an answer, or why it makes no sense, and returns what it means.

        Raises:
            InternalError: PROTOCOL, if a read's answer makes no sense.
            OutcomeUnknownError: The same, of a write: it was probably carried out.
        """
        try:
            if isinstance(answer, InternalError):
                raise answer
            return call.understand(answer)
        except InternalError as error:
            if not call.method.is_write:
                raise
            self.lose(call)
            raise OutcomeUnknownError(
                f"the write may or may not have been carried out: {error}", session_id=self.session_id
            ) from error

    def refuse_watch(self, error: BridgeError) -> None:
        """Draws the conclusions from why a watch does not go on."""
        if error.reason in _OF_THE_STATE:
            self.doubt()

    def refuse(self, call: Call[Any], error: BridgeError) -> None:
        """Draws the conclusions from a definite refusal."""
        reason = error.reason
        if reason in _OF_THE_STATE:
            self.doubt()
        if reason == "SESSION_NOT_FOUND":
            self.cache.invalidate()
        elif reason == "OUTCOME_UNKNOWN":
            self.lose(call)
        elif isinstance(error, BatchError):
            for identifier, fault in error.errors.items():
                self._item_refused(identifier, fault)
        else:
            for identifier in call.about or ():
                self._item_refused(identifier, error)
        asked_to_create = call.method not in (calls.GET, calls.HISTORY, calls.DELETE)
        if reason in _PROOFS_OF_SESSION or (reason == "VARIABLE_NOT_FOUND" and not asked_to_create):
            self._seen = True

    def lose(self, call: Call[Any]) -> None:
        """Notes that a write may or may not have been carried out, so that what it is about is not known."""
        if call.about is None:
            self.cache.invalidate()
        for identifier in call.about or ():
            self.cache.invalidate(identifier)

    def heed(self, names: Iterable[str] | None, point: ResumePoint) -> None:
        """Draws the conclusions from what a watch told: no later read is older than that.

        Args:
            names: The variables that changed; None: the session began or ended.
            point: That of the commit.
        """
        self._seen = True
        self.answered(point)
        if names is None:
            self.cache.invalidate()
        for name in names or ():
            self.cache.invalidate(name)

    # ---- sessions

    def create_session(self, ttl: float | timedelta | None, metadata: Mapping[str, str] | None) -> Call[bool]:
        """Asks for the session; the result is whether it was created."""
        request = sessions_pb2.CreateSessionRequest(
            session_id=self.session_id,
            ttl=None if ttl is None else calls.duration(ttl),
            metadata=calls.metadata_list(metadata),
            request_id=self._ids.next(),
            source=calls.SOURCE,
        )

        def understand(answer: sessions_pb2.CreateSessionResponse) -> bool:
            self._point(calls.CREATE_SESSION, answer.session)
            return answer.created

        return self._call(calls.CREATE_SESSION, request, understand)

    def heartbeat(self) -> Call[None]:
        """Asks for more time for the session."""
        request = sessions_pb2.HeartbeatRequest(session_id=self.session_id)
        return self._call(calls.HEARTBEAT, request, lambda answer: self._done(calls.HEARTBEAT, answer))

    def delete_session(self) -> Call[None]:
        """Asks for the end of the session."""
        request = sessions_pb2.DeleteSessionRequest(session_id=self.session_id, source=calls.SOURCE)

        def understand(answer: sessions_pb2.DeleteSessionResponse) -> None:
            self._point(calls.DELETE_SESSION, answer)
            self.cache.invalidate()

        # A memory of request ids would end with the session: a repetition may not find it any more.
        return self._call(
            calls.DELETE_SESSION, request, understand, about=None, settled_by=("SESSION_NOT_FOUND", None)
        )

    # ---- reading

    def get(self, identifiers: Sequence[str]) -> Call[Found]:
        """Asks for variables. The absence of a single one is a refusal, of one among many a part of it."""
        for identifier in identifiers:
            calls.check_name(identifier)
        self.cache.count_fetch()
        if len(identifiers) == 1:
            return self._get_one(identifiers[0])

        def understand(answer: variables_pb2.GetVariablesResponse) -> Found:
            point = self._point(calls.GET_MANY, answer)
            found: dict[str, Entry | VariableNotFoundError] = {}
            for each in answer.found:
                found[each.identifier] = self._read(each.variable, point, call.fetch)
            for identifier in answer.missing:
                self.cache.invalidate(identifier)
                found[identifier] = VariableNotFoundError(
                    f"Variable not found: {identifier}", session_id=self.session_id, identifier=identifier
                )
            if not found.keys() >= set(identifiers):
                raise calls.nonsense(calls.GET_MANY)
            return found

        call = self._call(calls.GET_MANY, self._request_of(identifiers), understand, about=identifiers)
        return call

    def get_definitions(self, names: Sequence[str]) -> Call[dict[str, Definition]]:
        """Asks what variables are; those that do not exist are left out."""
        self.cache.count_fetch()

        def understand(answer: variables_pb2.GetVariablesResponse) -> dict[str, Definition]:
            point = self._point(calls.GET_MANY, answer)
            for each in answer.found:
                self._read(each.variable, point, call.fetch)
            for identifier in answer.missing:
                self.cache.invalidate(identifier)
            return {each.identifier: calls.decode_definition(each.variable) for each in answer.found}

        call = self._call(calls.GET_MANY, self._request_of(names), understand, about=names)
        return call

    def _request_of(self, identifiers: Sequence[str]) -> variables_pb2.GetVariablesRequest:
        return variables_pb2.GetVariablesRequest(session_id=self.session_id, identifiers=identifiers)

    def _get_one(self, identifier: str) -> Call[Found]:
        request = variables_pb2.GetVariableRequest(session_id=self.session_id, identifier=identifier)

        def understand(answer: variables_pb2.GetVariableResponse) -> Found:
            point = self._point(calls.GET, answer)
            return {identifier: self._read(answer.variable, point, call.fetch)}

        call = self._call(calls.GET, request, understand, about=(identifier,))
        return call

    def list_page(
        self, glob: str | None, type_name: str | None, source: str | None, page_token: str
    ) -> Call[Page]:
        """Asks for a page of a list."""
        request = variables_pb2.ListVariablesRequest(
            session_id=self.session_id,
            glob=None if glob is None else encode_text(glob, "the glob", "INVALID_ARGUMENT"),
            type=None if type_name is None else encode_type(type_name),
            source=None if source is None else encode_text(source, "the source", "INVALID_ARGUMENT"),
            page_token=page_token,
        )

        def understand(answer: variables_pb2.ListVariablesResponse) -> Page:
            point = self._point(calls.LIST, answer)
            variables = {variable.name: calls.decode_info(variable) for variable in answer.variables}
            return Page(variables, point, answer.next_page_token)

        return self._call(calls.LIST, request, understand)

    def history(self, identifier: str, limit: int | None) -> Call[History]:
        """Asks for the values that a variable had."""
        request = variables_pb2.GetVariableHistoryRequest(
            session_id=self.session_id,
            identifier=calls.check_name(identifier),
            limit=calls.check_limit(limit),
        )

        def understand(answer: variables_pb2.GetVariableHistoryResponse) -> History:
            revision = self._point(calls.HISTORY, answer).number
            if not answer.id or not answer.entries:
                raise calls.nonsense(calls.HISTORY)
            entries = tuple(calls.decode_history_entry(entry) for entry in answer.entries)
            return History(answer.id, entries, answer.compacted, revision)

        return self._call(calls.HISTORY, request, understand, about=(identifier,))

    # ---- writing

    def set(
        self,
        identifier: str,
        value: object,
        metadata: Mapping[str, str] | None,
        expected_version: int | None,
    ) -> Call[Written]:
        """Asks to set one variable."""
        request = variables_pb2.SetVariableRequest(
            item=calls.item(identifier, value, expected_version), **self._write(metadata)
        )

        def understand(answer: variables_pb2.SetVariableResponse) -> Written:
            point = self._point(calls.SET, answer)
            entry = self._wrote(calls.SET, answer.item, point, call.fetch)
            return Written(entry.version, point.number, entry.value, str(point))

        call = self._call(calls.SET, request, understand, about=(identifier,))
        return call

    def increment(self, identifier: str, by: object, metadata: Mapping[str, str] | None) -> Call[Value]:
        """Asks to add to one variable; the result is the sum."""
        request = variables_pb2.IncrementVariableRequest(
            identifier=calls.check_name(identifier), by=encode_scalar(by), **self._write(metadata)
        )

        def understand(answer: variables_pb2.IncrementVariableResponse) -> Value:
            point = self._point(calls.INCREMENT, answer)
            return self._wrote(calls.INCREMENT, answer.item, point, call.fetch).value

        call = self._call(calls.INCREMENT, request, understand, about=(identifier,))
        return call

    def batch(
        self, updates: Mapping[str, object]
    ) -> tuple[list[variables_pb2.SetItem], dict[str, BridgeError]]:
        """Returns the items that can be sent, and why the others cannot."""
        checked = {identifier: self._item(identifier, value) for identifier, value in updates.items()}
        items = [item for item in checked.values() if not isinstance(item, BridgeError)]
        return items, {name: item for name, item in checked.items() if isinstance(item, BridgeError)}

    def _item(self, identifier: str, value: object) -> variables_pb2.SetItem | InvalidInputError:
        try:
            return calls.item(identifier, value)
        except InvalidInputError as error:
            error.session_id = self.session_id
            return error

    def set_many(
        self, items: Items, metadata: Mapping[str, str] | None, atomic: bool
    ) -> Call[tuple[Committed, dict[str, BridgeError]]]:
        """Asks to set many variables; the result is the commit, and the faults of the refused items."""
        request = variables_pb2.SetVariablesRequest(items=items, atomic=atomic, **self._write(metadata))
        identifiers = [item.identifier for item in items]

        def understand(
            answer: variables_pb2.SetVariablesResponse,
        ) -> tuple[Committed, dict[str, BridgeError]]:
            point = self._point(calls.SET_MANY, answer)
            if len(answer.results) != len(identifiers):
                raise calls.nonsense(calls.SET_MANY)
            versions: dict[str, int] = {}
            faults: dict[str, BridgeError] = {}
            for identifier, result in zip(identifiers, answer.results, strict=True):
                if result.HasField("error"):
                    faults[identifier] = fault = calls.error_from_detail(result.error, self.session_id)
                    fault.identifier = identifier
                    self._item_refused(identifier, fault)
                else:
                    entry = self._wrote(calls.SET_MANY, result.set, point, call.fetch)
                    versions[identifier] = entry.version
            return Committed(point.number, versions, str(point)), faults

        call = self._call(calls.SET_MANY, request, understand, about=identifiers)
        return call

    def register(self, *definition: Any) -> Call[str]:
        """Asks for a new variable, with the arguments of `_calls.definition`; the result is its id."""
        request = variables_pb2.RegisterVariableRequest(
            definition=calls.definition(*definition), **self._write(None)
        )

        def understand(answer: variables_pb2.RegisterVariableResponse) -> str:
            point = self._point(calls.REGISTER, answer)
            return self._defined(answer.variable, point, call.fetch)

        call = self._call(calls.REGISTER, request, understand, about=(request.definition.name,))
        return call

    def ensure(self, *definition: Any) -> Call[str]:
        """Asks that a variable with this definition exists; the result is its id."""
        request = variables_pb2.EnsureVariablesRequest(
            session_id=self.session_id,
            definitions=[calls.definition(*definition)],
            source=calls.SOURCE,
        )

        def understand(answer: variables_pb2.EnsureVariablesResponse) -> str:
            point = self._point(calls.ENSURE, answer)
            if len(answer.variables) != 1:
                raise calls.nonsense(calls.ENSURE)
            return self._defined(answer.variables[0], point, call.fetch)

        call = self._call(calls.ENSURE, request, understand, about=(request.definitions[0].name,))
        return call

    def delete(self, identifier: str) -> Call[None]:
        """Asks to delete one variable."""
        request = variables_pb2.DeleteVariableRequest(
            session_id=self.session_id,
            identifier=calls.check_name(identifier),
            request_id=self._ids.next(),
            source=calls.SOURCE,
        )

        def understand(answer: variables_pb2.DeleteVariableResponse) -> None:
            self._done(calls.DELETE, answer)
            self.cache.invalidate(identifier)

        return self._call(calls.DELETE, request, understand, about=(identifier,))

    # ---- within

    def _call(
        self,
        method: calls.Method,
        request: Any,
        understand: Callable[[Any], T],
        *,
        about: Sequence[str] | None = (),
        settled_by: tuple[str, T] | None = None,
    ) -> Call[T]:
        payload = request.SerializeToString()
        return Call(method, payload, self.cache.begin(self._now()), about, understand, settled_by)

    def _write(self, metadata: Mapping[str, str] | None) -> dict[str, Any]:
        """The fields that every write which may create by inference has."""
        missing = variables_pb2.ON_MISSING_INFER_VARIABLE if self._seen else variables_pb2.ON_MISSING_INFER
        fields: dict[str, Any] = {
            "session_id": self.session_id,
            "on_missing": variables_pb2.ON_MISSING_FAIL if self._strict else missing,
            "request_id": self._ids.next(),
            "source": calls.SOURCE,
        }
        if metadata:
            fields["metadata"] = calls.metadata_list(metadata)
        return fields

    def _point(self, method: calls.Method, answer: Any) -> ResumePoint:
        """Takes notice of the point that an answer is true at; returns it."""
        if not answer.HasField("revision") or answer.revision.number < 1:
            raise calls.nonsense(method)
        self._seen = True
        point = read_point(answer.revision)
        self.cache.observe(point.incarnation)
        self.answered(point)
        return point

    def _done(self, method: calls.Method, answer: Any) -> None:
        self._point(method, answer)

    def _read(self, variable: Any, point: ResumePoint, fetch: Fetch) -> Entry:
        entry = calls.decode_entry(variable, point)
        self.cache.store(entry, fetch, self._now())
        return entry

    def _wrote(
        self, method: calls.Method, item: variables_pb2.ItemSet, point: ResumePoint, fetch: Fetch
    ) -> Entry:
        if not item.id:
            raise calls.nonsense(method)
        entry = calls.decode_item(item, point)
        # In this order: the note outdates the calls that began before it, this one too.
        self.cache.store(entry, fetch, self._now())
        self.cache.note_write(entry.id)
        return entry

    def _defined(self, variable: Any, point: ResumePoint, fetch: Fetch) -> str:
        entry = self._read(variable, point, fetch)
        self.cache.note_write(entry.id)
        return entry.id

    def _item_refused(self, identifier: str, error: BridgeError) -> None:
        if error.reason in _STALE_HERE:
            self.cache.invalidate(identifier)


def _ignore(_point: ResumePoint) -> None:
    pass


def batch_error(faults: Mapping[str, BridgeError], count: int, session_id: str) -> BatchError:
    """Returns the error for a batch with items that cannot be sent, so that nothing was."""
    named = "; ".join(f"{identifier!r}: {fault}" for identifier, fault in itertools.islice(faults.items(), 5))
    more = f"; and {len(faults) - 5} more" if len(faults) > 5 else ""
    message = f"the batch was refused, {len(faults)} of {count} items are at fault: {named}{more}"
    return BatchError(message, errors=faults, session_id=session_id)


def verdicts(
    updates: Mapping[str, object], faults: Mapping[str, BridgeError], *, refused: bool
) -> dict[str, bool | str]:
    """Returns what became of each item (VAL-14): True, or why not."""
    innocent: bool | str = "not applied: the batch was refused" if refused else True
    return {name: str(faults[name]) if name in faults else innocent for name in updates}
