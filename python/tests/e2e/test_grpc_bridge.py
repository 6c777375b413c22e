"""`python -m snakepit_bridge.grpc_bridge` as a process, in front of a real bridge."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

import grpc
import grpc.aio
import pytest
from watch_records import Journal, Reading
from watches import wanted

from snakepit_bridge import BatchError, ConstraintError, LimitError, SessionContext
from snakepit_bridge._events import decode_event, point_after
from snakepit_bridge._gen import health_pb2, variables_pb2

TIMEOUT = 30.0
Process = subprocess.Popen[str]


@contextmanager
def started(
    *arguments: str, stdin: int | IO[str] = subprocess.PIPE, bridge: str | None = None, **environment: str
) -> Iterator[Process]:
    env = {name: value for name, value in os.environ.items() if name != "SNAKEPIT_BRIDGE_ADDRESS"}
    if bridge is not None:
        env["SNAKEPIT_BRIDGE_ADDRESS"] = bridge
    with subprocess.Popen(
        [sys.executable, "-m", "snakepit_bridge.grpc_bridge", *arguments],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**env, **environment},
    ) as process:
        patience = threading.Timer(TIMEOUT, process.kill)
        patience.start()
        try:
            yield process
        finally:
            patience.cancel()
            process.kill()


def address_of(process: Process, bridge: str) -> str:
    """Waits for the one line."""
    assert process.stdout is not None
    line = process.stdout.readline()
    match = re.fullmatch(
        rf"snakepit_bridge\.grpc_bridge listening on (127\.0\.0\.1:\d+) \(bridge: {re.escape(bridge)}\)\n",
        line,
    )
    assert match is not None, line
    return match[1]


def ended(process: Process) -> tuple[int, str, str]:
    """Waits for its end; what it printed beyond what was read."""
    if process.stdin is not None and not process.stdin.closed:
        out, err = process.communicate()
        return process.returncode, out, err
    assert process.stdout is not None
    assert process.stderr is not None
    out, err = process.stdout.read(), process.stderr.read()
    return process.wait(), out, err


@pytest.mark.asyncio
async def test_a_watch_is_told_over_it_as_over_the_bridge(
    bridge: str, request: pytest.FixtureRequest, journal_of: Callable[..., Journal]
) -> None:
    """The RPC Watch, as any client of gRPC reads it: [ORD-6 accepts] [DOOR-5 accepts]"""
    name = request.node.name
    asked = variables_pb2.WatchRequest(session_id=name, names=["n"]).SerializeToString()
    with started(bridge=bridge) as process:
        async with (
            grpc.aio.insecure_channel(address_of(process, bridge)) as near,
            grpc.aio.insecure_channel(bridge) as direct,
            SessionContext(name, address=bridge) as session,
        ):
            calls = [
                channel.unary_stream(
                    "/snakepit.bridge.v1.VariableService/Watch",
                    response_deserializer=variables_pb2.WatchResponse.FromString,
                )(asked)
                for channel in (near, direct)
            ]
            begun = [await call.read() for call in calls]
            assert [told.bookmark.number for told in begun] == [0, 0]
            journal = journal_of(session)
            await journal.create(ttl=60)
            await journal.set("other", True)
            await journal.set("n", 1, {"why": "test"})
            await journal.set("n", 2)
            for call, first in zip(calls, begun, strict=True):
                told = [await call.read() for _ in range(4)]
                events = [each for each in told if each.HasField("event")]
                journal.readings.append(
                    Reading(
                        0,
                        wants=wanted(["n"]),
                        events=[decode_event(each.event) for each in events],
                        points=[str(point_after(each)) for each in (first, *events)],
                    )
                )
                assert told[0].event.kind == variables_pb2.SESSION_EVENT_KIND_CREATED
                assert told[1].bookmark.number == 2
                assert [(entry.key, entry.value) for entry in told[2].event.metadata] == [("why", "test")]
                assert told[3].event.source == "python"
                (change,) = told[3].event.changes
                assert (change.before.value.integer, change.after.value.integer) == (1, 2)
                call.cancel()
            wrong = variables_pb2.WatchRequest(session_id=name, names=[""]).SerializeToString()
            refused = near.unary_stream("/snakepit.bridge.v1.VariableService/Watch")(wrong)
            assert await refused.code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.asyncio
async def test_a_client_works_over_it_as_over_the_bridge(bridge: str, request: pytest.FixtureRequest) -> None:
    """[DOOR-5 accepts]"""
    name = request.node.name
    with started(bridge=bridge) as process:
        async with (
            SessionContext(name, address=address_of(process, bridge)) as near,
            SessionContext(name, address=bridge, cache="off") as direct,
        ):
            await near.create_session(ttl=60)
            await near.register_variable("n", "integer", 10, constraints={"min": 0, "max": 100})
            assert await direct.get_variable("n") == 10
            await direct.set_variable("n", 20)
            assert await near.get_variable("n", bypass_cache=True) == 20
            with pytest.raises(ConstraintError, match="value 150 is above maximum 100"):
                await near.set_variable("n", 150)
            assert (await direct.list_variables())["n"]["source"] == "python"
            await near.delete_session()
            assert await direct.get_variable("n", default=None) is None


@pytest.mark.asyncio
async def test_large_messages_and_large_errors_pass(bridge: str, request: pytest.FixtureRequest) -> None:
    with started("--server", bridge) as process:
        async with SessionContext(request.node.name, address=address_of(process, bridge)) as session:
            await session.create_session(ttl=60)
            text = "x" * 1_048_576
            await session.set_variable("text", text)
            assert await session.get_variable("text", bypass_cache=True) == text
            with pytest.raises(LimitError):
                await session.set_variable("text", "x" * 5_000_000)
            for i in range(100):
                await session.register_variable(f"v{i}", "integer", 1, constraints={"max": 1})
            with pytest.raises(BatchError) as caught:
                await session.set_variables({f"v{i}": 2 for i in range(100)})
            assert len(caught.value.errors) == 100


@pytest.mark.asyncio
async def test_it_serves_health(bridge: str) -> None:
    with started(bridge=bridge) as process:
        async with grpc.aio.insecure_channel(address_of(process, bridge)) as channel:
            asked = health_pb2.HealthCheckRequest(service="snakepit.bridge.v1.VariableService")
            answer = await channel.unary_unary("/grpc.health.v1.Health/Check")(asked.SerializeToString())
            assert health_pb2.HealthCheckResponse.FromString(answer).status == 1  # SERVING


def test_it_ends_when_its_input_does(bridge: str) -> None:
    with started(bridge=bridge) as process:
        address_of(process, bridge)
        assert process.stdin is not None
        process.stdin.close()
        assert ended(process) == (0, "", "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.asyncio
async def test_it_ends_on_a_signal_though_a_call_is_under_way(bridge: str, number: int) -> None:
    with started(bridge=bridge) as process:
        async with grpc.aio.insecure_channel(address_of(process, bridge)) as channel:
            asked = health_pb2.HealthCheckRequest().SerializeToString()
            watch = channel.unary_stream("/grpc.health.v1.Health/Watch")(asked)
            await watch.read()  # type: ignore[attr-defined]
            process.send_signal(number)
            assert ended(process) == (0, "", "")


def test_input_that_nobody_holds_is_not_waited_for(bridge: str) -> None:
    with started(bridge=bridge, stdin=subprocess.DEVNULL) as process:
        address = address_of(process, bridge)
        host, _, port = address.rpartition(":")
        socket.create_connection((host, int(port)), TIMEOUT).close()
        process.terminate()
        assert ended(process) == (0, "", "")


def test_a_port_that_is_taken_is_one_line(bridge: str) -> None:
    """[DOOR-5 refuses]"""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with started("--port", str(port), bridge=bridge) as process:
            code, out, err = ended(process)
    assert (code, out) == (1, "")
    assert err == (
        f"error: cannot listen on 127.0.0.1:{port}: Address already in use; --port 0 takes any that is free\n"
    )


def test_two_of_them_cannot_share_a_port(bridge: str) -> None:
    with started(bridge=bridge) as first:
        port = address_of(first, bridge).rpartition(":")[2]
        with started("--port", port, bridge=bridge) as second:
            code, out, err = ended(second)
    assert (code, out) == (1, "")
    assert "Address already in use" in err


def test_no_bridge_is_one_line_and_it_can_be_ended_while_it_waits() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        nobody = f"127.0.0.1:{free.getsockname()[1]}"
    impatient = (
        "import sys; from snakepit_bridge import grpc_bridge; grpc_bridge.START_SECONDS = 0.2; "
        "sys.exit(grpc_bridge.main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", impatient, "--server", nobody],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    waiting, error = done.stderr.splitlines()
    assert waiting == f"waiting for the bridge at {nobody}"
    assert error.startswith(f"error: no bridge answers at {nobody}: start one with ")
    with started(bridge=nobody) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == f"waiting for the bridge at {nobody}\n"
        process.send_signal(signal.SIGTERM)
        assert ended(process) == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--port", "65536"), "'65536' is no port: it is a whole number from 0 to 65535"),
        (("--port", "-1"), "'-1' is no port"),
        (
            ("--server", "localhost"),
            "'localhost' is no address: write it as HOST:PORT, as in 127.0.0.1:50051",
        ),
        (("--server", "localhost:0"), "'localhost:0' is no address"),
        (("now",), "unrecognized arguments: now"),
    ],
)
def test_a_command_line_that_makes_no_sense_is_refused(arguments: tuple[str, ...], text: str) -> None:
    with started(*arguments) as process:
        code, out, err = ended(process)
    assert (code, out) == (2, "")
    assert text in err


def test_an_address_in_the_environment_that_makes_no_sense_is_refused() -> None:
    with started(bridge="nowhere") as process:
        code, _, err = ended(process)
    assert code == 2
    assert "'nowhere' is no address" in err


def test_it_explains_itself() -> None:
    with started("--help") as process:
        code, out, err = ended(process)
    assert (code, err) == (0, "")
    assert "--server" in out
    assert "--port" in out
    assert "SNAKEPIT_BRIDGE_ADDRESS" in out
