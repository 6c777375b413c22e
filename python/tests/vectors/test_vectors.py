"""Runs the vectors that both languages run: those of the engine over each client's own transport."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
import replica_steps
import ttl_steps
from google.protobuf import json_format
from processes import BridgeProcess, clocked_bridge, running_bridge
from shells import SHELLS, Shell
from tagged import untag
from vector_door import Door, follow
from vector_files import Case, all_cases, share_of_python

from snakepit_bridge import BridgeError
from snakepit_bridge._calls import decode_definition
from snakepit_bridge._definitions import fingerprint
from snakepit_bridge._errors import REASONS
from snakepit_bridge._gen import values_pb2
from snakepit_bridge._values import decode_value, encode_value

CASES = share_of_python(all_cases())
CODES = {code.value[0]: code.name for code in grpc.StatusCode}


def of_kind(kind: str) -> list[Any]:
    return [pytest.param(case, id=case.id) for case in CASES if case.kind == kind]


# ---- against a bridge


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


def check_replica(given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert {"steps": replica_steps.answers(given)} == expected


def check_ttl(given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert {"steps": ttl_steps.answers(given)} == expected


OPERATIONS: dict[str, Callable[[Any, Any], None]] = {
    "encode": check_encode,
    "decode": check_decode,
    "error": check_error,
    "fingerprint": check_fingerprint,
    "replica": check_replica,
    "ttl": check_ttl,
}
