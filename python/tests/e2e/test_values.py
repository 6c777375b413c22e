"""Values and definitions."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from shells import Context

from snakepit_bridge import (
    AlreadyExistsError,
    ConstraintError,
    DefinitionConflictError,
    InvalidInputError,
    SessionNotFoundError,
    TypeMismatchError,
)

# ---- values


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("type_name", "value", "kept"),
    [
        ("float", 0.1, 0.1),
        ("float", 1, 1.0),
        ("float", math.inf, math.inf),
        ("float", -0.0, -0.0),
        ("float", np.float32(0.5), 0.5),
        ("float", 5e-324, 5e-324),
        ("integer", 2**63 - 1, 2**63 - 1),
        ("integer", -(2**63), -(2**63)),
        ("integer", np.int16(7), 7),
        ("string", "", ""),
        ("string", "zażółć 🐍 \0 \u2028", "zażółć 🐍 \0 \u2028"),
        ("boolean", True, True),
        ("boolean", np.bool_(False), False),
    ],
)
async def test_a_value_comes_back_as_the_bridge_keeps_it(
    session: Context, type_name: Any, value: Any, kept: Any
) -> None:
    """[VAL-19 accepts]"""
    initial: dict[str, Any] = {"float": 0.0, "integer": 0, "string": "", "boolean": False}
    await session.register_variable("x", type_name, initial[type_name])
    await session.set_variable("x", value)
    for bypass_cache in (False, True):
        found = await session.get_variable("x", bypass_cache=bypass_cache)
        assert type(found) is type(kept)
        assert found == kept
        if isinstance(kept, float):
            assert struct.pack("d", found) == struct.pack("d", kept)


@pytest.mark.asyncio
async def test_nan_is_a_value(session: Context) -> None:
    await session.set_variable("x", math.nan)
    assert math.isnan(await session.get_variable("x"))
    assert math.isnan(await session.get_variable("x", bypass_cache=True))


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("type_name", "initial", "wrong", "actual"),
    [
        ("float", 0.0, "0.5", "string"),
        ("float", 0.0, True, "boolean"),
        ("float", 0.0, 2**53 + 1, "integer"),
        ("integer", 0, 1.0, "float"),
        ("integer", 0, True, "boolean"),
        ("string", "", 5, "integer"),
        ("boolean", False, 1, "integer"),
    ],
)
async def test_a_value_of_another_type_is_refused(
    session: Context, type_name: Any, initial: Any, wrong: Any, actual: str
) -> None:
    await session.register_variable("x", type_name, initial)
    with pytest.raises(TypeMismatchError) as caught:
        await session.set_variable("x", wrong)
    assert isinstance(caught.value, ValueError)
    assert (caught.value.expected, caught.value.actual) == (type_name, actual)
    assert (caught.value.session_id, caught.value.identifier) == (session.session_id, "x")
    assert await session.get_variable("x", bypass_cache=True) == initial


# ---- choice and json


@pytest.mark.asyncio
async def test_a_choice_is_one_of_its_list(session: Context) -> None:
    """[VAL-7 accepts] [VAL-7 refuses]"""
    await session.register_variable("phase", "choice", "a", constraints={"choices": ("a", "b")})
    await session.set_variable("phase", "b")
    assert await session.get_variable("phase", bypass_cache=True) == "b"
    with pytest.raises(ConstraintError, match=r'^value "c" is not one of "a", "b"$') as caught:
        await session.set_variable("phase", "c")
    assert caught.value.constraint == "choices"
    with pytest.raises(TypeMismatchError, match=r"^must be a string$"):
        await session.set_variable("phase", 1)
    await session.register_variable("only", "choice", "a", constraints={"choices": ["a"]})
    variables = await session.list_variables(type="choice")
    assert {name: info["constraints"] for name, info in variables.items()} == {
        "only": {"choices": ["a"]},
        "phase": {"choices": ["a", "b"]},
    }
    with pytest.raises(DefinitionConflictError):
        await session.ensure_variable("phase", "choice", "a", constraints={"choices": ["a"]})
    await session.ensure_variable("phase", "choice", "b", constraints={"choices": ["b", "c"]})
    await session.set_variable("phase", "c")


@pytest.mark.asyncio
@pytest.mark.parametrize("cache", ["ttl", "off"])
async def test_a_json_value_is_read_as_it_was_set(make: Callable[..., Context], cache: str) -> None:
    """[VAL-18 accepts]"""
    values: list[Any] = [
        *(None, True, 7, 2**53 - 1, 0.5, 1.0, -0.0, 1e18),
        *("", "text", '{"a": 1}', "\0\u2028 🐍"),
        *([], {}, [1, 1.0, [None, "a"]], {"a": {"b": [{}]}, "__proto__": {"c": 1}, "": ""}),
    ]
    async with make(cache, cache=cache) as session:
        await session.create_session()
        await session.register_variable("x", "json", {"first": [1, 2]})
        assert await session.get_variable("x") == {"first": [1, 2]}
        for value in values:
            await session.set_variable("x", value)
            found = await session.get_variable("x", default="absent")
            assert repr(found) == repr(value)


@pytest.mark.asyncio
async def test_every_reader_of_a_json_value_has_an_object_of_its_own(session: Context) -> None:
    """[VAL-18 accepts]"""
    await session.register_variable("x", "json", {"a": [1]})
    found = await session.get_variable("x")
    found["a"].append(2)
    (await session.get_variables(["x"]))["x"].clear()
    reading = await session.read("x")
    assert (reading.value, reading.type, reading.source) == ({"a": [1]}, "json", "replica")
    assert (await session.list_variables())["x"]["value"] == {"a": [1]}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("value", "text"),
    [
        (math.nan, "JSON has no number NaN"),
        (2**53, "beyond 2^53"),
        ("\uffff", "U+FFFF is a noncharacter"),
        ([math.nan], "value[0] is nan"),
        ({1: 1}, "value has a key of the type int"),
        (b"", "not bytes"),
    ],
)
async def test_what_is_no_json_is_refused(session: Context, value: Any, text: str) -> None:
    """[VAL-18 refuses]"""
    await session.register_variable("x", "json", {"a": 1})
    with pytest.raises(InvalidInputError) as caught:
        await session.set_variable("x", value)
    assert text in str(caught.value)
    assert await session.get_variable("x", bypass_cache=True) == {"a": 1}


@pytest.mark.asyncio
@pytest.mark.parametrize("value", [None, [1], (1,), {"a": 1}])
async def test_what_only_json_has_fits_json_variables_only(session: Context, value: Any) -> None:
    """[VAL-4 refuses]"""
    with pytest.raises(InvalidInputError, match="register it with the type json first") as caught:
        await session.set_variable("new", value)
    assert (caught.value.reason, caught.value.identifier) == ("INVALID_VALUE", "new")
    await session.register_variable("x", "string", "")
    # null is "no value" and not a value of another type.
    with pytest.raises(InvalidInputError if value is None else TypeMismatchError):
        await session.set_variable("x", value)
    assert await session.update_variables({"x": "fine", "new": value}, atomic=False) == {
        "x": True,
        "new": str(caught.value),
    }
    assert set(await session.list_variables()) == {"x"}


# ---- no values


@pytest.mark.asyncio
@pytest.mark.parametrize("value", [b"x", 2**63, "\ud800", {1}, [object()]])
async def test_what_is_no_value_never_leaves(session: Context, value: Any) -> None:
    """[VAL-19 refuses]"""
    for call in (
        lambda: session.set_variable("x", value),
        lambda: session.increment("x", value),
        lambda: session.register_variable("x", "float", value),
        lambda: session.ensure_variable("x", "float", value),
    ):
        with pytest.raises(InvalidInputError) as caught:
            await call()
        assert caught.value.reason == "INVALID_VALUE"
    assert await session.list_variables() == {}


@pytest.mark.asyncio
@pytest.mark.parametrize("name", ["", " x", "a\nb", "__proto__", "x" * 257, 5, None, "\ud800"])
async def test_a_name_that_no_variable_can_have_is_refused(session: Context, name: Any) -> None:
    for call in (
        lambda: session.set_variable(name, 1),
        lambda: session.register_variable(name, "integer", 1),
        lambda: session.increment(name),
    ):
        with pytest.raises(InvalidInputError) as caught:
            await call()
        assert caught.value.reason == "INVALID_NAME"


# ---- definitions


@pytest.mark.asyncio
async def test_a_registered_variable_is_checked_against_its_constraints(session: Context) -> None:
    identifier = await session.register_variable(
        "limit", "integer", 10, constraints={"min": 1, "max": 100}, metadata={"unit": "items"}
    )
    assert identifier.startswith("var_limit_")
    with pytest.raises(ConstraintError, match=r"^value 150 is above maximum 100$") as caught:
        await session.set_variable("limit", 150)
    assert (caught.value.constraint, caught.value.reason) == ("max", "CONSTRAINT_VIOLATED")
    assert isinstance(caught.value, ValueError)
    assert await session.get_variable(identifier) == 10
    await session.set_variable(identifier, 100)
    assert await session.get_variable("limit") == 100


@pytest.mark.asyncio
async def test_register_is_exclusive(session: Context) -> None:
    await session.register_variable("x", "float", 1)
    with pytest.raises(AlreadyExistsError) as caught:
        await session.register_variable("x", "float", 1)
    assert caught.value.reason == "VARIABLE_EXISTS"


@pytest.mark.asyncio
async def test_ensure_is_for_starting_twice(session: Context) -> None:
    first = await session.ensure_variable("x", "integer", 5, constraints={"max": 10})
    await session.set_variable("x", 7)
    assert await session.ensure_variable("x", "integer", 5, constraints={"max": 10}) == first
    assert await session.get_variable("x") == 7
    await session.ensure_variable("x", "integer", 5, constraints={"max": 8})
    with pytest.raises(DefinitionConflictError) as caught:
        await session.ensure_variable("x", "integer", 5, constraints={"max": 6})
    assert caught.value.identifier == "x"
    with pytest.raises(DefinitionConflictError):
        await session.ensure_variable("x", "string", "")
    with pytest.raises(ConstraintError):
        await session.ensure_variable("y", "integer", 5, constraints={"max": 1})
    with pytest.raises(ConstraintError):
        await session.set_variable("x", 9)


@pytest.mark.asyncio
async def test_ensure_needs_a_session(make: Callable[..., Context]) -> None:
    async with make() as context:
        with pytest.raises(SessionNotFoundError):
            await context.ensure_variable("x", "float", 1)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("type_name", "constraints", "key"),
    [
        ("float", {"step": 0.1}, "step"),
        ("float", {"maximum": 1}, "maximum"),
        ("integer", {"min": 2, "max": 1}, None),
        ("string", {"pattern": "("}, "pattern"),
        ("boolean", {"min": 0}, "min"),
        ("float", {"min": None}, "min"),
        ("float", {"min": []}, "min"),
        ("choice", {}, "choices"),
        ("choice", {"choices": []}, "choices"),
        ("choice", {"choices": ["", ""]}, "choices"),
        ("choice", {"choices": ["", 1]}, "choices"),
        ("choice", {"choices": ["", ["a"]]}, "choices"),
        ("choice", {"choices": {""}}, "choices"),
        ("json", {"max_length": 5}, "max_length"),
    ],
)
async def test_a_constraint_that_cannot_be_one_is_refused(
    session: Context, type_name: Any, constraints: dict[str, Any], key: str | None
) -> None:
    initial: dict[str, Any] = {"float": 0.0, "integer": 0, "boolean": False}
    first = initial.get(type_name, "")
    with pytest.raises(InvalidInputError) as caught:
        await session.register_variable("x", type_name, first, constraints=constraints)
    assert caught.value.reason == "INVALID_CONSTRAINT"
    assert key is None or caught.value.field == key
    assert await session.list_variables() == {}


@pytest.mark.asyncio
async def test_an_unknown_type_is_refused(session: Context) -> None:
    with pytest.raises(InvalidInputError) as caught:
        await session.register_variable("x", "complex", 1)  # type: ignore[arg-type]
    assert caught.value.reason == "UNKNOWN_TYPE"


@pytest.mark.asyncio
async def test_the_first_register_settles_an_inferred_variable(session: Context) -> None:
    await session.set_variable("x", 5)
    with pytest.raises(DefinitionConflictError):
        await session.register_variable("x", "string", "")
    await session.register_variable("x", "float", 0.0)
    assert await session.get_variable("x", bypass_cache=True) == 5.0
    assert (await session.read("x")).type == "float"
