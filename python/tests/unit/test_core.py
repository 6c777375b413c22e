from __future__ import annotations

from typing import Any, TypeVar

import pytest

from snakepit_bridge import (
    BatchError,
    ConflictError,
    InternalError,
    OutcomeUnknownError,
    SessionNotFoundError,
    VariableNotFoundError,
    Written,
)
from snakepit_bridge import _calls as calls
from snakepit_bridge._cache import TtlCache
from snakepit_bridge._core import Call, SessionCore, batch_error, verdicts
from snakepit_bridge._errors import error_for
from snakepit_bridge._frames import in_field
from snakepit_bridge._gen import sessions_pb2, variables_pb2
from snakepit_bridge._request_ids import RequestIds

T = TypeVar("T")

LIFE = b"0123456789abcdef"


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Processes:
    def __init__(self) -> None:
        self.pid = 1
        self.draws = 0

    def draw(self) -> bytes:
        self.draws += 1
        return self.draws.to_bytes(16, "big")

    def ids(self) -> RequestIds:
        return RequestIds(self.draw, lambda: self.pid)


def core(*, strict: bool = False, max_entries: int = 10) -> SessionCore:
    cache = TtlCache(1.0, max_entries)
    return SessionCore("s", cache=cache, strict=strict, ids=Processes().ids(), now=Clock())


def accept(context: SessionCore, call: Call[T], answer: bytes) -> T:
    try:
        message = calls.parse_reply(call.method, in_field(call.method.number, answer))
    except InternalError as error:
        message = error
    return context.accept(call, message)


def sent(call: Call[Any], kind: Any) -> Any:
    return kind.FromString(call.payload)


def revision(number: int, life: bytes = LIFE) -> dict[str, Any]:
    return {"incarnation": life, "number": number}


def read_answer(number: int, value: float, name: str = "x", life: bytes = LIFE) -> bytes:
    variable = {"id": f"var_{name}_1", "name": name, "type": 1, "value": {"float": value}, "version": number}
    return variables_pb2.GetVariableResponse(
        variable=variable, revision=revision(number, life)
    ).SerializeToString()


def set_answer(number: int, value: float, name: str = "x", life: bytes = LIFE) -> bytes:
    item = {"id": f"var_{name}_1", "type": 1, "version": number, "value": {"float": value}}
    return variables_pb2.SetVariableResponse(item=item, revision=revision(number, life)).SerializeToString()


def cached(core: SessionCore, identifier: str = "x") -> Any:
    hit = core.cache.look_up(identifier, 100.0)
    return None if hit is None else hit[0].value


# ---- request ids


def test_every_write_has_a_name_of_its_own() -> None:
    """[ORD-15 accepts]"""
    ids = Processes().ids()
    first, second = ids.next(), ids.next()
    assert len(first.client_id) == 16
    assert first.client_id == second.client_id
    assert (first.sequence, second.sequence) == (1, 2)


def test_another_process_draws_again() -> None:
    processes = Processes()
    ids = processes.ids()
    first = ids.next()
    processes.pid = 2
    second = ids.next()
    assert second.client_id != first.client_id
    assert second.sequence == 1


# ---- what is created by inference (ORD-14)

SET = variables_pb2.SetVariableRequest
INFER, INFER_VARIABLE, FAIL = (
    variables_pb2.ON_MISSING_INFER,
    variables_pb2.ON_MISSING_INFER_VARIABLE,
    variables_pb2.ON_MISSING_FAIL,
)


def wish(core: SessionCore) -> int:
    found: int = sent(core.set("x", 1, None, None), SET).on_missing
    return found


def test_a_session_that_was_never_seen_may_be_created() -> None:
    """[ORD-14 accepts]"""
    assert wish(core()) == INFER


def test_a_strict_context_creates_nothing() -> None:
    strict = core(strict=True)
    assert wish(strict) == FAIL
    for call, kind in (
        (strict.increment("x", 1, None), variables_pb2.IncrementVariableRequest),
        (strict.set_many([], None, True), variables_pb2.SetVariablesRequest),
        (strict.register("x", "float", 1, None, None), variables_pb2.RegisterVariableRequest),
    ):
        assert sent(call, kind).on_missing == FAIL


def test_a_session_that_was_seen_is_not_revived() -> None:
    """[ORD-14 refuses]"""
    seen = core()
    accept(seen, seen.set("x", 1.0, None, None), set_answer(1, 1.0))
    assert wish(seen) == INFER_VARIABLE
    seen.refuse(seen.get(["x"]), SessionNotFoundError("gone"))
    assert wish(seen) == INFER_VARIABLE


@pytest.mark.parametrize(
    ("call", "reason", "proves"),
    [
        ("get", "VARIABLE_NOT_FOUND", True),
        ("history", "VARIABLE_NOT_FOUND", True),
        ("delete", "VARIABLE_NOT_FOUND", True),
        ("set", "VARIABLE_NOT_FOUND", False),
        ("set", "VERSION_CONFLICT", True),
        ("register", "VARIABLE_EXISTS", True),
        ("register", "DEFINITION_CONFLICT", True),
        ("register", "CONSTRAINT_VIOLATED", False),
        ("get", "SESSION_NOT_FOUND", False),
        ("set", "UNAVAILABLE", False),
    ],
)
def test_some_refusals_prove_that_the_session_exists(call: str, reason: str, proves: bool) -> None:
    context = core()
    made: dict[str, Call[Any]] = {
        "get": context.get(["x"]),
        "history": context.history("x", None),
        "delete": context.delete("x"),
        "set": context.set("x", 1, None, 1),
        "register": context.register("x", "float", 1, None, None),
    }
    context.refuse(made[call], error_for(reason, "text"))
    assert wish(context) == (INFER_VARIABLE if proves else INFER)


# ---- own writes and the cache


def test_an_accepted_write_is_cached_as_the_server_kept_it() -> None:
    context = core()
    written = accept(context, context.set("x", 1, None, None), set_answer(3, 1.0))
    point = f"{LIFE.hex()}-3-0000000000000000"
    assert written == Written(version=3, revision=3, value=1.0, point=point)
    assert cached(context) == 1.0
    assert isinstance(cached(context), float)


def test_a_read_that_was_overtaken_by_an_own_write_is_not_cached() -> None:
    context = core()
    slow = context.get(["x"])
    accept(context, context.set("x", 2.0, None, None), set_answer(3, 2.0))
    answer = accept(context, slow, read_answer(2, 1.0))
    assert answer["x"].value == 1.0  # type: ignore[union-attr]
    assert cached(context) == 2.0


def test_a_read_that_was_overtaken_is_not_cached_even_if_the_written_entry_has_left() -> None:
    for write in ("set", "register"):
        context = core(max_entries=1)
        slow = context.get(["x"])
        if write == "set":
            accept(context, context.set("x", 2.0, None, None), set_answer(3, 2.0))
        else:
            answer = variables_pb2.RegisterVariableResponse.FromString(read_answer(3, 2.0))
            accept(
                context,
                context.register("x", "float", 2.0, None, None),
                answer.SerializeToString(),
            )
        accept(context, context.get(["y"]), read_answer(3, 5.0, "y"))
        accept(context, slow, read_answer(2, 1.0))
        assert cached(context) is None


def test_what_a_batch_read_misses_is_forgotten() -> None:
    context = core()
    accept(context, context.get(["x"]), read_answer(1, 1.0))
    answer = variables_pb2.GetVariablesResponse(missing=["x", "y"], revision=revision(2))
    accept(context, context.get(["x", "y"]), answer.SerializeToString())
    assert cached(context) is None


@pytest.mark.parametrize("numbers", [(2, 3), (3, 2)])
def test_of_two_writes_at_once_the_later_one_counts(numbers: tuple[int, int]) -> None:
    context = core()
    both = [context.set("x", 1.0, None, None), context.set("x", 2.0, None, None)]
    for call, revision_number in zip(both, numbers, strict=True):
        accept(context, call, set_answer(revision_number, float(revision_number)))
    assert cached(context) in (3.0, None)


@pytest.mark.parametrize(
    ("reason", "value"),
    [
        ("CONSTRAINT_VIOLATED", 1.0),
        ("UNAVAILABLE", 1.0),
        ("VERSION_CONFLICT", None),
        ("VARIABLE_NOT_FOUND", None),
        ("SESSION_NOT_FOUND", None),
        ("OUTCOME_UNKNOWN", None),
    ],
)
def test_a_refused_write_leaves_the_entry_if_it_is_still_true(reason: str, value: float | None) -> None:
    context = core()
    accept(context, context.get(["x"]), read_answer(1, 1.0))
    context.refuse(context.set("x", 5.0, None, None), error_for(reason, "text"))
    assert cached(context) == value


def test_a_lost_write_makes_the_entry_unknown() -> None:
    context = core()
    accept(context, context.get(["x"]), read_answer(1, 1.0))
    reading = context.get(["x"])
    context.lose(context.set("var_x_1", 5.0, None, None))
    assert cached(context) is None
    accept(context, reading, read_answer(1, 1.0))
    assert cached(context) is None


def test_nothing_of_a_refused_batch_is_cached_and_moved_variables_are_forgotten() -> None:
    context = core()
    accept(context, context.get(["x"]), read_answer(1, 1.0))
    accept(context, context.get(["y"]), read_answer(1, 1.0, "y"))
    items, _ = context.batch({"x": 5.0, "y": 6.0})
    faults = {"y": ConflictError("moved on", identifier="y")}
    context.refuse(context.set_many(items, None, True), BatchError("refused", errors=faults))
    assert cached(context, "x") == 1.0
    assert cached(context, "y") is None


def test_of_a_best_effort_batch_what_was_accepted_is_cached() -> None:
    context = core()
    items, _ = context.batch({"x": 5, "y": 6})
    answer = variables_pb2.SetVariablesResponse(
        results=[
            {"set": {"id": "var_x_1", "type": 1, "version": 2, "value": {"float": 5.0}}},
            {"error": {"reason": 6, "message": "value 6 is above maximum 5"}},
        ],
        revision=revision(4),
    )
    committed, faults = accept(context, context.set_many(items, None, False), answer.SerializeToString())
    assert (committed.revision, committed.versions) == (4, {"x": 2})
    assert {name: str(fault) for name, fault in faults.items()} == {"y": "value 6 is above maximum 5"}
    assert faults["y"].identifier == "y"
    assert (cached(context, "x"), cached(context, "y")) == (5.0, None)


def test_deletions_are_forgotten() -> None:
    context = core()
    accept(context, context.get(["x"]), read_answer(1, 1.0))
    accept(
        context,
        context.delete("x"),
        variables_pb2.DeleteVariableResponse(revision=revision(2)).SerializeToString(),
    )
    assert cached(context) is None
    accept(context, context.get(["x"]), read_answer(3, 1.0))
    accept(
        context,
        context.delete_session(),
        sessions_pb2.DeleteSessionResponse(revision=revision(4)).SerializeToString(),
    )
    assert cached(context) is None


def test_an_answer_from_another_life_of_the_session_empties_the_cache() -> None:
    context = core()
    accept(context, context.get(["x"]), read_answer(9, 1.0))
    found = accept(context, context.get(["y"]), read_answer(1, 2.0, "y", b"another life 123"))
    assert found["y"].value == 2.0  # type: ignore[union-attr]
    assert (cached(context, "x"), cached(context, "y")) == (None, None)
    accept(context, context.get(["y"]), read_answer(1, 2.0, "y", b"another life 123"))
    assert cached(context, "y") == 2.0


# ---- answers that make no sense


@pytest.mark.parametrize(
    "answer",
    [
        b"\xff",
        b"",
        read_answer(0, 1.0),
        variables_pb2.GetVariableResponse(revision=revision(1)).SerializeToString(),
        variables_pb2.GetVariableResponse(
            variable={"id": "var_x_1", "type": 9, "value": {"float": 1.0}}, revision=revision(1)
        ).SerializeToString(),
    ],
)
def test_a_read_with_a_senseless_answer_is_the_bridges_bug(answer: bytes) -> None:
    context = core()
    with pytest.raises(InternalError) as caught:
        accept(context, context.get(["x"]), answer)
    assert caught.value.reason == "PROTOCOL"


@pytest.mark.parametrize("answer", [b"\xff", b"", set_answer(0, 1.0)])
def test_a_write_with_a_senseless_answer_has_an_unknown_outcome(answer: bytes) -> None:
    context = core()
    accept(context, context.get(["x"]), read_answer(1, 1.0))
    with pytest.raises(OutcomeUnknownError):
        accept(context, context.set("x", 2.0, None, None), answer)
    assert cached(context) is None


def test_a_batch_read_has_to_answer_for_every_name() -> None:
    context = core()
    answer = variables_pb2.GetVariablesResponse(missing=["x"], revision=revision(1))
    with pytest.raises(InternalError):
        accept(context, context.get(["x", "y"]), answer.SerializeToString())
    answer.missing.append("y")
    found = accept(context, context.get(["x", "y"]), answer.SerializeToString())
    assert all(isinstance(found[name], VariableNotFoundError) for name in ("x", "y"))


def test_a_batch_write_has_to_answer_for_every_item() -> None:
    context = core()
    items, _ = context.batch({"x": 5})
    answer = variables_pb2.SetVariablesResponse(revision=revision(1))
    with pytest.raises(OutcomeUnknownError):
        accept(context, context.set_many(items, None, True), answer.SerializeToString())


# ---- requests


def test_writes_say_who_writes() -> None:
    context = core()
    requests = [
        sent(context.create_session(None, None), sessions_pb2.CreateSessionRequest),
        sent(context.delete_session(), sessions_pb2.DeleteSessionRequest),
        sent(context.set("x", 1, None, None), SET),
        sent(context.increment("x", 1, None), variables_pb2.IncrementVariableRequest),
        sent(context.set_many([], None, True), variables_pb2.SetVariablesRequest),
        sent(context.register("x", "float", 1, None, None), variables_pb2.RegisterVariableRequest),
        sent(context.ensure("x", "float", 1, None, None), variables_pb2.EnsureVariablesRequest),
        sent(context.delete("x"), variables_pb2.DeleteVariableRequest),
    ]
    assert {(request.session_id, request.source) for request in requests} == {("s", "python")}
    ids = [getattr(request, "request_id", None) for request in requests]
    named = [request_id.sequence for request_id in ids if request_id is not None]
    assert named == sorted(set(named))
    assert len(named) == 6


def test_items_that_cannot_be_sent_are_told_apart() -> None:
    context = core()
    items, faults = context.batch({"a": 1, "b": {1}, "c": 2**64})
    assert [item.identifier for item in items] == ["a"]
    assert {name: (fault.reason, fault.session_id, fault.identifier) for name, fault in faults.items()} == {
        name: ("INVALID_VALUE", "s", name) for name in ("b", "c")
    }
    assert verdicts({"a": 1, "b": {1}}, {"b": faults["b"]}, refused=True) == {
        "a": "not applied: the batch was refused",
        "b": str(faults["b"]),
    }


def test_a_batch_that_cannot_be_sent_names_its_items() -> None:
    faults = {f"n{number}": error_for("INVALID_VALUE", f"fault {number}") for number in range(7)}
    error = batch_error(faults, 9, "s")
    assert error.errors == faults
    assert "7 of 9" in str(error)
    assert "'n4': fault 4" in str(error)
    assert "and 2 more" in str(error)


# ---- histories


def history_answer(*values: float) -> Any:
    entries = [
        variables_pb2.HistoryEntry(
            version=len(values) - place, type="VARIABLE_TYPE_FLOAT", value={"float": value}, source="cli"
        )
        for place, value in enumerate(values)
    ]
    return variables_pb2.GetVariableHistoryResponse(id="var_x_1", entries=entries, revision=revision(9))


def test_a_history_is_asked_for_as_a_whole_or_in_part() -> None:
    context = core()
    request = sent(context.history("x", None), variables_pb2.GetVariableHistoryRequest)
    assert (request.session_id, request.identifier, request.HasField("limit")) == ("s", "x", False)
    assert sent(context.history("x", 7), variables_pb2.GetVariableHistoryRequest).limit == 7


def test_a_history_is_not_taken_for_a_read() -> None:
    context = core()
    history = accept(context, context.history("x", None), history_answer(3.0, 2.0).SerializeToString())
    assert [(entry.version, entry.value, entry.type) for entry in history.entries] == [
        (2, 3.0, "float"),
        (1, 2.0, "float"),
    ]
    assert (history.id, history.revision, history.compacted) == ("var_x_1", 9, False)
    assert cached(context) is None


@pytest.mark.parametrize(
    "flaw", ["no entries", "no id", "no revision", "no value", "no type", "an untyped value"]
)
def test_a_history_that_makes_no_sense_is_none(flaw: str) -> None:
    answer = history_answer(3.0, 2.0)
    if flaw == "no entries":
        del answer.entries[:]
    elif flaw == "no value":
        answer.entries[1].ClearField("value")
    elif flaw == "no type":
        answer.entries[1].ClearField("type")
    elif flaw == "an untyped value":
        answer.entries[1].value.number = 1
    else:
        answer.ClearField(flaw.removeprefix("no "))
    context = core()
    with pytest.raises(InternalError) as caught:
        accept(context, context.history("x", None), answer.SerializeToString())
    assert caught.value.reason == "PROTOCOL"


def test_a_history_that_is_refused_tells_the_cache_that_its_variable_is_gone() -> None:
    context = core()
    accept(context, context.get(["x"]), read_answer(1, 1.0))
    context.refuse(context.history("x", None), VariableNotFoundError("gone"))
    assert cached(context) is None
