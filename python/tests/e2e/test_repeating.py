"""What takes several calls: read-modify-write, and waiting for a value."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from shells import Context, Shell, until

from snakepit_bridge import (
    ClosedError,
    ConflictError,
    ConstraintError,
    DeadlineError,
    SessionNotFoundError,
    TypeMismatchError,
    UnavailableError,
    VariableNotFoundError,
    WatchGapError,
)

# ---- update_variable


@pytest.mark.asyncio
async def test_a_variable_is_set_to_what_a_function_makes_of_it(session: Context) -> None:
    first = await session.set_variable("x", 2)
    written = await session.update_variable("x", lambda x: x * 10, {"by": "test"})
    assert (written.value, written.version, written.revision) == (20, 2, first.revision + 1)
    assert await session.get_variable("x") == 20
    assert (await session.list_variables())["x"]["metadata"] == {"by": "test"}


@pytest.mark.asyncio
async def test_the_value_is_the_one_that_the_server_has(make: Callable[..., Context]) -> None:
    async with make(cache="ttl") as context, make() as other:
        await context.set_variable("x", 1)
        await other.set_variable("x", 5)
        assert await context.get_variable("x") == 1
        assert (await context.update_variable("x", lambda x: x + 1)).value == 6


@pytest.mark.asyncio
async def test_a_write_of_another_is_not_lost(make: Callable[..., Context]) -> None:
    seen: list[int] = []
    async with make() as context, make() as other:
        await context.set_variable("x", 1)
        loop = asyncio.get_running_loop()

        def interfere(x: int) -> int:
            seen.append(x)
            if len(seen) <= 3:
                # Somebody else is faster.
                done = asyncio.run_coroutine_threadsafe(other.increment("x", 10), loop)
                done.result()
            return x * 2

        async def interfere_on_the_loop(x: int) -> int:
            seen.append(x)
            if len(seen) <= 3:
                await other.increment("x", 10)
            return x * 2

        blocking = hasattr(context, "context")
        written = await context.update_variable("x", interfere if blocking else interfere_on_the_loop)
    assert seen == [1, 11, 21, 31]
    assert (written.value, written.version) == (62, 5)


@pytest.mark.asyncio
async def test_many_who_update_at_once_lose_nothing(make: Callable[..., Context]) -> None:
    async with make(timeout=30.0) as context, make(timeout=30.0) as other:
        await context.set_variable("x", 0)
        updates = [each.update_variable("x", lambda x: x + 1) for each in [context, other] * 8]
        written = await asyncio.gather(*updates)
        assert sorted(each.value for each in written) == list(range(1, 17))
        assert await context.get_variable("x", bypass_cache=True) == 16


@pytest.mark.asyncio
async def test_it_gives_up_when_the_time_is_up(make: Callable[..., Context]) -> None:
    async with make() as context:
        await context.set_variable("x", 1)
        now = 1000.0
        context._methods.now = lambda: now

        def interfere(x: int) -> int:
            nonlocal now
            now += 40.0
            return x

        with pytest.raises(DeadlineError, match="the update did not end within 30 s"):
            await context.update_variable("x", interfere, timeout=30)
        assert await context.get_variable("x", bypass_cache=True) == 1


@pytest.mark.asyncio
async def test_it_gives_up_after_a_hundred_conflicts(shell: Shell, make: Callable[..., Context]) -> None:
    computed = 0
    async with make() as context, make() as other:
        shell.pass_pauses(context, lambda _seconds: None)
        await context.set_variable("x", 1)
        loop = asyncio.get_running_loop()

        def interfere(x: int) -> Any:
            nonlocal computed
            computed += 1
            setting = other.set_variable("x", -computed)
            if shell.is_blocking:
                asyncio.run_coroutine_threadsafe(setting, loop).result()
                return x
            return then(setting, x)

        async def then(setting: Any, x: int) -> int:
            await setting
            return x

        with pytest.raises(ConflictError):
            await context.update_variable("x", interfere, timeout=30)
    assert computed == 100


@pytest.mark.asyncio
async def test_what_a_function_raises_is_raised_and_nothing_is_set(session: Context) -> None:
    await session.register_variable("n", "integer", 1, constraints={"max": 5})

    def broken(_value: int) -> int:
        raise ConflictError("not the bridge's")

    with pytest.raises(ConflictError, match="not the bridge's"):
        await session.update_variable("n", broken)
    with pytest.raises(ConstraintError):
        await session.update_variable("n", lambda n: n + 5)
    with pytest.raises(TypeMismatchError):
        await session.update_variable("n", str)
    assert (await session.read("n")).version == 1


@pytest.mark.asyncio
async def test_it_creates_nothing(session: Context, make: Callable[..., Context]) -> None:
    with pytest.raises(VariableNotFoundError):
        await session.update_variable("nobody", lambda x: x)
    async with make(" absent") as absent:
        with pytest.raises(SessionNotFoundError):
            await absent.update_variable("x", lambda x: x)


@pytest.mark.asyncio
async def test_a_coroutine_function_is_for_asyncio(shell: Shell, session: Context) -> None:
    async def double(x: int) -> int:
        await asyncio.sleep(0)
        return x * 2

    await session.set_variable("x", 2)
    if shell.is_blocking:
        with pytest.raises(TypeError, match="asyncio"):
            await session.update_variable("x", double)
        assert await session.get_variable("x") == 2
    else:
        assert (await session.update_variable("x", double)).value == 4


# ---- wait_for


@pytest.mark.asyncio
async def test_a_value_that_stands_is_not_waited_for(session: Context) -> None:
    await session.set_variable("x", 5)
    assert await session.wait_for("x") == 5
    assert await session.wait_for("x", lambda x: x > 4) == 5


@pytest.mark.asyncio
async def test_a_value_is_waited_for_where_nothing_exists_yet(make: Callable[..., Context]) -> None:
    """[ORD-13 refuses]"""
    async with make(timeout=30.0) as waiting, make() as other:
        looked_at: list[int] = []

        def enough(x: int) -> bool:
            looked_at.append(x)
            return x >= 2

        task = asyncio.ensure_future(waiting.wait_for("x", enough))
        await until(lambda: waiting.get_cache_stats()["fetches"] == 1)
        await other.create_session()
        await until(lambda: waiting.get_cache_stats()["fetches"] == 2)
        await other.set_variable("x", 1)
        await until(lambda: bool(looked_at))
        await other.set_variable("x", 2)
        assert await task == 2
        assert (looked_at[0], looked_at[-1]) == (1, 2)
        # No later read is older than what was told.
        assert await waiting.get_variable("x") == 2
        await other.delete_session()
        with pytest.raises(SessionNotFoundError):
            await waiting.set_variable("x", 3)


@pytest.mark.asyncio
async def test_a_value_that_stands_only_for_an_instant_is_seen(make: Callable[..., Context]) -> None:
    async with make(timeout=30.0) as waiting, make() as other:
        await other.set_variable("x", 0)
        looked_at: list[int] = []

        def is_seven(x: int) -> bool:
            looked_at.append(x)
            return x == 7

        task = asyncio.ensure_future(waiting.wait_for("x", is_seven))
        await until(lambda: bool(looked_at))
        await asyncio.gather(*[other.set_variable("x", number) for number in range(1, 20)])
        assert await task == 7
        # Every value that it took meanwhile, in order.
        assert sorted(set(looked_at)) == list(range(8))


@pytest.mark.asyncio
async def test_nothing_is_left_of_a_wait(shell: Shell, session: Context) -> None:
    await session.set_variable("x", 1)
    assert await session.wait_for("x") == 1
    with pytest.raises(DeadlineError):
        await session.wait_for("x", lambda x: x > 1, timeout=0.05)
    if not shell.is_blocking:
        task = asyncio.ensure_future(session.wait_for("y"))
        fetches = session.get_cache_stats()["fetches"]
        await until(lambda: session.get_cache_stats()["fetches"] > fetches)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    # An answer to what was said after it.
    await session.get_variable("x", bypass_cache=True)
    transport = shell.bare(session)._transport
    link = transport._link._link if shell.is_blocking else transport.home().link._link
    assert link.due is None


@pytest.mark.asyncio
async def test_a_variable_is_waited_for_by_its_id(make: Callable[..., Context]) -> None:
    async with make(timeout=30.0) as waiting, make() as other:
        await other.create_session()
        first = await other.register_variable("x", "integer", 1)
        looked_at: list[int] = []

        def is_large(x: int) -> bool:
            looked_at.append(x)
            return x > 5

        task = asyncio.ensure_future(waiting.wait_for(first, is_large))
        await until(lambda: bool(looked_at))
        await other.set_variable("x", 2)
        await until(lambda: 2 in looked_at)
        await other.set_variable("x", 6)
        assert await task == 6
        await other.delete_variable("x")
        await other.register_variable("x", "integer", 9)
        # Another variable has the name now.
        with pytest.raises(DeadlineError, match="Variable not found"):
            await waiting.wait_for(first, timeout=0.1)
        assert await waiting.wait_for("x", is_large) == 9


@pytest.mark.asyncio
async def test_a_value_that_is_too_long_to_be_told_is_read(make: Callable[..., Context]) -> None:
    async with make(timeout=30.0) as waiting, make(timeout=30.0) as other:
        await other.set_variables({f"v{number}": "" for number in range(4)})
        looked_at: list[str] = []

        def is_long(text: str) -> bool:
            looked_at.append(text)
            return len(text) > 1

        task = asyncio.ensure_future(waiting.wait_for("v2", is_long))
        await until(lambda: bool(looked_at))
        await other.set_variables({f"v{number}": "y" * 1_000_000 for number in range(4)})
        assert len(await task) == 1_000_000


@pytest.mark.asyncio
async def test_what_goes_and_comes_again_is_waited_for(make: Callable[..., Context]) -> None:
    async with make(timeout=30.0) as waiting, make() as other:
        await other.set_variable("x", 1)
        task = asyncio.ensure_future(waiting.wait_for("x", lambda x: x == "back"))
        await until(lambda: waiting.get_cache_stats()["fetches"] == 1)
        await other.delete_variable("x")
        await until(lambda: waiting.get_cache_stats()["fetches"] == 2)
        await other.delete_session()
        await until(lambda: waiting.get_cache_stats()["fetches"] == 3)
        await other.create_session()
        await other.set_variable("x", "back")
        assert await task == "back"


@pytest.mark.asyncio
async def test_a_wait_ends_with_its_context(make: Callable[..., Context]) -> None:
    async with make(timeout=30.0) as waiting:
        task = asyncio.ensure_future(waiting.wait_for("x"))
        await until(lambda: waiting.get_cache_stats()["fetches"] == 1)
        await waiting.close()
        with pytest.raises(ClosedError):
            await task


@pytest.mark.asyncio
async def test_the_wait_ends_in_time_and_says_why(session: Context) -> None:
    await session.set_variable("x", 1)
    with pytest.raises(DeadlineError, match=r"wait for 'x' ended after 0\.1 s: its value was not") as caught:
        await session.wait_for("x", lambda x: x > 1, timeout=0.1)
    assert isinstance(caught.value, TimeoutError)
    assert (caught.value.identifier, caught.value.__cause__) == ("x", None)
    with pytest.raises(DeadlineError, match="Variable not found: nobody") as caught:
        await session.wait_for("nobody", timeout=0.1)
    assert isinstance(caught.value.__cause__, VariableNotFoundError)


@pytest.mark.asyncio
async def test_the_wait_ends_in_time_however_much_is_told(make: Callable[..., Context]) -> None:
    async with make() as waiting, make() as other:
        await other.create_session()
        now = 1000.0
        waiting._methods.now = lambda: now
        looked_at = 0

        def look(_value: int) -> bool:
            nonlocal now, looked_at
            now += 10.0
            looked_at += 1
            return False

        task = asyncio.ensure_future(waiting.wait_for("x", look, timeout=35))
        await until(lambda: waiting.get_cache_stats()["fetches"] == 1)
        await asyncio.gather(*[other.set_variable("x", number) for number in range(50)])
        with pytest.raises(DeadlineError, match="its value was not the one waited for"):
            await task
        assert looked_at == 4


@pytest.mark.asyncio
async def test_a_bridge_that_does_not_answer_is_waited_for(shell: Shell) -> None:
    async with shell.context("s", address="127.0.0.1:1") as context:
        with pytest.raises(DeadlineError, match=r"no bridge answers at 127\.0\.0\.1:1") as caught:
            await context.wait_for("x", timeout=0.5)
        assert isinstance(caught.value.__cause__, UnavailableError)


@pytest.mark.asyncio
async def test_what_a_predicate_raises_ends_the_wait(session: Context) -> None:
    await session.set_variable("x", 1)

    def gap(_value: int) -> bool:
        raise WatchGapError("not the bridge's", reason="WATCH_GAP")

    with pytest.raises(WatchGapError, match="not the bridge's"):
        await session.wait_for("x", gap)

    def broken(_value: int) -> bool:
        raise VariableNotFoundError("not the bridge's")

    with pytest.raises(VariableNotFoundError, match="not the bridge's"):
        await session.wait_for("x", broken)
