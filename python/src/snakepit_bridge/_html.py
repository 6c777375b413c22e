"""How a session looks in a notebook."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from html import escape

from ._results import VariableInfo

__all__ = ["html_note", "html_table"]

MOST_ROWS = 200
MOST_CHARACTERS = 120

_COLUMNS = ("name", "type", "value", "version", "source")


def html_table(session_id: str, variables: Mapping[str, VariableInfo]) -> str:
    """Returns a table of variables by name; long values are cut, and so are long tables."""
    head = "".join(f"<th>{column}</th>" for column in _COLUMNS)
    rows = "".join(
        _row(name, info["type"], _short(repr(info["value"])), str(info["version"]), info["source"])
        for name, info in itertools.islice(variables.items(), MOST_ROWS)
    )
    count = len(variables)
    shown = f", the first {MOST_ROWS} of" if count > MOST_ROWS else ":"
    caption = f"session {escape(repr(session_id))}{shown} {count} variable{'' if count == 1 else 's'}"
    return f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def html_note(session_id: str, problem: BaseException) -> str:
    """Returns what stands in place of the table if there is none."""
    return f"<p>session {escape(repr(session_id))}: {escape(str(problem))}</p>"


def _row(*cells: str) -> str:
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"


def _short(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…"
