"""A worker with asyncio and types. It prints what it does, and how it is refused."""

from __future__ import annotations

import asyncio
import sys

from params import Params

from snakepit_bridge import ConstraintError, DefinitionConflictError, SessionContext


async def main() -> None:
    async with SessionContext(sys.argv[1]) as context:
        try:
            session = await context.typed(Params)
        except DefinitionConflictError as error:
            sys.exit(f"{error.reason} {error.identifier}: {error}")
        await session.set_variable("learning.rate", 0.5)
        await session.set_variables({"phase": "main", "plan": {"steps": ["a"]}, "class": "first"})
        for _ in range(2):
            sys.stdout.write(f"{await session.increment('calls')}\n")
        await session.update_variable("température", lambda now: now + 1.5)
        try:
            await session.set_variable("temperature", 3)
        except ConstraintError as refusal:
            sys.stdout.write(f"{refusal}\n")
        sys.stdout.write(f"{await session.wait_for('phase', lambda phase: phase == 'main')}\n")
        sys.stdout.write(f"{await session.get_all(Params)}\n")


asyncio.run(main())
