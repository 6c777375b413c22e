from __future__ import annotations

import copy
import inspect
import pickle
from typing import Any

import grpc
import pytest

import snakepit_bridge
from snakepit_bridge import _errors as errors
from snakepit_bridge._errors import REASONS, BridgeError, error_for
from snakepit_bridge._gen import errors_pb2

CLASSES = [
    value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, BridgeError)
]
CLIENT_ONLY = {"UNAVAILABLE", "UNAUTHENTICATED", "PERMISSION_DENIED", "NOT_READY", "CLOSED", "PROTOCOL"}


def test_the_table_has_exactly_one_row_for_each_reason_of_the_contract() -> None:
    in_contract = {
        name.removeprefix("ERROR_REASON_")
        for name in errors_pb2.ErrorReason.keys()  # noqa: SIM118 - the wrapper is no dict
        if name != "ERROR_REASON_UNSPECIFIED"
    }
    assert REASONS.keys() == in_contract | CLIENT_ONLY
    assert not in_contract & CLIENT_ONLY


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_each_reason_has_a_class_and_a_real_status_code(reason: str) -> None:
    row = REASONS[reason]
    error = error_for(reason, "text")
    assert type(error) is row.error is not BridgeError
    assert (error.reason, error.retryable, str(error)) == (reason, row.retryable, "text")
    assert row.code is None or hasattr(grpc.StatusCode, row.code)


def test_every_class_is_used_by_the_table_and_exported() -> None:
    used = {row.error for row in REASONS.values()}
    assert {*used, BridgeError} == set(CLASSES)
    for cls in CLASSES:
        assert getattr(snakepit_bridge, cls.__name__) is cls


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = {
        line.split("─ ")[1].split()[0]: line
        for line in (errors.__doc__ or "").splitlines()
        if "─ " in line and "BridgeError" not in line
    }
    assert drawn.keys() == {cls.__name__ for cls in CLASSES} - {"BridgeError"}
    for cls in CLASSES:
        for builtin in (KeyError, ValueError, TimeoutError):
            if cls is not BridgeError:
                assert issubclass(cls, builtin) == (f"and {builtin.__name__}" in drawn[cls.__name__])


@pytest.mark.parametrize("cls", CLASSES)
def test_each_error_shows_its_plain_message(cls: type[BridgeError]) -> None:
    assert str(cls("no such thing: 'x'")) == "no such thing: 'x'"
    assert cls("text").reason in REASONS


FULL: list[BridgeError] = [
    errors.SessionNotFoundError("no session", session_id="s"),
    errors.VariableNotFoundError("no variable", session_id="s", identifier="x"),
    errors.AlreadyExistsError("taken", identifier="x"),
    errors.DefinitionConflictError("other", identifier="x"),
    errors.TypeMismatchError("wrong type", expected="integer", actual="float", identifier="x"),
    errors.ConstraintError("too high", constraint="max", identifier="x"),
    errors.InvalidInputError("no name", reason="INVALID_NAME", field="name"),
    errors.BatchError("refused", errors={"x": errors.ConstraintError("too high", constraint="max")}),
    errors.ConflictError("moved on", expected=1, current=2, identifier="x"),
    errors.LimitError("too much", limit=10, actual=11, setting="max-items", reason="TOO_MANY_ITEMS"),
    errors.AuthError("no", reason="UNAUTHENTICATED"),
    errors.UnavailableError("nobody"),
    errors.DeadlineError("late"),
    errors.OutcomeUnknownError("who knows"),
    errors.VersionMismatchError("0.1.0 and 0.2.0"),
    errors.WatchGapError("too late"),
    errors.NotReadyError("not ready"),
    errors.ClosedError("closed"),
    errors.InternalError("bug", reason="PROTOCOL"),
]


def state_of(error: BridgeError) -> dict[str, Any]:
    fields = dict(vars(error))
    if isinstance(error, errors.BatchError):
        fields["errors"] = {name: state_of(item) for name, item in error.errors.items()}
    return {**fields, "class": type(error), "text": str(error), "args": error.args}


@pytest.mark.parametrize("error", FULL, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_each_error_survives_pickling_whole(error: BridgeError, protocol: int) -> None:
    again = pickle.loads(pickle.dumps(error, protocol))  # noqa: TID251 - bytes made in this line
    assert state_of(again) == state_of(error)
    assert state_of(copy.copy(error)) == state_of(error)


def test_every_class_is_among_those() -> None:
    assert {type(error) for error in FULL} == set(CLASSES) - {BridgeError}


def test_a_note_survives_too() -> None:
    error = errors.ClosedError("closed")
    error.__dict__["__notes__"] = ["seen in a worker"]
    again = pickle.loads(pickle.dumps(error))  # noqa: TID251 - bytes made in this line
    assert again.__notes__ == ["seen in a worker"]


def test_a_users_own_reason_is_not_retryable() -> None:
    assert BridgeError("text", reason="MINE").retryable is False
