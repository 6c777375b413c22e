"""Sessions: their life, and who creates them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from shells import Context, Shell

from snakepit_bridge import (
    BridgeError,
    InvalidInputError,
    SessionNotFoundError,
    VariableNotFoundError,
)

# ---- sessions


@pytest.mark.asyncio
async def test_a_session_is_created_once(make: Callable[..., Context]) -> None:
    async with make() as context, make() as other:
        assert await context.create_session(ttl=60, metadata={"team": "a"}) is True
        assert await other.create_session(ttl=timedelta(hours=2)) is False
        await context.heartbeat()
        await context.delete_session()
        for call in (context.heartbeat, context.delete_session, context.list_variables):
            with pytest.raises(SessionNotFoundError) as caught:
                await call()
            assert caught.value.session_id == context.session_id
            assert str(caught.value) == f"Session not found: {context.session_id}"


@pytest.mark.asyncio
@pytest.mark.parametrize("ttl", [-1, -0.001])
async def test_a_negative_ttl_is_refused(make: Callable[..., Context], ttl: float) -> None:
    async with make() as context:
        with pytest.raises(InvalidInputError) as caught:
            await context.create_session(ttl=ttl)
        assert (caught.value.reason, caught.value.field) == ("INVALID_ARGUMENT", "ttl")


@pytest.mark.asyncio
@pytest.mark.parametrize("session_id", ["", " s", "a\nb", "__proto__", "x" * 257])
async def test_a_name_that_no_session_can_have_is_refused(shell: Shell, bridge: str, session_id: str) -> None:
    async with shell.context(session_id, address=bridge) as context:
        with pytest.raises(InvalidInputError) as caught:
            await context.set_variable("x", 1)
        assert caught.value.reason == "INVALID_NAME"


@pytest.mark.asyncio
async def test_a_session_is_not_revived_by_a_write(make: Callable[..., Context]) -> None:
    """[ORD-14 refuses]"""
    async with make() as context, make() as other:
        await context.set_variable("x", 1)
        await other.delete_session()
        for write in (
            lambda: context.set_variable("x", 1),
            lambda: context.increment("x"),
            lambda: context.update_variables({"x": 1}),
            lambda: context.set_variables({"x": 1}),
            lambda: context.register_variable("x", "integer", 1),
        ):
            with pytest.raises(SessionNotFoundError):
                await write()
        assert await context.get_variable("x", default="gone") == "gone"
        await context.create_session()
        await context.set_variable("x", 2)
        assert await context.get_variable("x") == 2


@pytest.mark.asyncio
@pytest.mark.parametrize("first", ["set", "increment", "update", "set many", "register"])
async def test_the_first_write_creates_the_session(make: Callable[..., Context], first: str) -> None:
    """[ORD-14 accepts]"""
    async with make() as context:
        await {
            "set": lambda: context.set_variable("x", 1),
            "increment": lambda: context.increment("x"),
            "update": lambda: context.update_variables({"x": 1}),
            "set many": lambda: context.set_variables({"x": 1}),
            "register": lambda: context.register_variable("x", "integer", 1),
        }[first]()
        assert await context.get_variable("x", bypass_cache=True) == 1


@pytest.mark.asyncio
async def test_a_strict_context_creates_nothing(make: Callable[..., Context]) -> None:
    """[VAL-12 refuses]"""
    async with make(strict=True) as context:
        with pytest.raises(SessionNotFoundError):
            await context.set_variable("x", 1)
        await context.create_session()
        with pytest.raises(VariableNotFoundError):
            await context.set_variable("x", 1)
        with pytest.raises(VariableNotFoundError):
            await context.increment("x")
        result = await context.update_variables({"x": 1})
        assert result == {"x": "Variable not found: x"}


@pytest.mark.asyncio
async def test_sessions_do_not_see_each_other(make: Callable[..., Context]) -> None:
    async with make(" a") as one, make(" b") as two:
        await one.set_variable("x", "one")
        await two.set_variable("x", "two")
        await two.set_variable("only two", True)
        assert await one.get_variable("x", bypass_cache=True) == "one"
        assert await two.get_variable("x", bypass_cache=True) == "two"
        assert list(await one.list_variables()) == ["x"]
        with pytest.raises(VariableNotFoundError):
            await one.get_variable("only two")


# ---- as the first specification used it


@pytest.mark.asyncio
async def test_a_channel_of_ones_own_and_variables_nobody_registered(shell: Shell, bridge: str) -> None:
    async with shell.lent(bridge) as channel:
        session = shell.context(f"e2e first specification {shell.name}", channel)
        await session.set_variable("count", 42)
        assert await session.get_variable("count") == 42
        await session.set_variable("count", 100)
        assert await session.get_variable("count") == 100
        cached = await session.get_variable("count")
        fetched = await session.get_variable("count", bypass_cache=True)
        assert cached == fetched == 100
        assert session.get_cache_stats()["hits"] > 0
        results = await session.update_variables({"one": "hello", "two": 42, "three": 3.14, "four": True})
        assert all(result is True for result in results.values())
        values = await session.get_variables(["one", "two", "three", "four"])
        assert values == {"one": "hello", "two": 42, "three": 3.14, "four": True}
        assert values["four"] is True


@pytest.mark.asyncio
async def test_every_error_is_a_bridge_error(session: Context) -> None:
    await session.register_variable("x", "integer", 1, constraints={"max": 1})
    failing: list[Callable[[], Any]] = [
        lambda: session.get_variable("nobody"),
        lambda: session.set_variable("x", 2),
        lambda: session.set_variable("x", "text"),
        lambda: session.set_variable("x", None),
        lambda: session.set_variables({"x": 2}),
        lambda: session.delete_variable("nobody"),
    ]
    for call in failing:
        with pytest.raises(BridgeError) as caught:
            await call()
        assert caught.value.session_id == session.session_id or caught.value.reason == "INVALID_VALUE"
