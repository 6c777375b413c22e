"""What mypy and pyright, both strict, are to refuse: each line that says so, and no other."""

from __future__ import annotations

from params import Params, Session, SyncSession

import snakepit_bridge
from snakepit_bridge import sync


def names(session: SyncSession, name: str) -> None:
    session.get_variable("temprature")  # refused
    session.get_variable("learning_rate")  # refused
    session.get_variable(name)  # refused
    session.set_variable("temprature", 0.9)  # refused
    session.increment("model")  # refused
    session.read("temprature")  # refused
    session.get_history("temprature")  # refused
    session.set_variables({"temprature": 0.9})  # refused
    session.wait_for("temprature")  # refused
    session.peek("temprature")  # refused
    session.peek(name)  # refused
    session.watch(["temprature"])  # refused
    session.watch([name])  # refused
    session.on_change(print, ["temprature"])  # refused


def types(session: SyncSession, text: str) -> None:
    session.set_variable("temperature", "hot")  # refused
    session.set_variable("calls", 0.5)  # refused
    session.set_variable("model", 3)  # refused
    session.set_variable("paused", 1)  # refused
    session.set_variable("phase", "end")  # refused
    session.set_variable("phase", text)  # refused
    session.set_variable("plan", object())  # refused
    session.increment("calls", 0.5)  # refused
    session.set_variables({"temperature": "hot"})  # refused
    session.update_variables({"phase": "end"})  # refused
    session.update_variable("temperature", lambda temperature: str(temperature))  # refused
    session.update_variable("model", lambda model: len(model))  # refused
    session.wait_for("calls", lambda calls: calls.upper())  # refused


def results(session: SyncSession) -> object:
    text: str = session.get_variable("temperature")  # refused
    text = session.peek("temperature")  # refused
    text = session.snapshot()  # refused
    number: int = session.increment("temperature")  # refused
    str(session.get_all(Params).temprature)  # refused
    session.get_all(Params).calls = 3  # refused
    session.get_all(int)  # refused
    return text, number


def options(session: SyncSession) -> None:
    session.get_variable("calls", bypass=True)  # refused
    session.get_variable("calls", default=3)  # refused
    session.set_variable("calls", 3, expected_version="3")  # refused
    session.read("calls", after=3)  # refused
    session.read("calls", max_age="1")  # refused
    session.watch(after=3)  # refused
    session.on_change(nothing)  # refused
    session.ready(5)  # refused


def nothing() -> None:
    pass


async def with_asyncio(session: Session) -> object:
    await session.get_variable("temprature")  # refused
    await session.set_variable("temperature", "hot")  # refused
    await session.set_variables({"phase": "end"})  # refused
    await session.update_variable("calls", too_exact)  # refused
    session.peek("temprature")  # refused
    session.watch(["temprature"])  # refused
    session.on_change(too_exact)  # refused
    await session.peek("calls")  # refused
    number: float = session.get_variable("temperature")  # refused
    return number


async def too_exact(calls: int) -> float:
    return calls / 2


def contexts(asyncio: snakepit_bridge.SessionContext, blocking: sync.SessionContext) -> Session:
    one: Session = blocking.typed(Params)  # refused
    blocking.typed(int)  # refused
    asyncio.typed(Params).get_variable("calls")  # refused
    return one
