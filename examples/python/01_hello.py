"""Hello: a session, typed variables, and a write that the other language would see.

Start a bridge first (`npx snakepit-bridge serve`), then run this file.
SNAKEPIT_BRIDGE_ADDRESS chooses another address than 127.0.0.1:50051.
"""

import asyncio

from snakepit_bridge import SessionContext


async def main() -> None:
    async with SessionContext("hello-python") as session:
        print("created:", await session.create_session(ttl=60))

        # A type, a first value, and limits that hold for every writer in every language.
        await session.ensure_variable("temperature", "float", 0.7, constraints={"min": 0, "max": 2})
        await session.ensure_variable("calls", "integer", 0)
        print("temperature:", await session.get_variable("temperature"))

        # An accepted write is one commit: the variable's version and the session's revision rise by one.
        written = await session.set_variable("temperature", 0.9)
        print(f"temperature is at version {written.version}, the session at revision {written.revision}")

        # Counting happens on the server, so no increment is lost when several programs count.
        await session.increment("calls")
        print("calls:", await session.increment("calls"))

        # Several values in one commit, all or nothing.
        batch = await session.set_variables({"temperature": 0.2, "calls": 0})
        values = await session.get_variables(["temperature", "calls"])
        print(f"both are at revision {batch.revision}: {values}")

        # A default answers only where there is no such variable.
        print("top_p:", await session.get_variable("top_p", default=None))

        await session.delete_session()


asyncio.run(main())

# Prints:
#   created: True
#   temperature: 0.7
#   temperature is at version 2, the session at revision 4
#   calls: 2
#   both are at revision 7: {'temperature': 0.2, 'calls': 0}
#   top_p: None
