"""What generated code does at run time. What type checkers make of it is tested in tests/python-types/."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from shells import Context, Shell

from snakepit_bridge import (
    ClosedError,
    DefinitionConflictError,
    SessionNotFoundError,
    TypeMismatchError,
    VariableNotFoundError,
)
from snakepit_bridge._definitions import fingerprint
from snakepit_bridge.typed import Definition, Definitions, Variables

VARIABLES: Mapping[str, Definition] = {
    "temperature": Definition("float", {"min": 0.0, "max": 2.0}),
    "calls": Definition("integer", {"min": 0}),
    "learning.rate": Definition("float"),
    "phase": Definition("choice", {"choices": ["warm-up", "main"]}),
    "plan": Definition("json"),
}
INITIAL: Mapping[str, Any] = {
    "temperature": 0.7,
    "calls": 0,
    "learning.rate": 0.1,
    "phase": "main",
    "plan": {"steps": []},
}


@dataclass(frozen=True)
class Params(Variables[Any, Any]):
    __definitions__ = Definitions(fingerprint(VARIABLES), VARIABLES)

    temperature: float
    calls: int
    learning_rate: float
    phase: str
    plan: Any


async def define(session: Context, **others: Definition) -> None:
    for name, definition in {**VARIABLES, **others}.items():
        initial = INITIAL.get(name, 0) if definition == VARIABLES.get(name) else 0
        await session.register_variable(name, definition.type, initial, definition.constraints)


@pytest.mark.asyncio
async def test_a_session_that_fits_is_the_context_itself(cached: Context, shell: Shell) -> None:
    await define(cached)
    assert await cached.typed(Params) is shell.bare(cached)
    assert cached.get_cache_stats()["fetches"] == 1
    # What the check has read need not be read again.
    assert await cached.get_variable("learning.rate") == 0.1
    assert cached.get_cache_stats()["fetches"] == 1


@pytest.mark.asyncio
async def test_more_variables_do_not_matter(session: Context) -> None:
    await define(session, another=Definition("integer"))
    await session.typed(Params)


@pytest.mark.asyncio
async def test_a_session_that_differs_is_refused_and_everything_is_named(session: Context) -> None:
    await define(session, temperature=Definition("integer"), calls=Definition("integer", {"min": -5}))
    await session.delete_variable("plan")
    with pytest.raises(DefinitionConflictError) as caught:
        await session.typed(Params)
    what = "'temperature' is of type integer, not float; 'calls' has min -5, not 0; 'plan' is missing."
    assert f"made for: {what} If" in str(caught.value)
    assert (caught.value.identifier, caught.value.session_id) == ("temperature", session.session_id)


@pytest.mark.asyncio
async def test_nothing_is_changed_or_created_by_the_check(make: Callable[..., Context]) -> None:
    async with make() as session:
        with pytest.raises(SessionNotFoundError):
            await session.typed(Params)
        await session.create_session()
        with pytest.raises(DefinitionConflictError):
            await session.typed(Params)
        assert await session.list_variables() == {}


@pytest.mark.asyncio
async def test_all_values_are_read_at_once_whatever_the_cache_has(
    cached: Context, make: Callable[..., Context]
) -> None:
    await define(cached)
    await cached.typed(Params)
    async with make() as other:
        await other.set_variables({"temperature": 1.5, "plan": [1]})
    assert await cached.get_variable("temperature") == 0.7
    assert await cached.get_all(Params) == Params(1.5, 0, 0.1, "main", [1])
    assert await cached.get_variable("temperature") == 1.5


@pytest.mark.asyncio
async def test_values_that_are_not_as_promised_are_not_given(session: Context) -> None:
    await define(session)
    await session.delete_variable("calls")
    with pytest.raises(VariableNotFoundError, match="Variable not found: calls"):
        await session.get_all(Params)
    await session.register_variable("calls", "string", "many")
    with pytest.raises(TypeMismatchError) as caught:
        await session.get_all(Params)
    assert str(caught.value) == "variable 'calls' is of type string now, and was defined as integer"
    assert (caught.value.expected, caught.value.actual) == ("integer", "string")


@pytest.mark.asyncio
async def test_a_session_with_values_beyond_one_answer_is_checked_in_parts(session: Context) -> None:
    variables = {f"text {i}": Definition("string") for i in range(6)}

    class Large(Variables[Any, Any]):
        __definitions__ = Definitions(fingerprint(variables), variables)

    for name in variables:
        await session.register_variable(name, "string", "x" * 1_000_000)
    assert await session.typed(Large) is not None
    await session.delete_variable("text 5")
    with pytest.raises(DefinitionConflictError, match="made for: 'text 5' is missing\\."):
        await session.typed(Large)


@pytest.mark.asyncio
async def test_one_variable_is_a_set_too(session: Context) -> None:
    variables = {"calls": Definition("integer")}

    @dataclass(frozen=True)
    class One(Variables[Any, Any]):
        __definitions__ = Definitions(fingerprint(variables), variables)

        calls: int

    with pytest.raises(DefinitionConflictError, match="'calls' is missing"):
        await session.typed(One)
    with pytest.raises(VariableNotFoundError):
        await session.get_all(One)
    await session.set_variable("calls", 3)
    await session.typed(One)
    assert await session.get_all(One) == One(3)


@pytest.mark.asyncio
async def test_a_closed_context_checks_nothing(session: Context) -> None:
    await session.close()
    with pytest.raises(ClosedError):
        await session.typed(Params)
    with pytest.raises(ClosedError):
        await session.get_all(Params)


@pytest.mark.asyncio
async def test_only_generated_classes_will_do(session: Context) -> None:
    wrong: Any = int
    with pytest.raises(TypeError):
        await session.typed(wrong)
    with pytest.raises(TypeError):
        await session.get_all(wrong)
