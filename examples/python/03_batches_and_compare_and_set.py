"""Batches and compare-and-set: nobody sees half a change, and no change is lost. Start a bridge first."""

import asyncio

from snakepit_bridge import BatchError, ConflictError, SessionContext


async def main() -> None:
    async with SessionContext("batches-python", cache="off") as session:
        await session.create_session(ttl=60)
        for name in ("left", "right"):
            await session.ensure_variable(name, "integer", 50, constraints={"min": 0, "max": 100})
        await session.ensure_variable("owner", "string", "nobody")
        await session.ensure_variable("total", "integer", 0)

        async def show(what: str) -> None:
            values = await session.get_variables(["left", "right"])
            print(f"{what}: left {values['left']}, right {values['right']}")

        # What belongs together is set together. Every reader sees both or neither.
        await session.set_variables({"left": 70, "right": 30})

        # One bad item, and nothing is set. The error names all that are at fault.
        try:
            await session.set_variables({"left": 60, "right": 140})
        except BatchError as error:
            print("right:", error.errors["right"])
        await show("refused")

        # Where items do not belong together, those that can be set are, and each is told about.
        results = await session.update_variables({"left": 60, "right": 140}, atomic=False)
        for name, result in results.items():
            print(f"{name}: {'set' if result is True else 'refused'}")
        await show("best effort")

        # Two have read the same version. The one who sets first wins, and the other is told.
        version = (await session.read("owner")).version
        await session.set_variable("owner", "first", expected_version=version)
        try:
            await session.set_variable("owner", "second", expected_version=version)
        except ConflictError as error:
            print(f"owner was at version {error.expected} and is at {error.current}")

        # This reads, computes and sets, and begins anew whenever somebody else came in between.
        steps = range(1, 6)
        await asyncio.gather(*(session.update_variable("total", lambda old, n=n: old + n) for n in steps))
        print("total:", await session.get_variable("total"))
        await session.delete_session()


asyncio.run(main())

# Prints:
#   right: value 140 is above maximum 100
#   refused: left 70, right 30
#   left: set
#   right: refused
#   best effort: left 60, right 30
#   owner was at version 1 and is at 2
#   total: 15
