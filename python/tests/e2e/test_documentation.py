"""The examples of the documentation, run."""

from __future__ import annotations

import asyncio
import doctest
import inspect
from typing import Any

import pytest

import snakepit_bridge
from snakepit_bridge import SessionContext


def test_the_example_of_the_context_prints_what_it_says(
    bridge: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SNAKEPIT_BRIDGE_ADDRESS", bridge)
    (example,) = doctest.DocTestParser().get_examples(inspect.getdoc(SessionContext) or "")
    scope: dict[str, Any] = dict(vars(snakepit_bridge))
    exec(example.source, scope)
    asyncio.run(scope["main"]())
    expected = example.source.rpartition("print(")[2].partition("# ")[2].strip()
    assert capsys.readouterr().out.strip() == expected == "1.0"
