from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from snakepit_bridge import DefinitionConflictError
from snakepit_bridge._definitions import check_fit, definitions_of, fingerprint
from snakepit_bridge.typed import Definition, Definitions, Variables

WANTED: Mapping[str, Definition] = {
    "temperature": Definition("float", {"min": 0.0, "max": 2.0}),
    "calls": Definition("integer"),
    "phase": Definition("choice", {"choices": ["warm-up", "main"]}),
}


@dataclass(frozen=True)
class Params(Variables[Any, Any]):
    __definitions__ = Definitions(fingerprint(WANTED), WANTED)

    temperature: float
    calls: int
    phase: str


def problem(**found: Definition | None) -> str:
    """What the error says about a session that differs in these variables."""
    session = {name: each for name, each in {**WANTED, **found}.items() if each is not None}
    with pytest.raises(DefinitionConflictError) as caught:
        check_fit(Params, session, "run-42")
    assert (caught.value.reason, caught.value.session_id) == ("DEFINITION_CONFLICT", "run-42")
    assert caught.value.identifier == next(iter(found))
    start = f"the session 'run-42' is not what {__name__}.Params was made for: "
    end = ". If the definitions have changed, run `snakepit-bridge types` again"
    text = str(caught.value)
    assert text.startswith(start)
    assert text.endswith(end)
    return text.removeprefix(start).removesuffix(end)


def test_the_same_definitions_fit_in_any_order() -> None:
    """[DOOR-12 accepts]"""
    check_fit(Params, dict(reversed(WANTED.items())), "run-42")


def test_a_missing_variable_is_named() -> None:
    """[DOOR-12 refuses]"""
    assert problem(calls=None) == "'calls' is missing"


def test_another_type_is_named() -> None:
    assert (
        problem(temperature=Definition("integer", {"min": 0}))
        == "'temperature' is of type integer, not float"
    )


@pytest.mark.parametrize(
    ("constraints", "expected"),
    [
        ({"min": 0.0, "max": 3.0}, "'temperature' has max 3.0, not 2.0"),
        ({"max": 2.0}, "'temperature' has min none, not 0.0"),
        ({"min": -0.0, "max": 2.5}, "'temperature' has max 2.5, not 2.0 and min -0.0, not 0.0"),
    ],
)
def test_other_limits_are_named(constraints: dict[str, float], expected: str) -> None:
    assert problem(temperature=Definition("float", constraints)) == expected


def test_a_limit_that_should_not_be_is_named() -> None:
    assert problem(calls=Definition("integer", {"step": 5})) == "'calls' has step 5, not none"


def test_other_choices_are_named_and_long_lists_are_cut() -> None:
    turned = Definition("choice", {"choices": ["main", "warm-up"]})
    assert problem(phase=turned) == "'phase' has choices ['main', 'warm-up'], not ['warm-up', 'main']"
    many = Definition("choice", {"choices": [f"choice {i}" for i in range(1_000)]})
    assert len(problem(phase=many)) < 400


def test_all_that_differ_are_named_in_the_order_of_the_class() -> None:
    found = {"calls": WANTED["calls"], "temperature": Definition("string")}
    with pytest.raises(DefinitionConflictError) as caught:
        check_fit(Params, found, "run-42")
    assert "for: 'temperature' is of type string, not float; 'phase' is missing. If" in str(caught.value)
    assert caught.value.identifier == "temperature"


def test_a_fingerprint_that_is_not_that_of_the_definitions_is_no_fit() -> None:
    class Edited(Params):
        __definitions__ = replace(Params.__definitions__, fingerprint="0" * 64)

    with pytest.raises(
        DefinitionConflictError, match="the fingerprint is not that of the definitions beside it"
    ):
        check_fit(Edited, WANTED, "run-42")


@pytest.mark.parametrize("wrong", [int, Variables, object()])
def test_other_classes_are_no_definitions(wrong: Any) -> None:
    with pytest.raises(TypeError, match="made by `snakepit-bridge types` is needed, not"):
        definitions_of(wrong)
