"""The rules of values: what each type accepts, its constraints and the texts about them (VAL-2 to VAL-8)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NoReturn

from snakepit_bridge._gen import errors_pb2, values_pb2
from snakepit_bridge._names import fault_of_identifier, fault_of_name, name_in, quote
from snakepit_bridge._results import Scalar, VariableType
from snakepit_bridge._scalars import INT64_MAX, INT64_MIN

from ._patterns import plain_pattern
from ._refused import RefusedError

__all__ = [
    "Limits",
    "accept",
    "arm_of",
    "check",
    "check_name",
    "conflicting",
    "in_range",
    "limits",
    "message",
]

Limits = Mapping[str, tuple[Scalar, ...]]
"""The constraints of a variable: operands by key, ordered by key."""

_SAFE = 2**53 - 1
_LARGEST = "2^53 \N{MINUS SIGN} 1"
_NO_VALUE = (
    "no value is given, or one of a kind that this version does not know; upgrade the bridge if it is newer"
)
_MUST_BE = {"float": "a number", "integer": "an integer", "boolean": "a boolean"}
_KEYS: dict[str, set[str]] = {
    "float": {"min", "max"},
    "integer": {"min", "max", "step"},
    "string": {"min_length", "max_length", "pattern"},
    "choice": {"choices"},
    "boolean": set(),
    "json": set(),
}
_MAX_LENGTH = 1_048_576


# ---- values


def arm_of(kind: str) -> str:
    """Returns the arm that the values of a type travel in."""
    return "string" if kind == "choice" else kind


def message(kind: str, held: Scalar) -> values_pb2.Value:
    """Returns what a variable of a type holds, as it travels."""
    arm: dict[str, Any] = {arm_of(kind): held}
    return values_pb2.Value(**arm)


def accept(kind: str, value: values_pb2.Value) -> Scalar:
    """Returns what a variable of a type keeps of a value (VAL-3). Raises RefusedError."""
    arm: Any = value.WhichOneof("kind")
    if arm is None:
        raise RefusedError("INVALID_VALUE", _NO_VALUE)
    held: Any = getattr(value, arm)
    if kind == "json":
        return _as_json(arm, held)
    if arm == arm_of(kind) or (kind == "float" and arm == "number"):
        kept: Scalar = held
        return kept
    text = f"must be {_MUST_BE.get(kind, 'a string')}"
    if arm == "integer" and kind == "float":
        if int(float(held)) == held:
            return float(held)
        text = f"integer {held} is not exact as a float"
    if arm == "number" and kind == "integer" and held.is_integer() and abs(held) <= _SAFE:
        return int(held)
    if arm == "json" and held.strip() == "null":
        text = f"null is no {kind}; a variable always has a value, so delete it if it has none any more"
        raise RefusedError("INVALID_VALUE", text)
    mismatch = errors_pb2.TypeMismatch(expected=f"VARIABLE_TYPE_{kind.upper()}", actual=arm)
    raise RefusedError("TYPE_MISMATCH", text, type_mismatch=mismatch)


def _as_json(arm: str, held: Any) -> str:
    """Returns the text of a value in any arm; in the arm json our client has written it already."""
    if arm == "json":
        return str(held)
    if arm in ("float", "number") and not math.isfinite(held):
        raise RefusedError("INVALID_VALUE", f"not I-JSON at character 0: JSON has no number {_number(held)}")
    if arm == "integer" and abs(held) > _SAFE:
        raise RefusedError("INVALID_VALUE", f"not I-JSON at character 0: integer {held} is beyond {_LARGEST}")
    if arm == "number" and held.is_integer() and abs(held) <= _SAFE and (held or math.copysign(1, held) > 0):
        return str(int(held))
    return json.dumps(held, ensure_ascii=False)


def in_range(total: int) -> int:
    """Returns a sum if it is an integer of 64 bit (VAL-21). Raises RefusedError."""
    if total > INT64_MAX:
        _violated("max", f"value {total} is above maximum {INT64_MAX}")
    if total < INT64_MIN:
        _violated("min", f"value {total} is below minimum {INT64_MIN}")
    return total


def _number(value: Any) -> str:
    """Returns a number as ECMAScript writes it, with the sign of -0."""
    if isinstance(value, int):
        return str(value)
    if math.isnan(value):
        return "NaN"
    sign = "-" if math.copysign(1, value) < 0 else ""
    if math.isinf(value):
        return f"{sign}Infinity"
    if value == 0:
        return f"{sign}0"
    _, parts, exponent = Decimal(repr(abs(value))).normalize().as_tuple()
    digits = "".join(map(str, parts))
    point = len(digits) + int(exponent)
    if len(digits) <= point <= 21:
        return f"{sign}{digits}{'0' * (point - len(digits))}"
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    return f"{sign}{digits[0]}{digits[1:] and f'.{digits[1:]}'}e{point - 1:+d}"


# ---- constraints


def limits(kind: VariableType, given: Iterable[values_pb2.Constraint]) -> Limits:
    """Returns the constraints of a definition, each found good. Raises RefusedError."""
    read: dict[str, tuple[Any, ...]] = {}
    for constraint in sorted(given, key=lambda each: each.key.encode()):
        key, operands = constraint.key, constraint.values
        if key not in _KEYS[kind]:
            _invalid(key, f"{quote(key)} does not apply to type {kind}")
        if key in read:
            _invalid(key, f"{key} stands twice")
        if key != "choices" and len(operands) != 1:
            _invalid(key, f"{key} takes one operand, not {len(operands)}")
        try:
            read[key] = tuple(accept(_operand_type(key, kind), operand) for operand in operands)
        except RefusedError as refused:
            _invalid(key, f"{key}: {refused}")
        _check_operands(key, read[key])
    for low, high in (("min", "max"), ("min_length", "max_length")):
        if low in read and high in read and read[low] > read[high]:
            _invalid(low, f"{low} {_number(read[low][0])} is above {high} {_number(read[high][0])}")
    if kind == "choice" and not read:
        _invalid("choices", "choices is missing; a choice needs the list of its values")
    for pattern in read.get("pattern", ()):
        plain_pattern(str(pattern))
    return read


def _operand_type(key: str, kind: str) -> str:
    if key in ("min_length", "max_length"):
        return "integer"
    return kind


def _check_operands(key: str, operands: Sequence[Any]) -> None:
    first: Any = operands[0] if operands else None
    if key in ("min_length", "max_length") and not 0 <= first <= _MAX_LENGTH:
        _invalid(key, f"{key} {first} is not from 0 to {_MAX_LENGTH}")
    if key in ("min", "max") and first != first:
        _invalid(key, f"{key} is NaN, which bounds nothing")
    if key == "step" and first < 1:
        _invalid(key, f"{key} {first} is not above 0")
    if key == "choices":
        if not operands:
            _invalid(key, f"{key} is empty")
        if len(operands) > 1_000:
            _invalid(key, f"{key} has {len(operands)} values, more than 1000")
        for place, text in enumerate(operands):
            if text in operands[:place]:
                _invalid(key, f"{key} has {quote(text)} twice")
        size = sum(len(text.encode()) for text in operands)
        if size > 65_536:
            _invalid(key, f"{key} takes {size} bytes, more than 65536")


def check(limits: Limits, held: Any) -> None:
    """Raises RefusedError for a value that breaks a constraint, in the order of VAL-2."""
    bound: dict[str, Any] = {key: operands[0] for key, operands in limits.items()}
    if "min" in bound and not held >= bound["min"]:
        _violated("min", f"value {_number(held)} is below minimum {_number(bound['min'])}")
    if "max" in bound and not held <= bound["max"]:
        _violated("max", f"value {_number(held)} is above maximum {_number(bound['max'])}")
    start = bound.get("min", 0)
    if "step" in bound and (held - start) % bound["step"] != 0:
        _violated("step", f"value {held} is not a multiple of step {bound['step']} from minimum {start}")
    if "min_length" in bound and len(held) < bound["min_length"]:
        _violated("min_length", f"string length {len(held)} is below minimum {bound['min_length']}")
    if "max_length" in bound and len(held) > bound["max_length"]:
        _violated("max_length", f"string length {len(held)} is above maximum {bound['max_length']}")
    if "pattern" in bound and plain_pattern(bound["pattern"]).search(held) is None:
        _violated("pattern", f"value does not match pattern {bound['pattern']}")
    choices = [str(choice) for choice in limits.get("choices", ())]
    if choices and held not in choices:
        named = ", ".join(map(quote, choices[:10]))
        more = f" and {len(choices) - 10} more" if len(choices) > 10 else ""
        _violated("choices", f"value {quote(held)} is not one of {named}{more}")


def conflicting(name: str, held: Scalar, problem: str) -> RefusedError:
    """Returns the refusal of a definition that the current value does not fit."""
    if isinstance(held, bool):
        shown = str(held).lower()
    else:
        shown = quote(held) if isinstance(held, str) else _number(held)
    return RefusedError("DEFINITION_CONFLICT", f"variable {quote(name)} stands with value {shown}: {problem}")


def _invalid(key: str, text: str) -> NoReturn:
    raise RefusedError("INVALID_CONSTRAINT", text, constraint=errors_pb2.ConstraintFault(key=key))


def _violated(key: str, text: str) -> NoReturn:
    raise RefusedError("CONSTRAINT_VIOLATED", text, constraint=errors_pb2.ConstraintFault(key=key))


# ---- names


def check_name(identifier: str, *, what: str = "variable name") -> tuple[str, bool]:
    """Returns the name in an identifier, and whether it is an id (VAL-8). Raises RefusedError."""
    if what == "session id":
        fault = fault_of_name(identifier)
        if fault is not None:
            raise RefusedError("INVALID_NAME", f"{what} {quote(identifier)} {fault}", session_id=identifier)
        return identifier, False
    problem = fault_of_identifier(identifier)
    if problem is not None:
        raise RefusedError("INVALID_NAME", problem, identifier=identifier)
    name = name_in(identifier)
    return name or identifier, name is not None
