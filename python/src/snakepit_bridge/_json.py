"""Python values and the texts of JSON that json variables hold.

`json.dumps` alone would not do: it makes text of keys that are none, writes NaN, which no other parser reads,
and passes lone surrogates and integers that JavaScript rounds. What is written here is read back as it was,
or is refused with the place where it stands. One thing changes: JSON has one kind of list, so a tuple is
read back as a list.
"""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from ._errors import InternalError, InvalidInputError
from ._results import Scalar, Value
from ._scalars import encode_text, scalar

__all__ = ["read_json", "value_of", "write_json"]

_MAX_DEPTH = 64
_LARGEST_INTEGER = 2**53 - 1


def write_json(value: object) -> str:
    """Returns the text of a value: None, a bool, int, float or str, or a list, tuple or dict of values.

    Raises:
        InvalidInputError: INVALID_VALUE, if something in it is none of these, or would not be read back as it
            was; the message names the place, as `value['layers'][2]`.
    """
    return json.dumps(_plain(value, "value", ()), allow_nan=False, ensure_ascii=False, separators=(",", ":"))


def value_of(held: Scalar, type_name: str) -> Value:
    """Returns the value of what a variable holds; of json a new one each time. Raises as `read_json`."""
    return read_json(str(held)) if type_name == "json" else held


def read_json(text: str) -> Any:
    """Returns the value in the text of a json variable, a new one each time.

    Raises:
        InternalError: PROTOCOL, if a bridge sent what is no JSON.
    """
    try:
        return json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise InternalError(
            "the bridge answered with a json value that is no JSON", reason="PROTOCOL"
        ) from None


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


def _plain(value: object, path: str, around: tuple[int, ...]) -> object:
    """Returns a copy made of what json.dumps writes as it is; `around` are the ids of what it stands in."""
    if value is None:
        return None
    # A named tuple would lose its names.
    if isinstance(value, list) or type(value) is tuple:
        inside = _enter(value, path, around)
        return [_plain(item, f"{path}[{place}]", inside) for place, item in enumerate(value)]
    if isinstance(value, dict):
        inside = _enter(value, path, around)
        members: dict[str, object] = {}
        for key, item in value.items():
            name = _key(key, path)
            if name in members:
                raise InvalidInputError(f"{path} has the key {_short(name)} twice")
            members[name] = _plain(item, f"{path}[{_short(name)}]", inside)
        return members
    return _leaf(value, path)


def _enter(container: object, path: str, around: tuple[int, ...]) -> tuple[int, ...]:
    if id(container) in around:
        raise InvalidInputError(f"{path} contains itself")
    if len(around) == _MAX_DEPTH:
        raise InvalidInputError(f"{path} is nested deeper than {_MAX_DEPTH}")
    return (*around, id(container))


def _key(key: object, path: str) -> str:
    if not isinstance(key, str):
        raise InvalidInputError(
            f"{path} has a key of the type {type(key).__name__}, and JSON has str for keys only: "
            "convert it with str()"
        )
    return encode_text(str.__str__(key), f"a key of {path}")


def _leaf(value: object, path: str) -> object:
    try:
        plain = scalar(value)
    except InvalidInputError as error:
        raise InvalidInputError(f"{path}: {error}") from None
    if plain is None:
        raise InvalidInputError(
            f"{path} is of the type {type(value).__name__}, which JSON does not have: {_advice(value)}"
        )
    if isinstance(plain, float) and not math.isfinite(plain):
        raise InvalidInputError(f"{path} is {plain!r}, which JSON has no number for: use None or a str")
    if isinstance(plain, int) and abs(plain) > _LARGEST_INTEGER:
        raise InvalidInputError(
            f"{path} is an integer of {plain.bit_length()} bits, and JSON has whole numbers up to 2^53 - 1 "
            "only: use a str, or a float with float()"
        )
    return plain


_ADVICE = {
    "bytes": "decode it to a str, or encode it with base64",
    "bytearray": "decode it to a str, or encode it with base64",
    "set": "convert it with list() or sorted()",
    "frozenset": "convert it with list() or sorted()",
    "Decimal": "convert it with float() if rounding is meant, else with str()",
}


def _advice(value: object) -> str:
    advice = _ADVICE.get(type(value).__name__)
    if advice is not None:
        return advice
    if isinstance(value, tuple):
        return "convert it with list() or ._asdict()"
    if callable(getattr(value, "tolist", None)):
        return "convert it with .tolist()"
    return "convert it first"


def _short(key: str) -> str:
    return repr(key if len(key) <= 64 else f"{key[:64]}…")
