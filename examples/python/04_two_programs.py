"""Two programs hand work to each other: an observer says what is looked for, an optimiser finds it.

Start a bridge first. Without an argument both run here. With `observer` or `optimiser` only that one does,
and the other may be the TypeScript one: see 04-two-programs.ts.
"""

import asyncio
import sys

from snakepit_bridge import SessionContext


async def opened() -> SessionContext:
    session = SessionContext("two-programs", cache="off", timeout=30)
    await session.create_session(ttl=60)
    # Both define the variables, so that either may come first. What stands is kept.
    phases = ["idle", "search", "found", "end"]
    await session.ensure_variable("phase", "choice", "idle", constraints={"choices": phases})
    for name, kind in {"target": "float", "x": "float", "steps": "integer"}.items():
        await session.ensure_variable(name, kind, 0)
    return session


async def observe() -> None:
    async with await opened() as session:
        for target in (3, -1.5):
            print(f"observer: look for {target}")
            await session.set_variables({"target": target, "phase": "search"})
            await session.wait_for("phase", lambda phase: phase == "found")
            found = await session.get_variables(["x", "steps"])  # of the commit that said `found`
            print(f"observer: x is {found['x']:.2f} after {found['steps']} steps")
        await session.set_variable("phase", "end")


async def optimise() -> None:
    async with await opened() as session:
        while await session.wait_for("phase", lambda phase: phase in ("search", "end")) != "end":
            target = await session.get_variable("target")
            x, steps = 0.0, 0
            while abs(target - x) > 0.001:
                x, steps = x + 0.5 * (target - x), steps + 1
            print(f"optimiser: found it in {steps} steps")
            await session.set_variables({"x": x, "steps": steps, "phase": "found"})
        await session.delete_session()


async def main(role: str = "") -> None:
    programs = {"observer": observe, "optimiser": optimise}
    await asyncio.gather(*(program() for name, program in programs.items() if role in ("", name)))


asyncio.run(main(*sys.argv[1:]))

# Prints:
#   observer: look for 3
#   optimiser: found it in 12 steps
#   observer: x is 3.00 after 12 steps
#   observer: look for -1.5
#   optimiser: found it in 11 steps
#   observer: x is -1.50 after 11 steps
