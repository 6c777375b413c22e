"""The Python side of the tests with two languages: commands as JSON lines on stdin, answers on stdout.

The argument says with which client: asyncio, or blocking.

Values are tagged, because JSON has one kind of number and no NaN: {"float": "nan"}, {"integer": "42"},
{"string": "…"}, {"boolean": true}, {"json": …} for what only a json variable holds.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import struct
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import grpc.aio

from snakepit_bridge import BatchError, BridgeError, SessionContext, sync

Command = dict[str, Any]


def untag(tagged: dict[str, Any]) -> Any:
    [(kind, value)] = tagged.items()
    if kind == "json":
        return value
    return {"float": float, "integer": int, "string": str, "boolean": bool}[kind](value)


def tag(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolean": value}
    if isinstance(value, int):
        return {"integer": str(value)}
    if isinstance(value, float):
        # The bits, so that the sign of a zero counts.
        return {"float": struct.pack(">d", value).hex() if value == value else "nan"}
    return {"string": value} if isinstance(value, str) else {"json": value}


async def set_variable(session: SessionContext, command: Command) -> Any:
    written = await session.set_variable(
        command["name"], untag(command["value"]), expected_version=command.get("expected_version")
    )
    return {"version": written.version, "revision": written.revision}


async def get_variable(session: SessionContext, command: Command) -> Any:
    return tag(await session.get_variable(command["name"]))


async def get_variables(session: SessionContext, command: Command) -> Any:
    values = await session.get_variables(command["names"])
    return {name: tag(value) for name, value in values.items()}


async def set_variables(session: SessionContext, command: Command) -> Any:
    updates = {name: untag(value) for name, value in command["values"].items()}
    committed = await session.set_variables(updates)
    return {"revision": committed.revision}


async def increment(session: SessionContext, command: Command) -> Any:
    for _ in range(command["times"] - 1):
        await session.increment(command["name"])
    return tag(await session.increment(command["name"]))


async def update(session: SessionContext, command: Command) -> Any:
    for _ in range(command["times"]):
        written = await session.update_variable(command["name"], lambda value: value + 1)
    return tag(written.value)


async def wait_for(session: SessionContext, command: Command) -> Any:
    wanted = untag(command["value"])
    return tag(await session.wait_for(command["name"], lambda value: value == wanted, timeout=30))


async def register(session: SessionContext, command: Command) -> Any:
    return await session.register_variable(
        command["name"], command["type"], untag(command["value"]), constraints=command.get("constraints")
    )


async def sources(session: SessionContext, _: Command) -> Any:
    return {name: info["source"] for name, info in (await session.list_variables()).items()}


async def get_history(session: SessionContext, command: Command) -> Any:
    history = await session.get_history(command["name"])
    return [[entry.version, tag(entry.value), entry.source] for entry in history.entries]


async def create_session(session: SessionContext, _: Command) -> Any:
    return await session.create_session()


async def hostile(_: SessionContext, command: Command) -> Any:
    """Sends noise to every method: random bytes, truncated messages, names that are none."""
    noise = random.Random(command["seed"])
    codes: dict[str, int] = {}
    async with grpc.aio.insecure_channel(os.environ["SNAKEPIT_BRIDGE_ADDRESS"]) as channel:
        for path in command["paths"]:
            call: Callable[..., Any] = channel.unary_unary(path)
            for _i in range(command["times"]):
                try:
                    await call(noise.randbytes(noise.choice((0, 1, 3, 40, 5_000))), timeout=10)
                    name = "OK"
                except grpc.aio.AioRpcError as error:
                    name = error.code().name
                codes[name] = codes.get(name, 0) + 1
    return codes


OPERATIONS: dict[str, Callable[[SessionContext, Command], Awaitable[Any]]] = {
    operation.__name__: operation
    for operation in (
        *(set_variable, get_variable, get_variables, set_variables, increment, update, wait_for),
        *(register, sources, get_history, create_session, hostile),
    )
}


class OnTheLoop:
    """A blocking context that can be awaited: each call is made at once, on the loop."""

    def __init__(self, context: sync.SessionContext) -> None:
        self._context = context

    def __getattr__(self, name: str) -> Any:
        async def method(*args: Any, **kwargs: Any) -> Any:
            return getattr(self._context, name)(*args, **kwargs)

        return method


def make(session_id: str) -> Any:
    options: dict[str, Any] = {"cache": "off", "timeout": 10}
    if sys.argv[1] == "blocking":
        return OnTheLoop(sync.SessionContext(session_id, **options))
    return SessionContext(session_id, **options)


async def answer(sessions: dict[str, SessionContext], command: Command) -> dict[str, Any]:
    if command["session"] not in sessions:
        sessions[command["session"]] = make(command["session"])
    session = sessions[command["session"]]
    try:
        return {"ok": await OPERATIONS[command["op"]](session, command)}
    except BridgeError as error:
        faults = error.errors if isinstance(error, BatchError) else {}
        items = {name: fault.reason for name, fault in faults.items()}
        return {"error": type(error).__name__, "reason": error.reason, "text": str(error), "items": items}


async def main() -> None:
    sessions: dict[str, SessionContext] = {}
    while line := await asyncio.to_thread(sys.stdin.readline):
        sys.stdout.write(json.dumps(await answer(sessions, json.loads(line))) + "\n")
        sys.stdout.flush()
    for session in sessions.values():
        await session.close()


asyncio.run(main())
