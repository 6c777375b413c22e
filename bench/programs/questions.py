"""The other end of harness/child.ts for programs in Python.

They are asked in lines of JSON, and end when nobody can ask any more.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

Question = dict[str, Any]


def answer_questions(answer: Callable[[Question], object]) -> None:
    """Answers each line with a line, one after the other. What fails is answered with its error."""
    while line := sys.stdin.readline():
        try:
            _say(answer(json.loads(line)))
        except Exception as error:  # noqa: BLE001 - whatever it is, the one who asks has to learn of it
            _say(_failure(error))


async def answer_questions_async(answer: Callable[[Question], Awaitable[object]]) -> None:
    """The same on an event loop, which goes on while it waits for a question."""
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        try:
            _say(await answer(json.loads(line)))
        except Exception as error:  # noqa: BLE001 - whatever it is, the one who asks has to learn of it
            _say(_failure(error))


def _failure(error: Exception) -> object:
    return {"error": f"{type(error).__name__}: {error}"}


def _say(reply: object) -> None:
    sys.stdout.write(json.dumps(reply) + "\n")
    sys.stdout.flush()
