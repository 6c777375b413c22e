"""The two clients of Python are one, and what they can do has its counterpart in TypeScript."""

from __future__ import annotations

import inspect
import json
import typing
from pathlib import Path
from typing import Any

import pytest

import snakepit_bridge
from snakepit_bridge import sync

METHODS = Path(__file__).resolve().parents[3] / "spec" / "client-methods.json"
ASYNCIO: Any = snakepit_bridge.SessionContext
BLOCKING: Any = sync.SessionContext
AT_ONCE = {"watch", "on_change", "peek", "set_cache_ttl", "invalidate_cache", "get_cache_stats"}


def public(cls: type) -> list[str]:
    """The public methods in the order of their definition."""
    return [name for name, value in vars(cls).items() if callable(value) and not name.startswith("_")]


NAMES = public(ASYNCIO)


def test_both_have_the_same_methods_in_the_same_order() -> None:
    assert public(BLOCKING) == NAMES
    assert len(NAMES) == 29


@pytest.mark.parametrize("name", NAMES)
def test_a_method_takes_and_answers_the_same_in_both(name: str) -> None:
    one, other = inspect.signature(getattr(ASYNCIO, name)), inspect.signature(getattr(BLOCKING, name))
    assert list(one.parameters.values()) == list(other.parameters.values())
    assert one.return_annotation == other.return_annotation


@pytest.mark.parametrize("name", NAMES)
def test_a_method_shows_what_it_does(name: str) -> None:
    for cls in (ASYNCIO, BLOCKING):
        method = getattr(cls, name)
        assert method.__doc__
        assert method.__doc__ == getattr(ASYNCIO, name).__doc__
        assert (method.__name__, method.__qualname__) == (name, f"SessionContext.{name}")
        assert method.__module__ == cls.__module__
        # What help() prints, and what tools make of the annotations.
        assert "Flow" not in str(inspect.signature(method))
        if name != "close":
            assert typing.get_type_hints(method)["return"] is not None
        assert "*args" not in str(inspect.signature(method))


@pytest.mark.parametrize("name", NAMES)
def test_what_waits_is_awaited_in_one_and_not_in_the_other(name: str) -> None:
    assert inspect.iscoroutinefunction(getattr(ASYNCIO, name)) is (name not in AT_ONCE)
    assert not inspect.iscoroutinefunction(getattr(BLOCKING, name))


def test_both_are_made_with_the_same_options() -> None:
    def options(cls: Any) -> list[Any]:
        parameters = inspect.signature(cls).parameters.values()
        # A channel is grpc's of one kind or of the other.
        return [each.replace(annotation=None) if each.name == "channel" else each for each in parameters]

    assert options(ASYNCIO) == options(BLOCKING)


def test_every_method_has_its_counterpart_or_says_why_not() -> None:
    listed = json.loads(METHODS.read_text(encoding="utf-8"))
    python = [each["python"] for each in listed["methods"]]
    python += [each["python"] for each in listed["only"] if "python" in each]
    assert sorted(python) == sorted(NAMES)
    assert all(each["why"] for each in listed["only"])
