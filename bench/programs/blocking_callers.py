"""One caller that blocks. The questions are those of asyncio_callers.py.

The work `hit` reads what our client has at hand, so often in a row that the clock can tell how long it takes.
"""

from __future__ import annotations

from collections.abc import Callable

import redis
from calls import Calls
from closed_loop import closed_loop
from questions import Question, answer_questions

from snakepit_bridge.sync import SessionContext

calls = Calls(SessionContext, redis.Redis)
keeping: dict[str, SessionContext] = {}


HITS = 1_000


def hits(question: Question) -> Callable[[], None]:
    """Returns some reads that ask nobody."""
    variable = question["variable"]
    context = keeping.get(question["address"]) or SessionContext(
        question["session"], address=question["address"], cache="ttl", ttl=3_600
    )
    keeping[question["address"]] = context
    get = context.get_variable
    get(variable)

    def some() -> None:
        for _ in range(HITS):
            get(variable)

    return some


def answer(question: Question) -> object:
    """Puts the load on the server that the question asks for, or on none."""
    if question["work"] == "hit":
        return closed_loop(hits(question), question["milliseconds"], HITS)
    return closed_loop(calls.of(question), question["milliseconds"])


answer_questions(answer)
for context in [*calls.contexts.values(), *keeping.values()]:
    context.close()
