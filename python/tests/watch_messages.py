"""What a bridge tells of the commits of a journal, as messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from watch_records import Journal

from snakepit_bridge._gen import values_pb2, variables_pb2


def event_of(
    journal: Journal, place: int, session_id: str, revision: values_pb2.Revision
) -> variables_pb2.SessionEvent:
    """Returns what is told of a commit of floats and strings."""
    commit = journal.commits[place]
    return variables_pb2.SessionEvent(
        session_id=session_id,
        revision=revision,
        kind=f"SESSION_EVENT_KIND_{commit.kind.upper()}",
        source=commit.source,
        changes=_changes(journal, place),
    )


def _changes(journal: Journal, place: int) -> list[Any]:
    before, changed = journal.before(place), journal.commits[place].changes

    def sides(name: str) -> Iterator[tuple[str, Any]]:
        for key, side in (("before", before.get(name)), ("after", changed[name])):
            if side is not None:
                kind = "float" if isinstance(side[0], float) else "string"
                code = values_pb2.VariableType.Value(f"VARIABLE_TYPE_{kind.upper()}")
                yield key, {"version": side[1], "type": code, "value": {kind: side[0]}}

    return [{"name": name, "id": f"var_{name}_1", **dict(sides(name))} for name in changed]
