"""Python values and the contract's `Value`, both ways.

The sender is typed: the Python type chooses the arm, and the variable's type decides on the other side
whether the claim fits. Nothing is coerced and no constraint is looked at here (VAL-1): the engine is the one
judge, so a verdict cannot differ between languages. What cannot be a value at all is refused before anything
is sent.
"""

from __future__ import annotations

from typing import Any, get_args

from ._errors import InternalError, InvalidInputError
from ._gen import state_pb2, values_pb2, variables_pb2
from ._json import value_of, write_json
from ._results import Scalar, Value, VariableType
from ._scalars import encode_text, plain_value

__all__ = [
    "decode_kept",
    "decode_operand",
    "decode_type",
    "decode_value",
    "encode_scalar",
    "encode_text",
    "encode_type",
    "encode_value",
    "type_name",
]

TYPE_NAMES: tuple[VariableType, ...] = get_args(VariableType)
_TYPE_OF_CODE: dict[int, VariableType] = {
    values_pb2.VariableType.Value(f"VARIABLE_TYPE_{name.upper()}"): name for name in TYPE_NAMES
}
_CODES: dict[str, int] = {name: code for code, name in _TYPE_OF_CODE.items()}

_ARMS: frozenset[str] = frozenset({"float", "integer", "string", "boolean", "json"})
_ARM_OF: dict[VariableType, str] = {**{name: name for name in TYPE_NAMES}, "choice": "string"}


def encode_value(value: object, type_name: object = None) -> values_pb2.Value:
    """Returns the message that claims the value's own type.

    None, dicts, lists and tuples claim to be JSON, unless the variable is known to be of another type.

    Args:
        value: The value.
        type_name: The type of the variable; None: not known, and the variable decides. A value for a json
            variable is sent as JSON, whatever it is.

    Raises:
        InvalidInputError: INVALID_VALUE, if the value is none, or cannot be sent whole.
    """
    may_be_json = type_name is None and (value is None or isinstance(value, (dict, list, tuple)))
    if type_name == "json" or may_be_json:
        return values_pb2.Value(json=write_json(value))
    return encode_scalar(value)


def encode_scalar(value: object) -> values_pb2.Value:
    """Returns the message for a value that cannot be JSON: an amount, or an operand of a constraint.

    Raises:
        InvalidInputError: INVALID_VALUE, if the value is no bool, int, float or str, or cannot be sent whole.
    """
    plain = plain_value(value)
    if isinstance(plain, bool):
        return values_pb2.Value(boolean=plain)
    if isinstance(plain, int):
        return values_pb2.Value(integer=plain)
    if isinstance(plain, float):
        return values_pb2.Value(float=plain)
    return values_pb2.Value(string=plain)


def decode_value(message: values_pb2.Value) -> Value:
    """Returns the Python value of a message that a bridge sent; of JSON a new object each time.

    Raises:
        InternalError: PROTOCOL, if it has no arm that this version knows. `number` is none of them: it is for
            senders without types, and a bridge always knows the type.
    """
    arm, held = _held(message)
    return value_of(held, arm)


def decode_operand(message: values_pb2.Value) -> Scalar:
    """Returns an operand of a constraint, which is never JSON. Raises as `decode_value`."""
    return _held(message)[1]


def decode_kept(
    message: values_pb2.Variable
    | variables_pb2.ItemSet
    | variables_pb2.HistoryEntry
    | variables_pb2.VariableAt
    | state_pb2.StateEntry,
) -> tuple[Scalar, VariableType]:
    """Returns what a variable holds or held, JSON as its text, and the variable's type.

    Raises:
        InternalError: PROTOCOL, if this version does not know the arm or the type, or if they do not belong
            together.
    """
    name = decode_type(message.type)
    arm, held = _held(message.value)
    if arm != _ARM_OF[name]:
        raise InternalError(
            f"the bridge answered with a value of the kind {arm} for a variable of the type {name}",
            reason="PROTOCOL",
        )
    return held, name


def _held(message: values_pb2.Value) -> tuple[str, Scalar]:
    arm: Any = message.WhichOneof("kind")
    if arm in _ARMS:
        return arm, getattr(message, arm)
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
