"""What a server that passes calls on makes of them: nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import pytest
from scripted import Stage, fails, never, reads, says, staged, writes
from shells import SHELLS

from snakepit_bridge import ConstraintError, SessionContext, UnavailableError
from snakepit_bridge._channels import CHANNEL_OPTIONS
from snakepit_bridge._forward import SERVER_OPTIONS, ForwardingHandler, become_ready
from snakepit_bridge._gen import health_pb2
from snakepit_bridge._health import HealthHandler

ASYNCIO = SHELLS[0]
SET = "/snakepit.bridge.v1.VariableService/SetVariable"
CHECK = "/grpc.health.v1.Health/Check"
WATCH = "/grpc.health.v1.Health/Watch"


@asynccontextmanager
async def forwarding(stage: Stage) -> AsyncIterator[tuple[str, HealthHandler]]:
    """A server that passes calls on to the stage."""
    async with grpc.aio.insecure_channel(stage.address, options=CHANNEL_OPTIONS) as channel:
        health = HealthHandler(channel)
        server = grpc.aio.server(options=SERVER_OPTIONS)
        server.add_generic_rpc_handlers((ForwardingHandler(channel, stage.address), health))
        port = server.add_insecure_port("127.0.0.1:0")
        assert await become_ready(channel, 10, persistent=True)
        await server.start()
        following = asyncio.ensure_future(health.follow())
        try:
            yield f"127.0.0.1:{port}", health
        finally:
            following.cancel()
            health.end()
            await server.stop(None)


def status(answer: bytes) -> str:
    return str(
        health_pb2.HealthCheckResponse.ServingStatus.Name(
            health_pb2.HealthCheckResponse.FromString(answer).status
        )
    )


def asking(service: str) -> bytes:
    return health_pb2.HealthCheckRequest(service=service).SerializeToString()


async def first_status(watch: Any, wanted: str) -> None:
    """Reads a watch until it says this."""
    answer = await watch.read()
    while status(answer) != wanted:
        answer = await watch.read()


# ---- calls


@pytest.mark.asyncio
async def test_requests_and_answers_pass_unchanged() -> None:
    async with staged(ASYNCIO) as stage, forwarding(stage) as (address, _):
        stage.play(says(b"\xff any bytes"))
        async with grpc.aio.insecure_channel(address) as channel:
            answer = await channel.unary_unary(SET)(
                b"\x00 some bytes", metadata=(("authorization", "Bearer x"),)
            )
        assert answer == b"\xff any bytes"
        assert stage.requests == [("SetVariable", b"\x00 some bytes")]
        assert stage.metadata[0]["authorization"] == "Bearer x"


@pytest.mark.asyncio
async def test_a_client_works_over_it_and_gets_its_typed_errors() -> None:
    async with staged(ASYNCIO) as stage, forwarding(stage) as (address, _):
        stage.play(writes(2.5), reads(2.5), fails(grpc.StatusCode.FAILED_PRECONDITION, "CONSTRAINT_VIOLATED"))
        async with SessionContext("s", address=address, cache="off") as session:
            assert (await session.set_variable("x", 2.5)).version == 1
            assert await session.get_variable("x") == 2.5
            with pytest.raises(ConstraintError, match="by script"):
                await session.set_variable("x", 9)


@pytest.mark.asyncio
async def test_streams_pass_message_by_message() -> None:
    answered = asyncio.Event()

    class Streaming(grpc.GenericRpcHandler):
        def service(self, handler_call_details: Any) -> Any:
            async def count(requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
                async for request in requests:
                    yield b"seen " + request
                context.set_trailing_metadata((("after", handler_call_details.method),))

            return grpc.stream_stream_rpc_method_handler(count)

    async with staged(ASYNCIO) as stage:
        stage.line._target, server = 0, grpc.aio.server()
        server.add_generic_rpc_handlers((Streaming(),))
        stage.line._target = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        async with forwarding(stage) as (address, _), grpc.aio.insecure_channel(address) as channel:

            async def requests() -> AsyncIterator[bytes]:
                yield b"one"
                await answered.wait()  # the second is sent only when the first was answered
                yield b"two"

            call: Any = channel.stream_stream("/snakepit.bridge.v1.Later/Count")(requests())
            assert await call.read() == b"seen one"
            answered.set()
            assert await call.read() == b"seen two"
            assert await call.read() is grpc.aio.EOF
            assert tuple(await call.trailing_metadata()) == (("after", "/snakepit.bridge.v1.Later/Count"),)
        await server.stop(None)


@pytest.mark.asyncio
async def test_the_time_of_a_call_is_passed_on() -> None:
    remaining: list[float] = []

    async def act(_request: bytes, context: Any) -> bytes:
        remaining.append(context.time_remaining())
        return b""

    async with staged(ASYNCIO) as stage, forwarding(stage) as (address, _):
        stage.play(act, act)
        async with grpc.aio.insecure_channel(address) as channel:
            await channel.unary_unary(SET)(b"", timeout=1_000)
            await channel.unary_unary(SET)(b"")
    assert 500 < remaining[0] < 1_100  # gRPC rounds up
    assert remaining[1] is None or remaining[1] > 1e6


@pytest.mark.asyncio
async def test_a_call_that_is_cancelled_is_cancelled_at_the_bridge() -> None:
    cancelled = asyncio.Event()

    async def act(request: bytes, context: Any) -> bytes:
        try:
            return await never(request, context)
        finally:
            cancelled.set()

    async with staged(ASYNCIO) as stage, forwarding(stage) as (address, _):
        stage.play(act)
        async with grpc.aio.insecure_channel(address) as channel:
            call: Any = channel.unary_unary(SET)(b"")
            await stage.received.wait()
            call.cancel()
            await asyncio.wait_for(cancelled.wait(), 10)


@pytest.mark.asyncio
async def test_without_a_bridge_nothing_was_done_and_the_caller_is_told_so() -> None:
    async with staged(ASYNCIO) as stage, forwarding(stage) as (address, _):
        await stage.line.close()
        async with SessionContext("s", address=address) as session:
            for _ in range(3):
                with pytest.raises(UnavailableError, match=f"no bridge answers at {stage.address}"):
                    await session.set_variable("x", 1)
        assert stage.requests == []
        await stage.line.open()
        stage.play(writes(1))
        async with grpc.aio.insecure_channel(address) as channel:
            while True:  # gRPC takes its time before it tries again
                call: Any = channel.unary_unary(SET)(b"")
                if await call.code() is grpc.StatusCode.OK:
                    break
                assert await call.code() is grpc.StatusCode.UNAVAILABLE
                await asyncio.sleep(0.01)


@pytest.mark.asyncio
async def test_other_services_are_not_passed_on() -> None:
    async with staged(ASYNCIO) as stage, forwarding(stage) as (address, _):
        async with grpc.aio.insecure_channel(address) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await channel.unary_unary("/other.Service/Method")(b"")
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
        assert stage.requests == []


# ---- health


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "service", ["", "snakepit.bridge.v1.VariableService", "snakepit.bridge.v1.SessionService"]
)
async def test_it_is_healthy_while_it_is_connected(service: str) -> None:
    async with (
        staged(ASYNCIO) as stage,
        forwarding(stage) as (address, health),
        grpc.aio.insecure_channel(address) as channel,
    ):
        watch: Any = channel.unary_stream(WATCH)(asking(service))
        await first_status(watch, "SERVING")
        assert status(await channel.unary_unary(CHECK)(asking(service))) == "SERVING"
        await stage.line.close()
        await first_status(watch, "NOT_SERVING")
        assert status(await channel.unary_unary(CHECK)(asking(service))) == "NOT_SERVING"
        await stage.line.open()
        await first_status(watch, "SERVING")
        health.end()
        await first_status(watch, "NOT_SERVING")
        assert await watch.read() is grpc.aio.EOF


@pytest.mark.asyncio
async def test_the_health_of_what_is_unknown_is_unknown() -> None:
    async with (
        staged(ASYNCIO) as stage,
        forwarding(stage) as (address, _),
        grpc.aio.insecure_channel(address) as channel,
    ):
        for request, code in (
            (asking("nobody"), grpc.StatusCode.NOT_FOUND),
            # What is told of it fits into a trailer (VAL-2).
            (asking("x" * 200_000), grpc.StatusCode.NOT_FOUND),
            (b"\xff", grpc.StatusCode.INVALID_ARGUMENT),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await channel.unary_unary(CHECK)(request)
            assert caught.value.code() is code
        watch: Any = channel.unary_stream(WATCH)(asking("nobody"))
        assert status(await watch.read()) == "SERVICE_UNKNOWN"
        watch.cancel()
