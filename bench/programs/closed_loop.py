"""Load in a closed loop: each caller starts its next call when its last one is answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

MAX_CALLS = 2_000_000


def closed_loop(call: Callable[[], object], milliseconds: int, step: int = 1) -> dict[str, float]:
    """Calls for so long, one call after the other.

    Args:
        call: What is done.
        milliseconds: For how long.
        step: How many calls one `call` makes, for work too short to be timed singly; its times are
            means over the step.
    """
    latencies: list[float] = []
    start = before = time.perf_counter()
    end = start + milliseconds / 1_000
    while before < end and len(latencies) < MAX_CALLS:
        call()
        after = time.perf_counter()
        latencies.append(after - before)
        before = after
    return {"seconds": time.perf_counter() - start, **outcome(latencies, step)}


async def closed_loops(
    call: Callable[[], Awaitable[object]], callers: int, milliseconds: int, step: int = 1
) -> dict[str, float]:
    """Calls for so long, with so many callers at a time; `step` is as above."""
    latencies: list[float] = []
    start = time.perf_counter()
    end = start + milliseconds / 1_000

    async def caller() -> None:
        before = time.perf_counter()
        # One call at least, however late the turn of the first caller comes.
        while not latencies or (before < end and len(latencies) < MAX_CALLS):
            await call()
            after = time.perf_counter()
            latencies.append(after - before)
            before = after

    await asyncio.gather(*(caller() for _ in range(callers)))
    return {"seconds": time.perf_counter() - start, **outcome(latencies, step)}


def outcome(latencies: Sequence[float], step: int = 1) -> dict[str, float]:
    """Returns what the callers saw, whose steps took so long in seconds."""
    ordered = sorted(latencies)
    count = len(ordered)
    return {
        "calls": count * step,
        "p50Us": ordered[(count - 1) // 2] * 1e6 / step,
        "p99Us": ordered[-(-count * 99 // 100) - 1] * 1e6 / step,
    }
