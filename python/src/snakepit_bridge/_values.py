"""Python values and the contract's `Value`, both ways.

The sender is typed: the Python type chooses the arm, and the variable's type decides on the other side
whether the claim fits. Nothing is coerced and no constraint is looked at here (VAL-1): the engine is the one
judge, so a verdict cannot differ between languages. What cannot be a value at all is refused before anything
is sent.
"""

from __future__ import annotations

import numbers
from typing import Any

from ._errors import InternalError, InvalidInputError
from ._gen import values_pb2
from ._results import Value, VariableType

__all__ = [
    "decode_type",
    "decode_value",
    "encode_text",
    "encode_type",
    "encode_value",
    "plain_value",
    "type_name",
]

INT64_MIN = -(2**63)
INT64_MAX = 2**63 - 1

TYPE_NAMES: tuple[VariableType, ...] = ("float", "integer", "string", "boolean")
_TYPE_OF_CODE: dict[int, VariableType] = {
    values_pb2.VariableType.Value(f"VARIABLE_TYPE_{name.upper()}"): name for name in TYPE_NAMES
}
_CODES: dict[str, int] = {name: code for code, name in _TYPE_OF_CODE.items()}


def plain_value(value: object) -> Value:
    """Returns the value as an exact bool, int, float or str.

    numpy need not be installed: its scalars say by the ABCs of `numbers` what they are, and only its bool
    does not.

    Raises:
        InvalidInputError: INVALID_VALUE, if the value is not one of these or cannot be sent whole.
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        # str.__str__ and not str(): an enum member of a str class has a text of its own.
        return encode_text(str.__str__(value), "the value")
    if isinstance(value, numbers.Integral):
        return _integer(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, numbers.Real) and not isinstance(value, numbers.Rational):
        return _float(value)
    if _is_numpy_bool(value):
        return bool(value)
    raise _refusal(value)


def encode_value(value: object) -> values_pb2.Value:
    """Returns the message that claims the value's own type. Raises as `plain_value` does."""
    plain = plain_value(value)
    if isinstance(plain, bool):
        return values_pb2.Value(boolean=plain)
    if isinstance(plain, int):
        return values_pb2.Value(integer=plain)
    if isinstance(plain, float):
        return values_pb2.Value(float=plain)
    return values_pb2.Value(string=plain)


def decode_value(message: values_pb2.Value) -> Value:
    """Returns the Python value of a message that a bridge sent.

    Raises:
        InternalError: PROTOCOL, if it has no arm that this version knows. `number` is none of them: it is for
            senders without types, and a bridge always knows the type.
    """
    arm = message.WhichOneof("kind")
    if arm == "float":
        return message.float
    if arm == "integer":
        return message.integer
    if arm == "string":
        return message.string
    if arm == "boolean":
        return message.boolean
    raise InternalError(
        f"the bridge answered with a value of the kind {arm or 'unknown to this package'}: "
        "if the bridge is newer, upgrade with `pip install -U snakepit-bridge`",
        reason="PROTOCOL",
    )


def encode_type(name: object) -> Any:
    """Returns the contract's number of a type name. Raises InvalidInputError, UNKNOWN_TYPE, for any other."""
    code = _CODES.get(name) if isinstance(name, str) else None
    if code is None:
        raise InvalidInputError(
            f"{name!r} is not a type: use one of {', '.join(TYPE_NAMES)}", reason="UNKNOWN_TYPE", field="type"
        )
    return code


def decode_type(code: int) -> VariableType:
    """Returns the name of a type that a bridge sent. Raises InternalError, PROTOCOL, for an unknown one."""
    name = type_name(code)
    if name is None:
        raise InternalError(
            f"the bridge answered with a variable of the type {code}, which is unknown to this package: "
            "upgrade with `pip install -U snakepit-bridge`",
            reason="PROTOCOL",
        )
    return name


def type_name(code: int) -> VariableType | None:
    """Returns the name of a type by the contract's number; None for one of a newer bridge."""
    return _TYPE_OF_CODE.get(code)


def encode_text(text: object, what: str, reason: str = "INVALID_VALUE") -> str:
    """Returns the text if it is well-formed Unicode, so that UTF-8 can carry it.

    Raises:
        InvalidInputError: The given reason, for a lone surrogate or for what is no text. Nothing is replaced.
    """
    if not isinstance(text, str):
        raise InvalidInputError(f"{what} must be a str, not {type(text).__name__}", reason=reason)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as problem:
        raise InvalidInputError(
            f"{what} is not well-formed text: a lone surrogate stands at position {problem.start}",
            reason=reason,
        ) from None
    return text


def _integer(value: numbers.Integral) -> int:
    whole = int(value)
    if not INT64_MIN <= whole <= INT64_MAX:
        raise InvalidInputError(
            f"the integer has {whole.bit_length()} bits and does not fit into signed 64 bit: "
            "share it as a string, or as a float with float()"
        )
    return whole


def _float(value: numbers.Real) -> float:
    try:
        nearest = float(value)
    except OverflowError:
        nearest = float("nan")
    if nearest != value and value == value:  # a NaN differs from itself and is a value
        raise InvalidInputError(
            f"the {type(value).__name__} is not exact as a float: round it with float() if that is meant"
        )
    return nearest


def _is_numpy_bool(value: object) -> bool:
    cls = type(value)
    return cls.__module__ == "numpy" and cls.__name__ in ("bool", "bool_")


_ADVICE = {
    "NoneType": "a variable always has a value; delete it with delete_variable() if it is no longer needed",
    "bytes": "decode it to a str, or encode it with base64",
    "bytearray": "decode it to a str, or encode it with base64",
    "list": "share its elements as variables, or its json.dumps() as a string",
    "tuple": "share its elements as variables, or its json.dumps() as a string",
    "dict": "share its items as variables, or its json.dumps() as a string",
    "set": "share its elements as variables, or its json.dumps() as a string",
    "Decimal": "convert it with float() if rounding is meant, else with str()",
    "complex": "share its parts as two variables",
}


def _refusal(value: object) -> InvalidInputError:
    name = type(value).__name__
    advice = _ADVICE.get(name)
    if advice is None and callable(getattr(value, "item", None)):
        advice = "take the Python scalar out of it with .item()"
    elif advice is None and hasattr(value, "__float__"):
        advice = "convert it with float() if rounding is meant"
    elif advice is None:
        advice = "convert it to one of these"
    return InvalidInputError(f"a value is a bool, int, float or str, not {name}: {advice}")
