"""The stream of the asyncio client, with a bridge."""

from __future__ import annotations

import asyncio

import pytest
from scripted import Line
from shells import until

from snakepit_bridge import InvalidInputError, LimitError, SessionContext, Written


@pytest.mark.asyncio
async def test_writes_that_are_begun_one_after_the_other_are_carried_out_so(bridge: str) -> None:
    """[ORD-17 accepts]"""
    async with SessionContext("in order", address=bridge, cache="off") as context:
        await context.create_session()
        written = await asyncio.gather(*[context.set_variable("x", number) for number in range(200)])
        assert [each.revision for each in written] == list(range(2, 202))
        assert await context.get_variable("x") == 199


@pytest.mark.asyncio
async def test_writes_over_a_line_that_breaks_are_carried_out_once_and_in_order(bridge: str) -> None:
    """[ORD-15 accepts] [ORD-17 accepts]"""
    line = Line(int(bridge.rpartition(":")[2]))
    await line.open()
    address = f"127.0.0.1:{line.port}"
    async with SessionContext("broken", address=address, cache="off", timeout=60.0) as context:
        await context.create_session()
        writes: list[asyncio.Task[Written]] = []
        home = context._transport.home()
        assert home is not None
        for wave in range(6):
            # Something of each wave is longer than one message.
            values = ["y" * (1 if number % 7 else 300_000) for number in range(25)]
            writes += [asyncio.ensure_future(context.set_variable(f"x{wave}", value)) for value in values]
            await until(lambda: not home.link._link.waiting)
            line.cut()
        assert [(await each).revision for each in writes] == list(range(2, 152))
    await line.close()


@pytest.mark.asyncio
async def test_large_values_hold_up_nothing_but_themselves(bridge: str) -> None:
    """[ORD-18 accepts]"""
    large = "ż" * 500_000
    async with SessionContext("large", address=bridge, cache="off") as context:
        await asyncio.gather(
            *[context.set_variable(f"large {number}", large) for number in range(3)],
            *[context.set_variable(f"small {number}", number) for number in range(20)],
        )
        values, small = await asyncio.gather(
            context.get_variables([f"large {number}" for number in range(3)]),
            context.get_variable("small 7"),
        )
        assert (set(values.values()), len(values), small) == ({large}, 3, 7)


@pytest.mark.asyncio
async def test_what_is_too_long_hurts_nothing_else_on_the_stream(bridge: str) -> None:
    """[ORD-18 refuses]"""
    async with SessionContext("too long", address=bridge, cache="off") as context:
        await context.set_variable("x", 1.0)
        too_long = {f"v{number}": "y" * 1_000_000 for number in range(5)}
        refused, read = await asyncio.gather(
            context.set_variables(too_long), context.get_variable("x"), return_exceptions=True
        )
        assert isinstance(refused, LimitError)
        assert (refused.setting, read) == ("max-message-bytes", 1.0)


@pytest.mark.asyncio
async def test_a_bridge_that_speaks_another_version_says_so(
    bridge: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("snakepit_bridge._frames.PROTOCOL", 2)
    async with SessionContext("s", address=bridge) as context:
        for call in (context.get_variable("x"), context.set_variable("x", 1.0)):
            with pytest.raises(InvalidInputError, match="speaks 2: make both the same version"):
                await call
