"""What programs in Python have in common with workload.ts; what it says comes with each question."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

STEPS = 2_000


def next_values(question: dict[str, Any]) -> Callable[[], float]:
    """Returns a function that gives a value within the constraints, each time another one."""
    least, most = question["min"], question["max"]
    steps = itertools.cycle(range(1, STEPS + 1))
    return lambda: least + (most - least) * next(steps) / STEPS


def next_texts(question: dict[str, Any]) -> Callable[[], str]:
    """Returns the same for a store that does not know what it holds: a text of so many bytes."""
    value, size = next_values(question), question["valueBytes"]
    return lambda: str(value()).ljust(size, ".")
