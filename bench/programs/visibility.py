"""The other end of the way from a writer to a reader that waits: see visibility.ts.

There is no watch in our Python client, so what is read is the RPC for clients without one, with grpcio as
it is.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import grpc.aio
import redis.asyncio as redis
from closed_loop import outcome
from questions import Question, answer_questions_async

from snakepit_bridge import SessionContext
from snakepit_bridge._gen.variables_pb2 import WatchRequest, WatchResponse

WATCH = "/snakepit.bridge.v1.VariableService/Watch"

Write = Callable[[float, int], Awaitable[object]]


def monotonic_us() -> float:
    """Returns the time of the clock that all processes share, in microseconds."""
    return time.monotonic_ns() / 1_000


class Seen:
    """What was seen of a topic: for how long each value had been on its way, in seconds."""

    def __init__(self) -> None:
        self.latencies: list[float] = []
        self._more = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None

    def read_by(self, reading: Coroutine[None, None, None]) -> None:
        """Has what comes read from now on."""
        self._reading = asyncio.create_task(reading)
        self._reading.add_done_callback(lambda _: self._more.set())

    def see(self, sent_us: float) -> None:
        """Takes a value that has come."""
        self.latencies.append((monotonic_us() - sent_us) / 1e6)
        self._more.set()

    async def until(self, count: int) -> None:
        """Waits until so many have come."""
        while len(self.latencies) < count:
            self._more.clear()
            await self._more.wait()
            if self._reading is not None and self._reading.done():
                self._reading.result()
                raise EOFError("nothing comes any more")


writes: dict[tuple[str, str], Write] = {}
seen: dict[tuple[str, str], Seen] = {}


async def open_for_writing(server: str, address: str, topic: str) -> Write:
    """Returns what writes to a topic."""
    if server == "redis":
        client = redis.Redis.from_url(f"redis://{address}")
        return lambda sent_us, size: client.publish(topic, str(sent_us).ljust(size))
    context = SessionContext(topic, address=address, cache="off")
    return lambda sent_us, _size: context.set_variable("sent", sent_us)


async def watch_bridge(address: str, topic: str, watched: Seen) -> None:
    """Begins to see what is set in a session."""
    channel = grpc.aio.insecure_channel(address)
    method: Any = channel.unary_stream(WATCH, WatchRequest.SerializeToString, WatchResponse.FromString)
    responses = aiter(method(WatchRequest(session_id=topic)))
    # The first message is where it begins.
    await anext(responses)

    async def read() -> None:
        async for response in responses:
            for change in response.event.changes:
                watched.see(change.after.value.float)

    watched.read_by(read())


async def watch_redis(address: str, topic: str, watched: Seen) -> None:
    """Begins to see what is published to a channel."""
    subscriber = redis.Redis.from_url(f"redis://{address}").pubsub(ignore_subscribe_messages=True)
    await subscriber.subscribe(topic)
    # The first message says that it begins.
    await subscriber.get_message(timeout=None)

    async def read() -> None:
        async for message in subscriber.listen():
            watched.see(float(message["data"]))

    watched.read_by(read())


async def write(question: Question) -> object:
    """Writes one value after the other, with pauses between them."""
    server, address, topic = question["server"], question["address"], question["topic"]
    one = writes.get((address, topic)) or await open_for_writing(server, address, topic)
    writes[(address, topic)] = one
    end = time.monotonic() + question["milliseconds"] / 1_000
    count = 0
    while time.monotonic() < end:
        await one(monotonic_us(), question["valueBytes"])
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
        begin = watch_redis if question["server"] == "redis" else watch_bridge
        await begin(address, topic, watched)
        return {}
    watched = seen[(address, topic)]
    await watched.until(question["count"])
    latencies, watched.latencies = watched.latencies, []
    return outcome(latencies)


asyncio.run(answer_questions_async(answer))
