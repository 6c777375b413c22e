"""The examples that need no bridge, run."""

from __future__ import annotations

import doctest

from snakepit_bridge import _aio, serialization


def test_examples_of_the_serializer() -> None:
    result = doctest.testmod(serialization)
    assert (result.failed, result.attempted) == (0, 3)


def test_examples_of_the_context_are_well_formed() -> None:
    result = doctest.testmod(_aio)
    assert result.failed == 0
    assert result.attempted >= 2
