"""Reads that our Python clients answer by themselves, from their copy of a session.

They are made so often in a row that the clock can tell how long they take. Beside them stands what the same
loop takes with a look into a dict, with a method that looks into one, and with nothing in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import redis
import redis.asyncio
from closed_loop import closed_loop, closed_loops
from questions import Question, answer_questions_async

import snakepit_bridge
from snakepit_bridge import sync

TIMES = 1_000

# Nobody else has to do with it, so that no other row has a follower.
SESSION = "live-reads-py"


class Plain:
    """A dict behind a method: what anything costs at least that is written in Python."""

    def __init__(self, values: dict[str, float]) -> None:
        self._values = values

    def get_variable(self, name: str) -> float:
        """Returns a value."""
        return self._values[name]


blocking: dict[str, sync.SessionContext] = {}
on_loop: dict[str, snakepit_bridge.SessionContext] = {}
clients: dict[str, redis.Redis] = {}
clients_on_loop: dict[str, redis.asyncio.Redis] = {}


def reader(question: Question) -> Callable[[str], Any]:
    """Returns what reads a variable by its name."""
    work, variable, address = question["work"], question["variable"], question["address"]
    values = {variable: question["max"]}
    if work == "dict.get":
        return values.get
    if work == "method":
        return Plain(values).get_variable
    if address not in blocking:
        blocking[address] = sync.SessionContext(SESSION, address=address)
        blocking[address].set_variable(variable, question["max"])
    context = blocking[address]
    context.ready()
    return context.peek if work == "peek" else context.get_variable


def many(question: Question) -> Callable[[], None]:
    """Returns many reads one after the other, or as many turns without any."""
    if question["work"] == "nothing":

        def nothing() -> None:
            for _ in range(TIMES):
                pass

        return nothing
    read, variable = reader(question), question["variable"]

    def some() -> None:
        for _ in range(TIMES):
            read(variable)

    return some


async def many_on_loop(question: Question) -> Callable[[], Awaitable[None]]:
    """Returns the same for asyncio."""
    variable, address = question["variable"], question["address"]
    if address not in on_loop:
        on_loop[address] = snakepit_bridge.SessionContext(SESSION, address=address)
        await on_loop[address].set_variable(variable, question["max"])
    context = on_loop[address]
    await context.ready()
    read = context.get_variable

    async def some() -> None:
        for _ in range(TIMES):
            await read(variable)

    return some


async def answer(question: Question) -> object:
    """Reads as it is asked to, with one caller."""
    work, address, milliseconds = question["work"], question["address"], question["milliseconds"]
    if work == "await get_variable":
        return await closed_loops(await many_on_loop(question), 1, milliseconds, TIMES)
    if work == "redis":
        client = clients.setdefault(address, redis.Redis.from_url(f"redis://{address}"))
        client.set(question["variable"], "x" * question["valueBytes"])
        return closed_loop(lambda: client.get(question["variable"]), milliseconds)
    if work == "await redis":
        waiting = clients_on_loop.setdefault(address, redis.asyncio.Redis.from_url(f"redis://{address}"))
        await waiting.set(question["variable"], "x" * question["valueBytes"])
        return await closed_loops(lambda: waiting.get(question["variable"]), 1, milliseconds)
    return closed_loop(many(question), milliseconds, TIMES)


asyncio.run(answer_questions_async(answer))
