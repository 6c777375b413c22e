"""How a session looks in a notebook."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from html import escape

from ._results import VariableInfo

__all__ = ["LONGEST_LOOK", "html_of"]

LONGEST_LOOK = 2.0
"""How long a notebook may be kept waiting for a table, in seconds."""

MOST_ROWS = 200
MOST_CHARACTERS = 120

_COLUMNS = ("name", "type", "value", "version", "source")


def html_of(session_id: str, read: Callable[[], Mapping[str, VariableInfo]]) -> str:
    """Returns a table of what is read, or a note that says why it cannot be."""
    try:
        return _table(session_id, read())
    except Exception as problem:  # noqa: BLE001 - who looks at a context must not break a notebook
        return f"<p>session {escape(repr(session_id))}: {escape(str(problem))}</p>"


def _table(session_id: str, variables: Mapping[str, VariableInfo]) -> str:
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


def _row(*cells: str) -> str:
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"


def _short(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…"
