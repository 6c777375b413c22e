"""The Python side of tests with several clients: calls as JSON lines on stdin, answers on stdout.

The argument says with which client, `asyncio` or `blocking`. tests/scenarios/driver.ts is the other end and
says what the lines are. Calls are made side by side, so that one may wait for what another does.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
import traceback
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from shells import SHELLS, Context
from tagged import tag, untag
from watches import Reader

from snakepit_bridge import UNSET, BatchError, BridgeError, SessionEvent

SHELL = {shell.name: shell for shell in SHELLS}[sys.argv[1]]
FIELDS = ("expected", "actual", "current", "constraint", "field", "setting", "limit")


class Following:
    """The last watch of an actor, and what its last listener was told."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._reader: Reader | None = None
        self._told: asyncio.Queue[SessionEvent] = asyncio.Queue()
        self._listener: Any = None

    async def watch(self, **given: Any) -> None:
        if "after" in given:
            assert self._reader is not None
            given["after"] = self._reader.point
        self._reader = Reader(self._context.watch(**given))
        await self._reader.ready()

    async def next_event(self) -> SessionEvent | None:
        assert self._reader is not None
        return await self._reader.next()

    async def end_watch(self) -> None:
        assert self._reader is not None
        await self._reader.close()

    async def on_change(self, **given: Any) -> None:
        loop = asyncio.get_running_loop()
        self._told = told = asyncio.Queue()

        def tell(event: SessionEvent) -> None:
            loop.call_soon_threadsafe(told.put_nowait, event)

        self._listener = self._context.on_change(tell, **given)

    async def next_change(self) -> SessionEvent:
        return await self._told.get()

    async def end_on_change(self) -> None:
        self._listener.close()


class Driver:
    """The actors, and what became of each call."""

    def __init__(self) -> None:
        self._actors: dict[str, Context] = {}
        self._following: dict[str, Following] = {}
        self._used: set[str] = set()

    async def answer(self, line: dict[str, Any]) -> str:
        try:
            return json.dumps({"id": line["id"], "gives": await self._obey(line)})
        except BridgeError as error:
            return json.dumps({"id": line["id"], "fails": failure(error)})
        except Exception:  # noqa: BLE001 - the test says what broke
            return json.dumps({"id": line["id"], "broke": traceback.format_exc()})

    async def _obey(self, line: dict[str, Any]) -> Any:
        if "open" in line:
            self._actors[line["open"]] = SHELL.context(
                line["session"],
                address=line["address"],
                strict=line["strict"],
                cache="live" if line["live"] else "off",
            )
            self._following[line["open"]] = Following(self._actors[line["open"]])
            return None
        if "forget" in line:
            for name in line["forget"]:
                del self._following[name]
                await self._actors.pop(name).close()
            return None
        if "used" in line:
            return sorted(self._used)
        method = line["do"]
        self._used.add(method)
        following = getattr(self._following[line["actor"]], method, None)
        call = following or getattr(self._actors[line["actor"]], method)
        result = call(**arguments(line["with"]))
        if method not in AT_ONCE:
            result = await result
        return RESULTS.get(method, plain)(result)


# ---- what is given


def arguments(given: dict[str, Any]) -> dict[str, Any]:
    return dict(GIVEN.get(key, lambda value, key=key: (key, value))(value) for key, value in given.items())


def values(given: dict[str, Any]) -> dict[str, Any]:
    return {name: untag(value) for name, value in given.items()}


def equals(given: dict[str, Any]) -> Callable[[Any], bool]:
    wanted = untag(given)
    return lambda value: tag(value) == tag(wanted)


GIVEN: dict[str, Callable[[Any], tuple[str, Any]]] = {
    "value": lambda given: ("value", untag(given)),
    "initial_value": lambda given: ("initial_value", untag(given)),
    "default": lambda given: ("default", untag(given)),
    "by": lambda given: ("by", untag(given)),
    "updates": lambda given: ("updates", values(given)),
    "constraints": lambda given: ("constraints", values(given)),
    "equals": lambda given: ("predicate", equals(given)),
    "add": lambda given: ("fn", lambda value: value + untag(given)),
    "to": lambda given: ("fn", lambda _: untag(given)),
    "timeout_ms": lambda given: ("timeout", given / 1000),
    "ttl_ms": lambda given: ("ttl", given / 1000),
}
"""How an argument is written in a story, where not as in Python."""


# ---- what comes back


def plain(result: Any) -> Any:
    """Returns what JSON can carry; what stands under `value` is a variable's."""
    if dataclasses.is_dataclass(result):
        result = vars(result)
    if isinstance(result, Mapping):
        return {key: tag(part) if key == "value" else plain(part) for key, part in result.items()}
    if isinstance(result, (list, tuple)):
        return [plain(part) for part in result]
    return round(result.timestamp() * 1000) if isinstance(result, datetime) else result


def infos(variables: Mapping[str, Mapping[str, Any]]) -> list[Any]:
    return [
        {
            "name": name,
            **plain(info),
            "constraints": {key: tag(each) for key, each in info["constraints"].items()},
        }
        for name, info in variables.items()
    ]


def event(told: SessionEvent | None) -> Any:
    if told is None:
        return None
    changes = []
    for change in told.changes:
        shown: dict[str, Any] = {"name": change.name}
        for key in ("value", "previous"):
            if getattr(change, key) is not UNSET:
                shown[key] = tag(getattr(change, key))
        for key in ("version", "previous_version"):
            if getattr(change, key) is not None:
                shown[key] = getattr(change, key)
        changes.append(shown)
    public = {name: part for name, part in vars(told).items() if not name.startswith("_")}
    return {**plain({**public, "changes": []}), "session": told.session_id, "changes": changes}


AT_ONCE = {"peek"}

RESULTS: dict[str, Callable[[Any], Any]] = {
    "get_variable": tag,
    "peek": tag,
    "increment": tag,
    "wait_for": tag,
    "get_variables": lambda found: {name: tag(value) for name, value in found.items()},
    "list_variables": infos,
    "next_event": event,
    "next_change": event,
}


def failure(error: BridgeError) -> dict[str, Any]:
    told: dict[str, Any] = {
        "class": type(error).__name__,
        "reason": error.reason,
        "retryable": error.retryable,
        "text": str(error),
        "session": error.session_id,
        "identifier": error.identifier,
        **{field: getattr(error, field, None) for field in FIELDS},
    }
    if isinstance(error, BatchError):
        told["errors"] = {name: failure(each) for name, each in error.errors.items()}
    return {key: value for key, value in told.items() if value is not None}


async def main() -> None:
    driver = Driver()
    calls: set[asyncio.Task[None]] = set()

    async def run(line: str) -> None:
        print(await driver.answer(json.loads(line)), flush=True)  # noqa: T201 - this is the answer

    while line := await asyncio.to_thread(sys.stdin.readline):
        call = asyncio.create_task(run(line))
        calls.add(call)
        call.add_done_callback(calls.discard)


asyncio.run(main())
