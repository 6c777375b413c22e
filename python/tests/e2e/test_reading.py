"""Reads, lists, deletions, metadata."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from shells import Context

from snakepit_bridge import (
    History,
    InvalidInputError,
    LimitError,
    SessionNotFoundError,
    VariableNotFoundError,
)

# ---- reading


@pytest.mark.asyncio
async def test_a_default_is_for_what_does_not_exist(session: Context, make: Callable[..., Context]) -> None:
    """[VAL-13 accepts]"""
    assert await session.get_variable("x", default=5) == 5
    assert await session.get_variable("x", None) is None
    assert await session.get_variables(["x", "y"], {"x": None}) == {"x": None}
    async with make(" absent") as absent:
        assert await absent.get_variable("x", 1) == 1
        assert await absent.get_variables(["x", "y"], defaults={"y": 2}) == {"y": 2}
        assert await absent.get_variables([]) == {}


@pytest.mark.asyncio
async def test_without_a_default_an_absence_raises(session: Context, make: Callable[..., Context]) -> None:
    """[VAL-13 refuses]"""
    with pytest.raises(VariableNotFoundError) as caught:
        await session.get_variable("x")
    assert isinstance(caught.value, KeyError)
    assert str(caught.value) == "Variable not found: x"
    assert (caught.value.session_id, caught.value.identifier) == (session.session_id, "x")
    with pytest.raises(VariableNotFoundError):
        await session.read("x")
    async with make(" absent") as absent:
        with pytest.raises(SessionNotFoundError):
            await absent.get_variable("x")
        with pytest.raises(SessionNotFoundError):
            await absent.read("x")


@pytest.mark.asyncio
async def test_many_are_read_at_once(cached: Context) -> None:
    await cached.set_variables({"a": 1, "b": 0.5, "c": "text", "d": True})
    identifier = (await cached.list_variables())["c"]["id"]
    cached.invalidate_cache()
    wanted = ["d", identifier, "nobody", "a", "a"]
    assert await cached.get_variables(wanted) == {"d": True, identifier: "text", "a": 1}
    assert cached.get_cache_stats()["fetches"] == 1
    assert await cached.get_variables(["a", "b"]) == {"a": 1, "b": 0.5}
    stats = cached.get_cache_stats()
    assert (stats["fetches"], stats["hits"]) == (2, 1)


@pytest.mark.asyncio
async def test_more_names_than_a_command_may_have_are_refused(session: Context) -> None:
    with pytest.raises(LimitError) as caught:
        await session.get_variables([f"n{number}" for number in range(1001)])
    assert (caught.value.reason, caught.value.limit, caught.value.setting) == (
        "TOO_MANY_ITEMS",
        1000,
        "max-items",
    )


@pytest.mark.asyncio
async def test_a_value_may_have_a_mebibyte_and_no_more(session: Context) -> None:
    await session.set_variable("x", "x" * 1_048_576)
    assert len(await session.get_variable("x", bypass_cache=True)) == 1_048_576
    with pytest.raises(LimitError) as caught:
        await session.set_variable("x", "x" * 1_048_577)
    assert caught.value.reason == "TOO_LARGE"


@pytest.mark.asyncio
async def test_a_message_beyond_what_the_server_takes_is_a_limit_too(session: Context) -> None:
    with pytest.raises(LimitError):
        await session.set_variable("x", "x" * 8_000_000)


@pytest.mark.asyncio
async def test_a_reading_tells_how_fresh_it_is(cached: Context) -> None:
    written = await cached.set_variable("x", 1)
    cached.invalidate_cache()
    reading = await cached.read("x")
    assert (reading.value, reading.type, reading.version) == (1, "integer", written.version)
    assert (reading.revision, reading.source, reading.age, reading.stale) == (
        written.revision,
        "server",
        0.0,
        False,
    )
    again = await cached.read("x")
    assert (again.value, again.source, again.stale) == (1, "cache", False)
    assert 0 < again.age < 60


# ---- lists


@pytest.mark.asyncio
async def test_a_list_tells_all(session: Context) -> None:
    before = datetime.now(timezone.utc) - timedelta(minutes=1)
    identifier = await session.register_variable(
        "rate", "float", 0.5, constraints={"min": 0, "max": 1.0}, metadata={"unit": "Hz", "by": "me"}
    )
    await session.set_variable("rate", 1, metadata={"by": "you"})
    await session.set_variable("name", "x")
    listed = await session.list_variables()
    assert list(listed) == ["name", "rate"]
    rate = listed["rate"]
    assert {key: value for key, value in rate.items() if not key.endswith("_at")} == {
        "id": identifier,
        "type": "float",
        "value": 1.0,
        "version": 2,
        "constraints": {"min": 0.0, "max": 1.0},
        "metadata": {"unit": "Hz", "by": "you"},
        "source": "python",
    }
    assert before < rate["created_at"] <= rate["updated_at"] < before + timedelta(minutes=2)
    assert listed["name"]["constraints"] == {}


@pytest.mark.asyncio
async def test_a_list_can_be_narrowed(session: Context) -> None:
    await session.set_variables({"a1": 1, "a2": "x", "b1": 0.5, "a*": True})
    assert list(await session.list_variables("a*")) == ["a*", "a1", "a2"]
    assert list(await session.list_variables(r"a\*")) == ["a*"]
    assert list(await session.list_variables("?1", type="float")) == ["b1"]
    assert list(await session.list_variables(type="string")) == ["a2"]
    assert list(await session.list_variables(source="python")) == ["a*", "a1", "a2", "b1"]
    assert await session.list_variables(source="typescript") == {}
    with pytest.raises(InvalidInputError) as caught:
        await session.list_variables("a\\")
    assert caught.value.field == "glob"
    with pytest.raises(InvalidInputError):
        await session.list_variables(type="complex")  # type: ignore[arg-type]


@pytest.mark.asyncio
async def test_a_long_list_comes_whole(session: Context) -> None:
    for start in range(0, 2500, 500):
        await session.set_variables({f"n{number:04}": number for number in range(start, start + 500)})
    listed = await session.list_variables()
    assert [info["value"] for info in listed.values()] == list(range(2500))


# ---- histories


@pytest.mark.asyncio
async def test_a_history_tells_what_a_variable_was(session: Context) -> None:
    """[VAL-20 accepts]"""
    before = datetime.now(timezone.utc) - timedelta(minutes=1)
    identifier = await session.register_variable("rate", "float", 0.5, metadata={"unit": "Hz"})
    await session.set_variable("rate", 1, metadata={"by": "you"})
    await session.increment("rate", 0.25)
    history = await session.get_history("rate")
    assert isinstance(history, History)
    assert (history.id, history.compacted, history.revision) == (identifier, False, 4)
    assert [
        (entry.version, entry.value, entry.revision, dict(entry.metadata)) for entry in history.entries
    ] == [
        (3, 1.25, 4, {}),
        (2, 1.0, 3, {"by": "you"}),
        (1, 0.5, 2, {}),
    ]
    for entry in history.entries:
        assert (entry.type, entry.source, type(entry.value)) == ("float", "python", float)
        assert before < entry.set_at < before + timedelta(minutes=2)
    assert (await session.get_history(identifier, limit=1)).entries == history.entries[:1]
    with pytest.raises(AttributeError):
        history.entries[0].value = 9  # type: ignore[misc]


@pytest.mark.asyncio
async def test_a_history_is_asked_for_and_never_cached(cached: Context, make: Callable[..., Context]) -> None:
    await cached.set_variable("x", 1)
    async with make() as other:
        await other.set_variable("x", 2)
    assert await cached.get_variable("x") == 1
    assert [entry.value for entry in (await cached.get_history("x")).entries] == [2, 1]
    assert await cached.get_variable("x") == 1


@pytest.mark.asyncio
async def test_of_a_long_history_the_newest_are_kept(session: Context) -> None:
    for number in range(60):
        await session.set_variable("n", number)
    history = await session.get_history("n")
    assert [entry.value for entry in history.entries] == list(range(59, 9, -1))
    assert history.compacted
    assert [entry.version for entry in (await session.get_history("n", limit=2)).entries] == [60, 59]


@pytest.mark.asyncio
async def test_what_is_not_there_has_no_history(session: Context, make: Callable[..., Context]) -> None:
    """[VAL-20 refuses]"""
    with pytest.raises(VariableNotFoundError) as caught:
        await session.get_history("x")
    assert (caught.value.session_id, caught.value.identifier) == (session.session_id, "x")
    async with make(" absent") as absent:
        with pytest.raises(SessionNotFoundError):
            await absent.get_history("x")
    await session.set_variable("x", 1)
    for limit in (0, -1, 2**32, 1.5, True, "2"):
        with pytest.raises(InvalidInputError) as refused:
            await session.get_history("x", limit=limit)  # type: ignore[arg-type]
        assert (refused.value.reason, refused.value.field) == ("INVALID_ARGUMENT", "limit")


# ---- deletions, metadata


@pytest.mark.asyncio
async def test_a_deleted_variable_is_gone(session: Context) -> None:
    await session.set_variable("x", 1)
    first = await session.list_variables()
    await session.delete_variable("x")
    assert await session.get_variable("x", default="gone") == "gone"
    with pytest.raises(VariableNotFoundError):
        await session.delete_variable("x")
    written = await session.set_variable("x", "text")
    assert written.version == 2
    with pytest.raises(VariableNotFoundError):
        await session.get_variable(first["x"]["id"])
    await session.delete_variable((await session.list_variables())["x"]["id"])
    assert await session.get_variable("x", default="gone") == "gone"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "metadata",
    [{"source": "me"}, {"": "x"}, {"k": "x" * 5000}, {f"k{n}": "" for n in range(33)}, {"k": 1}],
)
async def test_metadata_has_its_bounds(session: Context, metadata: Any) -> None:
    for call in (
        lambda: session.set_variable("x", 1, metadata),
        lambda: session.increment("x", 1, metadata),
        lambda: session.update_variables({"x": 1}, metadata),
        lambda: session.set_variables({"x": 1}, metadata),
        lambda: session.register_variable("x", "integer", 1, None, metadata),
    ):
        with pytest.raises(InvalidInputError) as caught:
            await call()
        assert caught.value.reason == "INVALID_METADATA"
    assert await session.list_variables() == {}
