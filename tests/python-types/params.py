# Made by `snakepit-bridge types` from "variables.mjs". Do not edit it: run the command again.
# fmt: off
# ruff: noqa

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypedDict, overload

from snakepit_bridge import Value, Written, typed
from snakepit_bridge.typed import Definition, Definitions, Variables

if TYPE_CHECKING:
    from snakepit_bridge.typed import AsyncCompute, Compute, Get, Predicate, Set, Unpack, Wait, Write


FloatName = Literal["temperature", "learning.rate", "température"]
IntegerName = Literal["calls"]
StringName = Literal["model", "class"]
BooleanName = Literal["paused"]
PhaseChoice = Literal["warm-up", "main"]
VLogLevelChoice = Literal[
    "trace",
    "debug",
    "info",
    "warning",
    "error",
    "critical",
    "silent",
    'as "ever"',
    "2 lines\nof it",
]
JsonName = Literal["plan"]
Name = Literal[
    FloatName,
    IntegerName,
    StringName,
    BooleanName,
    "phase",
    "_log_level",
    JsonName,
]
NumericName = Literal[FloatName, IntegerName]


Updates = TypedDict(
    "Updates",
    {
        "temperature": float,
        "learning.rate": float,
        "calls": int,
        "model": str,
        "class": str,
        "paused": bool,
        "phase": PhaseChoice,
        "_log_level": VLogLevelChoice,
        "plan": Value,
        "température": float,
    },
    total=False,
)


DEFINITIONS = Definitions(
    fingerprint="2e6b4d9d48c6c74eb99dd77fe7abec32844263e8aac6bad5e0dd3e3198f94848",
    variables={
        "temperature": Definition("float", {"max": 2.0, "min": 0.0}),
        "learning.rate": Definition("float", {"max": float("inf"), "min": 1e-7}),
        "calls": Definition("integer", {"max": 1152921504606846976, "min": 0, "step": 1}),
        "model": Definition("string", {"max_length": 64, "pattern": "^[a-z\"'\\\\]"}),
        "class": Definition("string"),
        "paused": Definition("boolean"),
        "phase": Definition("choice", {"choices": ["warm-up", "main"]}),
        "_log_level": Definition("choice", {"choices": ["trace", "debug", "info", "warning", "error", "critical", "silent", 'as "ever"', "2 lines\nof it"]}),
        "plan": Definition("json"),
        "température": Definition("float"),
    },
)


@dataclass(frozen=True)
class Params(Variables["Session", "SyncSession"]):
    """The values of all variables; `session.get_all(Params)` reads them at one revision.

    `session = context.typed(Params)` gives a session that knows their names and types.
    """

    __definitions__ = DEFINITIONS

    temperature: float
    """How daring the answers are."""
    learning_rate: float
    calls: int
    model: str
    """Which model answers:
    "gpt" or another.
    """
    class_: str
    paused: bool
    phase: PhaseChoice
    """What is done now."""
    v_log_level: VLogLevelChoice
    plan: Value
    température: float


class Session(typed.Session[Name, Updates], Protocol):
    """A session with these variables, for asyncio."""

    @overload
    async def get_variable(self, name: FloatName, **options: Unpack[Get]) -> float: ...
    @overload
    async def get_variable(self, name: IntegerName, **options: Unpack[Get]) -> int: ...
    @overload
    async def get_variable(self, name: StringName, **options: Unpack[Get]) -> str: ...
    @overload
    async def get_variable(self, name: BooleanName, **options: Unpack[Get]) -> bool: ...
    @overload
    async def get_variable(self, name: Literal["phase"], **options: Unpack[Get]) -> PhaseChoice: ...
    @overload
    async def get_variable(self, name: Literal["_log_level"], **options: Unpack[Get]) -> VLogLevelChoice: ...
    @overload
    async def get_variable(self, name: JsonName, **options: Unpack[Get]) -> Value: ...

    @overload
    def peek(self, name: FloatName) -> float: ...
    @overload
    def peek(self, name: IntegerName) -> int: ...
    @overload
    def peek(self, name: StringName) -> str: ...
    @overload
    def peek(self, name: BooleanName) -> bool: ...
    @overload
    def peek(self, name: Literal["phase"]) -> PhaseChoice: ...
    @overload
    def peek(self, name: Literal["_log_level"]) -> VLogLevelChoice: ...
    @overload
    def peek(self, name: JsonName) -> Value: ...

    @overload
    async def set_variable(self, name: FloatName, value: float, **options: Unpack[Set]) -> Written: ...
    @overload
    async def set_variable(self, name: IntegerName, value: int, **options: Unpack[Set]) -> Written: ...
    @overload
    async def set_variable(self, name: StringName, value: str, **options: Unpack[Set]) -> Written: ...
    @overload
    async def set_variable(self, name: BooleanName, value: bool, **options: Unpack[Set]) -> Written: ...
    @overload
    async def set_variable(self, name: Literal["phase"], value: PhaseChoice, **options: Unpack[Set]) -> Written: ...
    @overload
    async def set_variable(self, name: Literal["_log_level"], value: VLogLevelChoice, **options: Unpack[Set]) -> Written: ...
    @overload
    async def set_variable(self, name: JsonName, value: Value, **options: Unpack[Set]) -> Written: ...

    @overload
    async def increment(self, name: FloatName, by: float = 1, **options: Unpack[Write]) -> float: ...
    @overload
    async def increment(self, name: IntegerName, by: int = 1, **options: Unpack[Write]) -> int: ...

    @overload
    async def update_variable(self, name: FloatName, fn: AsyncCompute[float], **options: Unpack[Write]) -> Written: ...
    @overload
    async def update_variable(self, name: IntegerName, fn: AsyncCompute[int], **options: Unpack[Write]) -> Written: ...
    @overload
    async def update_variable(self, name: StringName, fn: AsyncCompute[str], **options: Unpack[Write]) -> Written: ...
    @overload
    async def update_variable(self, name: BooleanName, fn: AsyncCompute[bool], **options: Unpack[Write]) -> Written: ...
    @overload
    async def update_variable(self, name: Literal["phase"], fn: AsyncCompute[PhaseChoice], **options: Unpack[Write]) -> Written: ...
    @overload
    async def update_variable(self, name: Literal["_log_level"], fn: AsyncCompute[VLogLevelChoice], **options: Unpack[Write]) -> Written: ...
    @overload
    async def update_variable(self, name: JsonName, fn: AsyncCompute[Value], **options: Unpack[Write]) -> Written: ...

    @overload
    async def wait_for(self, name: FloatName, predicate: Predicate[float] = None, **options: Unpack[Wait]) -> float: ...
    @overload
    async def wait_for(self, name: IntegerName, predicate: Predicate[int] = None, **options: Unpack[Wait]) -> int: ...
    @overload
    async def wait_for(self, name: StringName, predicate: Predicate[str] = None, **options: Unpack[Wait]) -> str: ...
    @overload
    async def wait_for(self, name: BooleanName, predicate: Predicate[bool] = None, **options: Unpack[Wait]) -> bool: ...
    @overload
    async def wait_for(self, name: Literal["phase"], predicate: Predicate[PhaseChoice] = None, **options: Unpack[Wait]) -> PhaseChoice: ...
    @overload
    async def wait_for(self, name: Literal["_log_level"], predicate: Predicate[VLogLevelChoice] = None, **options: Unpack[Wait]) -> VLogLevelChoice: ...
    @overload
    async def wait_for(self, name: JsonName, predicate: Predicate[Value] = None, **options: Unpack[Wait]) -> Value: ...


class SyncSession(typed.SyncSession[Name, Updates], Protocol):
    """A session with these variables, blocking."""

    @overload
    def get_variable(self, name: FloatName, **options: Unpack[Get]) -> float: ...
    @overload
    def get_variable(self, name: IntegerName, **options: Unpack[Get]) -> int: ...
    @overload
    def get_variable(self, name: StringName, **options: Unpack[Get]) -> str: ...
    @overload
    def get_variable(self, name: BooleanName, **options: Unpack[Get]) -> bool: ...
    @overload
    def get_variable(self, name: Literal["phase"], **options: Unpack[Get]) -> PhaseChoice: ...
    @overload
    def get_variable(self, name: Literal["_log_level"], **options: Unpack[Get]) -> VLogLevelChoice: ...
    @overload
    def get_variable(self, name: JsonName, **options: Unpack[Get]) -> Value: ...

    @overload
    def peek(self, name: FloatName) -> float: ...
    @overload
    def peek(self, name: IntegerName) -> int: ...
    @overload
    def peek(self, name: StringName) -> str: ...
    @overload
    def peek(self, name: BooleanName) -> bool: ...
    @overload
    def peek(self, name: Literal["phase"]) -> PhaseChoice: ...
    @overload
    def peek(self, name: Literal["_log_level"]) -> VLogLevelChoice: ...
    @overload
    def peek(self, name: JsonName) -> Value: ...

    @overload
    def set_variable(self, name: FloatName, value: float, **options: Unpack[Set]) -> Written: ...
    @overload
    def set_variable(self, name: IntegerName, value: int, **options: Unpack[Set]) -> Written: ...
    @overload
    def set_variable(self, name: StringName, value: str, **options: Unpack[Set]) -> Written: ...
    @overload
    def set_variable(self, name: BooleanName, value: bool, **options: Unpack[Set]) -> Written: ...
    @overload
    def set_variable(self, name: Literal["phase"], value: PhaseChoice, **options: Unpack[Set]) -> Written: ...
    @overload
    def set_variable(self, name: Literal["_log_level"], value: VLogLevelChoice, **options: Unpack[Set]) -> Written: ...
    @overload
    def set_variable(self, name: JsonName, value: Value, **options: Unpack[Set]) -> Written: ...

    @overload
    def increment(self, name: FloatName, by: float = 1, **options: Unpack[Write]) -> float: ...
    @overload
    def increment(self, name: IntegerName, by: int = 1, **options: Unpack[Write]) -> int: ...

    @overload
    def update_variable(self, name: FloatName, fn: Compute[float], **options: Unpack[Write]) -> Written: ...
    @overload
    def update_variable(self, name: IntegerName, fn: Compute[int], **options: Unpack[Write]) -> Written: ...
    @overload
    def update_variable(self, name: StringName, fn: Compute[str], **options: Unpack[Write]) -> Written: ...
    @overload
    def update_variable(self, name: BooleanName, fn: Compute[bool], **options: Unpack[Write]) -> Written: ...
    @overload
    def update_variable(self, name: Literal["phase"], fn: Compute[PhaseChoice], **options: Unpack[Write]) -> Written: ...
    @overload
    def update_variable(self, name: Literal["_log_level"], fn: Compute[VLogLevelChoice], **options: Unpack[Write]) -> Written: ...
    @overload
    def update_variable(self, name: JsonName, fn: Compute[Value], **options: Unpack[Write]) -> Written: ...

    @overload
    def wait_for(self, name: FloatName, predicate: Predicate[float] = None, **options: Unpack[Wait]) -> float: ...
    @overload
    def wait_for(self, name: IntegerName, predicate: Predicate[int] = None, **options: Unpack[Wait]) -> int: ...
    @overload
    def wait_for(self, name: StringName, predicate: Predicate[str] = None, **options: Unpack[Wait]) -> str: ...
    @overload
    def wait_for(self, name: BooleanName, predicate: Predicate[bool] = None, **options: Unpack[Wait]) -> bool: ...
    @overload
    def wait_for(self, name: Literal["phase"], predicate: Predicate[PhaseChoice] = None, **options: Unpack[Wait]) -> PhaseChoice: ...
    @overload
    def wait_for(self, name: Literal["_log_level"], predicate: Predicate[VLogLevelChoice] = None, **options: Unpack[Wait]) -> VLogLevelChoice: ...
    @overload
    def wait_for(self, name: JsonName, predicate: Predicate[Value] = None, **options: Unpack[Wait]) -> Value: ...
