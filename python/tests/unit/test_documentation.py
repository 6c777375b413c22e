"""The examples that need no bridge, run."""

from __future__ import annotations

import doctest
from types import ModuleType

import pytest

from snakepit_bridge import _aio, _sync, serialization


def test_examples_of_the_serializer() -> None:
    result = doctest.testmod(serialization)
    assert (result.failed, result.attempted) == (0, 3)


@pytest.mark.parametrize("module", [_aio, _sync])
def test_examples_of_the_context_are_well_formed(module: ModuleType) -> None:
    result = doctest.testmod(module)
    assert (result.failed, result.attempted) == (0, 4)
