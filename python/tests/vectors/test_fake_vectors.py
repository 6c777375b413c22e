"""Runs on the fakes the vectors that are about values, so that a fake cannot say otherwise than a bridge."""

from __future__ import annotations

import functools
import json
from collections import Counter
from typing import Any

import pytest
from shells import SHELLS, Shell
from vector_door import Door, follow
from vector_files import Case, all_cases, share_of_python

from snakepit_bridge._steps import Carry
from snakepit_bridge.testing._fake import FakeBridge
from snakepit_bridge.testing._patterns import plain_pattern

FILES = {
    "compare-and-set",
    "constraints-definitions",
    "constraints-values",
    "delete-and-recreate",
    "glob-and-list",
    "increment",
    "inference",
    "names",
    "reads-and-revisions",
    "register-and-ensure",
    "set-and-batches",
    "types-boolean",
    "types-choice",
    "types-float",
    "types-integer",
    "types-json",
    "types-string",
}
"""Those that a fake obeys, but for what `left_out` says."""

SINGLE = {
    "cas-beyond-2-53": "a fake counts further than a bridge",
    "def-pattern-cost-beyond": "a fake does not know what a pattern costs a bridge",
    "glob-1025-characters": "a fake has no limits",
    "json-from-large-number": "a fake writes the same number as another text",
    "order-source-before-session": "our client always sends a good source",
}


def left_out(case: Case) -> str | None:
    """Returns why a fake need not obey a case of its files; None if it has to."""
    text = json.dumps(case.data["steps"])
    commands = [next(iter(step["command"])) for step in case.data["steps"]]
    known = {name[0].lower() + name[1:] for name in FakeBridge().rpcs}
    if case.id in SINGLE:
        return SINGLE[case.id]
    if not set(commands) <= known:
        return "it needs what a fake has not"
    if not all(map(is_plain, patterns(case.data["steps"]))):
        return "a fake judges plain patterns only, and says so"
    if "not I-JSON" in text:
        return "texts of JSON come from our client, which writes no bad ones"
    if '"ttl"' in text:
        return "a fake has no time to live"
    if '"pageSize"' in text or '"pageToken"' in text:
        return "a fake lists everything at once"
    if "TOO_" in text:
        return "a fake has no limits"
    return None


def patterns(data: Any) -> list[str]:
    """Returns the patterns in steps."""
    if isinstance(data, list):
        return [pattern for each in data for pattern in patterns(each)]
    if not isinstance(data, dict):
        return []
    found = [pattern for each in data.values() for pattern in patterns(each)]
    if data.get("key") == "pattern":
        found += [each["string"] for each in data.get("values", ()) if "string" in each]
    return found


def is_plain(pattern: str) -> bool:
    try:
        return plain_pattern(pattern) is not None
    except NotImplementedError:
        return False


CASES = [case for case in share_of_python(all_cases()) if case.file in FILES and case.kind == "engine"]
OBEYED = [case for case in CASES if left_out(case) is None]


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell.name)
@pytest.mark.parametrize("file", sorted(FILES))
def test_a_fake_answers_as_the_vectors_say(file: str, shell: Shell, fakes: Counter[str]) -> None:
    with shell.driven() as run:
        for case in OBEYED:
            if case.file == file:
                perform = functools.partial(run, shell.fake("vectors")._perform)
                obey(case, Door(lambda errand, perform=perform: perform(Carry(errand))))
                fakes[shell.name] += 1


def obey(case: Case, door: Door) -> None:
    for number, step in enumerate(case.data["steps"]):
        try:
            follow(step, number, case, door)
        except AssertionError as error:
            raise AssertionError(f"{case.id}: {error}") from error


def test_what_a_fake_need_not_obey_is_known(fakes: Counter[str]) -> None:
    reasons = Counter(left_out(case) for case in CASES)
    fakes.update({f"left out, because {why}": count for why, count in reasons.items() if why is not None})
    assert {case.file for case in CASES} == FILES
    assert SINGLE.keys() <= {case.id for case in CASES}
    # A fake that obeys less than this is not worth its name.
    assert len(OBEYED) > 0.8 * len(CASES)
