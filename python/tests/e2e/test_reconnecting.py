"""What becomes of a context whose way to the bridge is bad, or whose bridge is killed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from processes import durable_bridge
from shells import Context, Shell, until
from toxic_proxy import ToxicProxy, toxic_proxy
from watches import Reader

Make = Callable[..., Context]
SOON = 30.0


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "snakepit_bridge"]


async def soon(condition: Callable[[], bool]) -> None:
    await asyncio.wait_for(until(condition), SOON)


def both_ways(proxy: ToxicProxy, **toxic: Any) -> None:
    for direction in ("up", "down"):
        proxy.lay(direction, direction, **toxic)


@pytest.mark.asyncio
async def test_a_copy_on_a_half_open_connection_is_stale_and_ready_again_on_a_new_one(
    shell: Shell, make: Make, bridge: str, caplog: pytest.LogCaptureFixture
) -> None:
    with toxic_proxy(bridge) as proxy:
        async with make() as writer:
            await writer.set_variable("a", 1)
            caplog.set_level(logging.INFO, "snakepit_bridge")
            caplog.clear()
            async with shell.context(writer.session_id, address=proxy.address) as context:
                await context.ready()
                both_ways(proxy, kind="silence", of="standing")
                await soon(lambda: len(lines(caplog)) >= 5)
                session = f"the copy of session {writer.session_id!r} is"
                told = lines(caplog)
                assert told[2].startswith(f"{session} STALE: ")
                connected = f"connected to the bridge at {proxy.address}"
                assert [*told[:2], *told[3:]] == [connected, f"{session} READY"] * 2
                await writer.set_variable("a", 2)
                await soon(lambda: context.peek("a") == 2)
            # Who closes a context knows.
            assert len(lines(caplog)) == 5
            assert {record.levelname for record in caplog.records} == {"INFO"}


@pytest.mark.asyncio
async def test_a_copy_in_a_black_hole_tries_seldom_and_is_ready_again_when_it_heals(
    shell: Shell, make: Make, bridge: str, caplog: pytest.LogCaptureFixture
) -> None:
    with toxic_proxy(bridge) as proxy:
        async with make() as writer:
            await writer.set_variable("a", 1)
            async with shell.context(writer.session_id, address=proxy.address) as context:
                await context.ready()
                caplog.set_level(logging.INFO, "snakepit_bridge")
                caplog.clear()
                both_ways(proxy, kind="silence", of="all")
                await soon(lambda: any("STALE" in line for line in lines(caplog)))
                proxy.lift("up")
                proxy.lift("down")
                await soon(lambda: any("READY" in line for line in lines(caplog)))
                proxy.count()
                assert proxy.connections < 10


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "toxic",
    [
        {"kind": "latency", "ms": 20, "jitterMs": 60},
        {"kind": "bandwidth", "bytesPerSecond": 20_000},
        {"kind": "slices", "bytes": 3},
    ],
    ids=lambda toxic: str(toxic["kind"]),
)
async def test_a_bad_connection_loses_nothing(
    shell: Shell, make: Make, bridge: str, toxic: dict[str, Any]
) -> None:
    with toxic_proxy(bridge) as proxy:
        both_ways(proxy, **toxic)
        async with make() as writer, shell.context(writer.session_id, address=proxy.address) as context:
            await writer.create_session()
            reader = Reader(context.watch())
            await reader.ready()
            for step in range(50):
                await writer.set_variable("step", step)
            told = [event.changes[0].value for event in await reader.take(50)]
            assert told == list(range(50))
            assert (await context.set_variable("step", 50)).version == 51


@pytest.mark.asyncio
async def test_writes_that_a_killed_bridge_did_not_answer_are_sent_again_in_order(
    shell: Shell, tmp_path: Path
) -> None:
    """[ORD-17 accepts]"""
    count, acknowledged = 400, 0
    with durable_bridge(tmp_path) as bridge:
        async with shell.context("run", address=bridge.address, timeout=30.0) as context:
            await context.create_session()
            reader = Reader(context.watch())
            await reader.ready()

            async def write(number: int) -> None:
                nonlocal acknowledged
                await context.increment("count", metadata={"number": str(number)})
                acknowledged += 1
                if acknowledged == 20:
                    # The others are under way or wait.
                    bridge.kill()
                    bridge.start()

            await asyncio.gather(*(write(number) for number in range(count)))
            events = await reader.take(count)
            # Each was carried out once.
            assert [event.changes[0].value for event in events] == list(range(1, count + 1))
            if not shell.is_blocking:
                # Threads have no order among each other.
                assert [event.metadata["number"] for event in events] == [str(n) for n in range(count)]
