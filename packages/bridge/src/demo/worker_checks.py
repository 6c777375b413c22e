"""What the worker tests by itself with `--once`. It reports through the bridge, in the variable `checks`."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable

from snakepit_bridge import BatchError, BridgeError, ConstraintError, SessionContext

TIMEOUT = 5.0


class CheckError(Exception):
    """Something was not as it has to be."""


Result = tuple[str, "float | None"]
"""What to show, and how long it took in milliseconds where that means something."""


async def round_trip(session: SessionContext) -> Result:
    """Python asks, TypeScript answers."""
    started = time.monotonic()
    await session.set_variable("ping", 1)
    while await session.get_variable("pong") != 1:
        if time.monotonic() - started > TIMEOUT:
            raise CheckError(f"waited {TIMEOUT:g} s for TypeScript to answer ping 1 with pong 1")
        await asyncio.sleep(0.002)
    return "TypeScript answered with pong 1", (time.monotonic() - started) * 1000


async def atomic_refusal(session: SessionContext) -> Result:
    """Two of three items are at fault: both are named, and the third is not applied."""
    before = await versions(session)
    try:
        await session.set_variables({"learning_rate": 5.0, "target": "north", "paused": True})
    except BatchError as error:
        named = dict(sorted(error.errors.items()))
    else:
        raise CheckError("the batch was accepted")
    require(list(named) == ["learning_rate", "target"], f"named were {list(named)}")
    require(await versions(session) == before, "a part of the batch was applied")
    return "; ".join(f"{name}: {fault}" for name, fault in named.items()), None


async def constraint_refusal(session: SessionContext) -> Result:
    """A value beyond its maximum is refused by name of the constraint, and leaves the variable alone."""
    before = await versions(session)
    try:
        await session.set_variable("learning_rate", 5.0)
    except ConstraintError as error:
        fault = error
    else:
        raise CheckError("the value was accepted")
    require(fault.constraint == "max", f"the constraint was {fault.constraint}")
    require(await versions(session) == before, "the value was applied")
    return str(fault), None


def require(condition: bool, otherwise: str) -> None:
    if not condition:
        raise CheckError(otherwise)


async def versions(session: SessionContext) -> dict[str, int]:
    return {name: info["version"] for name, info in (await session.list_variables()).items()}


CHECKS: dict[str, Callable[[SessionContext], Awaitable[Result]]] = {
    "python → typescript → python": round_trip,
    "atomic batch refused, from python": atomic_refusal,
    "constraint refused, from python": constraint_refusal,
}


async def run(session: SessionContext) -> None:
    """Runs all checks; one that fails does not keep the others from running."""
    report = []
    for name, check in CHECKS.items():
        try:
            detail, milliseconds = await check(session)
            report.append({"name": name, "passed": True, "detail": detail, "ms": milliseconds})
        except (CheckError, BridgeError) as error:
            report.append({"name": name, "passed": False, "detail": f"{type(error).__name__}: {error}"})
    await session.set_variable("checks", json.dumps(report))
