from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from google.protobuf import any_pb2
from hypothesis import given
from hypothesis import strategies as st

from snakepit_bridge import InvalidInputError
from snakepit_bridge.serialization import VariableSerializer

URL = "type.googleapis.com/snakepit.bridge."


def message(type_name: str, value: bytes) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.type_url = URL + type_name
    packed.value = value
    return packed


@pytest.mark.parametrize(
    ("value", "type_name", "text"),
    [
        (True, "boolean", "true"),
        (42, "integer", "42"),
        (-(2**63), "integer", "-9223372036854775808"),
        (0.7, "float", "0.7"),
        (1.0, "float", "1.0"),
        (-0.0, "float", "-0.0"),
        (math.nan, "float", '"NaN"'),
        (math.inf, "float", '"Infinity"'),
        (-math.inf, "float", '"-Infinity"'),
        ("hello", "string", '"hello"'),
        (None, "json", "null"),
        ([1, "a", None], "json", '[1, "a", null]'),
        ((1, 2), "json", "[1, 2]"),
        ({"a": {"b": [0.5]}}, "json", '{"a": {"b": [0.5]}}'),
        (np.float32(0.5), "float", "0.5"),
        (np.bool_(True), "boolean", "true"),
        ([np.int64(3)], "json", "[3]"),
    ],
)
def test_a_value_becomes_its_type_and_its_json_once(value: Any, type_name: str, text: str) -> None:
    packed = VariableSerializer().serialize(value)
    assert packed.type_url == URL + type_name
    assert packed.value.decode() == f"{type_name}:{text}"


@pytest.mark.parametrize(
    "value",
    [
        2**63,
        b"x",
        {1, 2},
        {1: "a"},
        "\ud800",
        ["\ud800"],
        {"\ud800": 1},
        [math.nan],
        {"a": math.inf},
        [2**63],
        object(),
        1j,
    ],
)
def test_what_json_cannot_keep_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInputError):
        VariableSerializer().serialize(value)


def test_what_contains_itself_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(InvalidInputError, match="contains itself"):
        VariableSerializer().serialize(loop)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=10,
)


@given(JSON | st.floats())
def test_what_is_serialized_comes_back_the_same(value: Any) -> None:
    serializer = VariableSerializer()
    again = serializer.deserialize(serializer.serialize(value))
    assert type(again) is type(value)
    if isinstance(value, float) and math.isnan(value):
        assert math.isnan(again)
    else:
        assert repr(again) == repr(value)


@pytest.mark.parametrize(
    ("type_name", "text", "value"),
    [
        ("float", b"1", 1.0),
        ("float", b"1e3", 1000.0),
        ("float", b'"NaN"', math.nan),
        ("integer", b"-0", 0),
        ("string", b'"null"', "null"),
        ("string", b'"\\ud83d\\ude00"', "😀"),
        ("json", b'"text"', "text"),
        ("json", b"[]", []),
    ],
)
def test_other_writers_spellings_are_read(type_name: str, text: bytes, value: Any) -> None:
    read = VariableSerializer().deserialize(message(type_name, type_name.encode() + b":" + text), type_name)
    assert type(read) is type(value)
    assert read == value or math.isnan(value)


@pytest.mark.parametrize(
    ("type_name", "value"),
    [
        ("boolean", b"boolean:1"),
        ("boolean", b'boolean:"false"'),
        ("boolean", b"boolean:null"),
        ("integer", b"integer:3.9"),
        ("integer", b"integer:3.0"),
        ("integer", b"integer:true"),
        ("integer", b"integer:9223372036854775808"),
        ("float", b"float:true"),
        ("float", b'float:"0.5"'),
        ("float", b'float:"nan"'),
        ("float", b"float:NaN"),
        ("float", b"float:1e999"),
        ("float", b"float:9007199254740993"),
        ("float", b"float:1" + b"0" * 400),
        ("string", b"string:null"),
        ("string", b"string:5"),
        ("string", b'string:"\\ud800"'),
        ("json", b"json:[NaN]"),
        ("json", b'json:{"a": 1, "a": 2}'),
        ("json", b"json:[1"),
        ("json", b"json:"),
        ("json", b"json:" + b"[" * 100_000),
        ("json", b'json:["\\ud800"]'),
        ("json", b"\xff"),
        ("json", b"null"),
        ("binary", b"binary:1"),
        ("string", b"integer:5"),
        ("", b"integer:5"),
    ],
)
def test_a_message_that_is_not_of_the_form_is_refused(type_name: str, value: bytes) -> None:
    with pytest.raises(InvalidInputError):
        VariableSerializer().deserialize(message(type_name, value))


def test_the_hint_is_heeded() -> None:
    packed = VariableSerializer().serialize(5)
    assert VariableSerializer().deserialize(packed, "integer") == 5
    with pytest.raises(InvalidInputError, match="of type integer, not float"):
        VariableSerializer().deserialize(packed, "float")


def test_containers_are_not_encoded_twice() -> None:
    packed = VariableSerializer().serialize({"a": [1]})
    assert json.loads(packed.value.decode().partition(":")[2]) == {"a": [1]}
