# The types of snakepit/bridge/v1/state.proto. Made by `npm run gen`: do not edit.
from . import values_pb2 as _values_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StateRequest(_message.Message):
    __slots__ = ("session_id", "after", "passive")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    PASSIVE_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    after: _values_pb2.Revision
    passive: bool
    def __init__(self, session_id: _Optional[str] = ..., after: _Optional[_Union[_values_pb2.Revision, _Mapping]] = ..., passive: _Optional[bool] = ...) -> None: ...

class StateUpdate(_message.Message):
    __slots__ = ("base", "revision", "changed", "deleted", "more")
    BASE_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    DELETED_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    base: _values_pb2.Revision
    revision: _values_pb2.Revision
    changed: _containers.RepeatedCompositeFieldContainer[StateEntry]
    deleted: _containers.RepeatedScalarFieldContainer[str]
    more: bool
    def __init__(self, base: _Optional[_Union[_values_pb2.Revision, _Mapping]] = ..., revision: _Optional[_Union[_values_pb2.Revision, _Mapping]] = ..., changed: _Optional[_Iterable[_Union[StateEntry, _Mapping]]] = ..., deleted: _Optional[_Iterable[str]] = ..., more: _Optional[bool] = ...) -> None: ...

class StateEntry(_message.Message):
    __slots__ = ("name", "id", "version", "type", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    id: str
    version: int
    type: _values_pb2.VariableType
    value: _values_pb2.Value
    def __init__(self, name: _Optional[str] = ..., id: _Optional[str] = ..., version: _Optional[int] = ..., type: _Optional[_Union[_values_pb2.VariableType, str]] = ..., value: _Optional[_Union[_values_pb2.Value, _Mapping]] = ...) -> None: ...
