"""Follows the steps of a vector, and compares what is answered with what it expects."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Iterator
from typing import Any

import grpc
from google.protobuf import json_format
from vector_files import Case

from snakepit_bridge._calls import OK, Method, method_of
from snakepit_bridge._errands import Errand, Failed
from snakepit_bridge._errors import REASONS
from snakepit_bridge._gen import command_pb2, errors_pb2, sessions_pb2, variables_pb2

CODES = {code.value[0]: code.name for code in grpc.StatusCode}


class Door:
    """Has each command carried out as a client's method has."""

    def __init__(self, carry: Callable[[Errand], None]) -> None:
        self._carry = carry
        self._methods: dict[str, Method] = {}
        for file, service in ((sessions_pb2, "SessionService"), (variables_pb2, "VariableService")):
            for method in file.DESCRIPTOR.services_by_name[service].methods:
                # They have no one answer, and so no command.
                if method.name in ("Watch", "Follow"):
                    continue
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
