"""Plays random operations in the sessions that it is told of, and tells what each was answered.

Lines of JSON: {"sessionId", "operations"} in; entries of a journal (`journal.ts`) out, then {"over": true}.
"""

from __future__ import annotations

import asyncio
import inspect
import itertools
import json
import random
import sys
import time
from typing import Any

import snakepit_bridge
from snakepit_bridge import BridgeError, InternalError, sync

# Values that no other program writes.
VALUES = itertools.count(1_000_000_000 if sys.argv[1] == "aio" else 2_000_000_000)


def tell(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


async def answer(result: Any) -> Any:
    return await result if inspect.isawaitable(result) else result


async def play(context: Any, choose: random.Random, operations: int) -> None:
    for _ in range(operations):
        began = time.monotonic_ns()
        entry: dict[str, Any]
        name = choose.choice(("a", "b"))
        what = choose.random()
        try:
            if what < 0.25:
                value = next(VALUES)
                written = await answer(context.set_variable(name, value))
                entry = {"what": "wrote", "values": {name: value}, "point": written.point}
            elif what < 0.4:
                value = next(VALUES)
                committed = await answer(context.set_variables({"x": value, "y": value}))
                entry = {"what": "wrote", "values": {"x": value, "y": value}, "point": committed.point}
            elif what < 0.9:
                asks = what >= 0.8
                state = await answer(context.read(name, bypass_cache=asks))
                entry = {
                    "what": "asked" if asks else "read",
                    "values": {name: state.value},
                    "point": state.point,
                    "source": f"{state.source} (python)",
                }
            else:
                entry = {"what": "readPair", "values": await answer(context.get_variables(["x", "y"]))}
        except InternalError:
            raise
        except BridgeError:
            # What was not answered is nobody's word.
            continue
        tell({"began": began, "ended": time.monotonic_ns(), **entry})


async def main() -> None:
    shell, address, seed = sys.argv[1:]
    choose = random.Random(int(seed))
    for line in sys.stdin:
        task = json.loads(line)
        make = snakepit_bridge.SessionContext if shell == "aio" else sync.SessionContext
        context: Any = make(task["sessionId"], address=address, timeout=20.0)
        await play(context, choose, task["operations"])
        await answer(context.close())
        tell({"over": True})


asyncio.run(main())
