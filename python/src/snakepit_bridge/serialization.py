"""An older form of values: `type:json` inside a google.protobuf.Any, as the first Snakepit services have it.

Kept for programs that import it. The context does not use it. Unlike its ancestors it is strict in both
directions: the URL, the tag and the JSON have to agree, nothing is coerced, and a container is encoded as
JSON once.
"""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from google.protobuf import any_pb2

from ._errors import InvalidInputError
from ._scalars import INT64_MAX, INT64_MIN, encode_text, plain_value

__all__ = ["VariableSerializer"]

_URL = "type.googleapis.com/snakepit.bridge."
_UNUSUAL_FLOATS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_TYPES = ("boolean", "integer", "float", "string", "json")


class VariableSerializer:
    """Turns values into Any messages and back.

    Example:
        >>> serializer = VariableSerializer()
        >>> serializer.serialize(0.5).value
        b'float:0.5'
        >>> serializer.deserialize(serializer.serialize({"a": [1, None]}))
        {'a': [1, None]}
    """

    def serialize(self, value: Any) -> any_pb2.Any:
        """Returns the message for a value.

        Args:
            value: A bool, int, float, str or numpy scalar of these kinds, which become boolean, integer,
                float and string; or None, a list, tuple or dict with text keys of such values, which becomes
                json.

        Raises:
            InvalidInputError: It is something else, or cannot be kept whole: an int beyond signed 64 bit, NaN
                or an infinity inside a container, text that is not well-formed.
        """
        if value is None or isinstance(value, (list, tuple, dict)):
            type_name, text = "json", _json_of(value)
        else:
            type_name, text = _scalar(value)
        message = any_pb2.Any()
        message.type_url = _URL + type_name
        message.value = f"{type_name}:{text}".encode()
        return message

    def deserialize(self, any_value: any_pb2.Any, type_hint: str | None = None) -> Any:
        """Returns the value in a message.

        Args:
            any_value: The message.
            type_hint: The type that the value has to have; None: the one the message names.

        Raises:
            InvalidInputError: The message is not of this form, contradicts itself, or has another type.
        """
        try:
            type_name, colon, text = any_value.value.decode("utf-8").partition(":")
        except UnicodeDecodeError:
            raise InvalidInputError("the Any message holds no UTF-8 text") from None
        if not colon or type_name not in _TYPES:
            raise InvalidInputError("the Any message holds no text of the form type:json")
        if not any_value.type_url.endswith(f"snakepit.bridge.{type_name}"):
            raise InvalidInputError(
                f"the URL of the Any message is {any_value.type_url!r}, but its value is tagged {type_name}"
            )
        if type_hint is not None and type_hint != type_name:
            raise InvalidInputError(f"the Any message holds a value of type {type_name}, not {type_hint}")
        return _typed(type_name, _parse(text))


def _scalar(value: object) -> tuple[str, str]:
    plain = plain_value(value)
    if isinstance(plain, bool):
        return "boolean", json.dumps(plain)
    if isinstance(plain, int):
        return "integer", json.dumps(plain)
    if isinstance(plain, str):
        return "string", json.dumps(plain)
    if math.isnan(plain):
        return "float", '"NaN"'
    if math.isinf(plain):
        return "float", '"Infinity"' if plain > 0 else '"-Infinity"'
    return "float", json.dumps(plain)


def _json_of(value: object) -> str:
    try:
        return json.dumps(_checked(value), allow_nan=False)
    except RecursionError:
        raise InvalidInputError("the value is nested too deeply, or contains itself") from None
    except ValueError as problem:
        if isinstance(problem, InvalidInputError):
            raise
        raise InvalidInputError(f"the value is no JSON: {problem}") from None


def _checked(value: object) -> object:
    """Returns a copy of only what JSON has: json.dumps makes text of other keys, passes lone surrogates."""
    if value is None:
        return None
    if isinstance(value, (list, tuple)):
        return [_checked(element) for element in value]
    if isinstance(value, dict):
        return {encode_text(key, "a key"): _checked(element) for key, element in value.items()}
    return plain_value(value)


def _parse(text: str) -> Any:
    try:
        return json.loads(
            text, parse_constant=_not_json, parse_float=_finite, object_pairs_hook=_without_duplicates
        )
    except (ValueError, RecursionError) as problem:
        if isinstance(problem, InvalidInputError):
            raise
        raise InvalidInputError(f"the Any message holds no JSON: {problem}") from None


def _not_json(token: str) -> NoReturn:
    raise InvalidInputError(f"{token} is no JSON: special floats are the texts {', '.join(_UNUSUAL_FLOATS)}")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise InvalidInputError(f"{digits} is too large for a float")
    return number


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise InvalidInputError("a key stands twice in a JSON object")
    return members


def _typed(type_name: str, raw: Any) -> Any:
    if type_name == "json":
        return _checked(raw)
    if type_name == "boolean" and isinstance(raw, bool):
        return raw
    if type_name == "string" and isinstance(raw, str):
        return encode_text(raw, "the value")
    if type_name == "integer" and _is_whole(raw) and INT64_MIN <= raw <= INT64_MAX:
        return raw
    number = _as_float(raw) if type_name == "float" else None
    if number is None:
        raise InvalidInputError(f"the Any message is tagged {type_name}, but its JSON is no {type_name}")
    return number


def _as_float(raw: Any) -> float | None:
    if isinstance(raw, str):
        return _UNUSUAL_FLOATS.get(raw)
    if isinstance(raw, float):
        return raw
    # JavaScript writes 1.0 as 1.
    if _is_whole(raw) and abs(raw) < 2**1023 and float(raw) == raw:
        return float(raw)
    return None


def _is_whole(raw: object) -> bool:
    return isinstance(raw, int) and not isinstance(raw, bool)
