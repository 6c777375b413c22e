"""Callers on asyncio, with our own client or with redis-py.

The questions are those of client-callers.ts and redis-callers.ts, and what the workload is.
"""

from __future__ import annotations

import asyncio

import redis.asyncio as redis
from calls import Calls
from closed_loop import closed_loops
from questions import Question, answer_questions_async

from snakepit_bridge import SessionContext

calls = Calls(SessionContext, redis.Redis)


async def answer(question: Question) -> object:
    """Puts the load on the server that the question asks for."""
    return await closed_loops(calls.of(question), question["callers"], question["milliseconds"])


async def main() -> None:
    """Answers until nobody can ask any more."""
    await answer_questions_async(answer)
    for context in calls.contexts.values():
        await context.close()
    for client in calls.clients.values():
        await client.aclose()


asyncio.run(main())
