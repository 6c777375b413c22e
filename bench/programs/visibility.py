"""The other end of the way from a writer to a reader that waits: see visibility.ts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import redis.asyncio as redis
from closed_loop import outcome
from questions import Question, answer_questions_async
from visibility_readers import BEGIN, Seen

from snakepit_bridge import SessionContext

Write = Callable[[float, int], Awaitable[object]]


writes: dict[tuple[str, str], Write] = {}
seen: dict[tuple[str, str], Seen] = {}


async def open_for_writing(server: str, address: str, topic: str) -> Write:
    """Returns what writes to a topic."""
    if server == "redis":
        client = redis.Redis.from_url(f"redis://{address}")
        return lambda sent_us, size: client.publish(topic, str(sent_us).ljust(size))
    context = SessionContext(topic, address=address, cache="off")
    return lambda sent_us, _size: context.set_variable("sent", sent_us)


async def write(question: Question) -> object:
    """Writes one value after the other, with pauses between them."""
    server, address, topic = question["server"], question["address"], question["topic"]
    one = writes.get((address, topic)) or await open_for_writing(server, address, topic)
    writes[(address, topic)] = one
    end = time.monotonic() + question["milliseconds"] / 1_000
    count = 0
    while time.monotonic() < end:
        await one(time.monotonic_ns() / 1_000, question["valueBytes"])
        count += 1
        await asyncio.sleep(question["pauseMs"] / 1_000)
    return {"count": count}


async def answer(question: Question) -> object:
    """Does what visibility.ts does."""
    address, topic = question["address"], question["topic"]
    if question["work"] == "write":
        return await write(question)
    if question["work"] == "watch":
        watched = seen[(address, topic)] = Seen()
        await BEGIN[question["by"]](address, topic, watched)
        return {}
    watched = seen[(address, topic)]
    await watched.until(question["count"])
    latencies, watched.latencies = watched.latencies, []
    return outcome(latencies)


asyncio.run(answer_questions_async(answer))
