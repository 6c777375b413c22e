from __future__ import annotations

import enum
import json
import math
from collections import OrderedDict, namedtuple
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snakepit_bridge import InternalError, InvalidInputError
from snakepit_bridge._json import read_json, value_of, write_json


class Colour(str, enum.Enum):
    RED = "red"


class Other(str):
    """Differs from the text that it is."""

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__


Named = namedtuple("Named", "a b")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (1e18, "1e+18"),
        (9007199254740992.0, "9007199254740992.0"),
        (2**53 - 1, "9007199254740991"),
        (-(2**53) + 1, "-9007199254740991"),
        ("zażółć 🐍\u2028\x00", '"zażółć 🐍\u2028\\u0000"'),
        ([], "[]"),
        ((), "[]"),
        ({}, "{}"),
        ([1, (2, [3])], "[1,[2,[3]]]"),
        (OrderedDict(b=1, a=None), '{"b":1,"a":null}'),
        ({"__proto__": {}, "": 0}, '{"__proto__":{},"":0}'),
        ({Colour.RED: Colour.RED}, '{"red":"red"}'),
        ([np.float32(0.5), np.int8(-5), np.bool_(True), np.str_("a")], '[0.5,-5,true,"a"]'),
    ],
)
def test_a_value_is_written_as_json(value: Any, text: str) -> None:
    """[VAL-18 accepts]"""
    assert write_json(value) == text
    assert json.loads(text) == read_json(text)


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth - 1):
        value = [value]
    return value


def circle() -> dict[str, Any]:
    value: dict[str, Any] = {"inside": [0]}
    value["inside"].append(value)
    return value


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (math.nan, "value is nan, which JSON has no number for: use None or a str"),
        ([0, {"a": -math.inf}], "value[1]['a'] is -inf, which JSON has no number for: use None or a str"),
        ([np.float64("nan")], "value[0] is nan, which JSON has no number for: use None or a str"),
        ({"n": 2**53}, "value['n'] is an integer of 54 bits, and JSON has whole numbers up to 2^53 - 1 only"),
        ([-(2**53)], "value[0] is an integer of 54 bits, and JSON has whole numbers up to 2^53 - 1 only"),
        pytest.param([10**5000], "value[0]: the integer has 16610 bits and does not fit", id="huge"),
        (["\ud800"], "value[0]: the value is not well-formed text: a lone surrogate stands at position 0"),
        ({"a": {"\udc00": 1}}, "a key of value['a'] is not well-formed text: a lone surrogate"),
        ({1: 2}, "value has a key of the type int, and JSON has str for keys only: convert it with str()"),
        ({None: 2}, "value has a key of the type NoneType, and JSON has str for keys only"),
        ([{(1,): 2}], "value[0] has a key of the type tuple, and JSON has str for keys only"),
        ({Other("a"): 1, "a": 2}, "value has the key 'a' twice"),
        ([{1}], "value[0] is of the type set, which JSON does not have: convert it with list() or sorted()"),
        ([b"x"], "value[0] is of the type bytes, which JSON does not have: decode it to a str"),
        (
            [Named(1, 2)],
            "value[0] is of the type Named, which JSON does not have: convert it with list() or ._as",
        ),
        ([Decimal(1)], "value[0] is of the type Decimal, which JSON does not have: convert it with float()"),
        (
            [np.zeros(3)],
            "value[0] is of the type ndarray, which JSON does not have: convert it with .tolist()",
        ),
        (
            {"at": datetime.now(timezone.utc)},
            "value['at'] is of the type datetime, which JSON does not have: convert it first",
        ),
        (nested(65), f"value{'[0]' * 64} is nested deeper than 64"),
        (circle(), "value['inside'][1] contains itself"),
    ],
)
def test_what_json_does_not_have_is_refused_with_its_place(value: Any, problem: str) -> None:
    """[VAL-18 refuses]"""
    with pytest.raises(InvalidInputError) as caught:
        write_json(value)
    assert caught.value.reason == "INVALID_VALUE"
    assert str(caught.value).startswith(problem)


def test_however_deep_a_value_goes_it_is_only_refused() -> None:
    deep = nested(200_000)
    with pytest.raises(InvalidInputError, match=r"nested deeper than 64$"):
        write_json(deep)
    while deep:  # or the interpreter would take it apart by recursion
        deep = deep.pop()


def test_a_long_key_does_not_make_a_long_text() -> None:
    with pytest.raises(InvalidInputError) as caught:
        write_json({"k" * 100_000: {1}})
    assert len(str(caught.value)) < 200


def test_the_same_thing_in_two_places_is_no_circle() -> None:
    shared = {"a": 1}
    assert write_json([shared, shared, [shared]]) == '[{"a":1},{"a":1},[{"a":1}]]'


def test_what_is_read_is_a_new_object_each_time() -> None:
    text = '{"a":[1]}'
    first, second = value_of(text, "json"), value_of(text, "json")
    assert first == second == {"a": [1]}
    assert first is not second
    assert value_of(text, "string") == text


@pytest.mark.parametrize("text", ["", "{a}", "NaN", "[Infinity]", "[" * 200_000, "9" * 10_000])
def test_what_is_no_json_is_the_bridges_bug(text: str) -> None:
    with pytest.raises(InternalError) as caught:
        read_json(text)
    assert caught.value.reason == "PROTOCOL"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inside: (
        st.lists(inside) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inside)
    ),
    max_leaves=20,
)


@given(JSON)
def test_every_value_survives(value: Any) -> None:
    found = read_json(write_json(value))
    assert found == value
    assert repr(found) == repr(value)  # 1 and 1.0 are equal, and not the same
