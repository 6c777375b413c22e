"""Tagged values, as spec/vectors/README.md describes them, and the values of Python that they mean."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

__all__ = ["tag", "untag"]


def untag(tagged: dict[str, Any]) -> Any:
    """Returns the value that a tagged value means."""
    ((name, content),) = tagged.items()
    if name in ("list", "tuple"):
        return {"list": list, "tuple": tuple}[name](untag(element) for element in content)
    if name == "dict":
        return {key: untag(element) for key, element in content}
    if name == "nested":
        return functools.reduce(lambda inside, _: [inside], range(content - 1), [])
    if name == "numpy":
        return _untag_numpy(*content)
    return _PLAIN[name](content)


def tag(value: Any) -> dict[str, Any]:
    """Returns the tagged value for a value that a client gave."""
    if isinstance(value, list):
        return {"list": [tag(element) for element in value]}
    if isinstance(value, dict):
        return {"dict": [[key, tag(element)] for key, element in value.items()]}
    name, text = _NAMES[type(value)]
    return {name: text(value)}


_PLAIN: dict[str, Callable[[Any], Any]] = {
    "int": int,
    "float": float,
    "str": str,
    "bool": bool,
    "null": lambda _: None,
    "bytes": bytes.fromhex,
    "decimal": Decimal,
    "fraction": Fraction,
}


def _text_of_float(value: float) -> str:
    """Returns a text that both languages read as this float."""
    if math.isfinite(value):
        return repr(value)
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


_NAMES: dict[type, tuple[str, Callable[[Any], Any]]] = {
    bool: ("bool", bool),
    int: ("int", str),
    float: ("float", _text_of_float),
    str: ("str", str),
    type(None): ("null", lambda _: None),
}


def _untag_numpy(type_name: str, text: str) -> Any:
    # Of those who use tagged values only the vectors need it, and it takes long to import.
    import numpy as np

    if type_name in ("bool", "bool_"):
        return np.bool_({"true": True, "false": False}[text.lower()])
    return getattr(np, type_name)(text)
