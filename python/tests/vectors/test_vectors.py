"""Runs the vectors that both languages run."""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import grpc
import numpy as np
import pytest
from google.protobuf import json_format
from vector_files import Case, all_cases, share_of_python

from snakepit_bridge import BridgeError
from snakepit_bridge._calls import DETAILS_KEY, detail_of
from snakepit_bridge._errors import REASONS
from snakepit_bridge._gen import command_pb2, errors_pb2, sessions_pb2, values_pb2, variables_pb2
from snakepit_bridge._values import decode_value, encode_value

CASES = share_of_python(all_cases())
LARGEST_MESSAGE = 64 * 1024 * 1024


def of_kind(kind: str) -> list[Any]:
    return [pytest.param(case, id=case.id) for case in CASES if case.kind == kind]


# ---- against a bridge


class Door:
    """Sends each command by the unary RPC of its arm."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._stubs: dict[str, tuple[Any, Any]] = {}
        for file, service in ((sessions_pb2, "SessionService"), (variables_pb2, "VariableService")):
            for method in file.DESCRIPTOR.services_by_name[service].methods:
                request = method.input_type.name
                response = getattr(file, method.output_type.name)
                path = f"/snakepit.bridge.v1.{service}/{method.name}"
                self._stubs[request] = channel.unary_unary(path), response

    def ask(self, command: command_pb2.Command) -> dict[str, Any]:
        arm = command.WhichOneof("kind")
        assert arm is not None, "Python has no RPC for a command without an arm"
        request = getattr(command, arm)
        stub, response = self._stubs[request.DESCRIPTOR.name]
        reply = command_pb2.Reply()
        try:
            answer = response.FromString(stub(request.SerializeToString(), timeout=30))
            getattr(reply, arm).CopyFrom(answer)
        except grpc.RpcError as error:
            reply.error.CopyFrom(self._refusal(error))
        found: dict[str, Any] = json_format.MessageToDict(reply)
        return found

    def _refusal(self, error: Any) -> errors_pb2.ErrorDetail:
        detail = detail_of(dict(error.trailing_metadata() or ()).get(DETAILS_KEY))
        assert detail is not None, f"a status without a detail: {error}"
        reason = errors_pb2.ErrorReason.Name(detail.reason).removeprefix("ERROR_REASON_")
        assert error.code().name == REASONS[reason].code
        return detail


@pytest.fixture(scope="module")
def door(bridge: str) -> Iterator[Door]:
    options = [("grpc.max_receive_message_length", LARGEST_MESSAGE), ("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(bridge, options=options) as channel:
        yield Door(channel)


@pytest.mark.parametrize("case", of_kind("engine"))
def test_the_bridge_answers_as_the_vector_says(case: Case, door: Door, tally: Any) -> None:
    for number, step in enumerate(case.data["steps"]):
        assert step.keys() == {"command", "reply"}, "a step is a command and its reply"
        command = json_format.ParseDict(step["command"], command_pb2.Command())
        found = door.ask(command)
        assert list(mismatches(step["reply"], found, f"step {number}")) == [], (case.data["why"], found)
    tally.ran.add(case.id)


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
    OPERATIONS[case.data["op"]](case.data["input"], case.data["expect"])
    tally.ran.add(case.id)


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


OPERATIONS: dict[str, Callable[[Any, Any], None]] = {
    "encode": check_encode,
    "decode": check_decode,
    "error": check_error,
}


def untag(tagged: dict[str, Any]) -> Any:
    ((tag, content),) = tagged.items()
    if tag in ("list", "tuple"):
        return {"list": list, "tuple": tuple}[tag](untag(element) for element in content)
    if tag == "dict":
        return {key: untag(element) for key, element in content}
    if tag == "nested":
        return functools.reduce(lambda inside, _: [inside], range(content - 1), [])
    if tag == "numpy":
        return untag_numpy(*content)
    return PLAIN[tag](content)


PLAIN: dict[str, Callable[[Any], Any]] = {
    "int": int,
    "float": float,
    "str": str,
    "bool": bool,
    "null": lambda _: None,
    "bytes": bytes.fromhex,
    "decimal": Decimal,
    "fraction": Fraction,
}


def untag_numpy(type_name: str, text: str) -> Any:
    if type_name in ("bool", "bool_"):
        return np.bool_({"true": True, "false": False}[text.lower()])
    return getattr(np, type_name)(text)
