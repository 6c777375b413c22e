"""Callers with our own Python client on asyncio, each read a call.

It is asked in lines of JSON, as the programs in TypeScript are: `work` (get or set), `callers`,
`milliseconds`, `address`, and the session, variable and bounds of the workload.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

from snakepit_bridge import SessionContext

MAX_CALLS = 2_000_000


async def closed_loop(
    call: Callable[[], Awaitable[object]], callers: int, milliseconds: int
) -> dict[str, float]:
    """Calls for so long; each caller starts its next call when the last one is answered."""
    latencies: list[float] = []
    start = time.perf_counter()
    end = start + milliseconds / 1_000

    async def caller() -> None:
        before = time.perf_counter()
        while before < end and len(latencies) < MAX_CALLS:
            await call()
            after = time.perf_counter()
            latencies.append(after - before)
            before = after

    await asyncio.gather(*(caller() for _ in range(callers)))
    seconds = time.perf_counter() - start
    latencies.sort()
    count = len(latencies)
    return {
        "calls": count,
        "seconds": seconds,
        "p50Us": latencies[(count - 1) // 2] * 1e6,
        "p99Us": latencies[-(-count * 99 // 100) - 1] * 1e6,
    }


async def answer(context: SessionContext, question: dict[str, Any]) -> dict[str, float]:
    """Puts the load on the bridge that the question asks for."""
    variable, least, most = question["variable"], question["min"], question["max"]
    steps = itertools.cycle(range(2_000))

    async def get() -> None:
        await context.get_variable(variable)

    async def set_next() -> None:
        await context.set_variable(variable, least + (most - least) * next(steps) / 2_000)

    call = get if question["work"] == "get" else set_next
    return await closed_loop(call, question["callers"], question["milliseconds"])


async def main() -> None:
    """Answers each line with a line, until nobody can ask any more."""
    loop = asyncio.get_running_loop()
    context: SessionContext | None = None
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        question = json.loads(line)
        try:
            context = context or SessionContext(question["session"], address=question["address"], cache="off")
            reply: dict[str, Any] = dict(await answer(context, question))
        except Exception as error:  # noqa: BLE001 - whatever it is, the one who asks has to learn of it
            reply = {"error": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()
    if context is not None:
        await context.close()


asyncio.run(main())
