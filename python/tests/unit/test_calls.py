from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from snakepit_bridge import (
    AuthError,
    BatchError,
    ConflictError,
    ConstraintError,
    DeadlineError,
    InternalError,
    InvalidInputError,
    LimitError,
    TypeMismatchError,
    UnavailableError,
    VariableNotFoundError,
)
from snakepit_bridge import _calls as calls
from snakepit_bridge._frames import in_field
from snakepit_bridge._gen import any_pb2, errors_pb2, sessions_pb2, status_pb2, values_pb2

WHERE = "the bridge at localhost:1"


def trailer(
    detail: errors_pb2.ErrorDetail, url: str = "type.googleapis.com/snakepit.bridge.v1.ErrorDetail"
) -> bytes:
    packed = any_pb2.Any(type_url=url, value=detail.SerializeToString())
    return status_pb2.Status(code=5, message="text", details=[packed]).SerializeToString()


def detail(reason: str, **fields: Any) -> errors_pb2.ErrorDetail:
    return errors_pb2.ErrorDetail(reason=f"ERROR_REASON_{reason}", message="what happened", **fields)


# ---- arguments


@pytest.mark.parametrize(
    ("ttl", "seconds", "nanos"),
    [
        (0, 0, 0),
        (3600, 3600, 0),
        (1.5, 1, 500_000_000),
        (0.1, 0, 100_000_000),
        (-1.5, -1, -500_000_000),
        (0.9999999999, 1, 0),
        (-0.9999999999, -1, 0),
        (timedelta(minutes=2, microseconds=5), 120, 5_000),
    ],
)
def test_a_time_becomes_a_duration(ttl: float | timedelta, seconds: int, nanos: int) -> None:
    request = sessions_pb2.CreateSessionRequest(ttl=calls.duration(ttl))
    assert (request.ttl.seconds, request.ttl.nanos) == (seconds, nanos)


@pytest.mark.parametrize("ttl", [float("nan"), float("inf"), 1e12])
def test_what_is_no_time_is_refused(ttl: float) -> None:
    with pytest.raises(InvalidInputError) as caught:
        calls.duration(ttl)
    assert (caught.value.reason, caught.value.field) == ("INVALID_ARGUMENT", "ttl")


def test_constraints_become_operands() -> None:
    messages = calls.constraint_list({"min": 0, "choices": ["a", "b"], "range": (0.5, 2), "none": []})
    assert [(message.key, len(message.values)) for message in messages] == [
        ("min", 1),
        ("choices", 2),
        ("range", 2),
        ("none", 0),
    ]
    assert messages[0].values[0].integer == 0
    assert messages[2].values[0].float == 0.5
    assert calls.constraint_list(None) == []


@pytest.mark.parametrize("constraints", [{"min": None}, {"min": [1, None]}, {"min": "\ud800"}])
def test_an_operand_that_is_no_value_is_refused_by_its_key(constraints: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match=r"^min: ") as caught:
        calls.constraint_list(constraints)
    assert (caught.value.reason, caught.value.field) == ("INVALID_CONSTRAINT", "min")


def test_a_key_that_is_no_text_is_refused() -> None:
    with pytest.raises(InvalidInputError) as caught:
        calls.constraint_list({1: 2})  # type: ignore[dict-item]
    assert caught.value.reason == "INVALID_CONSTRAINT"


@pytest.mark.parametrize("metadata", [{"a": 1}, {1: "a"}, {"a": None}, {"\ud800": ""}, {"a": "\ud800"}])
def test_metadata_is_text(metadata: Any) -> None:
    with pytest.raises(InvalidInputError) as caught:
        calls.metadata_list(metadata)
    assert caught.value.reason == "INVALID_METADATA"


@pytest.mark.parametrize("name", [None, 5, b"x", "\ud800"])
def test_a_name_is_text(name: Any) -> None:
    with pytest.raises(InvalidInputError) as caught:
        calls.item(name, 1)
    assert caught.value.reason == "INVALID_NAME"


@pytest.mark.parametrize("version", [-1, 2**64, True])
def test_an_expected_version_is_a_version(version: int) -> None:
    with pytest.raises(InvalidInputError) as caught:
        calls.item("x", 1, version)
    assert (caught.value.reason, caught.value.field) == ("INVALID_ARGUMENT", "expected_version")


def test_an_expected_version_of_zero_is_sent() -> None:
    assert calls.item("x", 1, 0).HasField("expected_version")
    assert not calls.item("x", 1).HasField("expected_version")


def test_a_refused_value_names_its_variable() -> None:
    with pytest.raises(InvalidInputError) as caught:
        calls.item("x", b"")
    assert caught.value.identifier == "x"


# ---- answers


def test_a_listed_variable_is_told_whole() -> None:
    variable = values_pb2.Variable(
        id="var_x_1",
        name="x",
        type=values_pb2.VARIABLE_TYPE_INTEGER,
        value=values_pb2.Value(integer=5),
        version=2,
        constraints=calls.constraint_list({"max": 10, "choices": [1, 2]}),
        metadata=calls.metadata_list({"unit": "s"}),
        source="python",
        created_at={"seconds": 1_700_000_000, "nanos": 123_456_789},
        updated_at={"seconds": 1_700_000_001},
    )
    assert calls.decode_info(variable) == {
        "id": "var_x_1",
        "type": "integer",
        "value": 5,
        "version": 2,
        "constraints": {"max": 10, "choices": [1, 2]},
        "metadata": {"unit": "s"},
        "source": "python",
        "created_at": datetime(2023, 11, 14, 22, 13, 20, 123456, tzinfo=timezone.utc),
        "updated_at": datetime(2023, 11, 14, 22, 13, 21, tzinfo=timezone.utc),
    }


@pytest.mark.parametrize("answer", [b"\xff\xff", b"\x0a\x05abc", b"\x0a\x04\x12\x02\xff\xff"])
def test_an_answer_that_is_no_message_makes_no_sense(answer: bytes) -> None:
    with pytest.raises(InternalError) as caught:
        calls.parse_reply(calls.GET, in_field(calls.GET.number, answer))
    assert caught.value.reason == "PROTOCOL"


# ---- errors


@pytest.mark.parametrize(
    ("given", "cls", "fields"),
    [
        (
            detail("TYPE_MISMATCH", type_mismatch={"expected": 2, "actual": "float"}),
            TypeMismatchError,
            {"expected": "integer", "actual": "float"},
        ),
        (
            detail("TYPE_MISMATCH", type_mismatch={"expected": 99, "actual": "float"}),
            TypeMismatchError,
            {"expected": None, "actual": "float"},
        ),
        (detail("CONSTRAINT_VIOLATED", constraint={"key": "max"}), ConstraintError, {"constraint": "max"}),
        (detail("INVALID_CONSTRAINT", constraint={"key": "max"}), InvalidInputError, {"field": "max"}),
        (detail("INVALID_ARGUMENT", invalid_field={"field": "ttl"}), InvalidInputError, {"field": "ttl"}),
        (
            detail("VERSION_CONFLICT", version_conflict={"expected": 3, "current": 4}),
            ConflictError,
            {"expected": 3, "current": 4, "retryable": True},
        ),
        (
            detail("TOO_MANY_ITEMS", limit={"setting": "max-items", "limit": 1000, "actual": 1001}),
            LimitError,
            {"setting": "max-items", "limit": 1000, "actual": 1001},
        ),
        (
            detail("TOO_LARGE", limit={"setting": "max-value-bytes", "limit": 5}),
            LimitError,
            {"setting": "max-value-bytes", "limit": 5, "actual": None},
        ),
        (
            detail("VARIABLE_NOT_FOUND", session_id="other", identifier="x"),
            VariableNotFoundError,
            {"session_id": "other", "identifier": "x"},
        ),
        (detail("INVALID_NAME", identifier=""), InvalidInputError, {"identifier": "", "field": None}),
        # Fields that do not belong to the reason, or are missing, do no harm.
        (detail("TYPE_MISMATCH", constraint={"key": "max"}), TypeMismatchError, {"expected": None}),
        (detail("BATCH_REFUSED"), BatchError, {"errors": {}}),
        (detail("VERSION_CONFLICT"), ConflictError, {"expected": 0}),
    ],
)
def test_a_detail_becomes_an_error_with_its_fields(
    given: errors_pb2.ErrorDetail, cls: type, fields: dict[str, Any]
) -> None:
    found = calls.detail_of(trailer(given))
    assert found is not None
    error = calls.error_from_detail(found, "s")
    assert type(error) is cls
    assert str(error) == "what happened"
    assert {"session_id": "s", **fields} == {
        name: getattr(error, name) for name in {"session_id": "", **fields}
    }


def test_a_refused_batch_names_every_item() -> None:
    refusals = [
        {"index": 0, "identifier": "a", "error": detail("CONSTRAINT_VIOLATED", constraint={"key": "max"})},
        {"index": 2, "identifier": "c", "error": detail("VARIABLE_NOT_FOUND")},
        {"index": 3, "identifier": "a", "error": detail("DUPLICATE_ITEM")},
    ]
    error = calls.error_from_detail(detail("BATCH_REFUSED", batch={"items": refusals}), "s")
    assert isinstance(error, BatchError)
    assert {name: (type(item), item.identifier) for name, item in error.errors.items()} == {
        "a": (ConstraintError, "a"),
        "c": (VariableNotFoundError, "c"),
    }


@pytest.mark.parametrize("reason", [0, 99])
def test_a_reason_of_a_newer_bridge_keeps_its_text_and_says_what_to_upgrade(reason: int) -> None:
    error = calls.error_from_detail(errors_pb2.ErrorDetail(reason=reason, message="what happened"))  # type: ignore[arg-type]
    assert error.reason == "PROTOCOL"
    assert "what happened" in str(error)
    assert "pip install -U snakepit-bridge" in str(error)


@pytest.mark.parametrize(
    "bytes_of_trailer",
    [
        None,
        b"",
        b"\xff\xff\xff",
        status_pb2.Status(code=5).SerializeToString(),
        trailer(detail("INTERNAL"), "type.googleapis.com/google.rpc.ErrorInfo"),
        status_pb2.Status(
            details=[any_pb2.Any(type_url="x/snakepit.bridge.v1.ErrorDetail", value=b"\xff")]
        ).SerializeToString(),
    ],
)
def test_a_trailer_that_is_not_ours_is_no_detail(bytes_of_trailer: bytes | None) -> None:
    assert calls.detail_of(bytes_of_trailer) is None


def test_our_detail_is_found_among_others() -> None:
    status = status_pb2.Status.FromString(trailer(detail("INTERNAL")))
    status.details.insert(0, any_pb2.Any(type_url="x/google.rpc.ErrorInfo", value=b"\xff"))
    assert calls.detail_of(status.SerializeToString()) == detail("INTERNAL")


@pytest.mark.parametrize(
    ("code", "cls", "reason"),
    [
        (2, InternalError, "PROTOCOL"),
        (3, InternalError, "PROTOCOL"),
        (4, DeadlineError, "DEADLINE_EXCEEDED"),
        (5, InternalError, "PROTOCOL"),
        (7, AuthError, "PERMISSION_DENIED"),
        (8, LimitError, "TOO_LARGE"),
        (12, InternalError, "PROTOCOL"),
        (13, InternalError, "PROTOCOL"),
        (14, UnavailableError, "UNAVAILABLE"),
        (16, AuthError, "UNAUTHENTICATED"),
        (77, InternalError, "PROTOCOL"),
    ],
)
def test_a_bare_status_becomes_an_error_that_says_who_answered(code: int, cls: type, reason: str) -> None:
    error = calls.error_from_status(code, "the text", WHERE, "s")
    assert (type(error), error.reason, error.session_id) == (cls, reason, "s")
    assert WHERE in str(error)
    assert "the text" in str(error)
