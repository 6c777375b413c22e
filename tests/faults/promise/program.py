"""Writes, reads live and watches, as it is ordered, and tells what it was answered: see `tale.ts`.

Its arguments are the shell (`aio` or `sync`), the bridge's address, the session, and its name. It ends with
its input.
"""

from __future__ import annotations

import asyncio
import inspect
import itertools
import json
import os
import random
import sys
import threading
from collections import defaultdict
from collections.abc import Coroutine
from typing import Any

import snakepit_bridge
from snakepit_bridge import (
    UNSET,
    BridgeError,
    DeadlineError,
    InternalError,
    OutcomeUnknownError,
    SessionEvent,
    UnavailableError,
    WatchGapError,
    sync,
)

SHARED = ("a", "b", "counter", "total")
"""What is read after a gap."""
LONG, SHORT = 5.0, (0.05, 0.4)
"""Most calls have the time to try again after a restart, in seconds, and some have not."""
KINDS, SHARES = ("set", "pair", "increment", "update"), (0.3, 0.25, 0.25, 0.2)

_writing = threading.Lock()


def tell(tells: str, **what: Any) -> None:
    with _writing:
        sys.stdout.write(json.dumps({"tells": tells, **what}) + "\n")
        sys.stdout.flush()


async def answer(result: Any) -> Any:
    return await result if inspect.isawaitable(result) else result


def printed(event: SessionEvent) -> dict[str, Any]:
    return {
        "kind": event.kind,
        "session_id": event.session_id,
        "revision": event.revision,
        "source": event.source,
        "committed_at": event.at.isoformat(),
        "metadata": dict(event.metadata),
        "changes": [
            {
                key: value
                for key, value in {
                    "name": change.name,
                    "value": change.value,
                    "version": change.version,
                    "previous": change.previous,
                    "previous_version": change.previous_version,
                }.items()
                if value is not UNSET and value is not None
            }
            for change in event.changes
        ],
    }


class Program:
    """The program.

    Args:
        context: What it does everything with.
        name: Its name.
        is_blocking: Whether each order has a thread of its own.
    """

    def __init__(self, context: Any, name: str, *, is_blocking: bool) -> None:
        self._context = context
        self._name = name
        self._is_blocking = is_blocking
        self._counts: dict[str, itertools.count[int]] = defaultdict(lambda: itertools.count(1))
        self._watches: dict[str, tuple[tuple[str, ...], Any, Any]] = {}

    def start(self, work: Coroutine[Any, Any, None]) -> Any:
        """Begins something; `join` waits for its end."""
        if not self._is_blocking:
            return asyncio.ensure_future(failing_loudly(work))
        thread = threading.Thread(target=asyncio.run, args=(failing_loudly(work),), daemon=True)
        thread.start()
        return thread

    async def carry_out(self, order: dict[str, Any]) -> None:
        what = order["do"]
        if what == "watch":
            await self._watch(order["watch"], tuple(order["names"]))
        elif what == "resume":
            await self._resume(order["watch"])
        elif what == "play":
            await self._play(order["loop"], order["operations"], random.Random(order["seed"]))
        else:
            await self._look(order["after"])
        tell("over", order=order["order"])

    async def _watch(self, watch: str, names: tuple[str, ...], after: str | None = None) -> None:
        tell("begins", watch=watch, names=names, **({} if after is None else {"after": after}))
        begun = self._context.watch(names or None, after=after)
        await answer(begun.ready())
        tell("stands", watch=watch, point=begun.point)
        self._watches[watch] = (names, begun, self.start(self._read(watch, names, begun)))

    async def _resume(self, watch: str) -> None:
        names, former, reading = self._watches[watch]
        await answer(former.close())
        if self._is_blocking:
            reading.join()
        else:
            await reading
        await self._watch(watch, names, former.point)

    async def _read(self, watch: str, names: tuple[str, ...], begun: Any) -> None:
        try:
            while (event := await answer(begun.next())) is not None:
                tell("event", watch=watch, point=begun.point, event=printed(event))
        except WatchGapError as error:
            tell("gap", watch=watch, reason=error.reason)
            snapshot = await self._until_there(lambda: self._context.snapshot())
            values = {name: snapshot.values[name] for name in SHARED}
            tell("snapshot", watch=watch, revision=snapshot.revision, values=values)
            await self._watch(watch, names, snapshot.point)

    async def _until_there(self, work: Any) -> Any:
        """Does what needs a bridge as soon as there is one."""
        while True:
            try:
                return await answer(work())
            except (UnavailableError, DeadlineError):
                await self._there_again()

    async def _there_again(self) -> None:
        waiting = self._context.watch(["a"])
        await answer(waiting.ready())
        await answer(waiting.close())

    async def _play(self, loop: str, operations: int, draw: random.Random) -> None:
        for _ in range(operations):
            chance = draw.random()
            try:
                if chance < 0.2:
                    await self._read_one(loop, is_pair=chance < 0.1)
                else:
                    await self._write(loop, draw)
            except (UnavailableError, DeadlineError):
                await self._there_again()

    async def _read_one(self, loop: str, *, is_pair: bool) -> None:
        if is_pair:
            tell("read", loop=loop, values=await answer(self._context.get_variables(["a", "b"])))
            return
        state = await answer(self._context.read("counter"))
        tell("read", loop=loop, values={"counter": state.value}, point=state.point, source=state.source)

    async def _write(self, loop: str, draw: random.Random) -> None:
        op = f"{loop} {next(self._counts[loop])}"
        timeout = draw.uniform(*SHORT) if draw.random() < 0.3 else LONG
        (what,) = draw.choices(KINDS, SHARES)
        refuse = what == "set" and draw.random() < 0.1
        try:
            point, values = await self._carry_out_write(
                what, loop, op, refuse=refuse, metadata={"op": op}, timeout=timeout
            )
        except InternalError:
            raise
        except BridgeError as error:
            is_undone = isinstance(error, (UnavailableError, DeadlineError))
            is_unknown = isinstance(error, OutcomeUnknownError)
            outcome = "unknown" if is_unknown else "unavailable" if is_undone else "refused"
            tell("write", loop=loop, op=op, what=what, outcome=outcome, error=type(error).__name__)
            if outcome == "unavailable":
                raise
        else:
            tell("write", loop=loop, op=op, what=what, outcome="ok", values=values, **_at(point))

    async def _carry_out_write(
        self, what: str, loop: str, op: str, *, refuse: bool, **options: Any
    ) -> tuple[str | None, dict[str, Any]]:
        context, own = self._context, f"own {loop}"
        if what == "pair":
            values = {"a": op, "b": op}
            return (await answer(context.set_variables(values, **options))).point, values
        if what == "increment":
            return None, {"counter": await answer(context.increment("counter", 1, **options))}
        if what == "set":
            # It has not been written so often.
            expected = {"expected_version": 1_000_000} if refuse else {}
            name, call = own, context.set_variable(own, op, **options, **expected)
        else:
            name, call = "total", context.update_variable("total", lambda total: total + 1, **options)
        written = await answer(call)
        return written.point, {name: written.value}

    async def _look(self, after: str) -> None:
        """Reads until the copy answers that has come to a point."""
        loop = f"{self._name} looks"
        while True:
            state = await self._until_there(lambda: self._context.read("counter", after=after))
            if state.source != "replica":
                continue
            tell("read", loop=loop, values={"counter": state.value}, point=state.point, source=state.source)
            await self._read_one(loop, is_pair=True)
            return


def _at(point: str | None) -> dict[str, str]:
    return {} if point is None else {"point": point}


async def failing_loudly(work: Coroutine[Any, Any, None]) -> None:
    """What nobody foresaw ends the program."""
    try:
        await work
    except Exception:  # noqa: BLE001 - whatever it is
        sys.excepthook(*sys.exc_info())
        os._exit(1)


async def main() -> None:
    shell, address, session_id, name = sys.argv[1:]
    make = snakepit_bridge.SessionContext if shell == "aio" else sync.SessionContext
    program = Program(make(session_id, address=address), name, is_blocking=shell == "sync")
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        program.start(program.carry_out(json.loads(line)))
    sys.stdout.flush()
    os._exit(0)


asyncio.run(main())
