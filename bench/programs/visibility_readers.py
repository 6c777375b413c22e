"""How a program in Python waits for what others set: by a watch, by being told, and for a value."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import redis.asyncio as redis

from snakepit_bridge import SessionContext, SessionEvent, sync

NAME = "sent"

FOR_EVER = 86_400.0
"""How long a reader waits for a value, in seconds: longer than any benchmark."""


class Seen:
    """What was seen of a topic: for how long each value had been on its way, in seconds.

    It may be seen by another thread than the one that waits until so much has come.
    """

    def __init__(self) -> None:
        self.latencies: list[float] = []
        self._last = 0.0
        self._wanted = 0
        self._loop = asyncio.get_running_loop()
        self._more = asyncio.Event()
        self._failure: BaseException | None = None
        # A task has to be held by somebody.
        self._reading: asyncio.Task[None] | None = None

    def read_by(self, reading: Coroutine[None, None, object]) -> None:
        """Has what comes read from now on."""
        self._reading = asyncio.create_task(self._read(reading))

    def read_in_thread(self, reading: Callable[[], object]) -> None:
        """Has what comes read from now on by a function that blocks."""

        def read() -> None:
            try:
                reading()
            except BaseException as error:  # noqa: BLE001 - who waits for more has to learn of it
                self.fail(error)

        threading.Thread(target=read, daemon=True).start()

    def see(self, sent_us: Any) -> None:
        """Takes a value that has come. What was set before this began, or was seen, is nothing new."""
        if sent_us <= self._last:
            return
        self._last = sent_us
        self.latencies.append(time.monotonic_ns() / 1e9 - sent_us / 1e6)
        if len(self.latencies) == self._wanted:
            self._loop.call_soon_threadsafe(self._more.set)

    def see_event(self, event: SessionEvent) -> None:
        """Takes what a watch or a listener is told."""
        for change in event.changes:
            self.see(change.value)

    def fail(self, error: BaseException) -> None:
        """Nothing will come any more."""
        self._failure = error
        self._loop.call_soon_threadsafe(self._more.set)

    async def until(self, count: int) -> None:
        """Waits until so many have come."""
        self._more.clear()
        self._wanted = count
        while len(self.latencies) < count:
            if self._failure is not None:
                raise self._failure
            await self._more.wait()
        self._wanted = 0

    async def _read(self, reading: Coroutine[None, None, object]) -> None:
        try:
            await reading
        except Exception as error:  # noqa: BLE001 - who waits for more has to learn of it
            self.fail(error)


async def watch(address: str, topic: str, seen: Seen) -> None:
    """Reads a watch with `async for`."""
    watching = SessionContext(topic, address=address).watch()
    await watching.ready()

    async def read() -> None:
        async for event in watching:
            seen.see_event(event)

    seen.read_by(read())


async def watch_blocking(address: str, topic: str, seen: Seen) -> None:
    """Reads a watch with `for`, in a thread of its own."""
    watching = sync.SessionContext(topic, address=address).watch()
    watching.ready()

    def read() -> None:
        for event in watching:
            seen.see_event(event)

    seen.read_in_thread(read)


async def listen(address: str, topic: str, seen: Seen) -> None:
    """Is called on the loop."""
    context = SessionContext(topic, address=address)
    context.on_change(seen.see_event, on_error=seen.fail)
    # The bridge goes in order: when it has answered this, the listener stands.
    await context.heartbeat()


async def listen_blocking(address: str, topic: str, seen: Seen) -> None:
    """Is called in the thread of all callbacks."""
    context = sync.SessionContext(topic, address=address)
    context.on_change(seen.see_event, on_error=seen.fail)
    context.heartbeat()


async def wait_for(address: str, topic: str, seen: Seen) -> None:
    """Waits for a value that never comes, and so looks at all that do."""
    context = SessionContext(topic, address=address)
    first = asyncio.Event()

    def look(value: Any) -> bool:
        seen.see(value)
        first.set()
        return False

    seen.read_by(context.wait_for(NAME, look, timeout=FOR_EVER))
    await first.wait()


async def wait_for_blocking(address: str, topic: str, seen: Seen) -> None:
    """The same in a thread of its own."""
    context = sync.SessionContext(topic, address=address)
    first = threading.Event()

    def look(value: Any) -> bool:
        seen.see(value)
        first.set()
        return False

    seen.read_in_thread(lambda: context.wait_for(NAME, look, timeout=FOR_EVER))
    await asyncio.to_thread(first.wait)


async def subscribe(address: str, topic: str, seen: Seen) -> None:
    """Reads what is published to a channel of Redis."""
    subscriber = redis.Redis.from_url(f"redis://{address}").pubsub(ignore_subscribe_messages=True)
    await subscriber.subscribe(topic)
    # The first message says that it begins.
    await subscriber.get_message(timeout=None)

    async def read() -> None:
        async for message in subscriber.listen():
            seen.see(float(message["data"]))

    seen.read_by(read())


BEGIN: dict[str, Callable[[str, str, Seen], Awaitable[None]]] = {
    "watch(), asyncio": watch,
    "watch(), blocking": watch_blocking,
    "on_change, asyncio": listen,
    "on_change, blocking": listen_blocking,
    "wait_for, asyncio": wait_for,
    "wait_for, blocking": wait_for_blocking,
    "SUBSCRIBE": subscribe,
}
"""How readers wait: they begin to see what is set in a session, or published to a channel."""
