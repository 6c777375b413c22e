"""A configuration that is tuned while it is used, and requests that see one of them. Start a bridge first."""

import asyncio
from dataclasses import dataclass

from snakepit_bridge import SessionContext


@dataclass
class Params:
    prompt: str
    temperature: float


async def main() -> None:
    async with SessionContext("tuned-python") as session:
        await session.create_session(ttl=60)
        await session.ensure_variable("prompt", "string", "Be brief.")
        await session.ensure_variable("temperature", "float", 0.2, constraints={"min": 0, "max": 2})

        # Reading a field is a look into a copy that the bridge keeps current.
        current = await session.bind(Params)
        print(current.prompt, current.temperature)

        # What a request asks for may be tuned while it waits.
        async def request() -> str:
            before = f"{current.prompt} at {current.temperature}"
            await session.set_variables({"prompt": "Be bold.", "temperature": current.temperature * 2})
            return f"{before}, then {current.prompt} at {current.temperature}"

        print(await request())

        # In a pinned snapshot it has one configuration from its beginning to its end.
        with await session.snapshot():
            print(await request())
        print(current.prompt, current.temperature)
        await session.delete_session()


asyncio.run(main())

# Prints:
#   Be brief. 0.2
#   Be brief. at 0.2, then Be bold. at 0.4
#   Be bold. at 0.4, then Be bold. at 0.4
#   Be bold. 0.8
