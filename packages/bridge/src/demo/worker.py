"""The Python half of the demo: an optimiser whose settings are changed from TypeScript while it runs.

It minimises Rosenbrock's function f(x, y) = (a - x)² + 10 (y - x²)² with Adam. The minimum lies at (a, a²),
and `a` is the variable `target`. Before each step it reads all variables from the bridge, at one revision;
after each step it writes its results as one commit, whose metadata tells which settings it used.
"""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass, field
from typing import Any

import worker_checks

from snakepit_bridge import BridgeError, SessionContext, worker

SETTINGS = ("learning_rate", "target", "paused")
SECONDS_PER_STEP = 0.02
SECONDS_PER_STEP_AT_MOST = 10.0


def rosenbrock(x: float, y: float, a: float) -> float:
    return (a - x) * (a - x) + 10 * (y - x * x) * (y - x * x)


def gradient(x: float, y: float, a: float) -> tuple[float, float]:
    return (-2 * (a - x) - 40 * x * (y - x * x), 20 * (y - x * x))


@dataclass
class Adam:
    """Kingma and Ba's method: each coordinate has its own step, scaled by the recent size of its gradient."""

    x: float
    y: float
    steps: int = 0
    mean: list[float] = field(default_factory=lambda: [0.0, 0.0])
    square: list[float] = field(default_factory=lambda: [0.0, 0.0])

    def step(self, learning_rate: float, target: float) -> None:
        self.steps += 1
        moves = []
        for i, slope in enumerate(gradient(self.x, self.y, target)):
            self.mean[i] = 0.9 * self.mean[i] + 0.1 * slope
            self.square[i] = 0.99 * self.square[i] + 0.01 * slope * slope
            mean = self.mean[i] / (1 - 0.9**self.steps)
            square = self.square[i] / (1 - 0.99**self.steps)
            moves.append(learning_rate * mean / (square**0.5 + 1e-8))
        self.x -= moves[0]
        self.y -= moves[1]


async def optimise(session: SessionContext) -> None:
    adam = Adam(**await session.get_variables(["x", "y"]))
    before = await session.get_variable("step")
    used: dict[str, str] = {}
    # The host waits for the first of these, and takes the worker for hung if the others do not come.
    worker.ready(alive_within=SECONDS_PER_STEP_AT_MOST)
    while True:
        worker.alive()
        now = await session.list_variables()
        settings: dict[str, Any] = {name: now[name]["value"] for name in SETTINGS}
        seen = {f"saw_{name}": str(now[name]["version"]) for name in SETTINGS}
        if not settings["paused"]:
            adam.step(settings["learning_rate"], settings["target"])
        if not settings["paused"] or seen != used:
            results = {
                "step": before + adam.steps,
                "loss": rosenbrock(adam.x, adam.y, settings["target"]),
                "x": adam.x,
                "y": adam.y,
                "phase": "paused" if settings["paused"] else "running",
            }
            await session.set_variables(results, metadata=seen)
            used = seen
        await asyncio.sleep(SECONDS_PER_STEP)


async def work(session: SessionContext) -> None:
    if "--checks" in sys.argv:
        await worker_checks.run(session)
    await optimise(session)


async def main() -> int:
    session_id = os.environ.get("SNAKEPIT_BRIDGE_SESSION", "demo")
    # The address comes from SNAKEPIT_BRIDGE_ADDRESS. Settings have to be exact, so nothing is cached.
    async with SessionContext(session_id, cache="off") as session:
        try:
            await work(session)
        except BridgeError as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
