"""Types and constraints: nothing is coerced or rounded. Start a bridge first, as for 01_hello.py."""

import asyncio
from typing import Any

from snakepit_bridge import BatchError, BridgeError, SessionContext


async def main() -> None:
    async with SessionContext("types-python") as session:
        await session.create_session(ttl=60)
        register = session.register_variable
        await register("threshold", "float", 0.5, constraints={"min": 0, "max": 1})
        await register("batch_size", "integer", 32, constraints={"min": 8, "max": 512, "step": 8})
        await register("model", "string", "small-1", constraints={"pattern": "^[a-z]+-[0-9]+$"})
        await register("paused", "boolean", False)
        await register("phase", "choice", "warm-up", constraints={"choices": ["warm-up", "main"]})
        await register("plan", "json", {"steps": []})

        async def attempt(name: str, value: Any) -> None:
            try:
                await session.set_variable(name, value)
                print(f"{name} = {await session.get_variable(name)!r}")
            except BridgeError as error:
                print(f"{name}: {error.reason}: {error}")

        await attempt("threshold", 1)  # a whole number that a float holds exactly
        await attempt("batch_size", 20)
        await attempt("model", "Large 2")
        await attempt("paused", 1)
        await attempt("phase", "finished")
        await attempt("plan", {"steps": ["load", "train"], "rate": 0.5})

        # 64-bit integers and special floats arrive as they are.
        await session.set_variables({"counter": 9223372036854775807, "ratio": float("-inf")})
        print(await session.get_variables(["counter", "ratio"]))

        # A refused batch names every item at fault, and applies none.
        try:
            await session.set_variables({"threshold": 2, "batch_size": 7, "paused": True})
        except BatchError as error:
            for name, fault in error.errors.items():
                print(f"refused: {name}: {fault}")
        print("paused is still", await session.get_variable("paused"))
        await session.delete_session()


asyncio.run(main())

# Prints:
#   threshold = 1.0
#   batch_size: CONSTRAINT_VIOLATED: value 20 is not a multiple of step 8 from minimum 8
#   model: CONSTRAINT_VIOLATED: value does not match pattern ^[a-z]+-[0-9]+$
#   paused: TYPE_MISMATCH: must be a boolean
#   phase: CONSTRAINT_VIOLATED: value "finished" is not one of "warm-up", "main"
#   plan = {'steps': ['load', 'train'], 'rate': 0.5}
#   {'counter': 9223372036854775807, 'ratio': -inf}
#   refused: threshold: value 2 is above maximum 1
#   refused: batch_size: value 7 is below minimum 8
#   paused is still False
