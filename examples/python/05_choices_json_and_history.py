"""Choices, JSON and history: a plan, the phase it is in, and who changed it why. Start a bridge first."""

import asyncio
import json
from typing import Any

from snakepit_bridge import BridgeError, SessionContext


async def main() -> None:
    async with SessionContext("plan-python") as session:
        await session.create_session(ttl=60)
        # The bridge checks the choices, and that the plan is JSON.
        choices = ["draft", "review", "final"]
        await session.ensure_variable("phase", "choice", "draft", constraints={"choices": choices})
        await session.ensure_variable("plan", "json", {"steps": ["load"], "rate": None})

        def with_training(plan: dict[str, Any]) -> dict[str, Any]:
            return {**plan, "steps": [*plan["steps"], "train"]}

        # A new plan is made of the old one, and nobody else's change is lost.
        update = session.update_variable
        await update("plan", with_training, metadata={"why": "nothing was trained"})
        await update("plan", lambda plan: {**plan, "rate": 0.5}, metadata={"why": "a first guess"})
        plan = await session.get_variable("plan")
        print(f"{', '.join(plan['steps'])} at {plan['rate']}")

        await session.set_variable("phase", "review")
        try:
            await session.set_variable("phase", "done")
        except BridgeError as error:
            print(error)

        # Each set is in the history, newest first, with what was said about it.
        history = await session.get_history("plan")
        for entry in history.entries:
            text = json.dumps(entry.value, separators=(",", ":"))
            print(f"version {entry.version}: {text} ({entry.metadata.get('why', 'the beginning')})")

        # A former value is set again like any other; what it replaces stays in the history.
        former = next(entry for entry in history.entries if entry.version == 2)
        await session.set_variable("plan", former.value, metadata={"why": "back to version 2"})
        last = (await session.get_history("plan", limit=1)).entries[0]
        print(last.metadata["why"], "is version", last.version)
        await session.delete_session()


asyncio.run(main())

# Prints:
#   load, train at 0.5
#   value "done" is not one of "draft", "review", "final"
#   version 3: {"steps":["load","train"],"rate":0.5} (a first guess)
#   version 2: {"steps":["load","train"],"rate":null} (nothing was trained)
#   version 1: {"steps":["load"],"rate":null} (the beginning)
#   back to version 2 is version 4
