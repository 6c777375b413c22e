"""Programs that mypy and pyright, both strict, are to accept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from params import DEFINITIONS, Name, NumericName, Params, PhaseChoice, Session, SyncSession, VLogLevelChoice

import snakepit_bridge
from snakepit_bridge import Committed, History, Reading, SessionEvent, Snapshot, Value, Written, sync

if TYPE_CHECKING:
    from typing_extensions import assert_type


def blocking(context: sync.SessionContext) -> None:
    session = context.typed(Params)
    assert_type(session, SyncSession)
    assert_type(session.get_variable("temperature"), float)
    assert_type(session.get_variable("learning.rate", timeout=1), float)
    assert_type(session.get_variable("calls", bypass_cache=True), int)
    assert_type(session.get_variable("model"), str)
    assert_type(session.get_variable("class"), str)
    assert_type(session.get_variable("paused"), bool)
    assert_type(session.get_variable("phase"), Literal["warm-up", "main"])
    assert_type(session.get_variable("_log_level"), VLogLevelChoice)
    assert_type(session.get_variable("plan"), Value)
    assert_type(session.peek("calls"), int)
    assert_type(session.read("calls", after="-0-0000000000000000", max_age=1.0, bypass_cache=True), Reading)
    assert_type(session.set_variable("temperature", 0.9, expected_version=3), Written)
    session.set_variable("temperature", 1)
    session.set_variable("phase", "main", metadata={"why": "it is time"})
    session.set_variable("plan", {"steps": [1, None]})
    assert_type(session.increment("calls"), int)
    assert_type(session.increment("temperature", 0.1, timeout=2.0), float)
    session.update_variable("temperature", lambda temperature: temperature * 0.9)
    session.update_variable("phase", lambda phase: "main" if phase == "warm-up" else "warm-up")
    assert_type(session.wait_for("phase", lambda phase: phase == "main", timeout=60), PhaseChoice)
    assert_type(session.wait_for("calls"), int)
    assert_type(session.set_variables({"temperature": 0.2, "class": "a", "phase": "main"}), Committed)
    session.update_variables({"calls": 3}, atomic=False)
    assert_type(session.read("model"), Reading)
    point = session.set_variable("calls", 4).point
    assert_type(session.read("calls", after=point, max_age=0.5, bypass_cache=False, timeout=1), Reading)
    assert_type(session.ready(timeout=60), None)
    assert_type(session.peek("temperature"), float)
    assert_type(session.peek("phase"), PhaseChoice)
    assert_type(session.peek("plan"), Value)
    assert_type(session.snapshot(), Snapshot)
    with session.snapshot() as snapshot:
        assert_type(snapshot, Snapshot)
    bound = session.bind(Params)
    assert_type(bound, Params)
    assert_type(bound.temperature, float)
    with session.watch(["calls", "model"], glob="p*", after=point, passive=True) as watch:
        assert_type(watch, sync.Watch)
        for event in watch:
            assert_type(event, SessionEvent)
    with session.on_change(heard, ["phase"], on_error=heard) as listener:
        assert_type(listener, sync.Listener)
    session.watch().close()
    assert_type(session.get_history("model", 3), History)
    assert_type(session.session_id, str)
    values = session.get_all(Params)
    assert_type(values, Params)
    assert_type(values.temperature, float)
    assert_type(values.learning_rate, float)
    assert_type(values.class_, str)
    assert_type(values.phase, PhaseChoice)
    assert_type(values.v_log_level, VLogLevelChoice)


async def with_asyncio(context: snakepit_bridge.SessionContext) -> None:
    session = await context.typed(Params, timeout=3)
    assert_type(session, Session)
    assert_type(await session.get_variable("temperature"), float)
    assert_type(await session.get_variable("calls", bypass_cache=True), int)
    assert_type(await session.get_variable("phase"), PhaseChoice)
    assert_type(session.peek("phase"), PhaseChoice)
    assert_type(await session.set_variable("phase", "main"), Written)
    assert_type(await session.increment("calls", 2), int)
    await session.update_variable("temperature", lambda temperature: temperature * 0.9)
    await session.update_variable("temperature", halved)
    assert_type(await session.wait_for("paused", timeout=60), bool)
    assert_type(await session.set_variables({"paused": True, "température": 2.5}), Committed)
    assert_type(await session.get_all(Params), Params)
    assert_type((await session.bind(Params)).temperature, float)
    with await session.snapshot() as snapshot:
        assert_type(snapshot, Snapshot)
    assert_type(await session.read("calls", after=(await session.snapshot()).point, max_age=1), Reading)
    assert_type(await session.ready(), None)
    assert_type(session.peek("calls"), int)
    assert_type(session.peek("phase"), PhaseChoice)
    async with session.watch(["calls"]) as watch:
        assert_type(watch, snakepit_bridge.Watch)
        async for event in watch:
            assert_type(event, SessionEvent)
    with session.on_change(heard_later, names=["phase"], glob="p*") as listener:
        assert_type(listener, snakepit_bridge.Listener)


def heard(told: SessionEvent | Exception) -> None:
    del told


async def heard_later(event: SessionEvent) -> None:
    del event


async def halved(temperature: float) -> float:
    return temperature / 2


def count(session: SyncSession, names: list[NumericName]) -> list[Name]:
    for name in names:
        if name == "calls":
            session.increment(name)
    return [*names]


def of_any_type(session: SyncSession, name: Name, numeric: NumericName) -> list[Value]:
    return [session.get_variable(name), session.increment(numeric)]


def rest(context: sync.SessionContext) -> Any:
    with context:
        context.create_session()
        return context.get_variable("of another program", None), DEFINITIONS.fingerprint
