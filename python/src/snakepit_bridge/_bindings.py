"""Variables as attributes: what is read is what the variable holds at that moment (DOOR-10).

Fields of a bound dataclass are properties of a class made for it. To write values into an object whenever
something changes was considered: then a reader in another thread would find it half written.
"""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NoReturn, TypeVar

from ._definitions import Definitions
from ._errors import DefinitionConflictError, VariableNotFoundError

__all__ = ["Binding", "CurrentValues", "bindings_of", "bound", "check_bindings"]

T = TypeVar("T")

_NUMBERS_AND_TEXTS: Final[Mapping[Any, frozenset[str]]] = {
    # An int is a float wherever Python says float.
    float: frozenset({"float", "integer"}),
    int: frozenset({"integer"}),
    bool: frozenset({"boolean"}),
    str: frozenset({"string", "choice"}),
}
_ALL: Final = frozenset({"float", "integer", "string", "boolean", "choice", "json"})
_JSON: Final = frozenset({"json"})


class _AbsentVariableError(VariableNotFoundError, AttributeError):
    """So that `hasattr`, and `getattr` with a default, work."""


class CurrentValues:
    """The variables of a session as attributes, each what it holds at the moment when it is read.

    What `peek` says of errors holds here too; for a variable that does not exist it is AttributeError, too.
    One whose name is no identifier is `session.v["top-k"]`. They are set with `set_variable`: that waits.
    `name in session.v` and `list(session.v)` tell which there are; a copy of all values is a `snapshot`.

    Example:
        >>> async def show(session: SessionContext) -> None:
        ...     await session.ready()
        ...     print(session.v.temperature)  # 0.7
        ...     await session.set_variable("temperature", 0.9)
        ...     print(session.v.temperature)  # 0.9
    """

    # Looked up by their mangled names, as whatever else is looked up is a variable.
    __slots__ = ("__names", "__peek")

    def __init__(self, peek: Callable[[str], Any], names: Callable[[], Iterable[str]]) -> None:
        object.__setattr__(self, "_CurrentValues__peek", peek)
        object.__setattr__(self, "_CurrentValues__names", names)

    # `__getattr__` would be called after a search that is in vain, and that takes three times as long.
    def __getattribute__(self, name: str) -> Any:
        # Python's own questions are not about variables, and come at any time.
        if name[:2] == "__" and name[-2:] == "__":
            return object.__getattribute__(self, name)
        try:
            return object.__getattribute__(self, "_CurrentValues__peek")(name)
        except VariableNotFoundError as error:
            raise _AbsentVariableError(
                str(error), session_id=error.session_id, identifier=error.identifier
            ) from None

    def __getitem__(self, name: str) -> Any:
        return object.__getattribute__(self, "_CurrentValues__peek")(name)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(object.__getattribute__(self, "_CurrentValues__names")()))

    def __contains__(self, name: object) -> bool:
        return name in list(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError("session.v is a look into its session and cannot be copied: take a snapshot()")

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"to set a variable takes a call: set_variable({name!r}, …)")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"to delete a variable takes a call: delete_variable({name!r})")

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *object.__getattribute__(self, "_CurrentValues__names")()})


@dataclass(frozen=True)
class Binding:
    """A field of a dataclass, and the variable that it is.

    Attributes:
        field: The name of the field.
        variable: The name of the variable.
        types: The types that the variable may have.
        default: Makes the value while there is no such variable; None: there has to be one.
    """

    field: str
    variable: str
    types: frozenset[str]
    default: Callable[[], Any] | None


def bindings_of(params: Any) -> list[Binding]:
    """Returns what the fields of a dataclass are bound to.

    Raises:
        TypeError: It is no dataclass, or a field cannot be what a variable holds.
    """
    if not (isinstance(params, type) and dataclasses.is_dataclass(params)):
        raise TypeError(f"a dataclass is needed, not {params!r}")
    fields = dataclasses.fields(params)
    computed = [each.name for each in fields if not each.init]
    if computed:
        raise TypeError(f"{params.__qualname__}.{computed[0]} has init=False, so it is no variable's")
    definitions = getattr(params, "__definitions__", None)
    if isinstance(definitions, Definitions):
        return [
            Binding(each.name, variable, frozenset({definition.type}), _default_of(each))
            for each, (variable, definition) in zip(fields, definitions.variables.items(), strict=True)
        ]
    try:
        hints = typing.get_type_hints(params)
    except Exception as error:
        raise TypeError(f"the annotations of {params.__qualname__} cannot be read: {error}") from error
    return [
        Binding(each.name, each.name, _types_of(hints[each.name], params, each.name), _default_of(each))
        for each in fields
    ]


def _default_of(field: dataclasses.Field[Any]) -> Callable[[], Any] | None:
    if field.default is not dataclasses.MISSING:
        return lambda: field.default
    return None if field.default_factory is dataclasses.MISSING else field.default_factory


def _types_of(annotation: Any, params: type, field: str) -> frozenset[str]:
    """Returns the types of variables whose values are what an annotation says."""
    types_there = _NUMBERS_AND_TEXTS.get(annotation) if isinstance(annotation, type) else None
    if types_there is not None:
        return types_there
    if annotation is Any or annotation is object:
        return _ALL
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        texts = all(isinstance(each, str) and not isinstance(each, enum.Enum) for each in arguments)
        return frozenset({"choice"}) if texts else _refused(annotation, params, field)
    if origin is typing.Union or origin is types.UnionType:
        # None is what json has, or only the default.
        parts = [each for each in arguments if each is not type(None)]
        return frozenset().union(*(_types_of(each, params, field) for each in parts))
    return _JSON if _may_be_json(origin or annotation) else _refused(annotation, params, field)


def _may_be_json(annotation: Any) -> bool:
    """Whether an object or an array of json may be an instance; of what is no class nobody can say."""
    if not isinstance(annotation, type) or typing.is_typeddict(annotation):
        return True
    return issubclass(dict, annotation) or issubclass(list, annotation)


def _refused(annotation: Any, params: type, field: str) -> frozenset[str]:
    shown = annotation.__qualname__ if isinstance(annotation, type) else annotation
    raise TypeError(f"{params.__qualname__}.{field} is declared as {shown}, and no variable holds that")


def check_bindings(bindings: Iterable[Binding], found: Mapping[str, str | None], session_id: str) -> None:
    """Checks what fields are bound to against what a session has.

    Args:
        bindings: The fields.
        found: The types of the variables that there are, by name.
        session_id: The session.

    Raises:
        DefinitionConflictError: A field does not fit; the message has all of them.
    """
    faults = {each.variable: fault for each in bindings if (fault := _fault(each, found)) is not None}
    if faults:
        raise DefinitionConflictError(
            f"the session {session_id!r} does not fit: {'; '.join(faults.values())}",
            session_id=session_id,
            identifier=next(iter(faults)),
        )


def _fault(binding: Binding, found: Mapping[str, str | None]) -> str | None:
    name = binding.variable
    if name not in found:
        return None if binding.default is not None else f"{name!r} is missing, and its field has no default"
    type_there = found[name]
    if type_there in binding.types:
        return None
    return f"{name!r} is of type {type_there}, not {' or '.join(sorted(binding.types))}"


def bound(params: type[T], bindings: Iterable[Binding], peek: Callable[[str], Any]) -> T:
    """Makes an object of a dataclass whose fields are what their variables hold.

    Args:
        params: The dataclass.
        bindings: Its fields.
        peek: Gives the value of a variable at once.
    """
    fields = [each.field for each in bindings]

    def values(self: Any) -> dict[str, Any]:
        return {field: getattr(self, field) for field in fields}

    def refuse(_self: Any, name: str, *_value: Any) -> None:
        raise AttributeError(f"{name!r} is what its variable holds: set that with set_variable")

    members: dict[str, Any] = {each.field: _property(each, peek) for each in bindings}
    members["__setattr__"] = members["__delattr__"] = refuse
    # What is made of it, by `dataclasses.replace`, `copy` or `pickle`, has the values of that moment.
    members["__new__"] = lambda _class, *args, **kwargs: params(*args, **kwargs)
    members["__reduce__"] = lambda self: (_copied, (params, values(self)))
    members["__module__"] = params.__module__
    members["__qualname__"] = params.__qualname__
    cls = types.new_class(params.__name__, (params,), exec_body=lambda namespace: namespace.update(members))
    made: T = object.__new__(cls)
    return made


def _copied(params: Callable[..., T], values: Mapping[str, Any]) -> T:
    return params(**values)


def _property(binding: Binding, peek: Callable[[str], Any]) -> property:
    variable, default = binding.variable, binding.default
    if default is None:
        return property(lambda _self: peek(variable))

    def read(_self: Any) -> Any:
        try:
            return peek(variable)
        except VariableNotFoundError:
            return default()

    return property(read)
