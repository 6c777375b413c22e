"""Takes a TTL cache through the steps of a vector, in milliseconds: a cache has no unit of its own."""

from __future__ import annotations

from typing import Any

from google.protobuf import json_format

from snakepit_bridge._cache import Entry, Fetch, TtlCache
from snakepit_bridge._gen import values_pb2
from snakepit_bridge._values import decode_value, encode_value

Step = dict[str, Any]


def answers(given: dict[str, Any]) -> list[Any]:
    """Returns what each step answers."""
    ttl = given["ttlMs"]
    subject = TtlCache(ttl, given["room"]) if "room" in given else TtlCache(ttl)
    fetches: dict[str, Fetch] = {}
    return [_answer(subject, fetches, step) for step in given["steps"]]


def _answer(subject: TtlCache, fetches: dict[str, Fetch], step: Step) -> Any:
    at = step.get("at", 0)
    if "lookUp" in step:
        return _shown(subject, step["lookUp"], at)
    if "isCurrent" in step:
        return subject.is_current(step["isCurrent"], fetches[step["since"]])
    if "counts" in step:
        stats = subject.stats(at)
        assert stats["fetches"] == 0
        return {key: stats[key] for key in ("hits", "misses", "evictions", "size")}
    if "setTtl" in step:
        return _set(subject, float(step["setTtl"]))
    if "begin" in step:
        fetches[step["begin"]] = subject.begin(at)
    elif "store" in step:
        subject.store(_entry(step["variable"]), fetches[step["store"]], at)
    elif "wrote" in step:
        subject.note_write(step["wrote"])
    elif "invalidate" in step:
        subject.invalidate(step["invalidate"])
    else:
        subject.observe(step["observe"].encode())
    return None


def _shown(subject: TtlCache, identifier: str, at: int) -> Any:
    hit = subject.look_up(identifier, at)
    if hit is None:
        return None
    entry, age = hit
    value = json_format.MessageToDict(encode_value(entry.value))
    return {"value": value, "revision": entry.revision, "ageMs": age}


def _set(subject: TtlCache, ttl: float) -> str | None:
    try:
        subject.set_ttl(ttl)
    except ValueError:
        return "refused"
    return None


def _entry(variable: dict[str, Any]) -> Entry:
    name = variable["name"]
    value = decode_value(json_format.ParseDict(variable["value"], values_pb2.Value()))
    assert isinstance(value, str)
    return Entry(variable.get("id", f"var_{name}_1"), value, "string", 1, variable["revision"])
