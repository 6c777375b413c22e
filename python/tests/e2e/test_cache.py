"""The cache in front of a real bridge, with a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
from shells import Context


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Pair:
    """A context with a clock of its own, and somebody else who writes."""

    def __init__(self, context: Context, other: Context) -> None:
        self.context = context
        self.other = other
        self.clock = Clock()
        context._methods.now = self.clock

    def counts(self) -> tuple[int, int, int]:
        stats = self.context.get_cache_stats()
        return stats["hits"], stats["misses"], stats["fetches"]


@pytest_asyncio.fixture
async def pair(make: Callable[..., Context]) -> AsyncIterator[Pair]:
    async with make(cache="ttl", ttl=1.0) as one, make() as two:
        yield Pair(one, two)


@pytest.mark.asyncio
async def test_a_value_of_another_is_seen_when_the_ttl_is_over(pair: Pair) -> None:
    await pair.other.set_variable("x", 1)
    assert await pair.context.get_variable("x") == 1
    await pair.other.set_variable("x", 2)
    pair.clock.now += 0.999
    assert await pair.context.get_variable("x") == 1
    reading = await pair.context.read("x")
    assert (reading.source, reading.age) == ("cache", pytest.approx(0.999))
    pair.clock.now += 0.001
    assert await pair.context.get_variable("x") == 2
    assert pair.counts() == (2, 2, 2)
    assert pair.context.get_cache_stats()["evictions"] == 1


@pytest.mark.asyncio
async def test_bypassing_asks_and_refreshes(pair: Pair) -> None:
    await pair.other.set_variable("x", 1)
    assert await pair.context.get_variable("x") == 1
    await pair.other.set_variable("x", 2)
    assert await pair.context.get_variable("x", bypass_cache=True) == 2
    assert await pair.context.get_variable("x") == 2
    assert pair.counts() == (1, 1, 2)


@pytest.mark.asyncio
async def test_own_writes_are_seen_at_once_and_as_they_were_kept(pair: Pair) -> None:
    await pair.context.register_variable("f", "float", 0.0)
    assert await pair.context.get_variable("f") == 0.0
    await pair.context.set_variable("f", 1)
    value = await pair.context.get_variable("f")
    assert (value, type(value)) == (1.0, float)
    assert await pair.context.increment("f", 1) == 2.0
    assert await pair.context.get_variable("f") == 2.0
    await pair.context.update_variables({"f": 3})
    assert repr(await pair.context.get_variable("f")) == "3.0"
    assert pair.counts() == (4, 0, 0)


@pytest.mark.asyncio
async def test_forgetting_one_or_all(pair: Pair) -> None:
    await pair.other.set_variables({"x": 1, "y": 1})
    await pair.context.get_variables(["x", "y"])
    await pair.other.set_variables({"x": 2, "y": 2})
    pair.context.invalidate_cache("")
    assert await pair.context.get_variables(["x", "y"]) == {"x": 1, "y": 1}
    pair.context.invalidate_cache("x")
    assert await pair.context.get_variables(["x", "y"]) == {"x": 2, "y": 1}
    pair.context.invalidate_cache()
    assert await pair.context.get_variables(["x", "y"]) == {"x": 2, "y": 2}


@pytest.mark.asyncio
async def test_name_and_id_are_one_entry(pair: Pair) -> None:
    identifier = await pair.other.register_variable("x", "integer", 1)
    assert await pair.context.get_variable(identifier) == 1
    assert await pair.context.get_variable("x") == 1
    assert pair.counts() == (1, 1, 1)
    await pair.context.set_variable("x", 2)
    assert await pair.context.get_variable(identifier) == 2
    pair.context.invalidate_cache(identifier)
    await pair.other.set_variable("x", 3)
    assert await pair.context.get_variable("x") == 3


@pytest.mark.asyncio
async def test_many_who_miss_share_one_fetch(pair: Pair) -> None:
    await pair.other.set_variable("x", 1)
    assert await asyncio.gather(*(pair.context.get_variable("x") for _ in range(50))) == [1] * 50
    hits, misses, fetches = pair.counts()
    # Threads do not all start before the answer comes.
    assert (hits + misses, fetches) == (50, 1)


@pytest.mark.asyncio
async def test_the_ttl_can_be_changed(pair: Pair) -> None:
    await pair.other.set_variable("x", 1)
    await pair.context.get_variable("x")
    pair.context.set_cache_ttl(60)
    pair.clock.now += 59
    await pair.context.get_variable("x")
    assert pair.counts() == (1, 1, 1)
    pair.context.set_cache_ttl(0)
    await asyncio.gather(*(pair.context.get_variable("x") for _ in range(3)))
    assert pair.counts() == (1, 4, 4)
    for ttl in (-1, float("nan")):
        with pytest.raises(ValueError, match="0 or more seconds"):
            pair.context.set_cache_ttl(ttl)


@pytest.mark.asyncio
async def test_a_session_that_begins_anew_empties_the_cache(pair: Pair) -> None:
    """[ORD-4 accepts] [ORD-4 refuses]"""
    await pair.context.set_variables({"x": "old", "y": "old"})
    await pair.other.delete_session()
    await pair.other.create_session()
    await pair.other.set_variables({"x": "new", "y": "new"})
    assert await pair.context.get_variable("y") == "old"
    assert await pair.context.get_variable("x", bypass_cache=True) == "new"
    assert await pair.context.get_variable("y") == "new"


@pytest.mark.asyncio
async def test_a_session_that_is_gone_empties_the_cache(pair: Pair) -> None:
    await pair.context.set_variables({"x": 1, "y": 1})
    await pair.other.delete_session()
    assert await pair.context.get_variables(["x", "z"], {"x": 0, "z": 0}) == {"x": 0, "z": 0}
    assert await pair.context.get_variable("y", default=0) == 0


@pytest.mark.asyncio
async def test_nothing_of_a_refused_batch_is_cached(pair: Pair) -> None:
    await pair.context.register_variable("n", "integer", 1, constraints={"max": 5})
    await pair.context.register_variable("m", "integer", 1)
    await pair.context.update_variables({"m": 2, "n": 6})
    assert await pair.context.get_variables(["m", "n"]) == {"m": 1, "n": 1}
    assert pair.counts() == (2, 0, 0)
