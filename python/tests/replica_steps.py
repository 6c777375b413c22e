"""Takes a replica through the steps of a vector."""

from __future__ import annotations

from typing import Any

from google.protobuf import json_format

from snakepit_bridge._gen import values_pb2
from snakepit_bridge._points import NOWHERE, ResumePoint
from snakepit_bridge._replica import REPLICA_BYTES, Replica, StateEntry, StateUpdate
from snakepit_bridge._values import decode_type

Step = dict[str, Any]


def answers(given: dict[str, Any]) -> list[Any]:
    """Returns what each step answers."""
    subject = Replica(given.get("budget", REPLICA_BYTES))
    return [_answer(subject, step) for step in given["steps"]]


def _answer(subject: Replica, step: Step) -> Any:
    at = step.get("at", 0)
    if "update" in step:
        return subject.take(_update(step["update"]), at)
    if "access" in step:
        return subject.access(at, step["access"])
    if "find" in step:
        return _shown(subject, step["find"])
    if "status" in step:
        return _status(subject, at)
    if "lost" in step:
        subject.lost(step["lost"])
    elif "forget" in step:
        subject.forget(step["forget"])
    elif "doubt" in step:
        subject.doubt()
    elif "answered" in step:
        subject.answered(_point(step["answered"]))
    else:
        assert step.keys() <= {"asking", "at"}, step
        subject.asking()
    return None


def _status(subject: Replica, at: int) -> dict[str, Any]:
    shown: dict[str, Any] = {"state": subject.state, "size": subject.size, "bytes": subject.bytes}
    if subject.reason is not None:
        shown["reason"] = subject.reason
    if subject.revision is not None:
        shown.update(revision=_text(subject.revision), ageMs=subject.age(at))
    return shown


def _shown(subject: Replica, identifier: str) -> dict[str, Any] | None:
    entry = subject.find(identifier)
    # What is a hit has to be what a look finds.
    if identifier in subject.hits:
        assert entry is not None
        assert subject.is_current
        assert subject.hits[identifier] == entry.held
    if entry is None:
        return None
    shown: dict[str, Any] = {"name": entry.name, "version": entry.version}
    if entry.held is not None:
        arm = "string" if entry.type == "choice" else str(entry.type)
        shown["value"] = json_format.MessageToDict(values_pb2.Value(**{arm: entry.held}))  # type: ignore[arg-type]
    return shown


def _update(given: Step) -> StateUpdate:
    return StateUpdate(
        base=_point(given["base"]) if "base" in given else None,
        revision=_point(given["revision"]),
        changed=[_entry(each) for each in given.get("changed", ())],
        deleted=given.get("deleted", ()),
        more=given.get("more", False),
    )


def _entry(given: Step) -> StateEntry:
    name = given["name"]
    held: Any = None
    arm: Any = "string"
    if "value" in given:
        message = json_format.ParseDict(given["value"], values_pb2.Value())
        arm = message.WhichOneof("kind")
        held = getattr(message, arm)
    named = f"VARIABLE_TYPE_{given['type'].removeprefix('VARIABLE_TYPE_')}" if "type" in given else None
    kind = arm if named is None else decode_type(values_pb2.VariableType.Value(named))
    return StateEntry(name, given.get("id", f"var_{name}_1"), given["version"], kind, held)


def _point(text: str) -> ResumePoint:
    """`A-3` is incarnation A at revision 3; `!` is another check, `0` no session."""
    if text == "0":
        return NOWHERE
    letter, _, number = text.rstrip("!").partition("-")
    return ResumePoint(letter.encode() * 16, int(number), int(number) + (1_000 if text.endswith("!") else 0))


def _text(point: ResumePoint) -> str:
    if point == NOWHERE:
        return "0"
    return f"{chr(point.incarnation[0])}-{point.number}{'' if point.check == point.number else '!'}"
