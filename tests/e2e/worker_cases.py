"""The Python side of `worker-variables.test.ts`: a case by name, whose result is printed as one line of JSON.

The address and the session are where a host puts them: in the environment.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from snakepit_bridge import (
    BatchError,
    BridgeError,
    ConflictError,
    SessionContext,
    VariableNotFoundError,
    worker,
)
from snakepit_bridge.session_context import SessionContext as OlderSessionContext

Case = Callable[[SessionContext], Awaitable[Any]]

cases: dict[str, Case] = {}


def case(function: Case) -> Case:
    cases[function.__name__] = function
    return function


def typed(value: Any) -> list[str]:
    """A value and its type, exactly."""
    return [type(value).__name__, repr(value)]


async def fault(action: Awaitable[Any]) -> list[str]:
    """The class, the reason and the text of the error of what has to fail."""
    try:
        await action
    except BridgeError as error:
        return [type(error).__name__, error.reason, str(error)]
    raise AssertionError("it did not fail")


async def until(session: SessionContext, name: str, wanted: Any) -> None:
    """Reads until TypeScript has written this; None: until there is nothing."""
    while True:
        if await session.get_variable(name, default=None) == wanted:
            return
        await asyncio.sleep(0.001)


# ---- what TypeScript has written


@case
async def read_temperature(session: SessionContext) -> Any:
    info = (await session.list_variables())["temperature"]
    return {
        "value": typed(await session.get_variable("temperature")),
        "by id": typed(await session.get_variable(info["id"])),
        "type": info["type"],
        "source": info["source"],
        "constraints": info["constraints"],
        "metadata": info["metadata"],
        "version": info["version"],
    }


@case
async def read_batch(session: SessionContext) -> Any:
    values = await session.get_variables(["var3", "nobody", "var1", "var2"], defaults={"nobody": None})
    return {name: typed(value) for name, value in values.items()}


@case
async def read_everything(session: SessionContext) -> Any:
    return {name: typed(info["value"]) for name, info in (await session.list_variables()).items()}


@case
async def follow(session: SessionContext) -> Any:
    """Answers each write of TypeScript, and sees each at once."""
    worker.ready()
    for number in range(1, 51):
        await until(session, "from_typescript", number)
        await session.set_variable("from_python", number)
    return "seen"


# ---- what Python writes


@case
async def write_max_tokens(session: SessionContext) -> Any:
    written = await session.set_variable("max_tokens", 512, metadata={"why": "longer answers"})
    return {"version": written.version, "own": typed(await session.get_variable("max_tokens"))}


@case
async def write_batch(session: SessionContext) -> Any:
    return await session.update_variables({"var1": "world", "var2": 100}, atomic=True)


@case
async def create_variables(session: SessionContext) -> Any:
    await session.register_variable("rate", "float", 1, constraints={"min": 0.5}, metadata={"unit": "1/s"})
    identifier = await session.register_variable("size", "integer", 16, constraints={"step": 8})
    await session.register_variable("name", "string", "ab", constraints={"min_length": 2, "max_length": 3})
    await session.register_variable("flag", "boolean", False)
    await session.set_variable("inferred", 7)
    await session.set_variable(identifier, 24)
    await session.set_variable("flag", True)
    await session.delete_variable("name")
    return await fault(session.register_variable("rate", "float", 1.0))


@case
async def write_everything(session: SessionContext) -> Any:
    values = {
        "float": 0.1,
        "whole_float": 150.0,
        "negative_zero": -0.0,
        "nan": float("nan"),
        "infinity": float("-inf"),
        "integer": 42,
        "large": 2**63 - 1,
        "text": "Zoë 😀\n\0",
        "empty": "",
        "yes": True,
        "no": False,
    }
    return await session.update_variables(values)


# ---- what is refused


@case
async def break_rules(session: SessionContext) -> Any:
    attempts: list[tuple[str, Any]] = [
        ("strict_int", 150),
        ("strict_int", -1),
        ("strict_int", 7),
        ("strict_int", 1.5),
        ("strict_int", True),
        ("strict_int", "10"),
        ("ratio", 2.5),
        ("ratio", "0.5"),
        ("word", "ab"),
        ("word", "abcdef"),
        ("word", "ABC"),
        ("word", 7),
        ("flag", 1),
        ("flag", "true"),
    ]
    return [[name, *(await fault(session.set_variable(name, value)))] for name, value in attempts]


@case
async def miss(session: SessionContext) -> Any:
    missing = {
        "get": await fault(session.get_variable("nobody")),
        "default": typed(await session.get_variable("nobody", default=None)),
        "batch": await session.get_variables(["nobody"]),
        "delete": await fault(session.delete_variable("nobody")),
        "is KeyError": isinstance(VariableNotFoundError("x"), KeyError),
    }
    async with SessionContext("no such session", strict=True) as other:
        missing["session, get"] = await fault(other.get_variable("x"))
        missing["session, default"] = typed(await other.get_variable("x", default=0.5))
        missing["session, set"] = await fault(other.set_variable("x", 1))
    async with SessionContext(session.session_id, strict=True) as strict:
        missing["strict, set"] = await fault(strict.set_variable("nobody", 1))
    return missing


@case
async def refused_batches(session: SessionContext) -> Any:
    updates = {"var1": "new", "var2": 1000, "var3": "no boolean"}
    atomic = await session.update_variables(updates, atomic=True)
    after = await session.get_variables(["var1", "var2", "var3"])
    partial = await session.update_variables(updates, atomic=False)
    try:
        await session.set_variables(updates)
    except BatchError as error:
        raised = {name: fault.reason for name, fault in error.errors.items()}
    return {"atomic": atomic, "after": after, "partial": partial, "raised": raised}


@case
async def lose_a_race(session: SessionContext) -> Any:
    worker.ready()
    reading = await session.read("owner")
    await session.set_variable("go", True)
    await until(session, "owner", "typescript")
    try:
        await session.set_variable("owner", "python", expected_version=reading.version)
    except ConflictError as error:
        return {"expected": error.expected, "current": error.current}
    return None


# ---- the cache


@case
async def use_the_cache(session: SessionContext) -> Any:
    """As the specification's own test does it, on a session that nobody has prepared."""
    async with OlderSessionContext(session.session_id, cache="ttl", ttl=60) as cached:
        await cached.set_variable("test_var", 42)
        first = await cached.get_variable("test_var")
        await cached.set_variable("test_var", 100)
        second = await cached.get_variable("test_var")
        third = await cached.get_variable("test_var", bypass_cache=True)
        stats = cached.get_cache_stats()
        for _ in range(100):
            await cached.get_variable("test_var")
        fetches = cached.get_cache_stats()["fetches"] - stats["fetches"]
        cached.invalidate_cache("test_var")
        await cached.get_variable("test_var")
        after = cached.get_cache_stats()["fetches"] - stats["fetches"]
        return {"values": [first, second, third], "hits": stats["hits"] > 0, "fetches": [fetches, after]}


@case
async def see_behind_the_cache(session: SessionContext) -> Any:
    async with SessionContext(session.session_id, cache="ttl", ttl=600) as cached:
        seen = [await cached.get_variable("x")]
        worker.ready()
        await until(session, "go", True)
        seen.append(await cached.get_variable("x"))
        seen.append(await cached.get_variable("x", bypass_cache=True))
        seen.append(await cached.get_variable("x"))
        await fault(cached.set_variable("x", 1_000))
        seen.append(await cached.get_variable("x"))
        cached.set_cache_ttl(0)
        await cached.set_variable("x", 3)
        await session.set_variable("x", 4)
        seen.append(await cached.get_variable("x"))
        return seen


# ---- the end of a session


@case
async def outlive_the_session(session: SessionContext) -> Any:
    before = await session.get_variable("x")
    worker.ready()
    await until(session, "x", None)
    return {
        "before": before,
        "get": await fault(session.get_variable("x")),
        "set": await fault(session.set_variable("x", 2)),
        "list": await fault(session.list_variables()),
        "created again": await session.create_session(),
        "variables": await session.list_variables(),
    }


@case
async def end_the_session(session: SessionContext) -> Any:
    await session.delete_session()
    return await fault(session.get_variable("x"))


async def main(name: str) -> None:
    async with SessionContext(os.environ["SNAKEPIT_BRIDGE_SESSION"], cache="off", timeout=20) as session:
        result = await cases[name](session)
    sys.stdout.write(json.dumps(result, default=str) + "\n")


asyncio.run(main(sys.argv[1]))
