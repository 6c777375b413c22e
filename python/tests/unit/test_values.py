from __future__ import annotations

import enum
import math
import struct
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snakepit_bridge import BridgeError, InternalError, InvalidInputError
from snakepit_bridge._gen import values_pb2, variables_pb2
from snakepit_bridge._scalars import plain_value
from snakepit_bridge._values import (
    decode_kept,
    decode_type,
    decode_value,
    encode_scalar,
    encode_type,
    encode_value,
)


class Level(enum.IntEnum):
    HIGH = 3


class Colour(str, enum.Enum):
    RED = "red"


class Loud(float):
    def __repr__(self) -> str:
        return "LOUD"


class TensorScalar:
    """Stands for a scalar of torch: it has item() and __float__ and is registered nowhere."""

    def item(self) -> float:
        return 1.5

    def __float__(self) -> float:
        return 1.5


@pytest.mark.parametrize(
    ("value", "arm", "plain"),
    [
        (True, "boolean", True),
        (False, "boolean", False),
        (0, "integer", 0),
        (-(2**63), "integer", -(2**63)),
        (2**63 - 1, "integer", 2**63 - 1),
        (Level.HIGH, "integer", 3),
        (0.0, "float", 0.0),
        (Loud(2.5), "float", 2.5),
        (math.inf, "float", math.inf),
        ("", "string", ""),
        ("zażółć 🐍\0", "string", "zażółć 🐍\0"),
        (Colour.RED, "string", "red"),
        (np.bool_(True), "boolean", True),
        (np.int8(-5), "integer", -5),
        (np.uint64(2**63 - 1), "integer", 2**63 - 1),
        (np.float16(0.5), "float", 0.5),
        (np.float32(0.1), "float", float(np.float32(0.1))),
        (np.float64(0.1), "float", 0.1),
        (np.longdouble(0.5), "float", 0.5),
        (np.str_("text"), "string", "text"),
    ],
)
def test_a_value_is_sent_in_the_arm_of_its_own_type(value: Any, arm: str, plain: Any) -> None:
    """[VAL-19 accepts]"""
    message = encode_value(value)
    assert message.WhichOneof("kind") == arm
    decoded = decode_value(message)
    assert decoded == plain
    assert type(decoded) is type(plain)
    assert type(plain_value(value)) is type(plain)


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        (2**63, "64 bit"),
        (-(2**63) - 1, "64 bit"),
        pytest.param(10**5000, "64 bit", id="huge"),
        (np.uint64(2**63), "64 bit"),
        ("\ud800", "position 0"),
        ("ab\udfff", "position 2"),
        (np.str_("\ud800"), "position 0"),
        (Fraction(1, 3), "float()"),
        (Decimal("1.5"), "float()"),
        (np.longdouble("0.1"), "float()"),
        (TensorScalar(), ".item()"),
        (np.array([1.0]), ".item()"),
        (np.array(1.0), ".item()"),
        (np.complex64(1), ".item()"),
        (1j, "complex"),
        (b"x", "bytes"),
        (bytearray(b"x"), "bytearray"),
        ({1}, "as a list in a variable of the type json"),
        (object(), "object"),
        (int, "type"),
    ],
)
def test_what_is_no_value_is_refused_with_its_type_and_what_to_do(value: Any, advice: str) -> None:
    """[VAL-19 refuses]"""
    with pytest.raises(InvalidInputError) as caught:
        encode_value(value)
    assert caught.value.reason == "INVALID_VALUE"
    assert isinstance(caught.value, (BridgeError, ValueError))
    assert advice in str(caught.value)


def test_the_content_of_a_refused_value_is_not_shown() -> None:
    for value in ({"secret"}, [b"secret"], {"a": {"secret"}}):
        with pytest.raises(InvalidInputError) as caught:
            encode_value(value)
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        ([1, "a", None], '[1,"a",null]'),
        ((1.0, (2,)), "[1.0,[2]]"),
        ({"a": {"b": [True]}}, '{"a":{"b":[true]}}'),
    ],
)
def test_what_only_json_has_claims_to_be_json(value: Any, text: str) -> None:
    """[VAL-18 accepts]"""
    assert encode_value(value) == values_pb2.Value(json=text)
    # Nothing is lost, but JSON has one kind of list.
    assert decode_value(encode_value(value)) == ([1.0, [2]] if isinstance(value, tuple) else value)


@pytest.mark.parametrize("value", ["text", 5, 1.5, True, None, [1]])
def test_a_value_for_a_json_variable_is_json_whatever_it_is(value: Any) -> None:
    message = encode_value(value, "json")
    assert message.WhichOneof("kind") == "json"
    decoded = decode_value(message)
    assert (decoded, type(decoded)) == (value, type(value))


@pytest.mark.parametrize("value", [None, [1], (1,), {"a": 1}])
def test_what_only_json_has_is_no_value_of_another_type_and_no_scalar(value: Any) -> None:
    """[VAL-19 refuses]"""
    for encode in (lambda: encode_value(value, "float"), lambda: encode_scalar(value)):
        with pytest.raises(InvalidInputError, match=f"not {type(value).__name__}: ") as caught:
            encode()
        assert caught.value.reason == "INVALID_VALUE"


def test_a_kept_value_has_the_arm_of_its_type() -> None:
    item = variables_pb2.ItemSet(type="VARIABLE_TYPE_CHOICE", value=values_pb2.Value(string="a"))
    assert decode_kept(item) == ("a", "choice")
    item = variables_pb2.ItemSet(type="VARIABLE_TYPE_JSON", value=values_pb2.Value(json='"a"'))
    assert decode_kept(item) == ('"a"', "json")
    for type_name, value in (
        ("STRING", values_pb2.Value(json='"a"')),
        ("JSON", values_pb2.Value(string="a")),
        ("FLOAT", values_pb2.Value(integer=1)),
        ("UNSPECIFIED", values_pb2.Value(string="a")),
    ):
        with pytest.raises(InternalError) as caught:
            decode_kept(variables_pb2.ItemSet(type=f"VARIABLE_TYPE_{type_name}", value=value))
        assert caught.value.reason == "PROTOCOL"


def test_nan_and_the_sign_of_zero_are_kept_bit_by_bit() -> None:
    assert math.isnan(decode_value(encode_value(math.nan)))  # type: ignore[arg-type]
    assert struct.pack("d", decode_value(encode_value(-0.0))) == struct.pack("d", -0.0)
    assert struct.pack("d", decode_value(encode_value(np.float32(-0.0)))) == struct.pack("d", -0.0)
    assert math.isnan(decode_value(encode_value(np.float32("nan"))))  # type: ignore[arg-type]


@given(
    st.one_of(
        st.booleans(),
        st.integers(-(2**63), 2**63 - 1),
        st.floats(),
        st.text(st.characters(exclude_categories=["Cs"])),
    )
)
def test_every_value_survives_the_way_through_bytes(value: Any) -> None:
    message = values_pb2.Value.FromString(encode_value(value).SerializeToString())
    decoded = decode_value(message)
    assert type(decoded) is type(value)
    assert decoded == value or (math.isnan(decoded) and math.isnan(value))  # type: ignore[arg-type]


@given(st.text(st.characters(categories=["Cs", "Lu"]), min_size=1))
def test_text_is_sent_exactly_if_utf8_can_carry_it(text: str) -> None:
    well_formed = not any(0xD800 <= ord(character) <= 0xDFFF for character in text)
    if well_formed:
        assert decode_value(encode_value(text)) == text
    else:
        with pytest.raises(InvalidInputError):
            encode_value(text)


@given(st.integers())
def test_an_integer_is_sent_exactly_if_it_fits(number: int) -> None:
    if -(2**63) <= number < 2**63:
        assert decode_value(encode_value(number)) == number
    else:
        with pytest.raises(InvalidInputError):
            encode_value(number)


@pytest.mark.parametrize("message", [values_pb2.Value(), values_pb2.Value(number=1.0)])
def test_an_answer_without_a_known_arm_is_the_bridges_bug(message: values_pb2.Value) -> None:
    with pytest.raises(InternalError) as caught:
        decode_value(message)
    assert caught.value.reason == "PROTOCOL"


@pytest.mark.parametrize("name", ["float", "integer", "string", "boolean", "choice", "json"])
def test_types_have_names(name: str) -> None:
    assert decode_type(encode_type(name)) == name


@pytest.mark.parametrize("name", ["Float", "", "unspecified", "tensor", None, float, 1])
def test_an_unknown_type_is_refused_by_name(name: Any) -> None:
    with pytest.raises(InvalidInputError) as caught:
        encode_type(name)
    assert (caught.value.reason, caught.value.field) == ("UNKNOWN_TYPE", "type")
    assert "float, integer, string, boolean, choice, json" in str(caught.value)


@pytest.mark.parametrize("code", [0, 99])
def test_a_type_of_a_newer_bridge_says_what_to_upgrade(code: int) -> None:
    with pytest.raises(InternalError, match="pip install -U snakepit-bridge"):
        decode_type(code)
