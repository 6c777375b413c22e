"""Reads spec/vectors. Fails on whatever it does not understand, so that no case is passed over in silence."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SPEC = Path(__file__).resolve().parents[2] / "spec"
VECTORS = SPEC / "vectors"

COMMON = {"id", "rule", "verdict", "why"}
KEYS = {"engine": {*COMMON, "steps", "needs"}, "client": {*COMMON, "op", "input", "expect"}}


@dataclass(frozen=True)
class Form:
    """A kind of value that only one language has (spec/vector-forms.json)."""

    tag: str
    only: str
    why: str


@dataclass(frozen=True)
class Case:
    """One case, and the folder that says of which kind it is."""

    kind: str
    data: dict[str, Any]
    file: str
    """The name of its file, without the ending."""

    @property
    def id(self) -> str:
        found: str = self.data["id"]
        return found

    @property
    def needs_clock(self) -> bool:
        return "needs" in self.data

    @property
    def forms(self) -> list[Form]:
        """What it holds that only one language has; with nothing, every client runs it."""
        tags = set(_tags_in(self.data["input"])) if self.kind == "client" else set()
        return [form for form in all_forms() if form.tag in tags]


@functools.cache
def all_cases() -> tuple[Case, ...]:
    """Returns the cases of all files, checked for form."""
    cases: list[Case] = []
    for path in sorted(VECTORS.rglob("*")):
        if path.is_dir() or path == VECTORS / "README.md":
            continue
        kind = path.parent.name
        if path.suffix != ".json" or kind not in KEYS or path.parent.parent != VECTORS:
            raise ValueError(f"{path}: this file is not read")
        content = json.loads(path.read_text(encoding="utf-8"))
        if content.keys() - {"about"} != {"topic", "cases"}:
            raise ValueError(f"{path}: has the keys {list(content)}")
        cases += [_checked(path, kind, data) for data in content["cases"]]
    ids = [case.id for case in cases]
    twice = {name for name in ids if ids.count(name) > 1}
    if twice or not cases:
        raise ValueError(f"ids that stand twice: {twice}; cases: {len(cases)}")
    return tuple(cases)


@functools.cache
def all_forms() -> tuple[Form, ...]:
    """Returns what only one language has."""
    content = json.loads((SPEC / "vector-forms.json").read_text(encoding="utf-8"))
    return tuple(Form(**form) for form in content["forms"])


def share_of_python(cases: tuple[Case, ...]) -> list[Case]:
    """Returns the cases that Python runs."""
    return [case for case in cases if all(form.only == "python" for form in case.forms)]


def _tags_in(value: Any) -> list[str]:
    """Returns the names of tags, and of what looks like one."""
    if isinstance(value, list):
        return [tag for part in value for tag in _tags_in(part)]
    if isinstance(value, dict):
        return [tag for key, part in value.items() for tag in (key, *_tags_in(part))]
    return []


def _checked(path: Path, kind: str, data: dict[str, Any]) -> Case:
    missing = COMMON - data.keys()
    unknown = data.keys() - KEYS[kind]
    if missing or unknown:
        raise ValueError(f"{path}: {data.get('id')}: missing {missing}, unknown {unknown}")
    if data.get("needs", "manual-clock") != "manual-clock":
        raise ValueError(f"{path}: {data['id']}: needs {data['needs']}")
    return Case(kind, data, path.stem)
