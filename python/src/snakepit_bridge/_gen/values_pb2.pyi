# The types of snakepit/bridge/v1/values.proto. Made by `npm run gen`: do not edit.
import builtins as _builtins

import datetime

from . import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class VariableType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VARIABLE_TYPE_UNSPECIFIED: _ClassVar[VariableType]
    VARIABLE_TYPE_FLOAT: _ClassVar[VariableType]
    VARIABLE_TYPE_INTEGER: _ClassVar[VariableType]
    VARIABLE_TYPE_STRING: _ClassVar[VariableType]
    VARIABLE_TYPE_BOOLEAN: _ClassVar[VariableType]
    VARIABLE_TYPE_CHOICE: _ClassVar[VariableType]
    VARIABLE_TYPE_JSON: _ClassVar[VariableType]
VARIABLE_TYPE_UNSPECIFIED: VariableType
VARIABLE_TYPE_FLOAT: VariableType
VARIABLE_TYPE_INTEGER: VariableType
VARIABLE_TYPE_STRING: VariableType
VARIABLE_TYPE_BOOLEAN: VariableType
VARIABLE_TYPE_CHOICE: VariableType
VARIABLE_TYPE_JSON: VariableType

class Value(_message.Message):
    __slots__ = ("float", "integer", "number", "string", "boolean", "json")
    FLOAT_FIELD_NUMBER: _ClassVar[_builtins.int]
    INTEGER_FIELD_NUMBER: _ClassVar[_builtins.int]
    NUMBER_FIELD_NUMBER: _ClassVar[_builtins.int]
    STRING_FIELD_NUMBER: _ClassVar[_builtins.int]
    BOOLEAN_FIELD_NUMBER: _ClassVar[_builtins.int]
    JSON_FIELD_NUMBER: _ClassVar[_builtins.int]
    float: _builtins.float
    integer: _builtins.int
    number: _builtins.float
    string: _builtins.str
    boolean: _builtins.bool
    json: _builtins.str
    def __init__(self, float: _Optional[_builtins.float] = ..., integer: _Optional[_builtins.int] = ..., number: _Optional[_builtins.float] = ..., string: _Optional[_builtins.str] = ..., boolean: _Optional[_builtins.bool] = ..., json: _Optional[_builtins.str] = ...) -> None: ...

class Constraint(_message.Message):
    __slots__ = ("key", "values")
    KEY_FIELD_NUMBER: _ClassVar[_builtins.int]
    VALUES_FIELD_NUMBER: _ClassVar[_builtins.int]
    key: _builtins.str
    values: _containers.RepeatedCompositeFieldContainer[Value]
    def __init__(self, key: _Optional[_builtins.str] = ..., values: _Optional[_Iterable[_Union[Value, _Mapping]]] = ...) -> None: ...

class MetadataEntry(_message.Message):
    __slots__ = ("key", "value")
    KEY_FIELD_NUMBER: _ClassVar[_builtins.int]
    VALUE_FIELD_NUMBER: _ClassVar[_builtins.int]
    key: _builtins.str
    value: _builtins.str
    def __init__(self, key: _Optional[_builtins.str] = ..., value: _Optional[_builtins.str] = ...) -> None: ...

class Variable(_message.Message):
    __slots__ = ("id", "name", "type", "value", "version", "constraints", "metadata", "source", "created_at", "updated_at", "provisional")
    ID_FIELD_NUMBER: _ClassVar[_builtins.int]
    NAME_FIELD_NUMBER: _ClassVar[_builtins.int]
    TYPE_FIELD_NUMBER: _ClassVar[_builtins.int]
    VALUE_FIELD_NUMBER: _ClassVar[_builtins.int]
    VERSION_FIELD_NUMBER: _ClassVar[_builtins.int]
    CONSTRAINTS_FIELD_NUMBER: _ClassVar[_builtins.int]
    METADATA_FIELD_NUMBER: _ClassVar[_builtins.int]
    SOURCE_FIELD_NUMBER: _ClassVar[_builtins.int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[_builtins.int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[_builtins.int]
    PROVISIONAL_FIELD_NUMBER: _ClassVar[_builtins.int]
    id: _builtins.str
    name: _builtins.str
    type: VariableType
    value: Value
    version: _builtins.int
    constraints: _containers.RepeatedCompositeFieldContainer[Constraint]
    metadata: _containers.RepeatedCompositeFieldContainer[MetadataEntry]
    source: _builtins.str
    created_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    provisional: _builtins.bool
    def __init__(self, id: _Optional[_builtins.str] = ..., name: _Optional[_builtins.str] = ..., type: _Optional[_Union[VariableType, _builtins.str]] = ..., value: _Optional[_Union[Value, _Mapping]] = ..., version: _Optional[_builtins.int] = ..., constraints: _Optional[_Iterable[_Union[Constraint, _Mapping]]] = ..., metadata: _Optional[_Iterable[_Union[MetadataEntry, _Mapping]]] = ..., source: _Optional[_builtins.str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., provisional: _Optional[_builtins.bool] = ...) -> None: ...

class Definition(_message.Message):
    __slots__ = ("name", "type", "initial_value", "constraints", "metadata")
    NAME_FIELD_NUMBER: _ClassVar[_builtins.int]
    TYPE_FIELD_NUMBER: _ClassVar[_builtins.int]
    INITIAL_VALUE_FIELD_NUMBER: _ClassVar[_builtins.int]
    CONSTRAINTS_FIELD_NUMBER: _ClassVar[_builtins.int]
    METADATA_FIELD_NUMBER: _ClassVar[_builtins.int]
    name: _builtins.str
    type: VariableType
    initial_value: Value
    constraints: _containers.RepeatedCompositeFieldContainer[Constraint]
    metadata: _containers.RepeatedCompositeFieldContainer[MetadataEntry]
    def __init__(self, name: _Optional[_builtins.str] = ..., type: _Optional[_Union[VariableType, _builtins.str]] = ..., initial_value: _Optional[_Union[Value, _Mapping]] = ..., constraints: _Optional[_Iterable[_Union[Constraint, _Mapping]]] = ..., metadata: _Optional[_Iterable[_Union[MetadataEntry, _Mapping]]] = ...) -> None: ...

class Revision(_message.Message):
    __slots__ = ("incarnation", "number", "commit_check")
    INCARNATION_FIELD_NUMBER: _ClassVar[_builtins.int]
    NUMBER_FIELD_NUMBER: _ClassVar[_builtins.int]
    COMMIT_CHECK_FIELD_NUMBER: _ClassVar[_builtins.int]
    incarnation: _builtins.bytes
    number: _builtins.int
    commit_check: _builtins.int
    def __init__(self, incarnation: _Optional[_builtins.bytes] = ..., number: _Optional[_builtins.int] = ..., commit_check: _Optional[_builtins.int] = ...) -> None: ...
