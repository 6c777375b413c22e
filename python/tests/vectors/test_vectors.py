"""Runs the vectors that both languages run: those of the engine over each client's own transport."""

from __future__ import annotations

import contextlib
import struct
import time
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from google.protobuf import json_format
from processes import BridgeProcess, clocked_bridge, running_bridge
from shells import SHELLS, Shell
from tagged import untag
from vector_files import Case, all_cases, share_of_python

from snakepit_bridge import BridgeError
from snakepit_bridge._calls import OK, Method, decode_definition, method_of
from snakepit_bridge._definitions import fingerprint
from snakepit_bridge._errands import Errand, Failed
from snakepit_bridge._errors import REASONS
from snakepit_bridge._gen import command_pb2, errors_pb2, sessions_pb2, values_pb2, variables_pb2
from snakepit_bridge._values import decode_value, encode_value

CASES = share_of_python(all_cases())
CODES = {code.value[0]: code.name for code in grpc.StatusCode}


def of_kind(kind: str) -> list[Any]:
    return [pytest.param(case, id=case.id) for case in CASES if case.kind == kind]


# ---- against a bridge


class Door:
    """Has each command carried out as a client's method has."""

    def __init__(self, carry: Callable[[Errand], None]) -> None:
        self._carry = carry
        self._methods: dict[str, Method] = {}
        for file, service in ((sessions_pb2, "SessionService"), (variables_pb2, "VariableService")):
            for method in file.DESCRIPTOR.services_by_name[service].methods:
                path = f"/snakepit.bridge.v1.{service}/{method.name}"
                self._methods[method.input_type.name] = method_of(path)

    def ask(self, command: command_pb2.Command) -> dict[str, Any]:
        arm = command.WhichOneof("kind")
        assert arm is not None, "Python has no RPC for a command without an arm"
        request = getattr(command, arm)
        method = self._methods[request.DESCRIPTOR.name]
        errand = Errand(method, request.SerializeToString(), time.monotonic() + 30)
        self._carry(errand)
        reply = command_pb2.Reply()
        if isinstance(errand.ending, Failed):
            reply.error.CopyFrom(self._refusal(errand.ending))
        else:
            getattr(reply, arm).CopyFrom(errand.ending)
        found: dict[str, Any] = json_format.MessageToDict(reply)
        return found

    def _refusal(self, failed: Failed) -> errors_pb2.ErrorDetail:
        detail = failed.detail
        assert detail is not None, f"a failure without a detail: {failed}"
        reason = errors_pb2.ErrorReason.Name(detail.reason).removeprefix("ERROR_REASON_")
        # In a reply on a stream the reason stands without a status.
        assert failed.status.code == OK or CODES[failed.status.code] == REASONS[reason].code
        assert type(failed.error) is REASONS[reason].error
        return detail


@contextlib.contextmanager
def door_of(shell: Shell, address: str) -> Iterator[Door]:
    with shell.driven() as run:
        context = shell.cls("vectors", address=address)
        yield Door(lambda errand: run(context._transport.carry, errand))
        run(context.close)


@pytest.fixture(scope="module", params=SHELLS, ids=lambda shell: shell.name)
def client(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Shell, Door]]:
    """A client with a bridge of its own: a case says what is answered where nobody ran it before."""
    folder = tmp_path_factory.mktemp("bridge")
    with running_bridge(folder) as address, door_of(request.param, address) as door:
        yield request.param, door


@pytest.fixture(scope="module", params=SHELLS, ids=lambda shell: shell.name)
def clocked(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Shell, BridgeProcess, Door]]:
    """The same, with a bridge whose clock a case moves."""
    folder = tmp_path_factory.mktemp("clocked")
    with clocked_bridge(folder) as bridge, door_of(request.param, bridge.address) as door:
        yield request.param, bridge, door


@pytest.mark.parametrize("case", [case for case in of_kind("engine") if not case.values[0].needs_clock])
def test_the_bridge_answers_as_the_vector_says(case: Case, client: tuple[Shell, Door], tally: Any) -> None:
    shell, door = client
    for number, step in enumerate(case.data["steps"]):
        follow(step, number, case, door)
    tally.ran[shell.name].add(case.id)


@pytest.mark.parametrize("case", [case for case in of_kind("engine") if case.values[0].needs_clock])
def test_the_bridge_answers_as_the_vector_says_when_time_passes(
    case: Case, clocked: tuple[Shell, BridgeProcess, Door], tally: Any
) -> None:
    shell, bridge, door = clocked
    for number, step in enumerate(case.data["steps"]):
        if step.keys() == {"advanceMs"}:
            bridge.advance(step["advanceMs"])
        else:
            follow(step, number, case, door)
    tally.ran[shell.name].add(case.id)


def follow(step: dict[str, Any], number: int, case: Case, door: Door) -> None:
    assert step.keys() == {"command", "reply"}, "a step is a command and its reply"
    command = json_format.ParseDict(step["command"], command_pb2.Command())
    found = door.ask(command)
    assert list(mismatches(step["reply"], found, f"step {number}")) == [], (case.data["why"], found)


def mismatches(expected: Any, found: Any, place: str) -> Iterator[str]:
    """Yields what differs, by the rules of spec/vectors/README.md."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key, value in expected.items():
            yield from field_mismatches(value, key, found, f"{place}.{key}")
    elif isinstance(expected, list) and isinstance(found, list):
        if len(expected) != len(found):
            yield f"{place}: {len(expected)} elements expected, {len(found)} found"
        for number, (one, other) in enumerate(zip(expected, found, strict=False)):
            yield from mismatches(one, other, f"{place}[{number}]")
    elif not same(expected, found):
        yield f"{place}: {expected!r} expected, {found!r} found"


def field_mismatches(expected: Any, key: str, found: dict[str, Any], place: str) -> Iterator[str]:
    if expected is None:
        if key in found:
            yield f"{place}: expected to be absent"
    elif key not in found:
        is_default = expected in (False, 0, "0", "", [], {}) and repr(expected) != "-0.0"
        if not is_default:
            yield f"{place}: {expected!r} expected, and absent"
    else:
        yield from mismatches(expected, found[key], place)


def same(expected: Any, found: Any) -> bool:
    if is_number(expected) and is_number(found):
        return struct.pack("d", expected) == struct.pack("d", found)
    return type(expected) is type(found) and bool(expected == found)


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


# ---- by the client itself


def test_every_operation_is_known() -> None:
    assert {case.data["op"] for case in all_cases() if case.kind == "client"} <= OPERATIONS.keys()


@pytest.mark.parametrize("case", of_kind("client"))
def test_the_client_does_as_the_vector_says(case: Case, tally: Any) -> None:
    expected = case.data["expect"]
    OPERATIONS[case.data["op"]](case.data["input"], expected.get("python", expected))
    # Values and errors are not a client's own: both use the same modules.
    for ran in tally.ran.values():
        ran.add(case.id)


def check_encode(given: dict[str, Any], expected: dict[str, Any]) -> None:
    value = untag(given)
    if "error" in expected:
        with pytest.raises(BridgeError) as caught:
            encode_value(value)
        assert caught.value.reason == expected["error"]
    else:
        message = json_format.ParseDict(expected["value"], values_pb2.Value())
        # As bytes, because NaN differs from itself and -0.0 does not differ from 0.0.
        assert encode_value(value).SerializeToString() == message.SerializeToString()


def check_decode(given: dict[str, Any], expected: dict[str, Any]) -> None:
    found = decode_value(json_format.ParseDict(given, values_pb2.Value()))
    wanted = untag(expected)
    assert type(found) is type(wanted)
    if isinstance(found, float):
        assert struct.pack("d", found) == struct.pack("d", wanted)
    else:
        # As text too, because 1, 1.0 and True are equal.
        assert (found, repr(found)) == (wanted, repr(wanted))


def check_error(given: str, expected: dict[str, Any]) -> None:
    row = REASONS[given]
    assert {"class": row.error.__name__, "retryable": row.retryable, "code": row.code} == expected


def check_fingerprint(given: list[dict[str, Any]], expected: dict[str, Any]) -> None:
    messages = [json_format.ParseDict(each, values_pb2.Definition()) for each in given]
    definitions = {message.name: decode_definition(message) for message in messages}
    assert {"fingerprint": fingerprint(definitions)} == expected


OPERATIONS: dict[str, Callable[[Any, Any], None]] = {
    "encode": check_encode,
    "decode": check_decode,
    "error": check_error,
    "fingerprint": check_fingerprint,
}
