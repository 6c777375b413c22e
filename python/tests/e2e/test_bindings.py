"""Variables as attributes, and dataclasses whose fields are variables (DOOR-10)."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import enum
import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import pytest
from shells import Context, until

from snakepit_bridge import (
    ClosedError,
    DefinitionConflictError,
    InvalidInputError,
    NotReadyError,
    VariableNotFoundError,
)


@dataclass
class Params:
    """What a program wants to know."""

    temperature: float
    max_tokens: int
    model: str
    paused: bool
    phase: Literal["warm-up", "main"]
    plan: dict[str, Any]
    anything: Any
    top_p: float | None = None
    stops: list[str] = field(default_factory=lambda: ["\n"])
    unit: ClassVar[str] = "tokens"

    @property
    def budget(self) -> float:
        return self.temperature * self.max_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    temperature: float
    max_tokens: float = 1


async def prepare(context: Context) -> None:
    await context.register_variable("temperature", "float", 0.5)
    await context.register_variable("max_tokens", "integer", 100)
    await context.register_variable("model", "string", "gpt")
    await context.register_variable("paused", "boolean", False)
    await context.register_variable("phase", "choice", "main", constraints={"choices": ["warm-up", "main"]})
    await context.register_variable("plan", "json", {"steps": [1]})
    await context.register_variable("anything", "float", 1.0)


# ---- session.v


@pytest.mark.asyncio
async def test_an_attribute_is_what_the_variable_holds(
    session: Context, make: Callable[..., Context]
) -> None:
    """[DOOR-10 accepts]"""
    await prepare(session)
    await session.ready()
    values = session.v
    assert (values.temperature, session.v.model, values.plan) == (0.5, "gpt", {"steps": [1]})
    await session.set_variable("temperature", 0.75)
    assert values.temperature == 0.75
    async with make() as other:
        await other.set_variable("temperature", 1)
        await until(lambda: values.temperature == 1.0)
    assert values["temperature"] == 1.0
    assert {"temperature", "phase"} <= set(dir(values))
    assert list(values) == sorted(await session.list_variables())
    assert "phase" in values
    assert "nothing" not in values
    for copied in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match=r"take a snapshot\(\)"):
            copied(values)


@pytest.mark.asyncio
async def test_every_name_can_be_read(session: Context) -> None:
    names = ["top-k", "_x", "__names", "__peek", "_CurrentValues__peek", "__len__", "class", "ä b"]
    await session.set_variables(dict.fromkeys(names, 1))
    await session.ready()
    assert [session.v[name] for name in names] == [1] * len(names)
    # Python's own questions are not about variables.
    assert not hasattr(session.v, "__len__")
    assert session.v._x == 1


@pytest.mark.asyncio
async def test_an_attribute_that_is_none(session: Context, make: Callable[..., Context]) -> None:
    """[DOOR-10 refuses]"""
    async with make() as fresh:
        with pytest.raises(NotReadyError):
            fresh.v.temperature  # noqa: B018 - reading it is what is tested
    await session.ready()
    assert not hasattr(session.v, "temperature")
    assert getattr(session.v, "temperature", 5) == 5
    with pytest.raises(AttributeError, match="Variable not found: temperature") as caught:
        session.v.temperature  # noqa: B018
    assert isinstance(caught.value, VariableNotFoundError)
    assert (caught.value.session_id, caught.value.identifier) == (session.session_id, "temperature")
    with pytest.raises(KeyError):
        session.v["temperature"]
    with pytest.raises(InvalidInputError):
        session.v[" temperature"]
    with pytest.raises(AttributeError, match="set_variable\\('temperature'"):
        session.v.temperature = 1.0
    with pytest.raises(AttributeError, match="delete_variable\\('temperature'"):
        del session.v.temperature


# ---- bind


@pytest.mark.asyncio
async def test_fields_are_always_current(session: Context, make: Callable[..., Context]) -> None:
    """[DOOR-10 accepts]"""
    await prepare(session)
    params = await session.bind(Params)
    assert isinstance(params, Params)
    assert (params.temperature, params.max_tokens, params.model, params.paused) == (0.5, 100, "gpt", False)
    assert (params.phase, params.plan, params.anything) == ("main", {"steps": [1]}, 1.0)
    # What has a default need not be there, and is it as soon as it is.
    assert (params.top_p, params.stops, params.unit) == (None, ["\n"], "tokens")
    assert params.stops is not params.stops
    await session.set_variables({"temperature": 2, "top_p": 0.9})
    assert (params.temperature, params.top_p, params.budget) == (2.0, 0.9, 200.0)
    async with make() as other:
        await other.set_variable("phase", "warm-up")
        await until(lambda: params.phase == "warm-up")
    await session.delete_variable("top_p")
    assert params.top_p is None
    await session.delete_variable("model")
    with pytest.raises(VariableNotFoundError):
        params.model  # noqa: B018
    with pytest.raises(AttributeError, match="set_variable"):
        params.temperature = 1.0
    with pytest.raises(AttributeError, match="set_variable"):
        del params.temperature


@pytest.mark.asyncio
async def test_copies_have_the_values_of_the_moment(session: Context) -> None:
    await prepare(session)
    params = await session.bind(Params)
    copies = [
        dataclasses.replace(params),
        copy.copy(params),
        copy.deepcopy(params),
        pickle.loads(pickle.dumps(params)),  # noqa: TID251 - our own bytes
    ]
    assert "temperature=0.5, max_tokens=100" in repr(params)
    assert dataclasses.asdict(params)["plan"] == {"steps": [1]}
    assert dataclasses.replace(params, temperature=9.0).temperature == 9.0
    await session.set_variable("temperature", 1)
    assert params.temperature == 1.0
    for each in copies:
        assert type(each) is Params
        assert each == copies[0]
        assert each.temperature == 0.5


@pytest.mark.asyncio
async def test_frozen_and_slotted_classes_are_bound_too(session: Context) -> None:
    await prepare(session)
    params = await session.bind(Frozen)
    # An int is a float wherever Python says float.
    assert (params.temperature, params.max_tokens) == (0.5, 100)
    await session.set_variable("temperature", 1)
    assert params.temperature == 1.0
    assert copy.copy(params) == Frozen(temperature=1.0, max_tokens=100)


@pytest.mark.asyncio
async def test_a_pinned_snapshot_holds_fields_too(session: Context) -> None:
    await prepare(session)
    params = await session.bind(Params)
    with await session.snapshot():
        await session.set_variables({"temperature": 1, "top_p": 0.5})
        assert (params.temperature, params.top_p) == (0.5, None)
    assert (params.temperature, params.top_p) == (1.0, 0.5)


@pytest.mark.asyncio
async def test_what_does_not_fit_is_refused_whole(session: Context) -> None:
    """[DOOR-10 refuses]"""

    @dataclass
    class Other:
        temperature: int
        max_tokens: bool
        model: Literal["gpt"]
        missing: float
        phase: str
        paused: dict[str, int] | None = None

    await prepare(session)
    with pytest.raises(DefinitionConflictError) as caught:
        await session.bind(Other)
    assert str(caught.value).endswith(
        "does not fit: 'temperature' is of type float, not integer; "
        "'max_tokens' is of type integer, not boolean; "
        "'model' is of type string, not choice; "
        "'missing' is missing, and its field has no default; "
        "'paused' is of type boolean, not json"
    )
    assert caught.value.identifier == "temperature"


class Colour(enum.Enum):
    RED = 1


@dataclass
class WithEnum:
    colour: Colour


@dataclass
class WithBytes:
    plan: bytes | None


@dataclass
class WithParams:
    plan: Frozen


@dataclass
class WithNumbers:
    level: Literal[1, 2]


@dataclass
class Computed:
    total: float = field(init=False, default=0.0)


@dataclass
class Unresolved:
    value: Nowhere  # type: ignore[name-defined] # noqa: F821


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("params", "text"),
    [
        (object, "a dataclass is needed"),
        ({"x": 1}, "a dataclass is needed"),
        (Frozen(temperature=1.0), "a dataclass is needed"),
        (WithEnum, "WithEnum.colour is declared as Colour, and no variable holds that"),
        (WithBytes, "WithBytes.plan is declared as bytes, and no variable holds that"),
        (WithParams, "WithParams.plan is declared as Frozen, and no variable holds that"),
        (WithNumbers, "WithNumbers.level is declared as typing.Literal"),
        (Computed, "Computed.total has init=False"),
        (Unresolved, "the annotations of Unresolved cannot be read: name 'Nowhere'"),
    ],
)
async def test_what_cannot_be_bound_is_refused_at_once(session: Context, params: Any, text: str) -> None:
    with pytest.raises(TypeError, match=text):
        await session.bind(params)


@pytest.mark.asyncio
async def test_binding_needs_a_copy_of_the_session(make: Callable[..., Context]) -> None:
    for mode in ("ttl", "off"):
        async with make(cache=mode) as context:
            with pytest.raises(ValueError, match='with cache="live"'):
                await context.bind(Params)
    with pytest.raises(ClosedError):
        await context.bind(Params)


@pytest.mark.asyncio
async def test_several_tasks_may_bind_and_read(session: Context) -> None:
    await prepare(session)
    bound = await asyncio.gather(*(session.bind(Frozen) for _ in range(20)))
    assert {each.temperature for each in bound} == {0.5}
