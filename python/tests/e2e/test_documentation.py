"""The examples of the documentation, run."""

from __future__ import annotations

import asyncio
import doctest
import inspect
import re
from typing import Any

import pytest
from shells import Shell

import snakepit_bridge


def test_the_example_of_the_context_prints_what_it_says(
    shell: Shell, bridge: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SNAKEPIT_BRIDGE_ADDRESS", bridge)
    (example,) = doctest.DocTestParser().get_examples(inspect.getdoc(shell.cls) or "")
    source = example.source.replace("experiment-1", f"example {shell.name}")
    scope: dict[str, Any] = {**vars(snakepit_bridge), "SessionContext": shell.cls}
    exec(source, scope)
    ended = scope["main"]()
    if not shell.is_blocking:
        asyncio.run(ended)
    expected = re.findall(r"# (.*)$", source, re.MULTILINE)
    assert capsys.readouterr().out.splitlines() == expected
    assert len(expected) == 3
