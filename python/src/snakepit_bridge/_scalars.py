"""The Python values that are one value each: bool, int, float, str and what stands for them.

What cannot be sent whole is refused, and nothing is coerced, rounded or repaired.
"""

from __future__ import annotations

import numbers

from ._errors import InvalidInputError
from ._results import Scalar

__all__ = ["INT64_MAX", "INT64_MIN", "encode_text", "plain_value", "scalar"]

INT64_MIN = -(2**63)
INT64_MAX = 2**63 - 1


def plain_value(value: object) -> Scalar:
    """Returns the value as an exact bool, int, float or str.

    Raises:
        InvalidInputError: INVALID_VALUE, if the value is not one of these or cannot be sent whole.
    """
    plain = scalar(value)
    if plain is None:
        raise _refusal(value)
    return plain


def scalar(value: object) -> Scalar | None:
    """Returns the value as an exact bool, int, float or str; None if it is no such thing.

    numpy need not be installed: its scalars say by the ABCs of `numbers` what they are, and only its bool
    does not.

    Raises:
        InvalidInputError: INVALID_VALUE, if it is one and cannot be sent whole.
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
    return None


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
    "list": "share its elements as variables, or register the variable with the type json",
    "tuple": "share its elements as variables, or register the variable with the type json",
    "dict": "share its items as variables, or register the variable with the type json",
    "set": "share its elements as variables, or as a list in a variable of the type json",
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
