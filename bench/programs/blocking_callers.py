"""One caller that blocks. The questions are those of asyncio_callers.py."""

from __future__ import annotations

import redis
from calls import Calls
from closed_loop import closed_loop
from questions import Question, answer_questions

from snakepit_bridge.sync import SessionContext

calls = Calls(SessionContext, redis.Redis)


def answer(question: Question) -> object:
    """Puts the load on the server that the question asks for."""
    return closed_loop(calls.of(question), question["milliseconds"])


answer_questions(answer)
for context in calls.contexts.values():
    context.close()
