"""Single writes and batches."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from shells import Context, Shell

from snakepit_bridge import (
    BatchError,
    ConflictError,
    ConstraintError,
    InvalidInputError,
    LimitError,
    TypeMismatchError,
    VariableNotFoundError,
)

NOT_APPLIED = "not applied: the batch was refused"


# ---- compare and set, increments


@pytest.mark.asyncio
async def test_versions_guard_a_write(session: Context) -> None:
    """[VAL-11 accepts] [VAL-11 refuses]"""
    created = await session.set_variable("x", 1, expected_version=0)
    assert created.version == 1
    with pytest.raises(ConflictError) as caught:
        await session.set_variable("x", 2, expected_version=0)
    assert (caught.value.expected, caught.value.current, caught.value.retryable) == (0, 1, True)
    written = await session.set_variable("x", 2, expected_version=1)
    assert (written.version, written.revision) == (2, created.revision + 1)
    with pytest.raises(ConflictError) as caught:
        await session.set_variable("x", 3, expected_version=1)
    assert (caught.value.expected, caught.value.current) == (1, 2)
    with pytest.raises(VariableNotFoundError):
        await session.set_variable("nobody", 1, expected_version=3)


@pytest.mark.asyncio
async def test_a_conflict_makes_the_next_read_ask_the_server(make: Callable[..., Context]) -> None:
    async with make(cache="ttl") as context, make() as other:
        await context.set_variable("x", 1)
        await other.set_variable("x", 2)
        assert await context.get_variable("x") == 1
        reading = await context.read("x")
        with pytest.raises(ConflictError):
            await context.set_variable("x", 3, expected_version=reading.version)
        reading = await context.read("x")
        assert (reading.value, reading.source) == (2, "server")
        await context.set_variable("x", 3, expected_version=reading.version)


@pytest.mark.asyncio
async def test_increments_lose_nothing(make: Callable[..., Context]) -> None:
    async with make() as context, make() as other:
        sums = await asyncio.gather(*(each.increment("n") for each in [context, other] * 25))
        assert sorted(sums) == list(range(1, 51))
        assert await context.increment("n", -10, metadata={"why": "test"}) == 40
        assert await context.get_variable("n") == 40
        assert await context.increment("f", 0.5) == 0.5
        assert await context.increment("f", 1) == 1.5


@pytest.mark.asyncio
async def test_an_increment_is_checked_like_a_set(session: Context) -> None:
    await session.register_variable("n", "integer", 9, constraints={"max": 10})
    await session.register_variable("s", "string", "")
    assert await session.increment("n") == 10
    with pytest.raises(ConstraintError):
        await session.increment("n")
    with pytest.raises(TypeMismatchError):
        await session.increment("n", 0.5)
    with pytest.raises(TypeMismatchError):
        await session.increment("s", 1)


# ---- batches


@pytest.mark.asyncio
async def test_a_batch_reports_on_each_item(cached: Context) -> None:
    """[VAL-14 accepts]"""
    result = await cached.update_variables({"a": "hello", "b": 42, "c": 3.14, "d": True}, {"by": "test"})
    assert result == {"a": True, "b": True, "c": True, "d": True}
    assert all(value is True for value in result.values())
    assert await cached.get_variables(["a", "b", "c", "d"]) == {"a": "hello", "b": 42, "c": 3.14, "d": True}
    assert cached.get_cache_stats()["fetches"] == 0
    assert (await cached.list_variables())["a"]["metadata"] == {"by": "test"}


@pytest.mark.asyncio
async def test_an_atomic_batch_is_whole_or_absent(session: Context) -> None:
    """[VAL-14 refuses]"""
    await session.register_variable("n", "integer", 5, constraints={"min": 0, "max": 10})
    await session.register_variable("m", "integer", 5, constraints={"min": 0, "max": 10})
    await session.register_variable("ok", "string", "before")
    updates = {"ok": "after", "n": 150, "m": -1}
    assert await session.update_variables(updates) == {
        "ok": NOT_APPLIED,
        "n": "value 150 is above maximum 10",
        "m": "value -1 is below minimum 0",
    }
    for bypass_cache in (False, True):
        assert await session.get_variable("ok", bypass_cache=bypass_cache) == "before"
    with pytest.raises(BatchError) as caught:
        await session.set_variables(updates)
    assert {name: type(error) for name, error in caught.value.errors.items()} == {
        "n": ConstraintError,
        "m": ConstraintError,
    }
    assert isinstance(caught.value, ValueError)
    assert "value 150 is above maximum 10" in str(caught.value)
    assert "value -1 is below minimum 0" in str(caught.value)
    assert await session.get_variable("ok", bypass_cache=True) == "before"


@pytest.mark.asyncio
async def test_a_refused_batch_names_hundreds_of_items(session: Context) -> None:
    """[VAL-15 refuses]"""
    names = [f"text_{number}" for number in range(400)]
    await session.set_variables(dict.fromkeys(names, "text"))
    refused = await session.update_variables(dict.fromkeys(names, 1))
    assert refused == dict.fromkeys(names, "must be a string")


@pytest.mark.asyncio
async def test_a_best_effort_batch_applies_what_it_can(session: Context) -> None:
    await session.register_variable("n", "integer", 5, constraints={"max": 10})
    result = await session.update_variables({"n": 11, "m": 1, "bad": {1}, "none": None}, atomic=False)
    assert result["n"] == "value 11 is above maximum 10"
    assert result["m"] is True
    assert "not set" in str(result["bad"])
    assert "null" in str(result["none"])
    assert await session.get_variables(["n", "m", "bad", "none"]) == {"n": 5, "m": 1}


@pytest.mark.asyncio
async def test_an_atomic_batch_with_an_item_that_is_no_value_is_not_sent(session: Context) -> None:
    before = (await session.set_variable("a", 0)).revision
    result = await session.update_variables({"a": 1, "b": {1}})
    assert result["a"] == NOT_APPLIED
    assert "not set" in str(result["b"])
    with pytest.raises(BatchError) as caught:
        await session.set_variables({"a": 1, "b": {1}})
    assert list(caught.value.errors) == ["b"]
    assert (await session.set_variable("a", 0)).revision == before + 1


@pytest.mark.asyncio
async def test_a_variable_stands_in_a_batch_once(session: Context) -> None:
    await session.set_variable("x", 1)
    identifier = (await session.list_variables())["x"]["id"]
    result = await session.update_variables({"x": 2, identifier: 3})
    assert result["x"] == NOT_APPLIED
    assert result[identifier] not in (True, NOT_APPLIED)
    with pytest.raises(BatchError) as caught:
        await session.set_variables({"x": 2, identifier: 3})
    assert caught.value.errors[identifier].reason == "DUPLICATE_ITEM"


@pytest.mark.asyncio
async def test_an_empty_batch_makes_no_call(shell: Shell) -> None:
    async with shell.context("e2e empty", address="127.0.0.1:1") as context:
        assert await context.update_variables({}) == {}
        committed = await context.set_variables({})
        assert (committed.revision, committed.versions) == (None, {})


@pytest.mark.asyncio
async def test_a_commit_tells_its_revision_and_versions(session: Context) -> None:
    first = await session.set_variables({"a": 1, "b": 2})
    second = await session.set_variables({"b": 3, "c": 4}, metadata={"k": "v"})
    assert second.revision == (first.revision or 0) + 1
    assert (first.versions, second.versions) == ({"a": 1, "b": 1}, {"b": 2, "c": 1})


@pytest.mark.asyncio
async def test_a_failure_of_the_whole_request_raises(session: Context) -> None:
    """[VAL-14 refuses]"""
    many = {f"n{number}": 1 for number in range(1001)}
    for atomic in (True, False):
        with pytest.raises(LimitError):
            await session.update_variables(many, atomic=atomic)
        with pytest.raises(InvalidInputError) as caught:
            await session.update_variables({"x": 1}, {"source": "me"}, atomic=atomic)
        assert caught.value.reason == "INVALID_METADATA"
    with pytest.raises(LimitError):
        await session.set_variables(many)
